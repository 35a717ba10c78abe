package transactions_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

type txKey struct{}

// withTx is how a program of the test's carries a transaction in a context.
func withTx(ctx context.Context, tx *gorm.DB) context.Context {
	return context.WithValue(ctx, txKey{}, tx)
}

func txOf(ctx context.Context) *gorm.DB {
	if ctx.Value(txKey{}) == "panic" {
		panic("the program's")
	}
	tx, _ := ctx.Value(txKey{}).(*gorm.DB)
	return tx
}

// behaviours 52, 57: Options.TxFromContext: reads with a transaction's context go there, and fill nothing.
func TestTxFromContext(t *testing.T) {
	withSetup(t, "the program's", setup{options: cacheruntime.Options{TxFromContext: txOf}}, func(t *testing.T, w *world) {
		play(t, w, []scene{{name: "52, 57: TxFromContext", flushed: "a", titles: aIsNew, run: func(w *world) {
			w.ok(w.RT.FlushTable(ctx, "croupons"))
			w.heard.take()
			w.ok(w.db.Transaction(func(tx *gorm.DB) error {
				inside := withTx(ctx, tx)
				w.ok(update(tx, "a", "new"))
				for _, m := range []shop.CrouponReader{w.M.Croupon.Cache, w.M.Croupon.Objects} {
					c, err := m.Get(inside, id("a"))
					w.ok(err)
					many, err := m.ListByCity(inside, "Portland")
					w.ok(err)
					if c.Title != "new" || len(many) != len(names) || many[0].Title != "new" {
						w.Errorf("inside: %+v, %d rows", c, len(many))
					}
				}
				w.Expect(w, "outside, for nothing was filled", 1, func() { w.reads("outside", w.M, "a", "old") })
				return nil
			}))
			// WithTx comes before the context's.
			one, two := w.db.Begin(), w.db.Begin()
			w.ok(two.Rollback().Error)
			if c, err := w.M.WithTx(one).Croupon.Cache.Get(withTx(ctx, two), id("a")); err != nil || c.Title != "new" {
				w.Errorf("%+v, %v", c, err)
			}
			w.ok(one.Rollback().Error)
		}}, {name: "52: what TxFromContext returns is of no use", run: func(w *world) {
			tx := w.db.Begin()
			w.ok(tx.Rollback().Error)
			if _, err := w.M.Croupon.Cache.Get(withTx(ctx, tx), id("a")); err == nil {
				w.Error("a transaction is read that has ended")
			}
			if c, err := w.M.Croupon.Cache.Get(withTx(ctx, w.db), id("a")); err != nil || c.Title != "old" { // no transaction: the database
				w.Errorf("%+v, %v", c, err)
			}
			ctx := context.WithValue(ctx, txKey{}, "panic")
			_, err := w.M.Croupon.Cache.Get(ctx, id("a"))
			_, err2 := w.M.Croupon.Objects.ListByCity(ctx, "Portland")
			for _, err := range []error{err, err2} {
				if err == nil || !strings.Contains(err.Error(), "Options.TxFromContext panicked") {
					w.Errorf("a panic: %v", err)
				}
			}
		}}})
	})
}

// behaviour 59: a repeatable-read transaction that began before another's COMMIT reads what was, as often as it likes, and
// puts nothing of it into the cache. A program that reads for it with the cache instead sees what is.
//
//  1. reader: begins, and reads
//  2. writer: commits
//  3. reader: reads the old row, by every accessor; nothing is filled
//  4. everybody else reads the new row, while the transaction is open and after it
func TestRepeatableRead(t *testing.T) {
	twice(t, func(t *testing.T, w *world) {
		play(t, w, []scene{{name: "59: a row and a list", titles: aIsNew, run: func(w *world) {
			options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
			if w.database.Name == "sqlite" {
				options = nil // a transaction of its own is one
			}
			tx := w.db.Begin(options)
			m := w.M.WithTx(tx)
			w.reads("first", m, "a", "old")
			w.ok(update(w.db, "a", "new"))
			w.flushed("a")
			for range 2 {
				w.reads("inside", m, "a", "old")
				if many, err := m.Croupon.Cache.ListByCity(ctx, "Portland"); err != nil || many[0].Title != "old" {
					w.Errorf("inside: %+v, %v", many, err)
				}
				if c, err := m.Croupon.Cache.GetBySlug(cacheruntime.WithRefresh(ctx), "a"); err != nil || c.Title != "old" {
					w.Errorf("inside: %+v, %v", c, err)
				}
				w.reads("outside", w.M, "a", "new")
			}
			w.cached()
			w.ok(tx.Commit().Error)
		}}})
	})
}

// behaviours 52, 53: isolation levels and read only transactions. What the database or its driver does not know, it refuses, and nothing
// of that stays.
func TestOptions(t *testing.T) {
	twice(t, func(t *testing.T, w *world) {
		for name, options := range map[string]*sql.TxOptions{
			"serializable": {Isolation: sql.LevelSerializable}, "read committed": {Isolation: sql.LevelReadCommitted},
			"snapshot": {Isolation: sql.LevelSnapshot}, "read only": {ReadOnly: true}, "none": nil,
		} {
			t.Run(name, func(t *testing.T) {
				w.TB = t
				w.deal()
				err := w.db.Transaction(func(tx *gorm.DB) error { return update(tx, "a", "new") }, options)
				t.Log(err)
				if err == nil {
					w.flushed("a")
				} else {
					w.flushed("")
				}
				w.reads("at the end", w.M, "a", w.inDatabase("a"))
				w.cached()
				ran := false
				err = w.db.Transaction(func(tx *gorm.DB) error {
					w.reads("inside", w.M.WithTx(tx), "a", w.inDatabase("a"))
					return cacheruntime.AfterCommit(tx, func(context.Context) { ran = true })
				}, options)
				if (err == nil) != ran {
					t.Errorf("%v, and the function ran: %v", err, ran)
				}
				w.flushed("")
				w.idle()
			})
		}
	})
}
