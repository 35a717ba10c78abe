package endings_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/shop"
	"gorm.io/gorm"
)

// foreign begins a transaction of the application's own, and returns a session of the writer's bound to it.
func (w *world) foreign() (*gorm.DB, *sql.Tx) {
	w.Helper()
	pool, err := w.writer.DB.DB()
	if err != nil {
		w.Fatal(err)
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = tx.Rollback() })
	db := w.writer.DB.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = tx
	return db, tx
}

// behaviour 66: a transaction that the plugin cannot see end, mode Available.
//
//  1. another program has the old row from the cache
//  2. writer: updates it, in a transaction of the application's; tokens are left at the statement
//  3. other program: reads the old row, and caches nothing, since the tokens stand
//  4. the application commits, or rolls back, or panics and its deferred Rollback runs
//  5. other program: reads what the database has
func TestForeignTransactionEnds(t *testing.T) {
	t.Parallel() // most of it is waiting
	for name, c := range map[string]struct {
		end  func(tx *sql.Tx) error
		want string
	}{
		"commit":   {(*sql.Tx).Commit, "new"},
		"rollback": {(*sql.Tx).Rollback, "old"},
		"panic": {func(tx *sql.Tx) (err error) {
			defer func() { _ = recover() }()
			defer func() { err = tx.Rollback() }()
			panic("the application's")
		}, "old"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const ttl = 2 * time.Second
			w := newWorld(t, ttl, flushlist.Available)
			db, tx := w.foreign()
			left := time.Now()
			if err := db.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error; err != nil {
				t.Fatal(err)
			}
			before := w.reader.RT.Stats().CacheStatements
			w.reads("old")
			w.reads("old")
			if made := w.reader.RT.Stats().CacheStatements - before; made < 2 && time.Since(left) < ttl {
				t.Errorf("%d statements for two reads, while the tokens stand", made)
			}
			if err := c.end(tx); err != nil {
				t.Fatal(err)
			}
			// Slower than IntentTTL, the row from before may have been cached; a flush follows then.
			if title := w.title(); title != c.want && time.Since(left) < ttl {
				t.Fatalf("read %q", title)
			}
			eventually(t, "stale for good", func() bool { return w.title() == c.want })
			w.cached(c.want)
		})
	}
}

// A foreign transaction in mode Strict: its writes are refused, with the fix, and nothing is flushed.
func TestForeignTransactionInStrictMode(t *testing.T) {
	t.Parallel() // most of it is waiting
	w := newWorld(t, time.Minute, flushlist.Strict)
	db, tx := w.foreign()
	for what, write := range map[string]func() error{
		"Update": func() error { return db.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error },
		"Exec":   func() error { return db.Exec("UPDATE croupons SET title = 'new'").Error },
		"Create": func() error { return db.Create(&shop.Croupon{Slug: "b"}).Error },
		"Delete": func() error { return db.Delete(&shop.Croupon{}, 1).Error },
	} {
		if err := write(); err == nil || !strings.Contains(err.Error(), "db.Transaction") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	w.reads("old")
	w.cached("old")
}
