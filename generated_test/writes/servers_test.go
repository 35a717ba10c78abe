package writes_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// at uses a real memcached. No time-out is waited for: one that is stopped refuses at once.
func at(addr string) func(*setup) {
	return func(s *setup) { s.tiered.Servers = []string{addr}; s.tiered.Timeout = 30 * time.Second }
}

// behaviour 69, one server stopped, strict mode
func TestStrictWithoutServer(t *testing.T) {
	for name, change := range map[string][]func(*setup){"default transaction": nil, "no default transaction": {unwrapped}, "prepared": {prepared}} {
		t.Run(name, func(t *testing.T) {
			fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
				server := testserver.Memcached(t)
				w := newWorld(t, d, append(slices.Clone(change), at(server.Addr()), strict)...)
				w.seed(three()...)
				server.Stop()
				ran := false
				for what, write := range map[string]func() error{
					"Create": func() error { return w.db.Create(&Croupon{Slug: "z"}).Error },
					"Update": func() error { return w.db.Model(&Croupon{ID: 1}).Update("title", "lost").Error },
					"Delete": func() error { return w.db.Delete(&Croupon{ID: 1}).Error },
					"Exec":   func() error { return w.db.Exec("UPDATE croupons SET title = 'lost'").Error },
					"Raw.Find": func() error {
						return w.db.Raw(w.returning("lost")).Find(&[]Croupon{}).Error
					},
					"Flush": func() error { return w.rt.FlushTable(t.Context(), "croupons") },
					"Transaction": func() error {
						return w.db.Transaction(func(tx *gorm.DB) error {
							return errors.Join(tx.Model(&Croupon{ID: 1}).Update("title", "lost").Error,
								cacheruntime.AfterCommit(tx, func(context.Context) { ran = true }))
						})
					},
				} {
					if err := write(); !errors.Is(err, cacheruntime.ErrFlush) {
						t.Errorf("%s: %v", what, err)
					}
				}
				w.flushed("writes that were rolled back")
				if ran {
					t.Error("a function of AfterCommit ran after a rollback")
				}
				var rows []Croupon
				if err := w.db.Order("id").Find(&rows).Error; err != nil || len(rows) != 3 || rows[0].Title != "" {
					t.Errorf("the database has %d rows, the first with title %q: %v", len(rows), rows[0].Title, err)
				}
				if err := w.db.Transaction(func(tx *gorm.DB) error { return tx.Find(&rows).Error }); err != nil {
					t.Errorf("a transaction without a write: %v", err)
				}
				server.Start()
				// The breaker lets a write through again after a while.
				for end := time.Now().Add(time.Minute); ; {
					err := w.db.Model(&Croupon{ID: 1}).Update("title", "kept").Error
					if err == nil {
						break
					}
					if !errors.Is(err, cacheruntime.ErrFlush) || time.Now().After(end) {
						t.Fatalf("after the server came back: %v", err)
					}
				}
				// The registry was on that server too, so that the whole table may fall.
				if lists := w.spy.take(); !slices.Contains(lists, "croupons:1") && !slices.Contains(lists, "croupons") {
					t.Errorf("the write that went through flushed %q", lists)
				}
			})
		})
	}
}

// behaviour 69, one server stopped, available mode
func TestAvailableWithoutServer(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		server := testserver.Memcached(t)
		w := newWorld(t, d, at(server.Addr()))
		w.seed(&Croupon{ID: 1, Slug: "a", Title: "old"})
		w.title(cached, 1)
		server.Stop()
		if err := w.db.Model(&Croupon{ID: 1}).Update("title", "new").Error; err != nil {
			t.Fatal(err)
		}
		if lists := w.spy.take(); !slices.Contains(lists, "croupons:1") && !slices.Contains(lists, "croupons") {
			t.Errorf("the write flushed %q", lists) // the whole table, where the registry was not reached for long
		}
		if got := w.title(cached, 1); got != "new" {
			t.Errorf("this process serves %q", got)
		}
		if !slices.ContainsFunc(w.spy.all(), func(e flushlist.Event) bool { return e.Kind == flushlist.FlushUndelivered }) {
			t.Error("it was not reported that the flush was not delivered")
		}
	})
}

// Tokens stand in the cells while a transaction commits, and nothing of a transaction that is open.
func TestOpenTransactionTouchesNoServer(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		server := testserver.Memcached(t)
		relay := testserver.Proxy(t, server.Addr()).Apart() // no request but those of writes
		w := newWorld(t, d, at(relay.Addr()))
		w.seed(three()...)
		tx := w.db.Begin()
		before := relay.Requests()
		if err := tx.Model(&Croupon{}).Where("id > 0").Update("city", "x").Error; err != nil {
			t.Fatal(err)
		}
		if n := relay.Requests() - before; n != 0 {
			t.Errorf("%d requests before the COMMIT", n)
		}
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		if n := relay.Requests() - before; n != 0 {
			t.Errorf("%d requests for a transaction that was rolled back", n)
		}
		if err := w.db.Transaction(func(tx *gorm.DB) error { return tx.Find(&[]Croupon{}).Error }); err != nil {
			t.Fatal(err)
		}
		if n := relay.Requests() - before; n != 0 {
			t.Errorf("%d requests for a transaction without a write", n)
		}
		if err := w.db.Model(&Croupon{ID: 1}).Update("title", "x").Error; err != nil {
			t.Fatal(err)
		}
		if relay.Requests() == before {
			t.Error("no request for a write: the counting is wrong")
		}
	})
}

// A plugin that comes second, or after dbresolver, is refused with the fix; the database has no say in that.
func TestRegistration(t *testing.T) {
	w := newWorld(t, fixture.SQLite(t))
	for _, namespace := range []string{"u", "t"} {
		if _, err := cacheruntime.New(w.db, w.store, cacheruntime.Options{Namespace: namespace}); err == nil || !strings.Contains(err.Error(), "has a Runtime already") {
			t.Errorf("a second plugin on one database, namespace %s: %v", namespace, err)
		}
	}
	db := fixture.SQLite(t).Open(t, nil)
	if err := db.Use(resolver{}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the namespace is free again after a failure
		if _, err := cacheruntime.New(db, w.store, cacheruntime.Options{Namespace: "u"}); err == nil || !strings.Contains(err.Error(), "dbresolver") {
			t.Errorf("after dbresolver: %v", err)
		}
	}
}

// resolver has dbresolver's name.
type resolver struct{}

func (resolver) Name() string              { return "gorm:db_resolver" }
func (resolver) Initialize(*gorm.DB) error { return nil }

// Others open databases with a copy of the Config, plugins included, as dbresolver does for its
// sources: writes through them are seen as well.
func TestCopyOfConfig(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		config := *w.db.Config
		config.ConnPool = nil
		other, err := gorm.Open(w.d.Over(w.bare), &config)
		if err != nil {
			t.Fatal(err)
		}
		w.flushes("a write through the copy", func() error { return other.Model(&Croupon{ID: 1}).Update("city", "x").Error },
			cities(1, "portland", "x")...)
		w.flushes("a write through the first", func() error { return w.db.Model(&Croupon{ID: 1}).Update("city", "z").Error }, cities(1, "x", "z")...)
	})
}
