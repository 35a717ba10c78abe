package writes_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"

	"gorm.io/gorm"
)

// everything are the `all` lists of the models, as SQL flushes them that is not recognised.
var everything = []string{"croupons", "documents", "merchants", "notes"}

// behaviour 101
func TestSQLThatWritesNothing(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		for _, q := range []string{
			"SELECT 1", "select ';' as \"delete\"", "/* note */ -- more\n SELECT 'DELETE FROM croupons'", "SELECT 1;  -- done",
			"WITH x AS (SELECT 1) SELECT * FROM x", "PRAGMA user_version", "EXPLAIN DELETE FROM croupons", "VALUES (1)",
			"ANALYZE", "VACUUM",
		} {
			w.flushes("Exec of "+q, func() error { return w.db.Exec(q).Error })
			var got []map[string]any
			if q != "VACUUM" && !strings.Contains(q, "1;") { // the driver queries one statement
				w.flushes("Raw of "+q, func() error { return w.db.Raw(q).Scan(&got).Error })
			}
		}
		w.flushes("SAVEPOINT in a transaction", func() error {
			return w.db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("SAVEPOINT s").Error, tx.Exec("RELEASE s").Error)
			})
		})
		var n int64
		w.flushes("queries", func() error {
			return errors.Join(w.db.Model(&Croupon{}).Count(&n).Error, w.db.Find(&[]Croupon{}).Error)
		})
	})
}

// behaviour 50
func TestSQLThatWrites(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.seed(&Note{}, &Note{})
		for _, c := range []struct {
			query string
			falls []string
		}{
			{"UPDATE croupons SET title = 'x'", []string{"croupons"}},
			{"-- note\n\tupdate croupons set title = 'x'", []string{"croupons"}},
			{"SELECT 1; DELETE FROM notes", []string{"notes"}},
			{"UPDATE croupons SET title = 'z'; DELETE FROM notes", []string{"croupons", "notes"}},
			{"WITH x AS (SELECT 1) UPDATE croupons SET title = 'y'", []string{"croupons"}},
			{"UPDATE croupons SET title = 'y' WHERE id = 99", nil},
			{"CREATE TABLE other (id integer)", nil},
			{"INSERT INTO other VALUES (1)", nil},
			{"REPLACE INTO other VALUES (1)", nil},
			{"VACUUM; SOMETHING", everything},
		} {
			w.flushes("Exec of "+c.query, func() error { w.db.Exec(c.query); return nil }, c.falls...)
		}
		w.title(cached, 2)
		before := w.rt.Stats().CacheStatements
		if w.title(cached, 2); w.rt.Stats().CacheStatements != before {
			t.Error("once read again after Exec, a row is not a hit: its write was never finished")
		}
		w.flushes("Exec that fails", func() error { w.db.Exec("UPDATE croupons SET nothing = 1"); return nil })
		w.flushes("Exec of two that fails", func() error {
			w.db.Exec("DELETE FROM notes; UPDATE croupons SET nothing = 1")
			return nil
		}, "croupons", "notes")
		var got []Croupon
		w.flushes("Raw.Find", func() error {
			return w.db.Raw("UPDATE croupons SET title = 'z' WHERE id = 1 RETURNING *").Find(&got).Error
		}, "croupons")
		w.flushes("Raw.Scan in available mode", func() error {
			return w.db.Raw("UPDATE croupons SET title = 'z' WHERE id = 1 RETURNING *").Scan(&got).Error
		}, "croupons")
		if got := w.title(cached, 1); got != "z" {
			t.Errorf("after it: %q", got)
		}
		w.flushes("in a transaction", func() error {
			return w.db.Transaction(func(tx *gorm.DB) error {
				if err := tx.Model(&Croupon{ID: 1}).Update("city", "x").Error; err != nil {
					return err
				}
				var one Croupon
				err := errors.Join(tx.Exec("UPDATE croupons SET title = 'in'").Error,
					tx.Raw("UPDATE croupons SET title = 'in' RETURNING *").Scan(&one).Error)
				w.flushed("before the commit")
				return err
			})
		}, "croupons")
		w.flushes("rolled back", func() error {
			_ = w.db.Transaction(func(tx *gorm.DB) error { return errors.Join(tx.Exec("DELETE FROM croupons").Error, errRollback) })
			return nil
		})
	})
}

func TestSQLInStrictMode(t *testing.T) {
	w := newWorld(t, strict)
	w.seed(three()...)
	var got []Croupon
	err := w.db.Raw("UPDATE croupons SET title = 'z' RETURNING *").Scan(&got).Error
	if err == nil || !strings.Contains(err.Error(), "Raw(…).Find") {
		t.Errorf("Scan of a write outside of a transaction: %v", err)
	}
	w.flushed("refused")
	if got := w.title(cached, 1); got != "" {
		t.Errorf("the refused statement was sent: %q", got)
	}
	var title string
	if err := w.db.Raw("UPDATE croupons SET title = 'z' RETURNING title").Row().Scan(&title); err == nil || !strings.Contains(err.Error(), "Raw(…).Find") {
		t.Errorf("Row: %v", err)
	}
	if _, err := w.db.Raw("UPDATE croupons SET title = 'z' RETURNING title").Rows(); err == nil || !strings.Contains(err.Error(), "Raw(…).Find") {
		t.Errorf("Rows: %v", err)
	}
	w.flushes("Scan of a query", func() error { return w.db.Raw("SELECT * FROM croupons").Scan(&got).Error })
	w.flushes("Find", func() error { return w.db.Raw("UPDATE croupons SET title = 'z' RETURNING *").Find(&got).Error }, "croupons")
	w.flushes("Scan in a transaction", func() error {
		return w.db.Transaction(func(tx *gorm.DB) error {
			return tx.Raw("UPDATE croupons SET title = 'y' RETURNING *").Scan(&got).Error
		})
	}, "croupons")
}

// A transaction that the plugin cannot see end: strict mode refuses its writes, and says how to mend
// it; available mode leaves tokens, so that readers go to the database.
func TestForeignTransaction(t *testing.T) {
	foreign := func(w *world, write func(tx *gorm.DB) error) error {
		sqlDB, err := w.db.DB()
		if err != nil {
			t.Fatal(err)
		}
		bare, err := sqlDB.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		tx := w.db.Session(&gorm.Session{NewDB: true, Context: t.Context()})
		tx.Statement.ConnPool = bare
		if err := write(tx); err != nil {
			_ = bare.Rollback()
			return err
		}
		return bare.Commit()
	}
	update := func(tx *gorm.DB) error { return tx.Model(&Croupon{}).Where("id = 1").Update("title", "x").Error }
	raw := func(tx *gorm.DB) error { return tx.Exec("UPDATE croupons SET title = 'y'").Error }

	w := newWorld(t, strict)
	w.seed(three()...)
	for _, write := range []func(*gorm.DB) error{update, raw} {
		if err := foreign(w, write); err == nil || !strings.Contains(err.Error(), "db.Transaction") {
			t.Errorf("strict: %v", err)
		}
	}
	w.flushed("refused")
	if got := w.title(cached, 1); got != "" {
		t.Errorf("a refused write was made: %q", got)
	}

	w = newWorld(t)
	w.seed(three()...)
	w.title(cached, 1)
	w.flushes("available", func() error { return foreign(w, update) }, "croupons:1")
	if got := w.title(cached, 1); got != "x" {
		t.Errorf("after a foreign transaction: %q", got)
	}
	w.flushes("available, raw", func() error { return foreign(w, raw) }, "croupons")
	if got := w.title(cached, 1); got != "y" {
		t.Errorf("after a foreign transaction: %q", got)
	}
}

// Pools that something else puts under a statement.
func TestOtherPools(t *testing.T) {
	// Strict: where the pool is not seen, the transaction would be taken for a foreign one.
	everyWayOf(t, strict, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.flushes("db.Connection", func() error {
			return w.db.Connection(func(tx *gorm.DB) error { return tx.Model(&Croupon{ID: 1}).Update("city", "bend").Error })
		}, cities(1, "portland", "bend")...)
		w.flushes("a bare pool", func() error {
			sqlDB, err := w.db.DB()
			if err != nil {
				return err
			}
			tx := w.db.Session(&gorm.Session{NewDB: true, Context: t.Context()})
			tx.Statement.ConnPool = sqlDB
			return tx.Model(&Croupon{ID: 1}).Update("title", "x").Error
		}, "croupons:1")
		if err := w.db.Transaction(func(tx *gorm.DB) error { _, err := tx.DB(); return err }); err != nil {
			t.Errorf("tx.DB(): %v", err)
		}
	})
	// A pool that cannot begin a transaction.
	w := newWorld(t, strict)
	w.seed(three()...)
	sqlDB, _ := w.db.DB()
	tx := w.db.Session(&gorm.Session{NewDB: true, Context: t.Context()})
	tx.Statement.ConnPool = beginless{sqlDB}
	if err := tx.Model(&Croupon{ID: 1}).Update("title", "x").Error; err == nil || !strings.Contains(err.Error(), "BeginTx") {
		t.Errorf("strict: %v", err)
	}
	w = newWorld(t)
	w.seed(three()...)
	sqlDB, _ = w.db.DB()
	tx = w.db.Session(&gorm.Session{NewDB: true, Context: t.Context()})
	tx.Statement.ConnPool = beginless{sqlDB}
	w.flushes("available", func() error { return tx.Model(&Croupon{ID: 1}).Update("title", "x").Error }, "croupons")
}

// beginless is a pool without BeginTx.
type beginless struct{ db *sql.DB }

func (b beginless) PrepareContext(ctx context.Context, q string) (*sql.Stmt, error) {
	return b.db.PrepareContext(ctx, q)
}
func (b beginless) ExecContext(ctx context.Context, q string, a ...any) (sql.Result, error) {
	return b.db.ExecContext(ctx, q, a...)
}
func (b beginless) QueryContext(ctx context.Context, q string, a ...any) (*sql.Rows, error) {
	return b.db.QueryContext(ctx, q, a...)
}
func (b beginless) QueryRowContext(ctx context.Context, q string, a ...any) *sql.Row {
	return b.db.QueryRowContext(ctx, q, a...)
}
