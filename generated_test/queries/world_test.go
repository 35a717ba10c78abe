package queries

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

const testTimeout = 30 * time.Second // a busy machine is no fault to be tested

var bg = context.Background()

// program is one program on the database.
type program struct {
	db    *gorm.DB
	rt    *cacheruntime.Runtime
	m     *Models
	sql   *fixture.Statements
	heard *heard
}

// heard keeps what an observer is told of.
type heard struct {
	mu     sync.Mutex
	faults []string
}

func (h *heard) ObserveEvent(e flushlist.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Kind == flushlist.Fault {
		h.faults = append(h.faults, e.Err.Error())
	}
}

func (h *heard) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.faults
	h.faults = nil
	return all
}

type options struct {
	servers   []string
	namespace string
	runtime   cacheruntime.Options
	gorm      gorm.Config
	maxStale  time.Duration
	unmade    bool           // the tables are not there yet
	before    func(*gorm.DB) // New
}

// start opens a program; the first on a database makes its tables.
func start(t testing.TB, d fixture.Database, o options) *program {
	t.Helper()
	p := &program{sql: &fixture.Statements{}, heard: &heard{}}
	o.gorm.Logger, o.gorm.DisableForeignKeyConstraintWhenMigrating = p.sql, true
	o.gorm.NowFunc = func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	p.db = d.Open(t, &o.gorm)
	ok(t, p.db.SetupJoinTable(&Post{}, "Tags", &PostTag{}))
	if !o.unmade {
		p.migrate(t)
	}
	if o.before != nil {
		o.before(p.db)
	}
	store, err := tiered.Open(tiered.Options{Servers: o.servers, Timeout: testTimeout, MaxStale: o.maxStale})
	ok(t, err)
	t.Cleanup(func() { ok(t, store.Close()) })
	o.runtime.Namespace, o.runtime.Observer = "queries"+o.namespace, p.heard
	p.rt, err = cacheruntime.New(p.db, store, o.runtime)
	ok(t, err)
	t.Cleanup(func() { ok(t, p.rt.Close()) })
	p.m, err = NewModels(p.rt)
	ok(t, err)
	return p
}

func (p *program) migrate(t testing.TB) {
	t.Helper()
	ok(t, p.db.AutoMigrate(&Author{}, &Post{}, &Tag{}, &PostTag{}, &Secret{}, &Stranger{}))
}

// each runs a test on every database, with the embedded store and with memcached.
func each(t *testing.T, test func(t *testing.T, p *program)) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		stores(t, func(t *testing.T, servers []string) {
			p := start(t, d, options{servers: servers})
			p.clear(t)
			test(t, p)
		})
	})
}

// stores runs a test with the embedded store and with memcached.
func stores(t *testing.T, test func(t *testing.T, servers []string)) {
	t.Run("embedded", func(t *testing.T) { test(t, nil) })
	t.Run("memcached", func(t *testing.T) { test(t, []string{testserver.Memcached(t).Addr()}) })
}

// clear deletes what another test has left in the database.
func (p *program) clear(t *testing.T) {
	t.Helper()
	for _, table := range []any{&Author{}, &Post{}, &Tag{}, &PostTag{}, &Secret{}, &Stranger{}} {
		ok(t, p.db.Unscoped().Session(&gorm.Session{AllowGlobalUpdate: true}).Delete(table).Error)
	}
}

// seed makes two authors, four posts and two tags.
func (p *program) seed(t testing.TB) {
	t.Helper()
	born := time.Date(1970, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, row := range []any{
		&[]Author{{ID: 1, Name: "Ann", Born: &born}, {ID: 2, Name: "Bob"}},
		&[]Tag{{Name: "go"}, {Name: "sql"}},
		&[]Post{
			{ID: 1, AuthorID: 1, Title: "one", Score: 1.5, Data: []byte{0, 1, 255}, Public: true, CreatedAt: born},
			{ID: 2, AuthorID: 1, Title: "two", Score: 2.5, Public: true, CreatedAt: born},
			{ID: 3, AuthorID: 2, Title: "three", Score: -1, CreatedAt: born},
			{ID: 4, AuthorID: 2, Title: "1", CreatedAt: born},
		},
		&[]PostTag{{PostID: 1, TagName: "go"}, {PostID: 1, TagName: "sql"}, {PostID: 2, TagName: "go"}},
		&Secret{ID: 1, Text: "s"}, &Stranger{ID: 1, Text: "x"},
	} {
		ok(t, p.db.Omit("Author", "Posts", "Tags").Create(row).Error)
	}
}

// flush flushes the tables that take queries.
func (p *program) flush(t *testing.T) {
	t.Helper()
	for _, table := range []string{"authors", "posts", "tags", "post_tags"} {
		ok(t, p.rt.FlushTable(bg, table))
	}
}

// sent fails the test unless run sends n statements.
func (p *program) sent(t *testing.T, what string, n int, run func()) {
	t.Helper()
	if got := p.sql.Of(run); len(got) != n {
		t.Errorf("%s: %d statements, want %d:\n  %s", what, len(got), n, strings.Join(got, "\n  "))
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func notFound(err error) bool { return errors.Is(err, gorm.ErrRecordNotFound) }
