package tiered

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// isOutside demands that a process serves and stores nothing, says why, and refuses strict writes.
func (p *process) isOutside(r flushlist.Ref) {
	p.Helper()
	eventually(p, "it is not reported", func() bool { return p.count(flushlist.Fault) == 1 })
	if err := p.Stats().Outside; !errors.Is(err, errOutside) {
		p.Fatal(err)
	}
	f := p.ask(r)
	if f.Outcome != flushlist.Outside || f.Ticket.Storable || p.inFirst(r) {
		p.Fatalf("%v, storable: %v, in the first tier: %v", f.Outcome, f.Ticket.Storable, p.inFirst(r))
	}
	p.fill(r, flushlist.Ticket{Storable: true, List: 1, All: 2}, "foreign")
	if _, granted := p.lease(r, flushlist.Ticket{Storable: true}); !granted {
		p.Fatal("a load waits for others'")
	}
	if _, err := p.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict); !errors.Is(err, flushlist.ErrFlush) || !errors.Is(err, errOutside) {
		p.Fatal(err)
	}
	p.look()
	if p.count(flushlist.Fault) != 1 {
		p.Fatalf("%d events", p.count(flushlist.Fault))
	}
}

// behaviour 102: two processes name different servers at one step.
func TestOtherServersAtOneStep(t *testing.T) {
	c := newCluster(t, 2)
	right := c.at(0, "01", "").within()
	r := refAt(t, right.Store, c.servers[0].Addr())
	right.load(r, "row")
	wrong := start(t, c.options(0, "0", ""))
	// Even its first read finds out.
	if f := wrong.ask(r); f.Outcome != flushlist.Outside {
		t.Fatal(f.Outcome)
	}
	wrong.isOutside(r)
	right.within().wants(r, flushlist.HitSecond, "row")

	// Available: it proceeds, and flushes where it can.
	wrong.prepare(flushlist.Available, r.List).Finish(context.Background())
	right.wants(r, flushlist.ListFlushed, "")

	// Whoever claims later is told too.
	told := make(chan flushlist.Event, 1)
	if _, err := wrong.Claim("depot", func(e flushlist.Event) { told <- e }); err != nil {
		t.Fatal(err)
	}
	if e := <-told; e.Kind != flushlist.Fault || !errors.Is(e.Err, errOutside) {
		t.Fatal(e)
	}
	// Started again with the right servers, it is one of them.
	wrong.Close()
	c.at(0, "10", "").within().load(r, "new")
}

// behaviour 102: three processes, two steps apart.
func TestTwoStepsApart(t *testing.T) {
	c := newCluster(t, 3)
	first := c.at(0, "01", "").within()
	r := c.moves("012", "01", '2')
	first.load(r, "old")
	first.wants(r, flushlist.HitSecond, "old")
	if !first.inFirst(r) {
		t.Fatal("not in the first tier")
	}
	second := c.at(1, "01", "012").within()
	third := c.at(2, "012", "01").within()
	first.look()
	first.isOutside(r)
	second.within()
	third.within()
}

// A lookup that has begun when the process is found outside serves nothing any more:
//
//  1. a lookup of one server begins; that server's record was looked at, so it asks for the entry alone
//  2. a look at another server: the process is outside
//  3. the entry comes back; it may be of any age
func TestFoundOutsideDuringALookup(t *testing.T) {
	c := newCluster(t, 3)
	relay := testserver.Proxy(t, c.servers[0].Addr())
	o := c.options(0, "01", "")
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == c.servers[0].Addr() {
			address = relay.Addr()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	p := start(t, o).quiet().within()
	r := refAt(t, p.Store, c.servers[0].Addr())
	p.load(r, "old")
	p.wants(r, flushlist.HitSecond, "old")
	c.at(1, "01", "012").within()
	c.at(2, "012", "01").within()

	relay.Hang()
	trips := relay.RoundTrips()
	var under sync.WaitGroup
	var found flushlist.Found
	under.Go(func() { found = p.ask(r) })
	eventually(t, "no lookup is under way", func() bool { return relay.RoundTrips() > trips })
	under.Go(p.look)
	eventually(t, "it is not outside", func() bool { return p.Stats().Outside != nil })
	relay.Mend()
	under.Wait()
	if found.Outcome != flushlist.Outside || found.Value.Payload != nil {
		t.Fatalf("%v with %q", found.Outcome, found.Value.Payload)
	}
}

// A process that was paused looks at the record with its first request.
func TestPausedWhileServersChanged(t *testing.T) {
	c := newCluster(t, 3)
	paused := c.at(0, "01", "").within()
	r := storetest.Ref(1)
	paused.load(r, "old")
	c.at(1, "01", "012").within()
	c.at(2, "012", "01").within()
	paused.wants(r, flushlist.HitSecond, "old") // it has yet to look
	for i := range paused.watch.seen {
		paused.watch.seen[i].Add(-int64(ringPatience * paused.watch.every))
	}
	if f := paused.ask(r); f.Outcome != flushlist.Outside {
		t.Fatalf("%v after a pause", f.Outcome)
	}
	paused.isOutside(r)
}

// A program set back to servers of before, with the number of then, is outside from its first read on.
func TestSetBackToAnOldStep(t *testing.T) {
	c := newCluster(t, 2)
	p := c.at(0, "0", "")
	r := storetest.Ref(1)
	p.load(r, "old")
	for n, s := range []struct{ first, also string }{{"0", "1"}, {"1", "0"}, {"1", ""}} {
		p = c.at(n+1, s.first, s.also).within()
	}
	p.ask(r)
	p.write(r.List)
	back := start(t, c.options(0, "0", ""))
	if f := back.ask(r); f.Outcome.Hit() {
		t.Fatalf("%v of an entry from before", f.Outcome)
	}
	back.isOutside(r)
}

// A program starts and works while a server is down, and puts its step there when it comes.
func TestStartsWhileAServerIsDown(t *testing.T) {
	c := newCluster(t, 2)
	c.servers[1].Stop()
	o := c.options(3, "01", "")
	o.BreakerPause = 20 * time.Millisecond
	p := start(t, o)
	r := refAt(t, p.Store, c.servers[0].Addr())
	p.load(r, "row")
	p.wants(r, flushlist.HitSecond, "row")
	c.servers[1].Start()
	eventually(t, "its step is not put on record", func() bool {
		p.look()
		h, ok := parseHistory(rawItem(t, c.servers[1].Addr(), ringKey("shop")))
		return ok && len(h) == 1 && h[0].number == 3
	})
	p.within()
}

// Two processes that name different servers and begin before either can see the other's step: when they
// can, both are outside, since nobody knows who is right. The next step is the way out.
func TestDisputedStep(t *testing.T) {
	c := newCluster(t, 3)
	a := c.at(4, "0", "").within()
	b := c.at(4, "1", "").within()
	both := c.at(5, "2", "01") // names a server of each
	r := storetest.Ref(1)
	both.isOutside(r)
	// It meets both records, and disputes them; so does whoever follows from either.
	h := history{a.watch.own}.merge(history{b.watch.own})
	for _, s := range c.servers {
		put(t, s.Addr(), ringKey("shop"), h.bytes())
	}
	a.look()
	b.look()
	a.isOutside(r)
	b.isOutside(r)
	c.at(5, "0", "").within().load(r, "row")
}
