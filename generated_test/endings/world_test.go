// Package endings_test holds what becomes of writes whose end is not seen: a COMMIT that is not answered, or not within
// IntentTTL, tokens that are left too slowly, transactions that the plugin cannot see end.
package endings_test

import (
	"context"
	"net"
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

var ctx = context.Background()

// world is two programs on one PostgreSQL and one memcached. They have no first tiers, which are allowed to be behind.
type world struct {
	testing.TB
	writer, reader *fixture.Fixture
	sql            *gorm.DB          // without a cache, and not through a relay
	toSQL, toCache *testserver.Relay // the writer's
}

func newWorld(t testing.TB, intentTTL time.Duration, mode flushlist.Mode) *world {
	t.Helper()
	d := fixture.Postgres(t)
	server := testserver.Memcached(t).Addr()
	w := &world{TB: t, toCache: testserver.Proxy(t, server)}
	o := fixture.Options{
		Servers: []string{server}, DB: &d, Runtime: cacheruntime.Options{Mode: mode},
		// Nothing is to end by time but the writer's tokens. The other program writes only what the test begins with.
		Tiered: tiered.Options{MaxStale: -1, Timeout: 30 * time.Second, BreakerFailures: -1},
	}
	w.reader = fixture.New(t, o)
	w.sql = d.Open(t, nil)
	w.toSQL = testserver.Proxy(t, d.Address())
	through := d.Through(t, w.toSQL.Addr())
	o.DB, o.Tiered.IntentTTL = &through, intentTTL
	o.Tiered.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, w.toCache.Addr())
	}
	w.writer = fixture.New(t, o)
	w.reader.Create(t, &shop.Croupon{ID: 1, Slug: "a", Title: "old", City: "Portland"})
	w.reads("old")
	w.cached("old")
	// The writer's first COMMIT is not to be the one that asks what other programs flush.
	if _, err := w.writer.M.Croupon.Cache.CountByCity(ctx, "Portland"); err != nil {
		t.Fatal(err)
	}
	return w
}

// inDatabase is the title that the database has now.
func (w *world) inDatabase() string {
	w.Helper()
	var title string
	if err := w.sql.Raw("SELECT title FROM croupons WHERE id = 1").Row().Scan(&title); err != nil {
		w.Fatal(err)
	}
	return title
}

// title is what the other program reads.
func (w *world) title() string {
	w.Helper()
	c, err := w.reader.M.Croupon.Cache.Get(ctx, 1)
	if err != nil {
		w.Fatal(err)
	}
	return c.Title
}

// underWrite reports whether the other program finds a token.
func (w *world) underWrite() bool {
	w.Helper()
	traced, trace := cacheruntime.WithTrace(ctx)
	if _, err := w.reader.M.Croupon.Cache.Get(traced, 1); err != nil {
		w.Fatal(err)
	}
	return trace.Reads()[0].Outcome == flushlist.UnderWrite
}

func (w *world) reads(want string) {
	w.Helper()
	if got := w.title(); got != want {
		w.Fatalf("read %q, want %q; the database has %q", got, want, w.inDatabase())
	}
}

// cached waits until the other program's reads are hits.
func (w *world) cached(want string) {
	w.Helper()
	eventually(w, "the row is not cached again", func() bool {
		before := w.reader.RT.Stats().CacheStatements
		w.reads(want)
		return w.reader.RT.Stats().CacheStatements == before
	})
}

// updating begins a write of the title, whose error it sends.
func (w *world) updating(title string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- w.writer.DB.Model(&shop.Croupon{ID: 1}).Update("title", title).Error }()
	return done
}

// eventually polls until ok, or fails with what.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			tb.Fatal(what)
		}
	}
}
