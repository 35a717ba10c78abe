package writes_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

var errRollback = errors.New("roll back")

// title reads a croupon's title, by the cache or in a transaction.
func (w *world) title(src cacheruntime.Source, id uint64) string {
	w.t.Helper()
	c, err := cacheruntime.Row[*Croupon](w.croupons.Get(w.t.Context(), src, cacheruntime.Uint(id)))
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Title
}

// hit fails the test when reading row 1 makes a statement.
func (w *world) hit(what, want string) {
	w.t.Helper()
	before := w.rt.Stats().CacheStatements
	if got := w.title(cached, 1); got != want {
		w.t.Errorf("%s: %q, not %q", what, got, want)
	}
	if w.rt.Stats().CacheStatements != before {
		w.t.Errorf("%s: not a hit", what)
	}
}

// behaviours 52, 53, 54, 56
func TestTransaction(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(&Croupon{ID: 1, Slug: "a", Title: "old"})
		w.title(cached, 1)
		save := func(tx *gorm.DB, title string) {
			t.Helper()
			if err := tx.Model(&Croupon{ID: 1}).Update("title", title).Error; err != nil {
				t.Fatal(err)
			}
			if got := w.title(cached.WithTx(tx), 1); got != title {
				t.Errorf("inside: %q, not %q", got, title)
			}
		}
		err := w.db.Transaction(func(tx *gorm.DB) error {
			save(tx, "lost")
			w.hit("outside, before the end", "old")
			return errRollback
		})
		if !errors.Is(err, errRollback) {
			t.Fatal(err)
		}
		w.flushed("a transaction that failed")
		w.hit("after it", "old")

		tx := w.db.Begin()
		save(tx, "lost too")
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		w.flushed("Begin and Rollback")

		func() {
			defer func() { _ = recover() }()
			_ = w.db.Transaction(func(tx *gorm.DB) error {
				save(tx, "lost by panic")
				panic("no")
			})
		}()
		w.flushed("a transaction that panicked")
		w.hit("after them", "old")

		if err := w.db.Transaction(func(tx *gorm.DB) error { save(tx, "new"); save(tx, "newer"); return nil }); err != nil {
			t.Fatal(err)
		}
		w.flushed("a transaction that wrote a row twice", "croupons:1")
		if got := w.title(cached, 1); got != "newer" {
			t.Errorf("after the commit: %q", got)
		}

		tx = w.db.Begin()
		save(tx, "by hand")
		if err := tx.Commit().Error; err != nil {
			t.Fatal(err)
		}
		w.flushed("Begin and Commit", "croupons:1")
		if err := tx.Commit().Error; !errors.Is(err, sql.ErrTxDone) {
			t.Errorf("a second Commit: %v", err)
		}
		w.flushed("a second Commit")
		if got := w.title(cached, 1); got != "by hand" {
			t.Errorf("after the commit: %q", got)
		}
		w.hit("once read again", "by hand")
	})
}

// behaviour 57
func TestTransactionFillsNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(&Croupon{ID: 1, Slug: "a", City: "portland", Title: "old"})
		err := w.db.Transaction(func(tx *gorm.DB) error {
			in := cached.WithTx(tx)
			w.title(in, 1)
			if _, err := w.byCity.Get(t.Context(), in, cacheruntime.Text("portland")); err != nil {
				return err
			}
			_, err := w.inCity.Get(t.Context(), in, cacheruntime.Text("portland"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		before := w.rt.Stats().CacheStatements
		w.title(cached, 1)
		if n := w.rt.Stats().CacheStatements - before; n != 1 {
			t.Errorf("%d statements for a row that only a transaction had read, not 1", n)
		}
	})
}

// behaviour 55
func TestSavepoints(t *testing.T) {
	for name, session := range map[string]*gorm.Session{
		"as opened":            {},
		"with a session of it": {PrepareStmt: true},
		"hooks skipped":        {SkipHooks: true},
	} {
		run := oneWayOf
		if name == "as opened" {
			run = everyWayOf
		}
		t.Run(name, func(t *testing.T) {
			run(t, func(*setup) {}, func(t *testing.T, w *world) {
				w.seed(three()...)
				db := w.db.Session(session)
				writes := 0
				title := func(tx *gorm.DB, id uint64) {
					t.Helper()
					writes++ // MariaDB does not count a row that is left as it was
					if err := tx.Model(&Croupon{ID: id}).Update("title", fmt.Sprint(writes)).Error; err != nil {
						t.Fatal(err)
					}
				}
				if err := db.Transaction(func(tx *gorm.DB) error {
					title(tx, 1)
					_ = tx.Transaction(func(tx *gorm.DB) error { title(tx, 2); return errRollback })
					return tx.Transaction(func(tx *gorm.DB) error { title(tx, 3); return nil })
				}); err != nil {
					t.Fatal(err)
				}
				w.flushed("nested transactions", "croupons:1", "croupons:3")

				tx := db.Begin()
				tx.SavePoint("a")
				title(tx, 1)
				tx.SavePoint("b")
				title(tx, 2)
				tx.RollbackTo("b")
				tx.RollbackTo("b") // it is still there
				tx.SavePoint("a")  // the same name, further in
				title(tx, 3)
				tx.RollbackTo("a")
				if err := tx.Exec("RELEASE SAVEPOINT a").Error; err != nil {
					t.Fatal(err)
				}
				if err := tx.Commit().Error; err != nil {
					t.Fatal(err)
				}
				w.flushed("savepoints", "croupons:1")

				tx = db.Begin()
				tx.SavePoint("a")
				title(tx, 1)
				tx.RollbackTo("a")
				if err := tx.Commit().Error; err != nil {
					t.Fatal(err)
				}
				w.flushed("all of it rolled back")

				if err := db.Session(&gorm.Session{DisableNestedTransaction: true}).Transaction(func(tx *gorm.DB) error {
					_ = tx.Transaction(func(tx *gorm.DB) error { title(tx, 2); return errRollback })
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				w.flushed("without nested transactions", "croupons:2")
			})
		})
	}
}

// behaviours 48, 32
func TestSessions(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		for name, s := range map[string]*gorm.Session{
			"PrepareStmt":            {PrepareStmt: true},
			"SkipDefaultTransaction": {SkipDefaultTransaction: true},
			"SkipHooks":              {SkipHooks: true},
			"both":                   {SkipDefaultTransaction: true, PrepareStmt: true},
		} {
			w.flushes(name, func() error { return w.db.Session(s).Model(&Croupon{ID: 1}).Update("title", name).Error }, "croupons:1")
		}
		w.log.take()
		w.flushes("DryRun", func() error {
			tx := w.db.Session(&gorm.Session{DryRun: true})
			return errors.Join(tx.Create(&Croupon{Slug: "z"}).Error, tx.Model(&Croupon{ID: 1}).Update("city", "z").Error,
				tx.Delete(&Croupon{ID: 1}).Error, tx.Exec("DELETE FROM croupons").Error)
		})
		if sql := w.log.take(); len(sql) != 4 {
			t.Errorf("DryRun made statements of its own: %q", sql)
		}
		_ = w.db.ToSQL(func(tx *gorm.DB) *gorm.DB { return tx.Model(&Croupon{}).Where("id = 1").Update("city", "z") })
		w.flushed("ToSQL")

		w.title(cached, 2)
		off := cacheruntime.WithoutFlush(cacheruntime.WithFresh(t.Context()))
		w.flushes("WithoutFlush", func() error {
			return w.db.WithContext(cacheruntime.WithFresh(off)).Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Model(&Croupon{ID: 2}).Update("title", "unseen").Error, tx.Exec("UPDATE croupons SET title = title").Error)
			})
		})
		before := w.rt.Stats().CacheStatements
		if got := w.title(cached, 2); got != "" || w.rt.Stats().CacheStatements != before {
			t.Errorf("with flushing off, the row is %q and %d statements", got, w.rt.Stats().CacheStatements-before)
		}
		w.flushes("on again", func() error { return w.db.Model(&Croupon{ID: 2}).Update("title", "seen").Error }, "croupons:2")
		if got := w.title(cached, 2); got != "seen" {
			t.Errorf("on again: %q", got)
		}
	})
}

// behaviour 51
func TestConstraint(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.title(cached, 1)
		if w.db.Create(&Croupon{Slug: "a"}).Error == nil || w.db.Model(&Croupon{ID: 1}).Update("slug", "b").Error == nil {
			t.Fatal("two rows have one slug")
		}
		w.flushed("writes that failed")
		w.hit("after them", "")
		err := w.db.Transaction(func(tx *gorm.DB) error {
			// Without a savepoint, the transaction would have failed with it on PostgreSQL.
			if tx.Transaction(func(tx *gorm.DB) error { return tx.Create(&Croupon{Slug: "a"}).Error }) == nil {
				t.Error("two rows have one slug")
			}
			return tx.Model(&Croupon{ID: 3}).Update("title", "x").Error
		})
		if err != nil {
			t.Fatal(err)
		}
		w.flushed("a transaction that passed over a failure", "croupons:3")
	})
}

// behaviour 58
func TestAfterCommit(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		var ran []string
		note := func(name string) func(context.Context) {
			return func(context.Context) { ran = append(ran, fmt.Sprint(name, w.spy.take())) }
		}
		register := func(tx *gorm.DB, name string) {
			t.Helper()
			if err := cacheruntime.AfterCommit(tx, note(name)); err != nil {
				t.Fatal(err)
			}
		}
		type key struct{}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		err := w.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			register(tx, "first")
			if err := tx.Model(&Croupon{ID: 1}).Update("title", "x").Error; err != nil {
				return err
			}
			_ = tx.Transaction(func(tx *gorm.DB) error { register(tx, "lost"); return errRollback })
			if err := cacheruntime.AfterCommit(tx, func(ctx context.Context) {
				cancel()
				if ctx.Value(key{}) != "value" || ctx.Err() != nil {
					t.Errorf("the context: %v, %v", ctx.Value(key{}), ctx.Err())
				}
				panic("in a function")
			}); err != nil {
				return err
			}
			register(tx, "last")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"first[croupons:1]", "last[]"}; !slices.Equal(ran, want) {
			t.Errorf("ran %q, not %q: after the flush, in order, once", ran, want)
		}
		if len(w.spy.faults()) != 1 {
			t.Errorf("the panic was reported %d times", len(w.spy.faults()))
		}
		ran = nil
		_ = w.db.Transaction(func(tx *gorm.DB) error { register(tx, "never"); return errRollback })
		if len(ran) > 0 {
			t.Errorf("%q ran after a rollback", ran)
		}
		if err := w.db.Transaction(func(tx *gorm.DB) error { register(tx, "without a write"); return nil }); err != nil || len(ran) != 1 {
			t.Errorf("%q, %v", ran, err)
		}
		if err := cacheruntime.AfterCommit(w.db, func(context.Context) {}); err == nil {
			t.Error("AfterCommit outside of a transaction: no error")
		}
		tx := w.db.Begin()
		tx.Commit()
		if err := cacheruntime.AfterCommit(tx, func(context.Context) {}); err == nil {
			t.Error("AfterCommit after the end: no error")
		}
	})
}

// behaviour 56: a context that ends before the COMMIT.
func TestContextEnds(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(&Croupon{ID: 1, Slug: "a", Title: "old"})
		w.title(cached, 1)
		ctx, cancel := context.WithCancel(t.Context())
		tx := w.db.WithContext(ctx).Begin()
		if err := tx.Model(&Croupon{ID: 1}).Update("title", "new").Error; err != nil {
			t.Fatal(err)
		}
		cancel()
		if tx.Commit().Error == nil {
			t.Fatal("committed under a context that was done")
		}
		w.flushed("a transaction whose context ended")
		w.hit("after it", "old")
	})
}

// behaviour 49: a long transaction that writes the same rows over and over flushes each once, and what a savepoint
// took back not at all.
func TestLongTransaction(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		writes := 0
		title := func(tx *gorm.DB, ids ...uint64) (err error) {
			for _, id := range ids {
				writes++
				err = errors.Join(err, tx.Model(&Croupon{ID: id}).Update("title", fmt.Sprint(writes)).Error)
			}
			return err
		}
		w.flushes("50 updates", func() error {
			return w.db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(title(tx, 3), title(tx, slices.Repeat([]uint64{1}, 30)...), tx.SavePoint("a").Error,
					title(tx, slices.Repeat([]uint64{2}, 20)...), tx.RollbackTo("a").Error)
			})
		}, "croupons:1", "croupons:3")

		// Of more lists than both limits together, the transaction keeps none by itself.
		w.fill(9)
		upTo := func(n uint64) func() error {
			return func() error {
				return w.db.Transaction(func(tx *gorm.DB) (err error) {
					for id := range n {
						err = errors.Join(err, title(tx, id+1))
					}
					return err
				})
			}
		}
		w.flushes("8 lists", upTo(8), rowsOf("croupons", 8)...)
		w.flushes("9 lists", upTo(9), "croupons")
	}, few)
}
