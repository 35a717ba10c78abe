package transactions_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cachegen/cachegen/generated_test/shop"
	"gorm.io/gorm"
)

// behaviours 51, 55: what was written behind a savepoint that was rolled back never falls, what was written before it does.
func TestSavepoints(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) { play(t, w, savepoints) })
}

var savepoints = []scene{
	{name: "55: a nested transaction fails, the next does not", flushed: "ac", titles: map[string]string{"a": "new", "c": "new"}, run: func(w *world) {
		w.ok(w.db.Transaction(func(tx *gorm.DB) error {
			w.ok(saves(w, tx))
			if err := tx.Transaction(func(tx *gorm.DB) error {
				err := update(tx, "b", "lost")
				w.reads("in the inner one", w.M.WithTx(tx), "b", "lost")
				return errors.Join(err, errNo)
			}); !errors.Is(err, errNo) {
				w.Error(err)
			}
			w.reads("behind the inner one", w.M.WithTx(tx), "b", "old")
			return tx.Transaction(func(tx *gorm.DB) error { return update(tx, "c", "new") })
		}))
	}},
	{name: "55: three deep, the middle one panics", flushed: "a", titles: aIsNew, run: func(w *world) {
		w.ok(w.db.Transaction(func(tx *gorm.DB) error {
			w.ok(saves(w, tx))
			panics(w, "the middle one's", func() {
				_ = tx.Transaction(func(tx *gorm.DB) error {
					w.ok(update(tx, "b", "lost"))
					w.ok(tx.Transaction(func(tx *gorm.DB) error { return update(tx, "c", "lost") }))
					panic("the middle one's")
				})
			})
			return nil
		}))
	}},
	{name: "55: the outer one fails after the inner one did not", run: func(w *world) {
		_ = w.db.Transaction(func(tx *gorm.DB) error {
			w.ok(tx.Transaction(func(tx *gorm.DB) error { return update(tx, "b", "lost") }))
			return errNo
		})
	}},
	{name: "55: by hand", flushed: "ad", titles: map[string]string{"a": "new", "d": "new"}, run: func(w *world) {
		tx := w.db.Begin()
		w.ok(saves(w, tx))
		w.ok(tx.SavePoint("one").Error)
		w.ok(update(tx, "b", "lost"))
		w.ok(tx.SavePoint("two").Error)
		w.ok(update(tx, "c", "lost"))
		w.ok(tx.RollbackTo("two").Error)
		w.reads("after two", w.M.WithTx(tx), "b", "lost")
		w.ok(update(tx, "c", "lost again"))
		w.ok(tx.RollbackTo("one").Error)
		w.ok(tx.RollbackTo("one").Error) // it is still there
		w.ok(update(tx, "d", "new"))
		w.ok(tx.Exec("RELEASE SAVEPOINT one").Error)
		w.ok(tx.Commit().Error)
	}},
	{name: "55: one name twice", flushed: "a", titles: aIsNew, run: func(w *world) {
		tx := w.db.Begin()
		w.ok(tx.SavePoint("one").Error)
		w.ok(saves(w, tx))
		w.ok(tx.SavePoint("one").Error) // MariaDB forgets the first, the others hide it
		w.ok(update(tx, "b", "lost"))
		w.ok(tx.RollbackTo("one").Error)
		w.ok(tx.Commit().Error)
	}},
	{name: "55: all of it", run: func(w *world) {
		tx := w.db.Begin()
		w.ok(tx.SavePoint("one").Error)
		w.ok(saves(w, tx))
		w.ok(tx.RollbackTo("one").Error)
		w.ok(tx.Commit().Error)
	}},
	{name: "55: a savepoint that is not there", run: func(w *world) {
		tx := w.db.Begin()
		w.ok(update(tx, "a", "kept"))
		// On SQLite and PostgreSQL, GORM's dialects keep the error for themselves; PostgreSQL gives the transaction up.
		tx.RollbackTo("nowhere")
		tx.Error = nil
		if err := tx.Commit().Error; w.database.Name == "postgres" {
			if err == nil {
				w.Error("PostgreSQL committed a transaction in which a statement failed")
			}
			return
		} else if err != nil {
			w.Error(err)
		}
		w.flushed("a")
		w.ok(update(w.db, "a", "old"))
		w.flushed("a")
	}},
	{name: "55: savepoints as text, prepared and not", flushed: "ac", titles: map[string]string{"a": "new", "c": "new"}, run: func(w *world) {
		w.ok(w.db.Transaction(func(tx *gorm.DB) error {
			w.ok(saves(w, tx))
			for i, to := range []string{"ROLLBACK TO %s", "ROLLBACK TO SAVEPOINT %s", "rollback /* all of it */ to %s;"} {
				name := fmt.Sprint("text", i)
				w.ok(tx.Exec("SAVEPOINT " + name).Error)
				w.ok(update(tx, "b", "lost"))
				w.ok(tx.Exec(fmt.Sprintf(to, name)).Error)
			}
			return update(tx, "c", "new")
		}))
	}},
	{name: "DisableNestedTransaction: the inner error undoes nothing", flushed: "ab", titles: map[string]string{"a": "new", "b": "kept"}, run: func(w *world) {
		w.ok(w.db.Session(&gorm.Session{DisableNestedTransaction: true}).Transaction(func(tx *gorm.DB) error {
			w.ok(saves(w, tx))
			_ = tx.Transaction(func(tx *gorm.DB) error { return errors.Join(update(tx, "b", "kept"), errNo) })
			return nil
		}))
	}},
	{name: "51: a constraint in a nested transaction, and the outer one goes on", flushed: "ab", titles: map[string]string{"a": "new", "b": "new"}, run: func(w *world) {
		w.ok(w.db.Transaction(func(tx *gorm.DB) error {
			w.ok(saves(w, tx))
			if tx.Transaction(func(tx *gorm.DB) error {
				w.ok(update(tx, "c", "lost"))
				return tx.Create(&shop.Croupon{Slug: "a"}).Error
			}) == nil {
				w.Error("two rows have one slug")
			}
			return update(tx, "b", "new")
		}))
	}},
	{name: "51: a constraint, back to the savepoint by hand", flushed: "a", titles: aIsNew, run: func(w *world) {
		w.ok(w.db.Transaction(func(tx *gorm.DB) error {
			w.ok(saves(w, tx))
			tx.SavePoint("one")
			if tx.Create(&shop.Croupon{Slug: "a"}).Error == nil {
				w.Error("two rows have one slug")
			}
			return tx.RollbackTo("one").Error
		}))
	}},
	{name: "51: a constraint, and the transaction goes on", run: func(w *world) {
		err := w.db.Transaction(func(tx *gorm.DB) error {
			w.ok(update(tx, "a", "new"))
			if tx.Create(&shop.Croupon{Slug: "a"}).Error == nil {
				w.Error("two rows have one slug")
			}
			if err := update(tx, "b", "new"); w.database.Name != "postgres" || err == nil {
				return err
			}
			return nil // PostgreSQL has given the transaction up, and makes a ROLLBACK of the COMMIT
		})
		if w.database.Name == "postgres" {
			if err == nil {
				w.Error("PostgreSQL committed a transaction in which a statement failed")
			}
			return
		}
		w.ok(err)
		w.flushed("ab")
		w.ok(update(w.db, "a", "old"))
		w.ok(update(w.db, "b", "old"))
		w.flushed("ab")
	}},
	{name: "51, 54: a constraint, more writes, and a rollback", run: func(w *world) {
		tx := w.db.Begin()
		w.ok(update(tx, "a", "lost"))
		if tx.Create(&shop.Croupon{Slug: "a"}).Error == nil {
			w.Error("two rows have one slug")
		}
		_ = update(tx, "b", "lost")
		w.ok(tx.Rollback().Error)
	}},
	{name: "51, 54: a constraint in a nested transaction, more writes and savepoints, and a rollback", run: func(w *world) {
		_ = w.db.Transaction(func(tx *gorm.DB) error {
			w.ok(update(tx, "a", "lost"))
			_ = tx.Transaction(func(tx *gorm.DB) error { return tx.Create(&shop.Croupon{Slug: "a"}).Error })
			w.ok(update(tx, "b", "lost"))
			w.ok(tx.Transaction(func(tx *gorm.DB) error { return update(tx, "c", "lost") }))
			return errNo
		})
	}},
	{name: "51: a write that fails alone", run: func(w *world) {
		if w.db.Create(&shop.Croupon{Slug: "a"}).Error == nil || w.db.Model(&shop.Croupon{ID: id("a")}).Update("slug", "b").Error == nil ||
			w.db.Exec("UPDATE croupons SET slug = 'a'").Error == nil {
			w.Error("two rows have one slug")
		}
	}},
}
