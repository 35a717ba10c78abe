package modes_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

const (
	// timeout is far above what a busy machine makes of a request that nothing is wrong with. No test waits for it.
	timeout   = 20 * time.Second
	intentTTL = 5 * time.Second
	// stuck is after how long a test takes something for never coming.
	stuck = time.Minute
	// rows are enough for each of three servers to have some.
	rows = 30
)

var (
	ctx   = context.Background()
	fresh = cacheruntime.WithFresh(ctx)
)

// world is two programs on one database and the same memcached servers, each of which reaches every server through
// a relay of its own.
type world struct {
	*testing.T
	servers []*testserver.Server
	a, b    *program
}

type program struct {
	*fixture.Fixture
	t      *testing.T
	relays []*testserver.Relay // by server
}

// newWorld starts servers and the two programs, in a mode each, and makes and caches the rows.
func newWorld(t *testing.T, servers int, mode cacheruntime.Mode, change ...func(*fixture.Options)) *world {
	t.Helper()
	w := &world{T: t}
	var names []string
	for n := range servers {
		w.servers = append(w.servers, testserver.Memcached(t))
		names = append(names, fmt.Sprintf("cache%d.invalid:11211", n))
	}
	o := fixture.Options{Servers: names, Runtime: cacheruntime.Options{Mode: mode}, Tiered: tiered.Options{
		Timeout: timeout, IntentTTL: intentTTL, BreakerFailures: 3, BreakerPause: 50 * time.Millisecond,
	}}
	for _, f := range change {
		f(&o)
	}
	w.a = w.program(o)
	o.Path = w.a.Path
	w.b = w.program(o)
	for n := range rows {
		w.a.Create(t, &shop.Croupon{Slug: fmt.Sprint("c", n), Title: "old", City: fmt.Sprint("city", n), Active: true})
	}
	for id := uint64(1); id <= rows; id++ {
		w.a.wants(id, "old")
		w.b.wants(id, "old")
	}
	return w
}

func (w *world) program(o fixture.Options) *program {
	p := &program{t: w.T}
	reached := map[string]string{}
	for n, s := range w.servers {
		r := testserver.Proxy(w.T, s.Addr())
		p.relays = append(p.relays, r)
		reached[o.Servers[n]] = r.Addr()
	}
	o.Tiered.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, reached[address])
	}
	p.Fixture = fixture.New(w.T, o)
	return p
}

// key returns the key of a row's entry.
func (p *program) key(id uint64) string {
	p.t.Helper()
	traced, trace := cacheruntime.WithTrace(fresh)
	if _, err := p.M.Croupon.Cache.Get(traced, id); err != nil {
		p.t.Fatal(err)
	}
	return trace.Reads()[0].Key
}

// has reports whether a server has an item.
func (w *world) has(server int, key string) bool {
	w.Helper()
	client := testserver.Client(w.servers[server].Addr())
	defer client.Close()
	_, err := client.Get(key)
	if err != nil && !errors.Is(err, memcache.ErrCacheMiss) {
		w.Fatal(err)
	}
	return err == nil
}

// at returns the rows whose entries lie on a server.
func (w *world) at(server int) (ids []uint64) {
	w.Helper()
	for id := uint64(1); id <= rows; id++ {
		if w.has(server, w.a.key(id)) {
			ids = append(ids, id)
		}
	}
	if len(ids) < 3 {
		w.Fatalf("%d rows lie on server %d", len(ids), server)
	}
	return ids
}

// journal returns the server that the journal lies on.
func (w *world) journal() int {
	w.Helper()
	for n := range w.servers {
		if w.has(n, "@journal:head") {
			return n
		}
	}
	w.Fatal("no server has the journal")
	return 0
}

// title reads a row through the cache, past the first tier.
func (p *program) title(id uint64) string {
	p.t.Helper()
	return p.read(fresh, id)
}

func (p *program) read(ctx context.Context, id uint64) string {
	p.t.Helper()
	c, err := p.M.Croupon.Cache.Get(ctx, id)
	if err != nil {
		p.t.Fatalf("row %d: %v", id, err)
	}
	return c.Title
}

// wants demands a row's title, from each tier and from the database.
func (p *program) wants(id uint64, title string) {
	p.t.Helper()
	stored, err := p.M.Croupon.Objects.Get(ctx, id)
	if err != nil {
		p.t.Fatal(err)
	}
	if got, past := p.read(ctx, id), p.title(id); got != title || past != title || stored.Title != title {
		p.t.Errorf("row %d is %q, past the first tier %q, and %q in the database, want %q", id, got, past, stored.Title, title)
	}
}

// sees waits until a row has a title also in the first tier, which may be MaxStale behind another program's write.
func (p *program) sees(id uint64, title string) {
	p.t.Helper()
	p.eventually(fmt.Sprintf("row %d is not %q", id, title), func() bool { return p.read(ctx, id) == title })
	p.wants(id, title)
}

// isCached waits until a row is served without SQL, from the second tier.
func (p *program) isCached(id uint64, title string) {
	p.t.Helper()
	p.eventually(fmt.Sprintf("row %d is not cached", id), func() bool {
		return len(p.SQL.Of(func() {
			if got := p.title(id); got != title {
				p.t.Errorf("row %d is %q, want %q", id, got, title)
			}
		})) == 0
	})
}

// retitle writes a row's title, and nothing else that a list is named by.
func (p *program) retitle(id uint64, title string) error {
	return p.DB.Model(&shop.Croupon{ID: id}).Update("title", title).Error
}

// writes writes a row's title, with no error.
func (p *program) writes(id uint64, title string) {
	p.t.Helper()
	if err := p.retitle(id, title); err != nil {
		p.t.Errorf("writing row %d: %v", id, err)
	}
}

// refuses demands that writing a row fails, for the cache's sake, and that nothing is written. It returns how long the
// write took.
func (p *program) refuses(id uint64) time.Duration {
	p.t.Helper()
	before, err := p.M.Croupon.Objects.Get(ctx, id)
	if err != nil {
		p.t.Fatal(err)
	}
	began := time.Now()
	err = p.retitle(id, "refused")
	took := time.Since(began)
	if !errors.Is(err, cacheruntime.ErrFlush) {
		p.t.Errorf("writing row %d: %v", id, err)
	}
	p.wants(id, before.Title)
	return took
}

// writesAgain waits until a write goes through that has nothing against it but breakers.
func (p *program) writesAgain(id uint64, title string) {
	p.t.Helper()
	p.eventually("no write goes through", func() bool {
		err := p.retitle(id, title)
		if err != nil && !errors.Is(err, cacheruntime.ErrFlush) {
			p.t.Errorf("writing row %d: %v", id, err)
		}
		return err == nil
	})
}

func (p *program) events(k flushlist.EventKind) int64 { return p.RT.Stats().Events[k] }

// delivered waits until nothing is owed to anybody, and returns how long that took.
func (p *program) delivered() time.Duration {
	p.t.Helper()
	began := time.Now()
	p.eventually("flushes are not delivered", func() bool { return p.Store.Stats().Undelivered == 0 })
	return time.Since(began)
}

// eventually polls until ok, or ends the test with what.
func (p *program) eventually(what string, ok func() bool) {
	p.t.Helper()
	deadline := time.NewTimer(stuck)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			p.t.Fatal(what)
		}
	}
}
