package matrix

import (
	"errors"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

var errHook = errors.New("the hook's own")

// sessions are what stands around a write: hooks, sessions, transactions; behaviours 32, 42, 48, 54 and 55.
func sessions() []write {
	in := func(hook string, do func(tx *gorm.DB) error, write func(c *call)) func(*call) {
		return func(c *call) {
			c.hooks.In, c.hooks.Do = hook, do
			write(c)
		}
	}
	retitle := func(c *call) { c.did(c.db.Model(c.article(1)).Update("title", "new")) }
	bind := func(tx *gorm.DB) error { return tx.Model(&Article{ID: 1}).UpdateColumn("kind", "books").Error }
	return []write{
		{name: "SkipHooks, Create(&v)", falls: "articles:5*", do: func(c *call) {
			a := book("e")
			c.did(c.db.Session(&gorm.Session{SkipHooks: true}).Create(&a))
			c.see(a)
		}},
		{name: "SkipHooks, Save(&v)", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := c.article(1)
			a.Kind = "books"
			c.did(c.db.Session(&gorm.Session{SkipHooks: true}).Save(a))
		}},
		{name: "SkipHooks, Where(…).Delete(&T{})", falls: "articles:1* articles:2*", do: func(c *call) {
			c.did(c.db.Session(&gorm.Session{SkipHooks: true}).Where("kind = ?", "food").Delete(&Article{}))
		}},
		{name: "PrepareStmt, Save(&v)", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := c.article(1)
			a.Kind = "books"
			c.did(c.db.Session(&gorm.Session{PrepareStmt: true}).Save(a))
		}},
		{name: "SkipDefaultTransaction, Save(&v)", falls: "articles:1 " + rebound + onSale, do: func(c *call) {
			a := c.article(1)
			a.Kind = "books"
			c.did(c.db.Session(&gorm.Session{SkipDefaultTransaction: true}).Save(a))
		}},
		{name: "DryRun, Create, Save, Update, Delete, Exec", do: func(c *call) {
			dry := c.db.Session(&gorm.Session{DryRun: true})
			a := book("e")
			c.did(dry.Create(&a))
			c.did(dry.Save(c.article(1)))
			c.did(dry.Model(&Article{}).Where("kind = ?", "food").Update("kind", "books"))
			c.did(dry.Where("kind = ?", "food").Delete(&Article{}))
			c.did(dry.Exec("DELETE FROM articles"))
			c.see(a)
		}},
		{name: "ToSQL", do: func(c *call) {
			a := Article{ID: 1}
			c.said = append(c.said, c.db.ToSQL(func(tx *gorm.DB) *gorm.DB { return tx.Model(&a).Update("kind", "books") }))
		}},
		{name: "a hook that changes what is written", falls: "articles:1 " + rebound + onSale,
			do: in("BeforeUpdate", func(tx *gorm.DB) error { tx.Statement.SetColumn("Kind", "books"); return nil }, retitle)},
		{name: "a hook that changes what is made", falls: "articles:5*", do: in("BeforeCreate", func(tx *gorm.DB) error { tx.Statement.SetColumn("Kind", "tools"); return nil },
			func(c *call) {
				a := book("e")
				c.did(c.db.Create(&a))
				c.see(a)
			})},
		{name: "a hook before the write that writes", falls: "articles:1 " + rebound + onSale, do: in("BeforeUpdate", bind, retitle)},
		{name: "a hook after the write that writes", falls: "articles:1 " + rebound + onSale, do: in("AfterUpdate", bind, retitle)},
		{name: "a hook that writes another table", falls: "articles:1 shops:1 .ListByCity(bend) .ListByCity(reno) .CountByCity(bend) .CountByCity(reno)",
			do: in("AfterSave", func(tx *gorm.DB) error { return tx.Model(&Shop{ID: 1}).Update("city", "reno").Error }, retitle)},
		{name: "a hook before the write that fails", fails: "the hook's own", do: in("BeforeUpdate", func(*gorm.DB) error { return errHook }, retitle)},
		{name: "a hook after the write that fails", fails: "the hook's own", do: in("AfterUpdate", func(*gorm.DB) error { return errHook }, retitle)},
		{name: "a hook of a delete that fails", fails: "the hook's own", do: in("AfterDelete", func(*gorm.DB) error { return errHook }, func(c *call) {
			c.did(c.db.Delete(&Article{ID: 1}))
		})},
		{name: "Transaction of several writes", falls: "articles:1 articles:5* notes:1", do: func(c *call) {
			a := book("e")
			c.err(c.db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Create(&a).Error, tx.Model(&Article{ID: 1}).Update("title", "new").Error, tx.Delete(&Note{ID: 1}).Error)
			}))
			c.see(a)
		}},
		{name: "Transaction that is rolled back", fails: "the hook's own", do: func(c *call) {
			c.err(c.db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Delete(&Article{ID: 1}).Error, errHook)
			}))
		}},
		{name: "Transaction with a savepoint that is rolled back", falls: "articles:1", do: func(c *call) {
			c.err(c.db.Transaction(func(tx *gorm.DB) error {
				_ = tx.Transaction(func(tx *gorm.DB) error { return errors.Join(tx.Delete(&Article{ID: 2}).Error, errHook) })
				return tx.Model(&Article{ID: 1}).Update("title", "new").Error
			}))
		}},
		{name: "Transaction with a write that is refused, in a savepoint", falls: "articles:1", do: func(c *call) {
			c.err(c.db.Transaction(func(tx *gorm.DB) error {
				err := tx.Transaction(func(tx *gorm.DB) error { return tx.Model(&Article{ID: 1}).Update("code", "b").Error })
				if err == nil {
					return errHook
				}
				return tx.Model(&Article{ID: 1}).Update("title", "new").Error
			}))
		}},
		{name: "Transaction with a write that is refused, committed", fails: anyError,
			off: map[string]off{"sqlite": {falls: "articles:1", fails: anyError, why: "only PostgreSQL's transaction ends with the failure"},
				"mariadb": {falls: "articles:1", fails: anyError, why: "only PostgreSQL's transaction ends with the failure"}}, do: func(c *call) {
				tx := c.db.Begin()
				c.did(tx.Model(&Article{ID: 1}).Update("code", "b"))
				c.did(tx.Model(&Article{ID: 1}).Update("title", "new"))
				c.did(tx.Commit())
			}},
		{name: "WithoutFlush, Save(&v)", do: func(c *call) {
			a := c.article(1) // as it was, since nothing is flushed
			c.did(c.db.WithContext(cacheruntime.WithoutFlush(c.db.Statement.Context)).Model(&Note{ID: 1}).Update("text", "one"))
			c.see(a)
		}},
	}
}
