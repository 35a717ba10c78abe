package writes_test

// What is here is SQLite's alone: it has one write lock, and says that it is busy where others wait.

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
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
			w := newWorld(t, fixture.SQLite(t), change)
			const writers, writes = 8, 100
			for i := range writers {
				w.seed(&Croupon{ID: uint64(i + 1), Slug: fmt.Sprint("s", i), City: "portland", Active: true}, &Merchant{ID: uint64(i + 1)})
			}
			var wg sync.WaitGroup
			for i := range writers {
				wg.Go(func() {
					c := Croupon{ID: uint64(i + 1)}
					for n := range writes {
						var err error
						switch n % 3 {
						case 0: // read before, read after
							err = w.db.Model(&c).Update("city", fmt.Sprint("c", n)).Error
						case 1:
							err = w.db.Model(&Croupon{}).Where("slug = ?", fmt.Sprint("s", i)).Update("popularity", gorm.Expr("popularity + 1")).Error
						default:
							err = w.db.Transaction(func(tx *gorm.DB) error {
								if err := tx.Model(&Merchant{ID: c.ID}).Update("name", fmt.Sprint(n)).Error; err != nil {
									return err
								}
								return tx.Model(&c).Update("active", n%2 == 0).Error
							})
						}
						if err != nil {
							t.Errorf("writer %d, write %d: %v", i, n, err)
							return
						}
					}
				})
			}
			wg.Wait()
			var sum int
			w.db.Model(&Croupon{}).Select("sum(popularity)").Scan(&sum)
			if want := writers * (writes / 3); sum != want {
				t.Errorf("%d increments, not %d", sum, want)
			}
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
