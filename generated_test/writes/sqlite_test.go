package writes_test

// What is here is SQLite's alone: it has one write lock, and says that it is busy where others wait.

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

// behaviour 100: a read before the write would hold a snapshot that another writer makes old, and the
// write would fail with SQLITE_BUSY at once. The write lock is taken first.
func TestSQLiteWriters(t *testing.T) {
	for name, change := range map[string]func(*setup){
		"deferred":       func(*setup) {},
		"immediate":      func(s *setup) { s.driver = map[string]string{"sqlite": "_txlock=immediate"} },
		"no transaction": unwrapped,
		"prepared":       prepared,
	} {
		t.Run(name, func(t *testing.T) {
			manyWriters(newWorld(t, fixture.SQLite(t), change), 100)
		})
	}
}

// A COMMIT that SQLite refuses with SQLITE_BUSY has committed nothing, and leaves the transaction open
// in a connection that database/sql takes for free.
func TestSQLiteBusyCommit(t *testing.T) {
	for name, change := range ways {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "busy.db")
			w := newWorld(t, fixture.SQLite(t).As(func(gorm.Dialector) gorm.Dialector {
				return sqlite.Open(path + "?_pragma=journal_mode(DELETE)&_pragma=busy_timeout(0)")
			}), change...)
			w.seed(&Croupon{ID: 1, Slug: "a", Title: "old"})
			w.title(cached, 1)
			rows, err := w.db.Model(&Croupon{}).Rows() // its lock lets nobody commit
			if err != nil {
				t.Fatal(err)
			}
			if !rows.Next() {
				t.Fatal(rows.Err())
			}
			err = w.db.Model(&Croupon{ID: 1}).Update("title", "lost").Error
			if err == nil || !strings.Contains(err.Error(), "BUSY") {
				t.Errorf("a COMMIT beside an open query: %v", err)
			}
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
			w.flushed("a refused COMMIT")
			w.hit("after it", "old")
			for range 3 {
				w.flushes("the next write", func() error { return w.db.Model(&Croupon{ID: 1}).Update("title", "new").Error }, "croupons:1")
			}
			if got := w.title(cached, 1); got != "new" {
				t.Errorf("after the next write: %q", got)
			}
		})
	}
}
