package writes_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
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
		alone := func(q string) bool { return strings.HasPrefix(q, "VACUUM") } // it is no query, and runs in no transaction
		for _, q := range slices.Concat([]string{
			"SELECT 1", "select ';' as \"delete\"", "/* note */ -- more\n SELECT 'DELETE FROM croupons'", "SELECT 1;  -- done",
			"WITH x AS (SELECT 1) SELECT * FROM x", "EXPLAIN DELETE FROM croupons", "VALUES (1)",
		}, on(w, []string{"PRAGMA user_version", "ANALYZE", "VACUUM"}, []string{"SHOW server_version", "ANALYZE croupons", "VACUUM croupons"},
			[]string{"SHOW TABLES", "ANALYZE TABLE croupons", "SET @x = 5"})) {
			w.flushes("Exec of "+q, func() error { return w.db.Exec(q).Error })
			var got []map[string]any
			if !alone(q) && !strings.Contains(q, "1;") { // the driver queries one statement
				w.flushes("Raw of "+q, func() error { return w.db.Raw(q).Scan(&got).Error })
			}
		}
		w.flushes("SAVEPOINT in a transaction", func() error {
			return w.db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("SAVEPOINT s").Error, tx.Exec("RELEASE SAVEPOINT s").Error)
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
	everyWayOf(t, several, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.seed(&Note{}, &Note{})
		// A prepared statement is one, except with SQLite's driver, which sees to the others by itself.
		oneOnly := w.db.PrepareStmt && w.d.Name != "sqlite"
		for _, c := range []struct {
			on    string // s SQLite, p PostgreSQL, m MariaDB
			query string
			falls []string
		}{
			{"spm", "UPDATE croupons SET title = 'x'", []string{"croupons"}},
			{"spm", "-- note\n\tupdate croupons set title = 'y'", []string{"croupons"}},
			{"spm", "SELECT 1; DELETE FROM notes", []string{"notes"}},
			{"spm", "UPDATE croupons SET title = 'z'; DELETE FROM notes", []string{"croupons", "notes"}},
			{"sp", "WITH x AS (SELECT 1) UPDATE croupons SET title = 'y'", []string{"croupons"}},
			{"spm", "UPDATE croupons SET title = 'y' WHERE id = 99", nil},
			{"spm", "CREATE TABLE other (id integer)", nil},
			{"spm", "INSERT INTO other VALUES (1)", nil},
			{"sm", "REPLACE INTO other VALUES (1)", nil},
			{"p", "REPLACE INTO other VALUES (1)", everything}, // no statement of PostgreSQL's, for all that is known
			{"spm", "VACUUM; SOMETHING", everything},
		} {
			if letter := on(w, "s", "p", "m"); !strings.Contains(c.on, letter) || oneOnly && strings.Contains(c.query, ";") {
				continue
			}
			w.flushes("Exec of "+c.query, func() error { w.db.Exec(c.query); return nil }, slices.Clone(c.falls)...)
		}
		w.title(cached, 2)
		before := w.rt.Stats().CacheStatements
		if w.title(cached, 2); w.rt.Stats().CacheStatements != before {
			t.Error("once read again after Exec, a row is not a hit: its write was never finished")
		}
		w.flushes("Exec that fails", func() error { w.db.Exec("UPDATE croupons SET nothing = 1"); return nil })
		both := []string{"croupons", "notes"} // except on PostgreSQL, which takes back the first with the second
		w.flushes("Exec of two that fails", func() error {
			w.db.Exec("DELETE FROM notes; UPDATE croupons SET nothing = 1")
			return nil
		}, on(w, both, nil, both)...)
		var got []Croupon
		w.flushes("Raw.Find", func() error { return w.db.Raw(w.returning("found")).Find(&got).Error }, "croupons")
		w.flushes("Raw.Scan in available mode", func() error { return w.db.Raw(w.returning("scanned")).Scan(&got).Error }, "croupons")
		if got := w.title(cached, 1); got != "scanned" {
			t.Errorf("after it: %q", got)
		}
		w.flushes("in a transaction", func() error {
			return w.db.Transaction(func(tx *gorm.DB) error {
				if err := tx.Model(&Croupon{ID: 1}).Update("city", "x").Error; err != nil {
					return err
				}
				var one Croupon
				err := errors.Join(tx.Exec("UPDATE croupons SET title = 'in'").Error, tx.Raw(w.returning("in, too")).Scan(&one).Error)
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
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		var got []Croupon
		err := w.db.Raw(w.returning("z")).Scan(&got).Error
		if err == nil || !strings.Contains(err.Error(), "Raw(…).Find") {
			t.Errorf("Scan of a write outside of a transaction: %v", err)
		}
		w.flushed("refused")
		if got := w.title(cached, 1); got != "" {
			t.Errorf("the refused statement was sent: %q", got)
		}
		var title string
		if err := w.db.Raw(w.returning("z")).Row().Scan(&title); err == nil || !strings.Contains(err.Error(), "Raw(…).Find") {
			t.Errorf("Row: %v", err)
		}
		if _, err := w.db.Raw(w.returning("z")).Rows(); err == nil || !strings.Contains(err.Error(), "Raw(…).Find") {
			t.Errorf("Rows: %v", err)
		}
		w.flushes("Scan of a query", func() error { return w.db.Raw("SELECT * FROM croupons").Scan(&got).Error })
		w.flushes("Find", func() error { return w.db.Raw(w.returning("z")).Find(&got).Error }, "croupons")
		w.flushes("Scan in a transaction", func() error {
			return w.db.Transaction(func(tx *gorm.DB) error {
				return tx.Raw(w.returning("y")).Scan(&got).Error
			})
		}, "croupons")
	}, strict)
}

// A transaction that the plugin cannot see end: strict mode refuses its writes, and says how to mend
// it; available mode leaves tokens, so that readers go to the database.
func TestForeignTransaction(t *testing.T) {
	foreign := func(w *world, write func(tx *gorm.DB) error) error {
		bare, err := w.bare.BeginTx(w.t.Context(), nil)
		if err != nil {
			w.t.Fatal(err)
		}
		tx := w.db.Session(&gorm.Session{NewDB: true, Context: w.t.Context()})
		tx.Statement.ConnPool = bare
		if err := write(tx); err != nil {
			_ = bare.Rollback()
			return err
		}
		return bare.Commit()
	}
	update := func(tx *gorm.DB) error { return tx.Model(&Croupon{}).Where("id = 1").Update("title", "x").Error }
	raw := func(tx *gorm.DB) error { return tx.Exec("UPDATE croupons SET title = 'y'").Error }

	everywhere(t, func(t *testing.T, w *world) {
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
	}, strict)

	everywhere(t, func(t *testing.T, w *world) {
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
	})
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
}

// behaviour 56: a pool that cannot begin a transaction.
func TestPoolThatBeginsNone(t *testing.T) {
	over := func(w *world) *gorm.DB {
		w.seed(three()...)
		tx := w.db.Session(&gorm.Session{NewDB: true, Context: w.t.Context()})
		tx.Statement.ConnPool = beginless{w.bare}
		return tx
	}
	everywhere(t, func(t *testing.T, w *world) {
		if err := over(w).Model(&Croupon{ID: 1}).Update("title", "x").Error; err == nil || !strings.Contains(err.Error(), "BeginTx") {
			t.Errorf("strict: %v", err)
		}
	}, strict)
	everywhere(t, func(t *testing.T, w *world) {
		tx := over(w)
		w.flushes("available", func() error { return tx.Model(&Croupon{ID: 1}).Update("title", "x").Error }, "croupons")
	})
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
