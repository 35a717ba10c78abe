package tiered

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// behaviour 79
func TestServerHangs(t *testing.T) {
	_, proxy := proxied(t)
	o := hasty(proxy.Addr())
	o.Timeout = 300 * time.Millisecond
	o.MaxIdleConns = 4
	p := start(t, o)
	r := storetest.Ref(1)
	p.reaches(r, "row")
	opened, closed := p.count(flushlist.BreakerOpened), p.count(flushlist.BreakerClosed)
	goroutines := runtime.NumGoroutine()

	proxy.Hang()
	began := time.Now()
	p.wants(r, flushlist.Unreachable, "")
	if took := time.Since(began); took < o.Timeout {
		t.Fatalf("a read took %v, with a time-out of %v", took, o.Timeout)
	}
	var readers sync.WaitGroup
	for range 200 {
		readers.Go(func() {
			for range 5 {
				if f := p.ask(r); f.Outcome != flushlist.Unreachable || f.Ticket.Storable {
					t.Errorf("outcome is %v", f.Outcome)
				}
			}
		})
	}
	readers.Wait()
	if p.count(flushlist.BreakerOpened) != opened+1 || !p.Stats().Servers[0].Open {
		t.Fatal("the breaker has not opened")
	}
	// The relay hears a little later of connections that were given up.
	eventually(t, "too many connections are open", func() bool { return proxy.Open() <= o.MaxIdleConns })
	eventually(t, "goroutines pile up", func() bool { return runtime.NumGoroutine() < goroutines+30 })

	proxy.Mend()
	eventually(t, "the server is not used again", func() bool { return p.ask(r).Outcome.Hit() })
	if p.count(flushlist.BreakerClosed) != closed+1 || p.Stats().Servers[0].Open {
		t.Fatal("the breaker has not closed")
	}
}

// behaviour 82, at the store: what a server did not say is not absent
func TestOneOfThreeServersDown(t *testing.T) {
	var servers []string
	var running []*testserver.Server
	for range 3 {
		m := testserver.Memcached(t)
		running, servers = append(running, m), append(servers, m.Addr())
	}
	p := start(t, hasty(servers...))
	var refs []flushlist.Ref
	for _, s := range servers {
		r := refAt(t, p.Store, s)
		refs = append(refs, r)
		p.load(r, s)
	}
	running[1].Stop()
	found := p.Fetch(context.Background(), refs)
	for i, f := range found {
		if i == 1 {
			if f.Outcome != flushlist.Unreachable || f.Ticket.Storable {
				t.Fatalf("on the server that is down: %+v", f)
			}
			continue
		}
		if f.Outcome != flushlist.HitSecond || string(f.Value.Payload) != servers[i] {
			t.Fatalf("on a server that is up: %+v", f)
		}
	}

	// Strict: the write is refused, and the tokens on the other servers are taken out.
	lists := []flushlist.List{refs[0].List, refs[1].List, refs[2].List}
	in, err := p.Prepare(context.Background(), lists, flushlist.Strict)
	if !errors.Is(err, flushlist.ErrFlush) || in != nil || !strings.Contains(err.Error(), servers[1]) ||
		!strings.Contains(err.Error(), refs[1].List.Name) {
		t.Fatalf("strict write with a server down: %v, %v", in, err)
	}
	p.wants(refs[0], flushlist.HitSecond, servers[0])
	p.wants(refs[2], flushlist.HitSecond, servers[2])
	// An `all` list has a cell on every server.
	if _, err := p.Prepare(context.Background(), []flushlist.List{storetest.All()}, flushlist.Strict); !errors.Is(err, flushlist.ErrFlush) {
		t.Fatalf("strict write of a whole table with a server down: %v", err)
	}

	// Available: the write proceeds, and the other lists are flushed.
	in = p.prepare(flushlist.Available, lists...)
	in.Finish(context.Background())
	if p.count(flushlist.FlushUndelivered) != 1 || p.Stats().Undelivered != 1 {
		t.Fatalf("%d flushes were reported undelivered", p.count(flushlist.FlushUndelivered))
	}
	p.wants(refs[0], flushlist.ListFlushed, "")
	p.wants(refs[1], flushlist.Undelivered, "")
	running[1].Start()
	eventually(t, "the flush is not delivered", func() bool { return p.count(flushlist.FlushDelivered) == 1 })
	p.load(refs[1], "new")
	p.wants(refs[1], flushlist.HitSecond, "new")
}

// behaviour 69, available: cut off from one process, with another that is not
func TestAvailableWhileCutOff(t *testing.T) {
	m, proxy := proxied(t)
	p, other := start(t, hasty(m.Addr()).via(m.Addr(), proxy)), start(t, patient(m.Addr()))
	r := storetest.Ref(1)
	p.load(r, "old")
	p.wants(r, flushlist.HitSecond, "old")
	other.wants(r, flushlist.HitSecond, "old")
	if !p.inFirst(r) {
		t.Fatal("not in the first tier")
	}

	proxy.Cut()
	in := p.prepare(flushlist.Available, r.List)
	if p.inFirst(r) {
		t.Fatal("the first tier serves what could not be flushed")
	}
	p.wants(r, flushlist.Undelivered, "")
	// The server comes back before COMMIT. A flush now would let the old row be stored again.
	proxy.Mend()
	eventually(t, "the server does not come back", func() bool {
		return p.ask(storetest.Ref(2)).Outcome != flushlist.Unreachable
	})
	p.wants(r, flushlist.Undelivered, "")
	other.wants(r, flushlist.HitSecond, "old")
	proxy.Cut()
	in.Finish(context.Background())
	p.wants(r, flushlist.Undelivered, "")
	proxy.Mend()
	eventually(t, "the flush is not delivered", func() bool { return p.count(flushlist.FlushDelivered) == 1 })
	other.wants(r, flushlist.ListFlushed, "")
	p.load(r, "new")
	p.wants(r, flushlist.HitSecond, "new")
	other.wants(r, flushlist.HitSecond, "new")

	// Aborted: nothing was written, and the entry is served again.
	proxy.Cut()
	in = p.prepare(flushlist.Available, r.List)
	in.Abort(context.Background())
	proxy.Mend()
	eventually(t, "an aborted write keeps its list out of service", func() bool { return p.ask(r).Outcome.Hit() })

	// The server is back when the write finishes: it is flushed at once.
	proxy.Cut()
	in = p.prepare(flushlist.Available, r.List)
	proxy.Mend()
	eventually(t, "the server does not come back", func() bool { return p.ask(storetest.Ref(2)).Ticket.Storable })
	in.Finish(context.Background())
	if p.count(flushlist.FlushDelivered) != 2 || p.count(flushlist.IntentLost) != 0 {
		t.Fatal("a flush that was delivered by Finish is reported otherwise")
	}
	other.wants(r, flushlist.ListFlushed, "")
	p.load(r, "newer")

	// Finish finds the server gone that has the token.
	in = p.prepare(flushlist.Strict, r.List)
	proxy.Cut()
	in.Finish(context.Background())
	p.wants(r, flushlist.Undelivered, "")
	proxy.Mend()
	eventually(t, "the flush is not delivered", func() bool { return p.count(flushlist.FlushDelivered) == 3 })
	other.wants(r, flushlist.ListFlushed, "")
}

// TestOwedAgainOnTheWay: a flush that was sent before a write's COMMIT does not stand for it.
func TestOwedAgainOnTheWay(t *testing.T) {
	m, proxy := proxied(t)
	o := patient(proxy.Addr())
	o.BreakerPause = 10 * time.Millisecond
	p := start(t, o).quiet()
	r := storetest.Ref(1)
	p.load(r, "old")
	stamps := func() cell {
		c, _ := parseCell(rawItem(t, m.Addr(), cellKey(r.List)))
		return c
	}
	first := stamps().stamp
	c := cellOf(r.List, 0)
	owe := func() {
		p.known.hold(c.id)
		p.owe(c, []uint64{newToken()})
	}
	// 1. one write's flush is on its way: the server was asked for the cell
	proxy.Hang()
	trips := proxy.RoundTrips()
	owe()
	eventually(t, "nothing is tried", func() bool { return proxy.RoundTrips() > trips })
	// 2. another write is committed, and its flush does not reach the server
	owe()
	// 3. the first one's does
	proxy.Mend()
	eventually(t, "the flush is not delivered", func() bool { return p.count(flushlist.FlushDelivered) == 1 })
	if stamps().previous == first {
		t.Fatal("one flush stands for a write that came after it")
	}
	p.load(r, "new")
	p.wants(r, flushlist.HitSecond, "new")
}

// A server that hangs keeps no token standing on another. behaviour 79
func TestFinishWaitsForNoOtherServer(t *testing.T) {
	hanging, hangs := proxied(t)
	well, relay := proxied(t)
	o := patient(hangs.Addr(), relay.Addr())
	o.Timeout, o.IntentTTL = time.Minute, 10*time.Minute
	p := start(t, o)
	stuck, r := refAt(t, p.Store, hangs.Addr()), refAt(t, p.Store, relay.Addr())
	in := p.prepare(flushlist.Strict, stuck.List, r.List)
	hangs.Hang()
	done := make(chan struct{})
	go func() {
		defer close(done)
		in.Finish(context.Background())
	}()
	eventually(t, "the token stands", func() bool {
		c, ok := parseCell(rawItem(t, well.Addr(), cellKey(r.List)))
		return ok && c.count() == 0
	})
	if c, ok := parseCell(rawItem(t, hanging.Addr(), cellKey(stuck.List))); !ok || c.count() != 1 {
		t.Errorf("on the server that hangs stand %d tokens", c.count())
	}
	hangs.Mend()
	<-done
}

// TestTooManyUndelivered: what is remembered is bounded.
func TestTooManyUndelivered(t *testing.T) {
	_, proxy := proxied(t)
	p := start(t, hasty(proxy.Addr()))
	p.owed.most = 3
	p.load(storetest.Ref(9), "row")
	proxy.Cut()
	for n := range 5 {
		p.prepare(flushlist.Available, storetest.Ref(n).List).Finish(context.Background())
	}
	proxy.Mend()
	eventually(t, "the flushes are not delivered", func() bool { return p.Stats().Undelivered == 0 })
	p.wants(storetest.Ref(9), flushlist.Undelivered, "")
	if p.inFirst(storetest.Ref(9)) || !p.Stats().Servers[0].Refused {
		t.Fatal("the server is in service, with flushes forgotten")
	}
}

// TestRestartedServer: pooled connections are all stale then, and nobody notices.
func TestRestartedServer(t *testing.T) {
	m := testserver.Memcached(t)
	p := start(t, patient(m.Addr()))
	lists := make([]flushlist.List, 20) // many connections
	for n := range lists {
		lists[n] = storetest.Ref(n).List
	}
	p.write(lists...)
	p.load(storetest.Ref(1), "old")
	m.Stop()
	m.Start()
	p.wants(storetest.Ref(1), flushlist.NoCell, "")
	m.Stop()
	m.Start()
	p.write(lists...)
	m.Stop()
	m.Start()
	p.load(storetest.Ref(1), "new")
	p.wants(storetest.Ref(1), flushlist.HitSecond, "new")
	if n := p.count(flushlist.BreakerOpened); n != 0 {
		t.Fatal("the breaker opened")
	}
	// A restart between append and finish. behaviour 64
	in := p.prepare(flushlist.Strict, storetest.Ref(1).List)
	m.Stop()
	m.Start()
	p.load(storetest.Ref(1), "old")
	in.Finish(context.Background())
	p.wants(storetest.Ref(1), flushlist.ListFlushed, "")
	if p.count(flushlist.IntentLost) == 0 {
		t.Fatal("the lost intent was not reported")
	}
}

// Close says how many flushes it gave up, once, and nothing where all were delivered.
func TestCloseSaysWhatIsUndelivered(t *testing.T) {
	for name, c := range map[string]struct {
		lists, remembered int
		mend              bool
		want              string
	}{
		"delivered":      {lists: 2, remembered: 10, mend: true},
		"undelivered":    {lists: 2, remembered: 10, want: "2 flushes did not reach their server"},
		"more than kept": {lists: 5, remembered: 3, want: "5 flushes did not reach their server"},
	} {
		t.Run(name, func(t *testing.T) {
			_, proxy := proxied(t)
			p := start(t, hasty(proxy.Addr()))
			p.owed.most = c.remembered
			proxy.Cut()
			for n := range c.lists {
				p.prepare(flushlist.Available, storetest.Ref(n).List).Finish(context.Background())
			}
			if c.mend {
				proxy.Mend()
				eventually(t, "the flushes are not delivered", func() bool { return p.Stats().Undelivered == 0 })
			}
			err := p.Close()
			if (err != nil) != (c.want != "") || err != nil && (!errors.Is(err, ErrUndelivered) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("Close says %v, want %q", err, c.want)
			}
			if err := p.Close(); err != nil {
				t.Errorf("the second Close says %v", err)
			}
		})
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	_, proxy := proxied(t)
	before := runtime.NumGoroutine()
	p := start(t, hasty(proxy.Addr()))
	for n := range 20 {
		p.load(storetest.Ref(n), "row")
	}
	proxy.Cut()
	p.prepare(flushlist.Available, storetest.Ref(1).List).Finish(context.Background())
	p.prepare(flushlist.Available, storetest.Ref(2).List).Leave()
	proxy.Mend()
	eventually(t, "the server does not come back", func() bool { return p.ask(storetest.Ref(3)).Outcome.Hit() })
	proxy.Hang()
	trips := proxy.RoundTrips()
	var reader sync.WaitGroup
	reader.Go(func() { p.ask(storetest.Ref(3)) })
	eventually(t, "no request is under way", func() bool { return proxy.RoundTrips() > trips })
	if err := p.Close(); err != nil && !errors.Is(err, ErrUndelivered) { // the retry may have come too late
		t.Fatal(err)
	}
	b := &p.places[0].(*server).batches
	b.mu.Lock()
	senders := b.senders
	b.mu.Unlock()
	if senders != 0 {
		t.Fatal("Close does not wait for requests under way")
	}
	reader.Wait()
	proxy.Mend()
	eventually(t, "connections are left open", func() bool { return proxy.Open() == 0 })
	eventually(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= before })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestBreaker(t *testing.T) {
	var now time.Duration
	b := breaker{failures: 3, pause: time.Second, now: func() time.Duration { return now }}
	fail := func(want bool) {
		t.Helper()
		if opened, _ := b.record(false); opened != want {
			t.Fatalf("opened: %v", opened)
		}
	}
	fail(false)
	fail(false)
	b.record(true) // in a row, not in all
	fail(false)
	fail(false)
	fail(true)
	if b.allow() {
		t.Fatal("a request goes out though the breaker is open")
	}
	now += time.Second
	if !b.allow() || b.allow() {
		t.Fatal("not just one request after the pause")
	}
	fail(false)
	now += time.Second / 2
	if b.allow() {
		t.Fatal("a request goes out before the pause is over")
	}
	now += time.Second / 2
	if !b.allow() {
		t.Fatal("no second try")
	}
	if _, closed := b.record(true); !closed || !b.allow() || !b.allow() {
		t.Fatal("the breaker has not closed")
	}
	b = breaker{failures: -1, now: b.now}
	for range 100 {
		fail(false)
	}
	if !b.allow() {
		t.Fatal("a breaker that is switched off opened")
	}
}
