// Package transactions_test holds every way in which a transaction begins, goes on and ends with GORM against what
// the cache must do: what was committed falls, exactly that, and what was rolled back never does. Each case runs on SQLite,
// PostgreSQL and MariaDB, with a memcached, and with each of GORM's ways of sending statements.
package transactions_test

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// world is one program, its database and its memcached. Nothing in it ends by time: a token that were left would
// keep its list from being cached for as long as the test runs.
type world struct {
	testing.TB
	*fixture.Fixture
	database fixture.Database
	db       *gorm.DB // as the variant has it
	pool     *sql.DB
	heard    *listener
}

// setup changes the defaults of a world.
type setup struct {
	gorm        gorm.Config
	session     *gorm.Session // of the database given to New; nil: none
	options     cacheruntime.Options
	connections int           // at most; 0: as many as one likes
	ttl         time.Duration // of tokens; 0: longer than any test
}

func newWorld(t testing.TB, d fixture.Database, s setup) *world {
	t.Helper()
	w := &world{TB: t, database: d, heard: &listener{}}
	s.options.Observer = w.heard
	if s.ttl == 0 {
		s.ttl = 10 * time.Minute
	}
	w.Fixture = fixture.New(t, fixture.Options{
		Servers: []string{testserver.Memcached(t).Addr()}, DB: &d, GORM: &s.gorm, Runtime: s.options,
		Tiered: tiered.Options{IntentTTL: s.ttl, Timeout: 30 * time.Second, BreakerFailures: -1},
	})
	w.db = w.DB
	if s.session != nil {
		w.db = w.DB.Session(s.session)
	}
	var err error
	w.pool, err = w.DB.DB()
	w.ok(err)
	w.pool.SetMaxOpenConns(s.connections)
	// Behind the cleanups of everything else, goleak has its own word in TestMain.
	t.Cleanup(w.idle)
	w.heard.take()
	return w
}

// variants are GORM's ways of sending statements. Prepared statements may be switched on before New and after it.
var variants = map[string]setup{
	"plain":               {},
	"prepared before New": {gorm: gorm.Config{PrepareStmt: true}},
	"prepared after New":  {session: &gorm.Session{PrepareStmt: true}},
	"prepared twice":      {gorm: gorm.Config{PrepareStmt: true}, session: &gorm.Session{PrepareStmt: true}},
	"no default transaction": {
		gorm: gorm.Config{SkipDefaultTransaction: true},
	},
	"one connection":        {connections: 1},
	"neither, in a session": {session: &gorm.Session{SkipDefaultTransaction: true, PrepareStmt: true}},
}

// everywhere runs a test on each database with each variant.
func everywhere(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	with(t, slices.Collect(maps.Keys(variants)), test)
}

// twice is everywhere with two variants, of what does not depend on them much.
func twice(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	with(t, []string{"plain", "prepared twice"}, test)
}

// withSetup runs a test on each database with one setup.
func withSetup(t *testing.T, name string, s setup, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) { test(t, newWorld(t, d, s)) })
	})
}

func with(t *testing.T, some []string, test func(t *testing.T, w *world)) {
	t.Helper()
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		for _, name := range some {
			t.Run(name, func(t *testing.T) { test(t, newWorld(t, d, variants[name])) })
		}
	})
}

// rows are how many a case has, and names what it calls them.
const names = "abcd"

// deal begins a case: rows of the names, with the title "old", and in the cache.
func (w *world) deal() {
	w.Helper()
	w.ok(w.DB.Exec("DELETE FROM croupons").Error)
	for i, name := range names {
		w.ok(w.DB.Create(&shop.Croupon{ID: uint64(i + 1), Slug: string(name), Title: "old", City: "Portland"}).Error)
	}
	w.cached()
	w.heard.take()
}

// id is the primary key of a row.
func id(name string) uint64 { return uint64(strings.Index(names, name) + 1) }

// update writes the title of a row.
func update(tx *gorm.DB, name, title string) error {
	return tx.Model(&shop.Croupon{ID: id(name)}).Update("title", title).Error
}

// title is what a source reads: the Cache, or a transaction's.
func title(m *shop.Models, name string) string {
	c, err := m.Croupon.Cache.Get(ctx, id(name))
	if err != nil {
		return err.Error()
	}
	return c.Title
}

var ctx = context.Background()

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// reads fails the test where a source reads another title.
func (w *world) reads(what string, m *shop.Models, name, want string) {
	w.Helper()
	if got := title(m, name); got != want {
		w.Errorf("%s: %s is read %q, not %q", what, name, got, want)
	}
}

// cached reads every row, as the database has it, twice: the second time from the cache. So nothing keeps a row from
// being cached: no token stays, no list is out of service.
func (w *world) cached() {
	w.Helper()
	for _, fresh := range []bool{true, false} {
		ctx := ctx
		if fresh {
			ctx = cacheruntime.WithFresh(ctx)
		}
		for _, name := range names {
			want, err := w.M.Croupon.Objects.Get(ctx, id(string(name)))
			w.ok(err)
			before := w.RT.Stats().CacheStatements
			got, err := w.M.Croupon.Cache.Get(ctx, id(string(name)))
			w.ok(err)
			if got.Title != want.Title {
				w.Errorf("%c is read %q, and the database has %q", name, got.Title, want.Title)
			}
			if !fresh && w.RT.Stats().CacheStatements != before {
				w.Errorf("%c is not cached again: a token was left", name)
			}
		}
	}
}

// flushed compares the rows whose lists have fallen since the last look: "ab" are two, "all" is the table.
func (w *world) flushed(want string) {
	w.Helper()
	if got := w.heard.take(); got != want {
		w.Errorf("flushed %q, not %q", got, want)
	}
}

// idle waits until no connection is in use: database/sql rolls back in the background when a context ends.
func (w *world) idle() {
	w.Helper()
	w.eventually("a connection is in use: a transaction was never ended", func() bool { return w.pool.Stats().InUse == 0 })
}

// eventually polls until ok, or fails with what.
func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			w.Fatal(what)
		}
	}
}

// listener is an Observer that remembers which rows fell, and what was reported.
type listener struct {
	mu     sync.Mutex
	rows   []string
	faults []error
}

func (l *listener) ObserveFlush(_ context.Context, e cacheruntime.FlushEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range e.Lists {
		switch name, key, _ := strings.Cut(strings.TrimPrefix(list, "shop:"), ":"); {
		case name != "croupons":
			l.rows = append(l.rows, "("+name+")")
		case key == "":
			l.rows = append(l.rows, "all")
		default:
			l.rows = append(l.rows, names[key[0]-'1':key[0]-'1'+1])
		}
	}
}

func (l *listener) ObserveEvent(e flushlist.Event) {
	if e.Kind == flushlist.Fault {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.faults = append(l.faults, e.Err)
	}
}

// take returns the rows that fell since the last take, in order.
func (l *listener) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := l.rows
	l.rows = nil
	slices.Sort(rows)
	return strings.Join(rows, "")
}

// reported returns the faults since the last look.
func (l *listener) reported() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	faults := l.faults
	l.faults = nil
	return faults
}
