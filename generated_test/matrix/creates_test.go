package matrix

import (
	"gorm.io/gorm"
)

// part is one part of the matrix.
type part struct {
	title  string
	writes []write
}

func parts() []part {
	return []part{
		{"Making rows", creates()}, {"Changing rows", updates()}, {"Upserts", upserts()}, {"Deleting rows", deletes()},
		{"Rows saved with their owner", relations()}, {"Association mode", associations()},
		{"Hooks, sessions and transactions", sessions()}, {"SQL text", texts()},
		{"Without a condition", refused()}, {"The generics API", generics()},
	}
}

// matrix is all of it.
func matrix() []write {
	var all []write
	for _, p := range parts() {
		all = append(all, p.writes...)
	}
	return all
}

// book is an article that is not there.
func book(code string) Article { return Article{Code: code, Kind: "books", Active: true, Price: 1} }

// creates are the ways to make rows: behaviours 42 and 45.
func creates() []write {
	return []write{
		{name: "Create(&v)", falls: "articles:5*", do: func(c *call) {
			a := book("e")
			c.did(c.db.Create(&a))
			c.see(a)
		}},
		{name: "Create(&v), its key given", falls: "articles:70*", do: func(c *call) {
			a := book("e")
			a.ID = 70
			c.did(c.db.Create(&a))
			c.see(a)
		}},
		{name: "Create(&[]v)", falls: "articles:5* articles:6*", do: func(c *call) {
			a := []Article{book("e"), book("f")}
			c.did(c.db.Create(&a))
			c.see(a)
		}},
		{name: "Create([]*v)", falls: "articles:5* articles:6*", do: func(c *call) {
			a, b := book("e"), book("f")
			c.did(c.db.Create([]*Article{&a, &b}))
			c.see(a, b)
		}},
		{name: "CreateInBatches(3, 2)", falls: "articles:5* articles:6* articles:7*", do: func(c *call) {
			a := []Article{book("e"), book("f"), book("g")}
			c.did(c.db.CreateInBatches(&a, 2))
			c.see(a)
		}},
		{name: "Create(&v) of a model without lists", falls: "notes:3", do: func(c *call) {
			n := Note{Text: "three"}
			c.did(c.db.Create(&n))
			c.see(n)
		}},
		{name: "Create(&v) of a model without a cache", do: func(c *call) {
			u := Unseen{Text: "three"}
			c.did(c.db.Create(&u))
			c.see(u)
		}},
		{name: "Create(&v), a composite, embedded key", falls: "seats:west,2*", do: func(c *call) {
			s := Seat{Place: Place{"west", 2}, Looks: Looks{"green", "oak"}}
			c.did(c.db.Create(&s))
			c.see(s)
		}},
		{name: "Select(…).Create(&v), the database makes the rest", falls: "articles:5*", do: func(c *call) {
			a := book("e")
			a.Grade = "fine"
			c.did(c.db.Select("Code", "Kind").Create(&a))
			c.see(a)
		}},
		{name: "Omit(…).Create(&v)", falls: "articles:5*", do: func(c *call) {
			a := book("e")
			c.did(c.db.Omit("Kind", "Shop").Create(&a))
			c.see(a)
		}},
		{name: "Create(&v) through another struct of the table", falls: "articles:5*", do: func(c *call) {
			s := Slip{Kind: "books", Title: "slip"}
			c.did(c.db.Create(&s))
			c.see(s)
		}},
		{name: "Model(&T{}).Create(map)", falls: "articles", do: func(c *call) {
			c.did(c.db.Model(&Article{}).Create(map[string]any{"code": "e", "kind": "books"}))
		}},
		{name: "Table(…).Create(map)", falls: "articles", do: func(c *call) {
			c.did(c.db.Table("articles").Create(map[string]any{"code": "e", "kind": "books"}))
		}},
		{name: "Create of a deleted row", falls: "articles:5", do: func(c *call) {
			a := book("e")
			a.DeletedAt = gorm.DeletedAt{Time: before, Valid: true}
			c.did(c.db.Create(&a))
			c.see(a)
		}},
		{name: "Create(&v) that a unique index refuses", fails: anyError, do: func(c *call) {
			a := book("a")
			c.did(c.db.Create(&a))
		}},
		{name: "Create(&[]v), of which a unique index refuses one", fails: anyError, do: func(c *call) {
			a := []Article{book("e"), book("a")}
			c.did(c.db.Create(&a))
		}},
		{name: "Create(&[]v{}), empty", fails: "empty slice", do: func(c *call) { c.did(c.db.Create(&[]Article{})) }},
		{name: "Save(&v) without a key", falls: "articles:5*", do: func(c *call) {
			a := book("e")
			c.did(c.db.Save(&a))
			c.see(a)
		}},
		{name: "FirstOrCreate, not found", falls: "articles:5*", do: func(c *call) {
			var a Article
			c.did(c.db.Where(Article{Code: "e"}).Attrs(Article{Kind: "books", Active: true}).FirstOrCreate(&a))
			c.see(a)
		}},
		{name: "FirstOrCreate, not found, with Assign", falls: "articles:5*", do: func(c *call) {
			var a Article
			c.did(c.db.Where(Article{Code: "e"}).Assign(Article{Kind: "books"}).FirstOrCreate(&a))
			c.see(a)
		}},
		{name: "FirstOrCreate, found", do: func(c *call) {
			var a Article
			c.did(c.db.Where(Article{Code: "a"}).Attrs(Article{Kind: "books"}).FirstOrCreate(&a))
			c.see(a)
		}},
		{name: "FirstOrCreate, found, with Assign", falls: "articles:1 .ListByKind(food) .ListByKind(books) .CountByKind(food) .CountByKind(books) " +
			".OneDearest(food) .OneDearest(books) .ListSale(food) .ListSale(books)", do: func(c *call) {
			var a Article
			c.did(c.db.Where(Article{Code: "a"}).Assign(Article{Kind: "books"}).FirstOrCreate(&a))
			c.see(a)
		}},
		{name: "FirstOrInit", do: func(c *call) {
			var a, b Article
			c.did(c.db.Where(Article{Code: "e"}).Attrs(Article{Kind: "books"}).FirstOrInit(&a))
			c.did(c.db.Where(Article{Code: "a"}).Assign(Article{Kind: "books"}).FirstOrInit(&b))
			c.see(a, b)
		}},
		{name: "FirstOrInit, then Save", falls: "articles:5*", do: func(c *call) {
			var a Article
			c.did(c.db.Where(Article{Code: "e"}).Attrs(Article{Kind: "books"}).FirstOrInit(&a))
			c.did(c.db.Save(&a))
			c.see(a)
		}},
	}
}
