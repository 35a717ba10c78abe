// Package writes_test holds every way of writing with GORM against what the cache must flush: exactly
// the lists that the write makes wrong, no fewer and no more. Its tables are put together by hand
// from what generated code uses, so that the plugin is tested without the generator.
package writes_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/glebarez/sqlite"
	"go.uber.org/goleak"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

func TestMain(m *testing.M) {
	// GORM's cache of prepared statements has a goroutine that nothing ends.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

// world is one database with a cache in front of it.
type world struct {
	t     *testing.T
	db    *gorm.DB
	store *tiered.Store
	rt    *cacheruntime.Runtime
	spy   *spy
	log   *statements
	tables
}

// setup changes the defaults of a world.
type setup struct {
	gorm    gorm.Config
	options cacheruntime.Options
	tiered  tiered.Options
	dsn     string // more parameters
	journal string // SQLite's journal mode and, in milliseconds, busy time-out
	busy    int
	pool    func(*sql.DB) gorm.ConnPool // what GORM is to use in the database's place
}

func newWorld(t *testing.T, change ...func(*setup)) *world {
	t.Helper()
	s := setup{options: cacheruntime.Options{Namespace: "t"}, journal: "WAL", busy: 10000}
	for _, f := range change {
		f(&s)
	}
	w := &world{t: t, spy: &spy{}, log: &statements{}}
	s.gorm.Logger = w.log
	s.options.Observer = w.spy
	dsn := fmt.Sprintf("file:%s?_pragma=journal_mode(%s)&_pragma=busy_timeout(%d)%s", filepath.Join(t.TempDir(), "test.db"), s.journal, s.busy, s.dsn)
	var err error
	if w.db, err = gorm.Open(sqlite.Open(dsn), &s.gorm); err != nil {
		t.Fatal(err)
	}
	sqlDB, err := w.db.DB()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// database/sql rolls back in the background when a context ends.
		for end := time.Now().Add(5 * time.Second); sqlDB.Stats().InUse != 0; runtime.Gosched() {
			if time.Now().After(end) {
				t.Errorf("%d connections are still in use: a transaction was never ended", sqlDB.Stats().InUse)
				break
			}
		}
		_ = sqlDB.Close()
	})
	if s.pool != nil {
		w.db.ConnPool = s.pool(sqlDB)
		w.db.Statement.ConnPool = w.db.ConnPool
	}
	if err := w.db.AutoMigrate(&Croupon{}, &Merchant{}, &Document{}, &Note{}); err != nil {
		t.Fatal(err)
	}
	if w.store, err = tiered.Open(s.tiered); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	if w.rt, err = cacheruntime.New(w.db, w.store, s.options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.rt.Close() })
	w.tables = newTables(t, w.rt)
	w.spy.take()
	w.log.take()
	return w
}

// prepared, unwrapped and strict are setups.
func prepared(s *setup)  { s.gorm.PrepareStmt = true }
func unwrapped(s *setup) { s.gorm.SkipDefaultTransaction = true }
func strict(s *setup)    { s.options.Mode = flushlist.Strict }

// everyWay runs a test with GORM's default transaction and without it, with prepared statements and
// without.
func everyWay(t *testing.T, test func(t *testing.T, w *world)) {
	everyWayOf(t, func(*setup) {}, test)
}

// everyWayOf is everyWay with one more change.
func everyWayOf(t *testing.T, more func(*setup), test func(t *testing.T, w *world)) {
	for name, change := range map[string][]func(*setup){
		"plain":                       nil,
		"prepared":                    {prepared},
		"no default transaction":      {unwrapped},
		"prepared and no transaction": {prepared, unwrapped},
	} {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, append(change, more)...)) })
	}
}

// seed creates rows and forgets that it did.
func (w *world) seed(rows ...any) {
	w.t.Helper()
	for _, r := range rows {
		if err := w.db.Create(r).Error; err != nil {
			w.t.Fatal(err)
		}
	}
	w.spy.take()
	w.log.take()
}

// flushes runs f and compares what it flushed.
func (w *world) flushes(what string, f func() error, want ...string) {
	w.t.Helper()
	w.spy.take()
	if err := f(); err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
	w.flushed(what, want...)
}

// flushed compares what was flushed since the last look.
func (w *world) flushed(what string, want ...string) {
	w.t.Helper()
	got := w.spy.take()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("%s flushed\n\t%s\nnot\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// spy is an Observer that remembers what was flushed and what was reported.
type spy struct {
	mu     sync.Mutex
	lists  []string
	reason string // of the last flush
	events []flushlist.Event
}

func (s *spy) ObserveFlush(_ context.Context, e cacheruntime.FlushEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason = e.Reason
	for _, l := range e.Lists {
		s.lists = append(s.lists, strings.TrimPrefix(l, "t:"))
	}
}

func (s *spy) ObserveEvent(e flushlist.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

// take returns the names of the lists flushed since the last take, sorted, without the namespace.
func (s *spy) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lists := s.lists
	s.lists, s.reason = nil, ""
	slices.Sort(lists)
	return lists
}

// faults returns the panics that were reported.
func (s *spy) faults() (errs []error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == flushlist.Fault {
			errs = append(errs, e.Err)
		}
	}
	return errs
}

// statements is a logger that remembers the SQL.
type statements struct {
	mu  sync.Mutex
	sql []string
}

func (l *statements) LogMode(logger.LogLevel) logger.Interface { return l }
func (l *statements) Info(context.Context, string, ...any)     {}
func (l *statements) Warn(context.Context, string, ...any)     {}
func (l *statements) Error(context.Context, string, ...any)    {}
func (l *statements) Trace(_ context.Context, _ time.Time, f func() (string, int64), _ error) {
	sql, _ := f()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sql = append(l.sql, sql)
}

func (l *statements) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	sql := l.sql
	l.sql = nil
	return sql
}

// all returns what was reported.
func (s *spy) all() []flushlist.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}
