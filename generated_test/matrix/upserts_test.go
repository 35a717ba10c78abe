package matrix

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// columns names columns.
func columns(names ...string) (all []clause.Column) {
	for _, n := range names {
		all = append(all, clause.Column{Name: n})
	}
	return all
}

// upserts are creates with ON CONFLICT: behaviour 45.
func upserts() []write {
	return []write{
		{name: "OnConflict{UpdateAll}, there by its key", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := c.article(1)
			a.Kind = "books"
			c.did(c.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(a))
			c.see(a)
		}},
		{name: "OnConflict{UpdateAll}, its key given, of no row", falls: "articles:70*", do: func(c *call) {
			a := book("e")
			a.ID = 70
			c.did(c.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&a))
			c.see(a)
		}},
		{name: "OnConflict{UpdateAll}, without a key", falls: "articles:5*", do: func(c *call) {
			a := book("e")
			c.did(c.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&a))
			c.see(a)
		}},
		{name: "OnConflict{Columns: key, DoUpdates}, a column of no list", falls: "articles:1 articles:2", do: func(c *call) {
			a := []Article{{ID: 1, Code: "a", Title: "new"}, {ID: 2, Code: "b", Title: "new"}}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("id"), DoUpdates: clause.AssignmentColumns([]string{"title"})}).Create(&a))
			c.see(a)
		}},
		{name: "OnConflict{Columns: key, DoUpdates}, a value", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := Article{ID: 1, Code: "a", Title: "not this"}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("id"), DoUpdates: clause.Assignments(map[string]any{"kind": "books"})}).Create(&a))
		}},
		{name: "OnConflict{Columns: key, DoUpdates}, an expression", falls: "articles:1 .ListSale(food) .OneDearest(food)", do: func(c *call) {
			a := Article{ID: 1, Code: "a"}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("id"), DoUpdates: clause.Assignments(map[string]any{"price": gorm.Expr("articles.price + 1")})}).Create(&a))
		}},
		{name: "OnConflict{Columns: composite key, UpdateAll}", falls: "seats:east,1 .ListByColour(red) .ListByColour(blue)", do: func(c *call) {
			s := Seat{Place: Place{"east", 1}, Looks: Looks{"blue", "ash"}}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("hall", "no"), UpdateAll: true}).Create(&s))
		}},
		{name: "OnConflict{Columns: unique, DoUpdates}, there", falls: "shops:1 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno)", do: func(c *call) {
			s := Shop{Name: "anna", City: "reno"}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("name"), DoUpdates: clause.AssignmentColumns([]string{"city"})}).Create(&s))
			c.see(s)
		}},
		{name: "OnConflict{Columns: unique, DoUpdates}, new", falls: "shops:4*", do: func(c *call) {
			s := Shop{Name: "dora", City: "reno"}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("name"), DoUpdates: clause.AssignmentColumns([]string{"city"})}).Create(&s))
			c.see(s)
		}},
		{name: "OnConflict{Columns: unique, UpdateAll}, there", falls: "tags:1", off: map[string]off{"mariadb": {why: leftAlone}}, do: func(c *call) {
			x := Tag{Name: "new"}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("name"), UpdateAll: true}).Create(&x))
			c.see(x)
		}},
		{name: "OnConflict{Columns: unique, DoUpdates, Where}, which does not hold", off: map[string]off{"mariadb": {falls: "shops:1 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno)", why: "MySQL and MariaDB have no such condition"}}, do: func(c *call) {
			s := Shop{Name: "anna", City: "reno"}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("name"), DoUpdates: clause.AssignmentColumns([]string{"city"}),
				Where: clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "shops.city = 'none'"}}}}).Create(&s))
		}},
		{name: "OnConflict{Columns: unique, DoUpdates}, another key given, there", falls: "shops:1 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno)", do: func(c *call) {
			s := Shop{ID: 70, Name: "anna", City: "reno"}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("name"), DoUpdates: clause.AssignmentColumns([]string{"city"})}).Create(&s))
			c.see(s)
		}},
		{name: "OnConflict{Columns: unique, DoUpdates}, its key given, new", falls: "shops:70*", do: func(c *call) {
			s := Shop{ID: 70, Name: "dora", City: "reno"}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("name"), DoUpdates: clause.AssignmentColumns([]string{"city"})}).Create(&s))
			c.see(s)
		}},
		{name: "OnConflict{Columns: unique, UpdateAll}, one there under another key and one new", falls: "badges:a .ListByCity(bend) .ListByCity(reno) badges:d*", do: func(c *call) {
			b := []Badge{{Code: "c", Number: 1, City: "reno"}, {Code: "d", Number: 4, City: "salem"}}
			c.did(c.db.Clauses(clause.OnConflict{Columns: columns("number"), UpdateAll: true}).Create(&b))
			c.see(b)
		}},
		{name: "OnConflict{Columns: unique, DoUpdates}, a row that another value's key is of", falls: "badges:a .ListByCity(bend) .ListByCity(reno)",
			off: map[string]off{"mariadb": {falls: "badges:b .ListByCity(salem) .ListByCity(reno)", why: "MySQL and MariaDB take the primary key first"}}, do: func(c *call) {
				b := Badge{Code: "b", Number: 1, City: "reno"}
				c.did(c.db.Clauses(clause.OnConflict{Columns: columns("number"), DoUpdates: clause.AssignmentColumns([]string{"city"})}).Create(&b))
			}},
		{name: "OnConflict{DoNothing}, there by a unique column", do: func(c *call) {
			a := book("a")
			c.did(c.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&a))
			c.see(a)
		}},
		{name: "OnConflict{DoNothing}, there by its key", do: func(c *call) {
			a := book("e")
			a.ID = 1
			c.did(c.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&a))
			c.see(a)
		}},
		{name: "OnConflict{DoNothing}, new", falls: "articles:5*", do: func(c *call) {
			a := book("e")
			c.did(c.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&a))
			c.see(a)
		}},
		{name: "OnConflict{DoNothing}, its key given, new", falls: "articles:70*", do: func(c *call) {
			a := book("e")
			a.ID = 70
			c.did(c.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&a))
			c.see(a)
		}},
		{name: "OnConflict{DoNothing}, one there and one new, their keys given", falls: "shop_tags:1,3*", do: func(c *call) {
			j := []ShopTag{{ShopID: 1, TagID: 1}, {ShopID: 1, TagID: 3}}
			c.did(c.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&j))
			c.see(j)
		}},
		{name: "OnConflict{DoNothing}, one there and one new, without keys", falls: "articles:6*", off: map[string]off{"mariadb": {falls: "articles:5*", why: "a number is counted for a row that is made"}}, do: func(c *call) {
			a := []Article{book("a"), book("e")}
			c.did(c.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&a))
			c.see(a)
		}},
		{name: "Insert{Modifier}: OR REPLACE, IGNORE", falls: "articles", off: map[string]off{"postgres": {falls: "articles:5*", why: "PostgreSQL has none"}}, do: func(c *call) {
			modifier := map[string]string{"sqlite": "OR REPLACE", "postgres": "", "mariadb": "IGNORE", "mysql": "IGNORE"}[c.kind]
			a := book("e")
			c.did(c.db.Clauses(clause.Insert{Modifier: modifier}).Create(&a))
		}},
		{name: "Save(&[]v), one there and one new", falls: "articles:1 articles:5*", do: func(c *call) {
			a := []Article{*c.article(1), book("e")}
			a[0].Title = "new"
			c.did(c.db.Save(&a))
			c.see(a)
		}},
	}
}
