package transactions_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// foreigners are ways to come to a session of the database whose transaction was not begun through it.
var foreigners = map[string]func(w *world, write func(tx *gorm.DB) error) error{
	"a session bound to a *sql.Tx": func(w *world, write func(tx *gorm.DB) error) error {
		return w.foreign(func(bare *sql.Tx) error {
			tx := w.db.Session(&gorm.Session{NewDB: true, Context: ctx})
			tx.Statement.ConnPool = bare
			return write(tx)
		})
	},
	"db.Connection": func(w *world, write func(tx *gorm.DB) error) error {
		return w.DB.Connection(func(tx *gorm.DB) error { return tx.Transaction(write) })
	},
}

// foreign runs f in a transaction of another library's.
func (w *world) foreign(f func(tx *sql.Tx) error) error {
	tx, err := w.pool.BeginTx(ctx, nil)
	w.ok(err)
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// behaviours 54, 57: a transaction whose end the plugin cannot see. Mode Strict refuses its writes, with what to do; mode Available
// leaves tokens, so that readers go to the database. Reads are made in it, and fill nothing.
func TestForeignTransactions(t *testing.T) {
	for _, mode := range []cacheruntime.Mode{cacheruntime.Strict, cacheruntime.Available} {
		s := setup{options: cacheruntime.Options{Mode: mode}}
		withSetup(t, mode.String(), s, func(t *testing.T, w *world) {
			w.deal()
			for name, foreign := range foreigners {
				t.Run(name, func(t *testing.T) {
					w.TB = t
					for what, write := range map[string]func(tx *gorm.DB) error{
						"Update": func(tx *gorm.DB) error { return update(tx, "a", "new") },
						"bulk": func(tx *gorm.DB) error {
							return tx.Model(&shop.Croupon{}).Where("id = 1").Update("title", "newer").Error
						},
						"Exec": func(tx *gorm.DB) error { return tx.Exec("UPDATE croupons SET title = 'text' WHERE id = 1").Error },
						"nested": func(tx *gorm.DB) error {
							return tx.Transaction(func(tx *gorm.DB) error { return update(tx, "a", "nested") })
						},
					} {
						if mode == cacheruntime.Strict {
							w.deal()
						}
						err := foreign(w, func(tx *gorm.DB) error {
							if cacheruntime.AfterCommit(tx, func(context.Context) {}) == nil {
								t.Error("AfterCommit of a transaction that is not seen")
							}
							return write(tx)
						})
						if mode == cacheruntime.Available {
							w.ok(err)
							w.reads(what, w.M, "a", w.inDatabase("a"))
							if w.inDatabase("a") == "old" {
								t.Errorf("%s: nothing was written", what)
							}
							continue
						}
						if err == nil || !strings.Contains(err.Error(), "db.Transaction") {
							t.Errorf("%s: %v", what, err)
						}
						w.flushed("")
						w.reads(what, w.M, "a", "old")
						w.cached()
					}
					w.idle()
				})
			}
		})
	}
}

// A second gorm.Open over a *sql.Tx has no plugin, and is not seen in any mode: FlushTable after its COMMIT mends it.
func TestOpenOverTransaction(t *testing.T) {
	twice(t, func(t *testing.T, w *world) {
		w.deal()
		w.ok(w.foreign(func(bare *sql.Tx) error {
			tx, err := gorm.Open(w.database.Over(bare), &gorm.Config{Logger: logger.Discard, SkipDefaultTransaction: true})
			w.ok(err)
			if err := cacheruntime.AfterCommit(tx, func(context.Context) {}); err == nil || !strings.Contains(err.Error(), "call New first") {
				t.Errorf("AfterCommit: %v", err)
			}
			return update(tx, "a", "new")
		}))
		w.reads("unseen", w.M, "a", "old")
		w.ok(w.RT.FlushTable(ctx, "croupons"))
		w.reads("flushed", w.M, "a", "new")
		w.flushed("all")
		w.cached()
	})
}

// A session made before New, whose transactions are foreign: single writes are seen.
func TestSessionMadeBeforeNew(t *testing.T) {
	twice(t, func(t *testing.T, w *world) {
		// A *gorm.DB as it was before New: with the bare pool.
		before := w.DB.WithContext(ctx)
		before.Statement.ConnPool = w.pool
		w.deal()
		w.ok(update(before.Session(&gorm.Session{}), "a", "new"))
		w.flushed("a")
		w.cached()
		w.ok(before.Session(&gorm.Session{}).Transaction(func(tx *gorm.DB) error { return update(tx, "b", "new") }))
		w.flushed("b")
		w.reads("tokens stand", w.M, "b", "new")
	})
}

// behaviour 58: another library writes into the transaction, past GORM: the COMMIT is seen, and a function after it flushes.
func TestSQLTx(t *testing.T) {
	twice(t, func(t *testing.T, w *world) {
		w.deal()
		w.ok(w.db.Transaction(func(tx *gorm.DB) error {
			bare, err := cacheruntime.SQLTx(tx)
			w.ok(err)
			_, err = bare.ExecContext(ctx, "UPDATE croupons SET title = 'new' WHERE id = 1")
			w.ok(err)
			w.reads("inside", w.M.WithTx(tx), "a", "new")
			w.ok(update(tx, "b", "new"))
			return cacheruntime.AfterCommit(tx, func(ctx context.Context) { w.ok(w.RT.FlushTable(ctx, "croupons")) })
		}))
		w.reads("behind it", w.M, "a", "new")
		w.flushed("allb")
		w.cached()
		for what, db := range map[string]*gorm.DB{"none": nil, "not made": {}, "outside": w.db} {
			if tx, err := cacheruntime.SQLTx(db); err == nil || tx != nil {
				t.Errorf("%s: %v, %v", what, tx, err)
			}
		}
	})
}
