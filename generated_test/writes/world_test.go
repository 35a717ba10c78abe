// Package writes_test holds every way of writing with GORM against what the cache must flush: exactly
// the lists that the write makes wrong, no fewer and no more. Its tables are put together by hand
// from what generated code uses, so that the plugin is tested without the generator.
package writes_test

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// world is one database with a cache in front of it.
type world struct {
	t     *testing.T
	d     fixture.Database
	db    *gorm.DB
	bare  *sql.DB // past GORM, and the plugin with it
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
	driver  map[string]string           // one more of the driver's parameters, on SQLite and MariaDB
	pool    func(*sql.DB) gorm.ConnPool // what GORM is to use in the database's place
}

// newWorld makes a world on a database that nothing is in yet.
func newWorld(t *testing.T, d fixture.Database, change ...func(*setup)) *world {
	t.Helper()
	s := setup{options: cacheruntime.Options{Namespace: "t"}}
	for _, f := range change {
		f(&s)
	}
	w := &world{t: t, d: d.With(s.driver[d.Name]), spy: &spy{}, log: &statements{}}
	s.gorm.Logger = w.log
	s.options.Observer = w.spy
	w.db = w.d.Open(t, &s.gorm)
	var err error
	if w.bare, err = w.db.DB(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// database/sql rolls back in the background when a context ends.
		for end := time.Now().Add(time.Minute); w.bare.Stats().InUse != 0; runtime.Gosched() {
			if time.Now().After(end) {
				t.Errorf("%d connections are still in use: a transaction was never ended", w.bare.Stats().InUse)
				break
			}
		}
	})
	if s.pool != nil {
		w.db.ConnPool = s.pool(w.bare)
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

// several lets a text have several statements, as the others do by themselves.
func several(s *setup) { s.driver = map[string]string{"mysql": "multiStatements=true"} }

// databases are those that the tests run on. "mysql" is MariaDB as GORM treats MySQL, which has no RETURNING.
var databases = []struct {
	name string
	new  func(testing.TB) fixture.Database
	ways []string // of everyWay
}{
	{"sqlite", fixture.SQLite, []string{"plain", "prepared", "no default transaction", "prepared and no transaction"}},
	{"postgres", fixture.Postgres, []string{"plain", "prepared and no transaction"}},
	{"mariadb", fixture.MariaDB, []string{"plain", "prepared and no transaction"}},
	{"mysql", func(t testing.TB) fixture.Database { return fixture.MariaDB(t).WithoutReturning() }, []string{"plain"}},
}

// ways are GORM's ways of sending statements.
var ways = map[string][]func(*setup){
	"plain":                       nil,
	"prepared":                    {prepared},
	"no default transaction":      {unwrapped},
	"prepared and no transaction": {prepared, unwrapped},
}

// everyWay runs a test on each database, with GORM's default transaction and without it, with prepared statements and
// without.
func everyWay(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	everyWayOf(t, func(*setup) {}, test)
}

// everyWayOf is everyWay with one more change.
func everyWayOf(t *testing.T, more func(*setup), test func(t *testing.T, w *world)) {
	t.Helper()
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			for _, name := range d.ways {
				t.Run(name, func(t *testing.T) { test(t, newWorld(t, d.new(t), append(slices.Clone(ways[name]), more)...)) })
			}
		})
	}
}

// oneWayOf is everyWayOf in the first way alone, for what does not depend on it.
func oneWayOf(t *testing.T, more func(*setup), test func(t *testing.T, w *world)) {
	t.Helper()
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) { test(t, newWorld(t, d.new(t), more)) })
	}
}

// everywhere is oneWayOf without MySQL's dialect, for what does not depend on the keys that come back either.
func everywhere(t *testing.T, test func(t *testing.T, w *world), change ...func(*setup)) {
	t.Helper()
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) { test(t, newWorld(t, d, change...)) })
}

// on returns what is right for the database: for SQLite, PostgreSQL, or MariaDB.
func on[T any](w *world, sqlite, postgres, mysql T) T {
	switch w.d.Name {
	case "postgres":
		return postgres
	case "mysql":
		return mysql
	}
	return sqlite
}

// returnsKeys reports whether GORM asks the database for the keys that it makes.
func (w *world) returnsKeys() bool {
	return slices.Contains(w.db.Callback().Create().Clauses, "RETURNING")
}

// past sends a statement past GORM and the plugin.
func (w *world) past(query string) {
	w.t.Helper()
	if _, err := w.bare.Exec(query); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

// countOn has PostgreSQL count keys on from the greatest that was given, as the others do by themselves.
func (w *world) countOn() {
	w.t.Helper()
	if w.d.Name != "postgres" {
		return
	}
	for _, table := range []string{"croupons", "merchants", "notes"} {
		w.past(fmt.Sprintf("SELECT setval(pg_get_serial_sequence('%[1]s', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM %[1]s), false)", table))
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
	w.countOn()
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
	reason := w.spy.why()
	got := w.spy.take()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("%s flushed (%s)\n\t%s\nnot\n\t%s", what, reason, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
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

// why returns the reason of the last flush since the last take.
func (s *spy) why() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
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
	all []statement
}

// statement is one of them, and the rows that it read or changed.
type statement struct {
	sql  string
	rows int64
}

func (l *statements) LogMode(logger.LogLevel) logger.Interface { return l }
func (l *statements) Info(context.Context, string, ...any)     {}
func (l *statements) Warn(context.Context, string, ...any)     {}
func (l *statements) Error(context.Context, string, ...any)    {}
func (l *statements) Trace(_ context.Context, _ time.Time, f func() (string, int64), _ error) {
	sql, rows := f()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, statement{sql, rows})
}

// told returns the statements since it was last asked.
func (l *statements) told() []statement {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	return all
}

// take is told, without the rows.
func (l *statements) take() (sql []string) {
	for _, s := range l.told() {
		sql = append(sql, s.sql)
	}
	return sql
}

// all returns what was reported.
func (s *spy) all() []flushlist.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// returning is a statement that retitles the first croupon and returns it: MariaDB has no UPDATE … RETURNING.
func (w *world) returning(title string) string {
	update := "UPDATE croupons SET title = '" + title + "' WHERE id = 1 RETURNING *"
	return on(w, update, update, "INSERT INTO croupons (id, slug) VALUES (1, 'a') ON DUPLICATE KEY UPDATE title = '"+title+"' RETURNING *")
}
