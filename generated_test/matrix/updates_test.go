package matrix

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// What falls where the food becomes books.
const (
	rebound = ".ListByKind(food) .ListByKind(books) .CountByKind(food) .CountByKind(books) .OneDearest(food) .OneDearest(books)"
	onSale  = " .ListSale(food) .ListSale(books)"
)

// updates are the ways to change rows: behaviours 42 and 43, 96.
func updates() []write {
	return []write{
		{name: "Save(&v), as it was read", falls: "articles:1", do: func(c *call) {
			a := c.article(1)
			c.did(c.db.Save(a))
			c.see(a)
		}},
		{name: "Save(&v), a column of no list", falls: "articles:1", do: func(c *call) {
			a := c.article(1)
			a.Title = "new"
			c.did(c.db.Save(a))
			c.see(a)
		}},
		{name: "Save(&v), a column of lists", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := c.article(1)
			a.Kind = "books"
			c.did(c.db.Save(a))
			c.see(a)
		}},
		{name: "Save(&v) of a struct that is older than its row", loose: "the row was moved twice", falls: "articles:1 .ListByKind(tools) .ListByKind(books) .CountByKind(tools) " +
			".CountByKind(books) .OneDearest(tools) .OneDearest(books) .ListSale(tools) .ListSale(books) .ListByKind(food) .CountByKind(food) .OneDearest(food) .ListSale(food)",
			do: func(c *call) {
				a := c.article(1)
				c.did(c.db.Model(&Article{ID: 1}).Update("kind", "tools"))
				a.Kind = "books"
				c.did(c.db.Save(a))
				c.see(a)
			}},
		{name: "Save(&v), its key given, of no row", falls: "articles:70*", do: func(c *call) {
			a := book("e")
			a.ID = 70
			c.did(c.db.Save(&a))
			c.see(a)
		}},
		{name: "Save(&[]v), all there", falls: "articles:1 " + rebound + onSale + " articles:2", do: func(c *call) {
			a, b := c.article(1), c.article(2)
			a.Kind, b.Title = "books", "new"
			c.did(c.db.Save([]*Article{a, b}))
			c.see(a, b)
		}},
		{name: "Updates(&v), without Model", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := Article{ID: 1, Kind: "books"}
			c.did(c.db.Updates(&a))
			c.see(a)
		}},
		{name: "Model(&v).Updates(struct)", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := Article{ID: 1}
			c.did(c.db.Model(&a).Updates(Article{Kind: "books"}))
			c.see(a)
		}},
		{name: "Model(&v).Updates(struct), no column of a list", falls: "articles:1", do: func(c *call) {
			a := Article{ID: 1}
			c.did(c.db.Model(&a).Updates(Article{Title: "new"}))
			c.see(a)
		}},
		{name: "Model(&v).Updates(map)", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := Article{ID: 1}
			c.did(c.db.Model(&a).Updates(map[string]any{"kind": "books"}))
			c.see(a)
		}},
		{name: "Model(&v).Updates(map), to the value that it has", falls: "articles:1", do: func(c *call) {
			a := Article{ID: 1}
			c.did(c.db.Model(&a).Updates(map[string]any{"kind": "food"}))
			c.see(a)
		}},
		{name: "Model(&v).Updates(map), an expression", falls: "articles:1 .ListSale(food) .OneDearest(food)", do: func(c *call) {
			a := Article{ID: 1}
			c.did(c.db.Model(&a).Updates(map[string]any{"price": gorm.Expr("price + ?", 5)}))
		}},
		{name: "Model(&v).Update, a column of no list", falls: "articles:1", do: func(c *call) {
			a := Article{ID: 1}
			c.did(c.db.Model(&a).Update("title", "new"))
			c.see(a)
		}},
		{name: "Model(&v).Update, to NULL", falls: "articles:1 .ListByShopID(1) .ListByShopID(~)", do: func(c *call) {
			a := Article{ID: 1}
			c.did(c.db.Model(&a).Update("shop_id", nil))
			c.see(a)
		}},
		{name: "Model(&v).Update, a unique column", falls: "articles:1 .GetByCode(a) .GetByCode(e)", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).Update("code", "e"))
		}},
		{name: "Model(&v).Update, a unique column, refused", fails: anyError, do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).Update("code", "b"))
		}},
		{name: "Model(&v).Update, what a where term looks at", falls: "articles:2 .ListSale(food)", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 2}).Update("active", true))
		}},
		{name: "Model(&v).Update, the order of a row that is not on the list", falls: "articles:2 .OneDearest(food)", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 2}).Update("price", 9))
		}},
		{name: "Model(&v).Update of a deleted row", do: func(c *call) { c.did(c.db.Model(&Article{ID: 4}).Update("kind", "books")) }},
		{name: "Model(&v).Update of no row", do: func(c *call) { c.did(c.db.Model(&Article{ID: 99}).Update("kind", "books")) }},
		{name: "Model(&v).Where(…).Update, by key and condition", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).Where("kind = ?", "food").Update("kind", "books"))
		}},
		{name: "Model(&v).Where(…).Update, which does not hold", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).Where("kind = ?", "tools").Update("kind", "books"))
		}},
		{name: "Model(&v).UpdateColumn", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := Article{ID: 1}
			c.did(c.db.Model(&a).UpdateColumn("kind", "books"))
			c.see(a)
		}},
		{name: "Model(&v).UpdateColumns(map), a column of no list", falls: "articles:1", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).UpdateColumns(map[string]any{"title": "new"}))
		}},
		{name: "Model(&v).UpdateColumns(struct)", falls: "articles:1 .OneDearest(food) .ListSale(food)", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).UpdateColumns(Article{Price: 9}))
		}},
		{name: "Model(&v).Select(…).Updates(struct), a zero value", falls: "articles:1 .ListSale(food)", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).Select("Active").Updates(Article{Kind: "books"}))
		}},
		{name: "Model(&v).Select(\"*\").Updates(struct)", falls: "articles:1*",
			do: func(c *call) { c.did(c.db.Model(&Article{ID: 1}).Select("*").Omit("ID").Updates(Article{})) }},
		{name: "Model(&v).Omit(…).Updates(struct)", falls: "articles:1", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).Omit("Kind").Updates(Article{Kind: "books", Title: "new"}))
		}},
		{name: "Model(&v).Omit(…).Updates(map)", falls: "articles:1", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).Omit("kind").Updates(map[string]any{"kind": "books", "title": "new"}))
		}},
		{name: "Model(&[]v).Update", falls: "articles:1 articles:2 " + rebound + onSale, do: func(c *call) {
			c.did(c.db.Model(&[]Article{{ID: 1}, {ID: 2}}).Update("kind", "books"))
		}},
		{name: "Model(&[]v).Update, a column of no list", falls: "articles:1 articles:2", do: func(c *call) {
			c.did(c.db.Model(&[]Article{{ID: 1}, {ID: 2}}).Update("title", "new"))
		}},
		{name: "Model(&T{}).Where(…).Update", falls: "articles:1 articles:2 " + rebound + onSale, do: func(c *call) {
			c.did(c.db.Model(&Article{}).Where("kind = ?", "food").Update("kind", "books"))
		}},
		{name: "Model(T{}).Where(…).Updates(map)", falls: "shops:1 shops:2 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno)", do: func(c *call) {
			c.did(c.db.Model(Shop{}).Where("city = ?", "bend").Updates(map[string]any{"city": "reno"}))
		}},
		{name: "Model(T{}).Where(…).Updates(map), with hooks", fails: "invalid value", do: func(c *call) {
			c.did(c.db.Model(Article{}).Where("kind = ?", "food").Updates(map[string]any{"kind": "books"}))
		}},
		{name: "Model(&T{}).Where(…).Update, an expression", falls: "articles:1 articles:2 .ListSale(food) .OneDearest(food)", do: func(c *call) {
			c.did(c.db.Model(&Article{}).Where("kind = ?", "food").Update("price", gorm.Expr("price * 2")))
		}},
		{name: "Model(&T{}).Where(…).Or(…).Update", falls: "articles:1 articles:3", do: func(c *call) {
			c.did(c.db.Model(&Article{}).Where("id = ?", 1).Or("id = ?", 3).Or("id = ?", 4).Update("title", "new"))
		}},
		{name: "Model(&T{}).Where(subquery).Update", falls: "articles:3 .GetByCode(c) .GetByCode(e)", do: func(c *call) {
			c.did(c.db.Model(&Article{}).Where("shop_id IN (?)", c.db.Model(&Shop{}).Select("id").Where("name = ?", "bert")).Update("code", "e"))
		}},
		{name: "Model(&T{}).Where(…).Updates(struct)", falls: "articles:1 articles:2 " + rebound + onSale, do: func(c *call) {
			c.did(c.db.Model(&Article{}).Where(&Article{Kind: "food"}).Updates(Article{Kind: "books"}))
		}},
		{name: "Model(&T{}).Where(…).UpdateColumn", falls: "articles:1 articles:2 .ListSale(food)", do: func(c *call) {
			c.did(c.db.Model(&Article{}).Where("kind = ?", "food").UpdateColumn("active", gorm.Expr("NOT active")))
		}},
		{name: "Model(&T{}).Where(…).Update of no row", do: func(c *call) {
			c.did(c.db.Model(&Article{}).Where("kind = ?", "none").Update("kind", "books"))
		}},
		{name: "Model(&T{}).Unscoped().Where(…).Update", falls: "articles:4", do: func(c *call) {
			c.did(c.db.Unscoped().Model(&Article{}).Where("code = ?", "d").Update("kind", "books"))
		}},
		{name: "Model(&T{}).Unscoped().Where(…).Update, restoring", falls: "articles:4*", do: func(c *call) {
			c.did(c.db.Unscoped().Model(&Article{}).Where("code = ?", "d").Update("deleted_at", nil))
		}},
		{name: "Unscoped().Model(&v).Update, restoring", falls: "articles:4*", do: func(c *call) {
			c.did(c.db.Unscoped().Model(&Article{ID: 4}).Update("deleted_at", nil))
		}},
		{name: "AllowGlobalUpdate, Model(&T{}).Update", falls: "articles:1 articles:2 articles:3", do: func(c *call) {
			c.did(c.db.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(&Article{}).Update("title", "new"))
		}},
		{name: "Table(…).Where(…).Updates(map)", falls: "articles:1 articles:2 " + rebound + onSale, do: func(c *call) {
			c.did(c.db.Table("articles").Where("kind = ?", "food").Updates(map[string]any{"kind": "books"}))
		}},
		{name: "Table(…) with an alias, Where(…).Updates(map)", falls: "articles", do: func(c *call) {
			c.did(c.db.Table("articles AS a").Where("a.kind = ?", "food").Updates(map[string]any{"title": "new"}))
		}},
		{name: "Model(&v).Update through another struct of the table", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			s := Slip{ID: 1}
			c.did(c.db.Model(&s).Update("kind", "books"))
			c.see(s)
		}},
		{name: "Save(&v) through another struct of the table", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			s := Slip{ID: 1, Kind: "books", Title: "slip"}
			c.did(c.db.Save(&s))
			c.see(s)
		}},
		{name: "Model(&v).Updates(struct), another key", falls: "articles", do: func(c *call) {
			c.did(c.db.Model(&Article{ID: 1}).Updates(Article{ID: 71}))
		}},
		{name: "Model(&v).Update, the key", falls: "seats", do: func(c *call) {
			c.did(c.db.Model(&Seat{Place: Place{"east", 1}}).Update("no", 7))
		}},
		{name: "Model(&v).Update, a composite key", falls: "seats:east,1", do: func(c *call) {
			c.did(c.db.Model(&Seat{Place: Place{"east", 1}}).Update("looks_wood", "ash"))
		}},
		{name: "Model(&v).Update, a composite key, an embedded column", falls: "seats:east,1 .ListByColour(red) .ListByColour(blue)", do: func(c *call) {
			c.did(c.db.Model(&Seat{Place: Place{"east", 1}}).Update("looks_colour", "blue"))
		}},
		{name: "Model(&v).Update, a part of a composite key", falls: "seats:east,1 seats:east,2 .ListByColour(red) .ListByColour(blue)", do: func(c *call) {
			c.did(c.db.Model(&Seat{Place: Place{Hall: "east"}}).Update("looks_colour", "blue"))
		}},
		{name: "Model(&v).Update of a model without lists", falls: "notes:1", do: func(c *call) {
			c.did(c.db.Model(&Note{ID: 1}).Update("text", "new"))
		}},
		{name: "Model(&T{}).Where(…).Update of a model without lists", falls: "notes:1 notes:2", do: func(c *call) {
			c.did(c.db.Model(&Note{}).Where("id > 0").Update("text", "new"))
		}},
		{name: "Model(&T{}).Where(…).Update of a model without a cache", do: func(c *call) {
			c.did(c.db.Model(&Unseen{}).Where("id > 0").Update("text", "new"))
		}},
		{name: "Model(&[]v).Clauses(Returning{}).Where(…).Update", falls: "articles:1 articles:2 " + rebound + onSale, off: map[string]off{"mariadb": {fails: anyError, why: "MariaDB has no UPDATE … RETURNING"}, "mysql": {falls: "articles:1 articles:2 " + rebound + onSale}}, do: func(c *call) {
			var all []Article
			c.did(c.db.Model(&all).Clauses(clause.Returning{}).Where("kind = ?", "food").Update("kind", "books"))
			c.see(all)
		}},
		{name: "Clauses(Set).Where(…).Updates", falls: "articles:1 articles:2 " + rebound + onSale, do: func(c *call) {
			c.did(c.db.Model(&Article{}).Where("kind = ?", "food").Clauses(clause.Set{{Column: clause.Column{Name: "kind"}, Value: "books"}}).Updates(map[string]any{}))
		}},
		{name: "Joins(…).Where(…).Update", fails: anyError, do: func(c *call) {
			c.did(c.db.Model(&Article{}).Joins("JOIN shops ON shops.id = articles.shop_id").Where("shops.name = ?", "anna").Update("title", "new"))
		}},
	}
}

// article reads a row as a program does that will save it.
func (c *call) article(id uint64) *Article {
	var a Article
	if err := c.db.First(&a, id).Error; err != nil {
		c.t.Fatal(err)
	}
	return &a
}
