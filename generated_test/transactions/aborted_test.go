package transactions_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// behaviours 51, 56: a database that rolls a transaction back by itself, and goes on without one. What is written after
// that commits itself, statement by statement, and the program's Rollback undoes none of it.
//
//  1. the program writes a in a transaction; the database rolls that back, and answers with an error
//  2. the program goes on, and writes c: on SQLite and MariaDB c is committed
//  3. the transaction ends in some way; c falls
func TestDatabaseEndsTransaction(t *testing.T) {
	twice(t, func(t *testing.T, w *world) {
		for _, end := range []string{"Rollback", "Commit", "its context", "a savepoint and Rollback"} {
			t.Run(end, func(t *testing.T) {
				w.TB = t
				w.deal()
				w.ends(end)
			})
		}
	})
}

func (w *world) ends(how string) {
	w.Helper()
	inTime, cancel := context.WithCancel(ctx)
	defer cancel()
	tx := w.db.WithContext(inTime).Begin()
	w.ok(tx.SavePoint("one").Error)
	w.ok(cacheruntime.AfterCommit(tx, func(context.Context) { w.Error("a function runs whose transaction was rolled back") }))
	w.ok(update(tx, "a", "lost"))
	w.loses(tx)
	tx.Error = nil
	tx = tx.WithContext(ctx)
	if w.database.Name == "postgres" {
		w.ok(tx.RollbackTo("one").Error) // nothing else is possible
	} else {
		tx.RollbackTo("one") // which is gone
		tx.Error = nil
	}
	w.ok(update(tx, "c", "written"))
	w.ok(tx.Exec("UPDATE croupons SET title = 'written' WHERE id = 4").Error)
	switch how {
	case "Commit":
		_ = tx.Commit()
	case "its context":
		cancel()
		w.idle()
		_ = tx.Rollback()
	case "a savepoint and Rollback":
		tx.SavePoint("two")
		tx.Error = nil
		fallthrough
	default:
		_ = tx.Rollback()
	}
	want := "written"
	if w.database.Name == "postgres" && how != "Commit" {
		want = "old"
	}
	if got := w.inDatabase("c"); got != want {
		w.Errorf("the database has %q, not %q: this test tests nothing", got, want)
	}
	for _, name := range names {
		w.reads("after it", w.M, string(name), w.inDatabase(string(name)))
	}
	w.cached()
	w.idle()
}

// loses makes the database roll tx back: by a deadlock, or by SQLite's OR ROLLBACK.
func (w *world) loses(tx *gorm.DB) {
	w.Helper()
	if w.database.Name == "sqlite" {
		if tx.Exec("INSERT OR ROLLBACK INTO croupons (slug) VALUES ('b')").Error == nil {
			w.Fatal("two rows have one slug")
		}
		return
	}
	err := w.deadlock(tx, func() error { return update(tx, "b", "lost") })
	if err == nil {
		w.Fatal("no deadlock")
	}
	w.Log(err)
}

// deadlock makes one of a transaction that has written a, and of waits, which waits for b in it. It returns what that does.
func (w *world) deadlock(tx *gorm.DB, waits func() error) error {
	w.Helper()
	// The other one is the dearer to roll back, and holds b.
	other := w.database.Open(w, nil)
	begun := other.Begin()
	w.Cleanup(func() { begun.Rollback(); tx.Rollback() })
	if w.database.Name == "postgres" { // whoever waits as long as this gives up first
		w.ok(begun.Exec("SET LOCAL deadlock_timeout = '1min'").Error)
		w.ok(tx.Exec("SET LOCAL deadlock_timeout = '10ms'").Error)
	}
	w.ok(begun.Exec("UPDATE croupons SET title = title, category = 'x' WHERE id = 2").Error)
	for range 20 {
		w.ok(begun.Create(&shop.Merchant{Name: strings.Repeat("dear", 50)}).Error)
	}
	done := make(chan error, 1)
	go func() { done <- begun.Exec("UPDATE croupons SET category = 'x' WHERE id = 1").Error }()
	w.eventually("nobody waits for a", func() bool { return w.waiting(other) })
	err := waits()
	w.ok(<-done)
	w.ok(begun.Rollback().Error)
	return err
}

// waiting reports whether a transaction waits for a lock of another's.
func (w *world) waiting(db *gorm.DB) bool {
	// Not from innodb_trx, which shows nothing new while it is asked more often than ten times a second.
	query := "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'"
	if w.database.Name == "postgres" {
		query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
	}
	var n int64
	w.ok(db.Session(&gorm.Session{NewDB: true}).Raw(query).Scan(&n).Error)
	return n > 0
}

// behaviour 56: a statement's own context ends while the statement runs, or before, and the transaction goes on.
func TestStatementContextEnds(t *testing.T) {
	twice(t, func(t *testing.T, w *world) {
		for _, end := range []string{"Commit", "Rollback"} {
			w.deal()
			tx := w.db.Begin()
			w.ok(update(tx, "a", "new"))
			ended, cancel := context.WithCancel(ctx)
			cancel()
			if err := update(tx.WithContext(ended), "b", "lost"); !errors.Is(err, context.Canceled) {
				t.Errorf("a write under a context that has ended: %v", err)
			}
			err := update(tx, "c", "new")
			if end == "Commit" {
				err = errors.Join(err, tx.Commit().Error)
			} else {
				w.ok(tx.Rollback().Error)
			}
			t.Log(end, err)
			for _, name := range names {
				w.reads("after it", w.M, string(name), w.inDatabase(string(name)))
			}
			w.cached()
			w.idle()
		}
	})
}
