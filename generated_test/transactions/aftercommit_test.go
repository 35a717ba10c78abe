package transactions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// behaviour 58: functions given to AfterCommit run after the flush, in order, once; and never where what was written
// around them is not committed.
func TestAfterCommit(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		var ran []string
		register := func(tx *gorm.DB, name string) {
			w.Helper()
			w.ok(cacheruntime.AfterCommit(tx, func(context.Context) {
				ran = append(ran, name+":"+w.heard.take())
				w.reads("in a function", w.M, "a", w.inDatabase("a")) // nobody waits for the transaction's connection
			}))
		}
		expect := func(want ...string) {
			w.Helper()
			if !slices.Equal(ran, want) {
				w.Errorf("ran %q, not %q", ran, want)
			}
			ran = nil
		}
		play(t, w, []scene{
			{name: "58: in order, after the flush", titles: aIsNew, run: func(w *world) {
				w.ok(w.db.Transaction(func(tx *gorm.DB) error {
					register(tx, "first")
					w.ok(saves(w, tx))
					register(tx, "second")
					w.ok(tx.Transaction(func(tx *gorm.DB) error { register(tx, "inner"); return nil }))
					register(tx, "last")
					return nil
				}))
				expect("first:a", "second:", "inner:", "last:")
			}},
			{name: "58: savepoints", run: func(w *world) {
				w.ok(w.db.Transaction(func(tx *gorm.DB) error {
					register(tx, "before")
					_ = tx.Transaction(func(tx *gorm.DB) error { register(tx, "lost"); return errNo })
					panics(w, "no", func() { _ = tx.Transaction(func(tx *gorm.DB) error { register(tx, "lost"); panic("no") }) })
					tx.SavePoint("one")
					register(tx, "kept")
					tx.SavePoint("two")
					register(tx, "lost")
					return tx.RollbackTo("two").Error
				}))
				expect("before:", "kept:")
			}},
			{name: "58: a rollback, a panic, a refused COMMIT", run: func(w *world) {
				_ = w.db.Transaction(func(tx *gorm.DB) error { register(tx, "never"); return errNo })
				panics(w, "no", func() { _ = w.db.Transaction(func(tx *gorm.DB) error { register(tx, "never"); panic("no") }) })
				tx := w.db.Begin()
				register(tx, "never")
				w.ok(tx.Rollback().Error)
				tx.Commit()
				ctx, cancel := context.WithCancel(ctx)
				tx = w.db.WithContext(ctx).Begin()
				register(tx, "never")
				cancel()
				if tx.Commit().Error == nil {
					w.Error("committed under a context that had ended")
				}
				expect()
			}},
			{name: "58: without a write, and a read only transaction", run: func(w *world) {
				w.ok(w.db.Transaction(func(tx *gorm.DB) error { register(tx, "without"); return nil }))
				expect("without:")
			}},
			{name: "58: a function that writes, registers and panics", flushed: "b", titles: map[string]string{"a": "new", "b": "new"}, run: func(w *world) {
				w.ok(w.db.Transaction(func(tx *gorm.DB) error {
					w.ok(cacheruntime.AfterCommit(tx, func(context.Context) {
						if cacheruntime.AfterCommit(tx, func(context.Context) {}) == nil {
							w.Error("a function is registered that will never run")
						}
						w.ok(update(w.db, "b", "new"))
						panic("in a function")
					}))
					register(tx, "next")
					return update(tx, "a", "new")
				}))
				if len(ran) != 1 || !strings.HasPrefix(ran[0], "next:ab") {
					w.Errorf("ran %q", ran)
				}
				ran = nil
				if faults := w.heard.reported(); len(faults) != 1 || !strings.Contains(faults[0].Error(), "AfterCommit") {
					w.Errorf("reported: %v", faults)
				}
				w.heard.rows = append(w.heard.rows, "b") // the function after it has taken it
			}},
			{name: "58: in a hook, of a write alone and in a transaction", flushed: "ab", titles: map[string]string{"a": "new", "b": "new"}, run: func(w *world) {
				hooked := func(tx *gorm.DB, name string) error {
					return tx.Model(&announced{ID: id(name)}).Update("title", "new").Error
				}
				announce = func(tx *gorm.DB) error { register(tx, "announced"); return nil }
				w.ok(hooked(w.db, "a"))
				expect("announced:a")
				w.ok(w.db.Transaction(func(tx *gorm.DB) error {
					err := hooked(tx, "b")
					expect()
					return err
				}))
				expect("announced:b")
				_ = w.db.Transaction(func(tx *gorm.DB) error { return errors.Join(hooked(tx, "c"), errNo) })
				announce = func(tx *gorm.DB) error { register(tx, "never"); return errNo }
				if err := hooked(w.db, "c"); !errors.Is(err, errNo) {
					w.Error(err)
				}
				announce = func(tx *gorm.DB) error { register(tx, "never"); panic("no") }
				panics(w, "no", func() { _ = hooked(w.db, "c") })
				expect()
				w.heard.rows = []string{"a", "b"} // the functions have taken them
			}},
			{name: "58: outside of a transaction", run: func(w *world) {
				tx := w.db.Begin()
				w.ok(tx.Commit().Error)
				for what, tx := range map[string]*gorm.DB{"none": nil, "outside": w.db, "after its end": tx, "not made": {}} {
					if err := cacheruntime.AfterCommit(tx, func(context.Context) {}); err == nil {
						w.Errorf("%s: no error", what)
					}
				}
				if w.ok(w.db.Transaction(func(tx *gorm.DB) error {
					if cacheruntime.AfterCommit(tx, nil) == nil {
						return fmt.Errorf("nil: no error")
					}
					return nil
				})); len(ran) > 0 {
					w.Error(ran)
				}
			}},
		})
	})
}

// announced is a croupon whose hook does what the test says.
type announced struct {
	ID    uint64
	Title string
}

var announce func(tx *gorm.DB) error

func (announced) TableName() string             { return "croupons" }
func (announced) AfterUpdate(tx *gorm.DB) error { return announce(tx) }

// inDatabase is the title that the database has.
func (w *world) inDatabase(name string) string {
	w.Helper()
	c, err := w.M.Croupon.Objects.Get(ctx, id(name))
	w.ok(err)
	return c.Title
}
