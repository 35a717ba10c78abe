package tiered

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// process is a store as one process has it, with the events that it reported.
type process struct {
	testing.TB
	*Store
	mu     sync.Mutex
	events []flushlist.Event
}

func start(tb testing.TB, o Options) *process {
	tb.Helper()
	p := &process{TB: tb, Store: mustOpen(tb, o)}
	if _, err := p.Claim("shop", func(e flushlist.Event) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.events = append(p.events, e)
	}); err != nil {
		tb.Fatal(err)
	}
	return p
}

// patient are options for tests in which no request is to end by time, and no writer to be taken for dead.
func patient(servers ...string) Options {
	return Options{Servers: servers, Timeout: 30 * time.Second, MaxStale: time.Minute, IntentTTL: 10 * time.Minute}
}

// hasty are options for tests of failing servers. One that is cut refuses at once; a test of one that hangs sets a
// time-out of its own, and goes by nothing that a machine which is held up for as long could make fail.
func hasty(servers ...string) Options {
	return Options{Servers: servers, Timeout: 10 * time.Second, MaxStale: time.Minute,
		BreakerPause: 20 * time.Millisecond}
}

// via makes a store reach a server it names through a relay.
func (o Options) via(server string, relay *testserver.Relay) Options {
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == server {
			address = relay.Addr()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return o
}

// quiet waits for the first poll of the journal, and the first look at the ring record. With patient options the next come much later.
func (p *process) quiet() *process {
	p.Helper()
	eventually(p, "the journal is not followed", func() bool { return p.journal.good.Load() != 0 })
	eventually(p, "the ring record is not looked at", func() bool { return p.watch.looks.Load() != 0 })
	return p
}

func (p *process) count(k flushlist.EventKind) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, e := range p.events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func (p *process) ask(r flushlist.Ref) flushlist.Found {
	return p.Fetch(context.Background(), []flushlist.Ref{r})[0]
}

func (p *process) fill(r flushlist.Ref, t flushlist.Ticket, text string) {
	p.Fill(context.Background(), []flushlist.Fill{{
		Ref: r, Ticket: t, Value: flushlist.Value{Payload: []byte(text)}, TTL: time.Hour,
	}})
}

// reaches loads an entry where time-outs are so short that a busy machine may have some.
func (p *process) reaches(r flushlist.Ref, text string) {
	p.Helper()
	eventually(p, "the server is not reached", func() bool {
		if found := p.ask(r); !found.Outcome.Hit() {
			p.fill(r, found.Ticket, text)
			return false
		}
		return true
	})
}

// load stores text under a fresh ticket.
func (p *process) load(r flushlist.Ref, text string) {
	p.Helper()
	found := p.ask(r)
	if !found.Ticket.Storable {
		p.Fatalf("%s: %v, and not storable", r.Key, found.Outcome)
	}
	p.fill(r, found.Ticket, text)
}

// wants demands an outcome, and a text where it is a hit.
func (p *process) wants(r flushlist.Ref, o flushlist.Outcome, text string) {
	p.Helper()
	found := p.ask(r)
	if found.Outcome != o || string(found.Value.Payload) != text {
		p.Fatalf("%s: %v with %q, want %v with %q", r.Key, found.Outcome, found.Value.Payload, o, text)
	}
}

func (p *process) inFirst(r flushlist.Ref) bool {
	_, ok := p.First(r.Key, r.List.ID, r.All.ID)
	return ok
}

func (p *process) prepare(mode flushlist.Mode, lists ...flushlist.List) flushlist.Intent {
	p.Helper()
	in, err := p.Prepare(context.Background(), lists, mode)
	if err != nil {
		p.Fatal(err)
	}
	return in
}

func (p *process) write(lists ...flushlist.List) {
	p.Helper()
	p.prepare(flushlist.Strict, lists...).Finish(context.Background())
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

// refAt returns an entry that lies on a server.
func refAt(tb testing.TB, s *Store, server string) flushlist.Ref {
	tb.Helper()
	for n := range 1000 {
		if r := storetest.Ref(n); s.places[s.ring.server(r.List.ID)].name() == server {
			return r
		}
	}
	tb.Fatalf("no entry lies on %s", server)
	return flushlist.Ref{}
}

// put sets an item behind the store's back.
func put(tb testing.TB, server, key string, value []byte) {
	tb.Helper()
	if err := testserver.Client(server).Set(&memcache.Item{Key: key, Value: value}); err != nil {
		tb.Fatal(err)
	}
}

// item reads an item behind the store's back, nil where there is none.
func rawItem(tb testing.TB, server, key string) []byte {
	tb.Helper()
	it, err := testserver.Client(server).Get(key)
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil
	}
	if err != nil {
		tb.Fatal(err)
	}
	return it.Value
}

func proxied(tb testing.TB) (*testserver.Server, *testserver.Relay) {
	tb.Helper()
	m := testserver.Memcached(tb)
	return m, testserver.Proxy(tb, m.Addr())
}

// never fails the test where a process would serve the old row, which is in the database no more, from either tier.
func (p *process) never(r flushlist.Ref, old string) {
	p.Helper()
	if v, ok := p.First(r.Key, r.List.ID, r.All.ID); ok && string(v.Payload) == old {
		p.Fatalf("the first tier serves %q, which is in the database no more", old)
	}
	if f := p.ask(r); f.Outcome.Hit() && string(f.Value.Payload) == old {
		p.Fatalf("%v with %q, which is in the database no more", f.Outcome, old)
	}
}

// byJournal makes a process serve from its first tier only what the journal answers for, as it is with stamps that
// were asked for more than MaxStale ago.
func (p *process) byJournal() *process {
	p.known.maxStale = 0
	return p
}
