package matrix

import (
	"gorm.io/gorm"
)

const noReturning = "MariaDB has no UPDATE … RETURNING; that a statement which returns rows has done nothing is not believed"

// texts are writes by SQL text; generated_test/sqltext has many more: behaviours 48, 50, 101.
func texts() []write {
	const set = "UPDATE articles SET kind = ? WHERE id = ?"
	returning := map[string]off{"mariadb": {falls: "articles", fails: anyError, why: noReturning}}
	in := func(do func(c *call, tx *gorm.DB)) func(*call) {
		return func(c *call) {
			tx := c.db.Begin()
			do(c, tx)
			c.did(tx.Commit())
		}
	}
	return []write{
		{name: "Exec(UPDATE)", falls: "articles", do: func(c *call) { c.did(c.db.Exec(set, "books", 1)) }},
		{name: "Exec(UPDATE) of no row", do: func(c *call) { c.did(c.db.Exec(set, "books", 99)) }},
		{name: "Exec(INSERT)", falls: "notes", do: func(c *call) { c.did(c.db.Exec("INSERT INTO notes (text) VALUES (?)", "three")) }},
		{name: "Exec(DELETE)", falls: "notes", do: func(c *call) { c.did(c.db.Exec("DELETE FROM notes WHERE id = ?", 1)) }},
		{name: "Exec(DELETE), refused", fails: anyError, do: func(c *call) { c.did(c.db.Exec("DELETE FROM notes WHERE none = ?", 1)) }},
		{name: "Model(&T{}).Exec(UPDATE)", falls: "articles", do: func(c *call) { c.did(c.db.Model(&Article{}).Exec(set, "books", 1)) }},
		{name: "Exec(UPDATE) of a table without a cache", do: func(c *call) { c.did(c.db.Exec("UPDATE unseens SET text = ?", "new")) }},
		{name: "Exec(SELECT), Exec(SET)", do: func(c *call) { c.did(c.db.Exec("SELECT 1 FROM articles")) }},
		{name: "Exec(ALTER TABLE)", falls: "notes", do: func(c *call) {
			c.did(c.db.Exec("ALTER TABLE notes ADD COLUMN more int"))
			c.did(c.db.Exec("ALTER TABLE notes DROP COLUMN more"))
		}},
		{name: "Raw(UPDATE … RETURNING).Find", falls: "articles", off: returning, do: func(c *call) {
			var a []Slip
			c.did(c.db.Raw(set+" RETURNING id, kind, title", "books", 1).Find(&a))
			c.see(a)
		}},
		{name: "Raw(UPDATE … RETURNING).Scan, in a transaction", falls: "articles", off: returning, do: in(func(c *call, tx *gorm.DB) {
			var a Slip
			c.did(tx.Raw(set+" RETURNING id, kind, title", "books", 1).Scan(&a))
			c.see(a)
		})},
		{name: "Raw(INSERT … RETURNING).Row, in a transaction", falls: "notes", do: in(func(c *call, tx *gorm.DB) {
			var id uint64
			c.err(tx.Raw("INSERT INTO notes (text) VALUES (?) RETURNING id", "three").Row().Scan(&id))
			c.see(id)
		})},
		{name: "Raw(INSERT … RETURNING).Scan", falls: "notes", do: func(c *call) {
			var id uint64
			c.did(c.db.Raw("INSERT INTO notes (text) VALUES (?) RETURNING id", "three").Scan(&id))
			c.see(id)
		}},
		{name: "Raw(SELECT).Scan", do: func(c *call) {
			var ids []uint64
			c.did(c.db.Raw("SELECT id FROM articles ORDER BY id").Scan(&ids))
			c.see(ids)
		}},
	}
}
