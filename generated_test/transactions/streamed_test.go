package transactions_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// behaviours 51, 56: a deadlock that MariaDB tells of behind the rows that it had locked by then, which the program reads when the statement
// has long returned. What is written after it commits itself, as after any other, and the program's Rollback undoes none of it.
//
//  1. the program writes a in a transaction, and reads a and b for update; another one holds b, and waits for a
//  2. the program has its rows; a is among them, and behind it comes the error
//  3. the program goes on, and writes c: c is committed
//  4. the program rolls back; c falls
func TestDeadlockBehindRows(t *testing.T) {
	const text = "SELECT * FROM croupons WHERE id <= ? ORDER BY id FOR UPDATE"
	var all []shop.Croupon
	for name, read := range map[string]func(tx *gorm.DB) error{
		"Rows": func(tx *gorm.DB) error {
			rows, err := tx.Raw(text, 2).Rows()
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
			}
			return rows.Err()
		},
		"Rows of a chain": func(tx *gorm.DB) error {
			rows, err := forUpdate(tx).Rows()
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				if err := tx.ScanRows(rows, &shop.Croupon{}); err != nil {
					return err
				}
			}
			return rows.Err()
		},
		"Rows closed early": func(tx *gorm.DB) error {
			rows, err := tx.Raw(text, 2).Rows()
			if err != nil {
				return err
			}
			rows.Next()
			return rows.Close()
		},
		"Rows closed early, without values": func(tx *gorm.DB) error {
			rows, err := tx.Raw("SELECT id FROM croupons WHERE id <= 2 ORDER BY id LOCK IN SHARE MODE").Rows()
			if err != nil {
				return err
			}
			return rows.Close()
		},
		"Row": func(tx *gorm.DB) error {
			var first uint64
			return tx.Raw("SELECT id FROM croupons WHERE id <= ? ORDER BY id FOR UPDATE", 2).Row().Scan(&first)
		},
		"Row that waits": func(tx *gorm.DB) error {
			var first uint64
			return tx.Raw("SELECT id FROM croupons WHERE id = ? FOR UPDATE", 2).Row().Scan(&first)
		},
		"Row in a serializable one": func(tx *gorm.DB) error {
			var first uint64
			return tx.Raw("SELECT id FROM croupons WHERE id <= ? ORDER BY id", 2).Row().Scan(&first)
		},
		"Scan":          func(tx *gorm.DB) error { return tx.Raw(text, 2).Scan(&all).Error },
		"Scan of a row": func(tx *gorm.DB) error { return tx.Raw(text, 2).Scan(&shop.Croupon{}).Error },
		"Find":          func(tx *gorm.DB) error { return forUpdate(tx).Find(&all).Error },
		"Raw Find":      func(tx *gorm.DB) error { return tx.Raw(text, 2).Find(&shop.Croupon{}).Error },
		"Pluck": func(tx *gorm.DB) error {
			var ids []uint64
			return forUpdate(tx).Pluck("id", &ids).Error
		},
		"FindInBatches": func(tx *gorm.DB) error {
			return forUpdate(tx).FindInBatches(&all, 2, func(*gorm.DB, int) error { return nil }).Error
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := fixture.MariaDB(t)
			for _, variant := range []string{"plain", "prepared twice"} {
				w := newWorld(t, d, variants[variant])
				ends, options := []string{"Rollback"}, &sql.TxOptions{}
				switch name {
				case "Rows", "Find":
					ends = append(ends, "Commit")
				case "Row in a serializable one":
					options.Isolation = sql.LevelSerializable
				}
				for _, end := range ends {
					w.deal()
					tx := w.db.Begin(options)
					w.ok(cacheruntime.AfterCommit(tx, func(context.Context) { t.Error("a function runs whose transaction was rolled back") }))
					w.ok(update(tx, "a", "lost"))
					var refused *mysql.MySQLError
					if err := w.deadlock(tx, func() error { return read(tx) }); !errors.As(err, &refused) || refused.Number != 1213 {
						t.Fatalf("no deadlock: %v", err)
					}
					tx.Error = nil
					w.ok(update(tx, "c", "written"))
					if end == "Commit" {
						w.ok(tx.Commit().Error)
					} else {
						w.ok(tx.Rollback().Error)
					}
					if got := w.inDatabase("c"); got != "written" {
						t.Errorf("the database has %q: this test tests nothing", got)
					}
					for _, name := range names {
						w.reads(variant+", "+end, w.M, string(name), w.inDatabase(string(name)))
					}
					w.cached()
					w.idle()
				}
			}
		})
	}
}

var locking = clause.Locking{Strength: "UPDATE"}

func forUpdate(tx *gorm.DB) *gorm.DB {
	return tx.Model(&shop.Croupon{}).Clauses(locking).Where("id <= ?", 2).Order("id")
}

// behaviours 51, 54: rows that lock nothing, and those that Find has read to the end, leave no doubt: a rollback flushes nothing of what was
// written behind them.
func TestRowsWithoutDoubt(t *testing.T) {
	twice(t, func(t *testing.T, w *world) {
		w.deal()
		for name, read := range map[string]func(tx *gorm.DB) error{
			"Row": func(tx *gorm.DB) error {
				return tx.Raw("SELECT title FROM croupons WHERE id = ?", 1).Row().Scan(new(string))
			},
			"Scan": func(tx *gorm.DB) error { return tx.Table("croupons").Where("id = 1").Scan(&shop.Croupon{}).Error },
			"Rows": func(tx *gorm.DB) error {
				rows, err := tx.Model(&shop.Croupon{}).Rows()
				if err != nil {
					return err
				}
				return rows.Close()
			},
			"Find for update": func(tx *gorm.DB) error {
				if w.database.Name == "sqlite" { // which has no such clause
					return nil
				}
				return forUpdate(tx).Find(&[]shop.Croupon{}).Error
			},
		} {
			before := w.RT.Stats().Flushes
			tx := w.db.Begin()
			w.ok(read(tx))
			w.ok(update(tx, "c", "lost"))
			w.ok(tx.Rollback().Error)
			if n := w.RT.Stats().Flushes - before; n != 0 {
				t.Errorf("%s: a rollback flushed %d times", name, n)
			}
		}
		w.cached()
	})
}
