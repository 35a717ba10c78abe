package tiered

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// behaviour 18
func TestEvictedFromEitherTier(t *testing.T) {
	m := testserver.Memcached(t)
	p := start(t, patient(m.Addr()))
	r := storetest.Ref(1)
	p.load(r, "row")
	if !p.inFirst(r) {
		t.Fatal("a fill does not reach the first tier")
	}
	if err := p.first.cache.Delete(r.Key); err != nil {
		t.Fatal(err)
	}
	if p.inFirst(r) {
		t.Fatal("still in the first tier")
	}
	p.wants(r, flushlist.HitSecond, "row")
	if !p.inFirst(r) {
		t.Fatal("a hit does not reach the first tier")
	}
	if err := testserver.Client(m.Addr()).Delete(r.Key); err != nil {
		t.Fatal(err)
	}
	f := p.ask(r)
	if f.Outcome != flushlist.NoEntry {
		t.Fatalf("outcome is %v", f.Outcome)
	}
	p.fill(r, f.Ticket, "row")
	p.wants(r, flushlist.HitSecond, "row")

	// Evicted between lookup and fill.
	p.write(r.List)
	f = p.ask(r)
	if err := testserver.Client(m.Addr()).Delete(r.Key); err != nil {
		t.Fatal(err)
	}
	p.fill(r, f.Ticket, "new")
	p.wants(r, flushlist.HitSecond, "new")
}

// behaviour 80
func TestGarbage(t *testing.T) {
	m := testserver.Memcached(t)
	p := start(t, patient(m.Addr()))
	r, other := storetest.Ref(1), storetest.Ref(2)
	p.load(r, "row")
	p.load(other, "other row")
	whole := rawItem(t, m.Addr(), r.Key)
	flipped := append([]byte(nil), whole...)
	flipped[len(flipped)-6] ^= 1 // in the payload
	garbage := map[string][]byte{
		"empty": {}, "short": []byte("x"), "foreign": []byte(strings.Repeat("<html>", 100)),
		"truncated": whole[:len(whole)-1], "head": whole[:entryHead], "flipped": flipped,
		"longer": append(append([]byte(nil), whole...), 0), "other key": rawItem(t, m.Addr(), other.Key),
		"cell": rawItem(t, m.Addr(), cellKey(r.List)),
	}
	for name, b := range garbage {
		t.Run("entry/"+name, func(t *testing.T) {
			put(t, m.Addr(), r.Key, b)
			events := p.count(flushlist.EntryBad)
			f := p.ask(r)
			if f.Outcome != flushlist.BadEntry || p.count(flushlist.EntryBad) != events+1 {
				t.Fatalf("outcome is %v", f.Outcome)
			}
			p.fill(r, f.Ticket, "row")
			p.wants(r, flushlist.HitSecond, "row")
			if name == "flipped" {
				return // the first tier is this process's own memory: no checksum is compared
			}
			p.first.set(r.Key, b)
			if v, ok := p.First(r.Key, r.List.ID, r.All.ID); ok {
				t.Fatalf("the first tier serves %q", v.Payload)
			}
		})
	}
	cell := rawItem(t, m.Addr(), cellKey(r.List))
	for name, b := range map[string][]byte{
		"empty": {}, "foreign": []byte(strings.Repeat("<html>", 100)), "truncated": cell[:cellHead-1],
		"half a token": append(append([]byte(nil), cell...), 1, 2, 3), "no stamp": make([]byte, cellHead),
		"zero stamp": append(append(append([]byte(nil), cell[:4]...), make([]byte, 8)...), cell[12:]...), "entry": whole,
	} {
		t.Run("cell/"+name, func(t *testing.T) {
			put(t, m.Addr(), cellKey(r.List), b)
			f := p.ask(r)
			if f.Outcome != flushlist.BadCell || f.Ticket.Storable {
				t.Fatalf("%v, storable: %v", f.Outcome, f.Ticket.Storable)
			}
			// It is mended, by a reader
			p.wants(r, flushlist.ListFlushed, "")
			p.load(r, "row")
			p.wants(r, flushlist.HitSecond, "row")
			// or by a writer.
			in := p.prepare(flushlist.Strict, r.List)
			put(t, m.Addr(), cellKey(r.List), b)
			in.Finish(context.Background())
			p.wants(r, flushlist.ListFlushed, "")
			p.load(r, "row")
			in = p.prepare(flushlist.Strict, r.List)
			put(t, m.Addr(), cellKey(r.List), b)
			in.Abort(context.Background())
			p.ask(r)
			p.load(r, "row")
		})
	}
	// A token with a ttl that no program of ours writes.
	long := append(append([]byte(nil), cell...), tokenBytes(7, 1000*time.Hour)...)
	if c, ok := parseCell(long); !ok || c.count() != 1 {
		t.Fatal("a token is not read")
	} else if _, ttl := c.token(0); ttl != maxIntentTTL {
		t.Fatalf("a token is respected for %v", ttl)
	}
}

// TestServersOwnLimit: the server takes less than ItemLimit says.
func TestServersOwnLimit(t *testing.T) {
	m := testserver.Memcached(t) // 1 MiB
	o := patient(m.Addr())
	o.ItemLimit = 8 << 20
	p := start(t, o)
	r := storetest.Ref(1)
	p.load(r, strings.Repeat("x", 3<<20))
	if p.count(flushlist.EntryTooLarge) != 1 || p.count(flushlist.BreakerOpened) != 0 {
		t.Fatal("an entry that is too large for its server was not reported")
	}
	p.wants(r, flushlist.NoEntry, "")
}

// TestMaxStale: the first tier is never further behind than that.
func TestMaxStale(t *testing.T) {
	m := testserver.Memcached(t)
	o := patient(m.Addr())
	o.MaxStale = 50 * time.Millisecond
	p, other := start(t, o), start(t, patient(m.Addr()))
	r := storetest.Ref(1)
	p.load(r, "old")
	other.write(r.List)
	wrote := time.Now()
	eventually(t, "the first tier is behind for ever", func() bool {
		began := time.Now()
		in := p.inFirst(r)
		if in && began.Sub(wrote) >= o.MaxStale {
			t.Fatalf("served %v after another process's write", began.Sub(wrote))
		}
		return !in
	})
	o.MaxStale = -1
	off := start(t, o)
	off.load(r, "new")
	off.wants(r, flushlist.HitSecond, "new")
	if off.inFirst(r) {
		t.Fatal("a first tier that is switched off serves")
	}
}

// TestEndedContextOfOne: who leaves a batch takes nobody with him.
func TestEndedContextOfOne(t *testing.T) {
	_, proxy := proxied(t)
	p := start(t, patient(proxy.Addr())).quiet()
	r := storetest.Ref(1)
	p.load(r, "row")
	proxy.Hang()
	trips := proxy.RoundTrips()
	ctx, cancel := context.WithCancel(context.Background())
	first, second := make(chan flushlist.Found, 1), make(chan flushlist.Found, 1)
	go func() { first <- p.Fetch(ctx, []flushlist.Ref{r})[0] }()
	go func() { second <- p.ask(r) }()
	eventually(t, "the server does not answer", func() bool { return proxy.RoundTrips() > trips })
	cancel()
	if f := <-first; f.Outcome != flushlist.Unreachable || f.Ticket.Storable {
		t.Fatalf("with an ended context: %+v", f)
	}
	proxy.Mend()
	if f := <-second; f.Outcome != flushlist.HitSecond {
		t.Fatalf("beside an ended context: %v", f.Outcome)
	}
}

// TestRoundTrips: what reads and writes cost.
func TestRoundTrips(t *testing.T) {
	_, proxy := proxied(t)
	p := start(t, patient(proxy.Addr())).quiet()
	var refs []flushlist.Ref
	var lists []flushlist.List
	for n := range 64 {
		refs, lists = append(refs, storetest.Ref(n)), append(lists, storetest.Ref(n).List)
		p.load(refs[n], "row")
	}
	cost := func(what string, want int, f func()) {
		t.Helper()
		before := proxy.RoundTrips()
		f()
		if n := proxy.RoundTrips() - before; n != want {
			t.Errorf("%s: %d round trips, want %d", what, n, want)
		}
	}
	cost("first-tier hit", 0, func() { p.First(refs[0].Key, refs[0].List.ID, refs[0].All.ID) })
	cost("second-tier hit", 1, func() { p.ask(refs[0]) })
	cost("second-tier hit of 20", 1, func() { p.Fetch(context.Background(), refs[:20]) })
	var in flushlist.Intent
	cost("tokens for 64 lists, a number and a record", 64+2, func() { in = p.prepare(flushlist.Strict, lists...) })
	cost("finish of 64 lists", 1+64, func() { in.Finish(context.Background()) })
	if n := proxy.Accepted(); n > p.opts.MaxIdleConns {
		t.Errorf("%d connections, want at most %d", n, p.opts.MaxIdleConns)
	}
}

// TestFinishesAreCombined: those that come while one is under way are one more, together.
func TestFinishesAreCombined(t *testing.T) {
	_, proxy := proxied(t)
	p := start(t, patient(proxy.Addr())).quiet()
	r := storetest.Ref(1)
	p.load(r, "old")
	const writers = 20
	intents := make([]flushlist.Intent, writers)
	for i := range intents {
		intents[i] = p.prepare(flushlist.Strict, r.List)
	}
	proxy.Hang()
	before := proxy.RoundTrips()
	var finished sync.WaitGroup
	finished.Go(func() { intents[0].Finish(context.Background()) })
	eventually(t, "the cell is not asked for", func() bool { return proxy.RoundTrips() == before+1 })
	for _, in := range intents[1:] {
		finished.Go(func() { in.Finish(context.Background()) })
	}
	c := cellOf(r.List, 0)
	eventually(t, "finishes do not gather", func() bool {
		p.rounds.mu.Lock()
		defer p.rounds.mu.Unlock()
		return len(p.rounds.waiting[c.id].ends) == writers-1
	})
	proxy.Mend()
	finished.Wait()
	if n := proxy.RoundTrips() - before; n != 4 { // twice gets and cas
		t.Errorf("%d round trips", n)
	}
	if n := p.count(flushlist.IntentLost); n != 0 {
		t.Errorf("%d intents were lost", n)
	}
	p.load(r, "new")
	p.wants(r, flushlist.HitSecond, "new")
	eventually(t, "cells are left behind", func() bool {
		p.rounds.mu.Lock()
		defer p.rounds.mu.Unlock()
		return len(p.rounds.waiting) == 0
	})
}

// TestFirstAllocates: what a first-tier hit costs beyond the key.
func TestFirstAllocates(t *testing.T) {
	for name, o := range map[string]Options{"embedded": {}, "server": patient("")} {
		t.Run(name, func(t *testing.T) {
			if o.Servers != nil {
				o.Servers = []string{testserver.Memcached(t).Addr()}
			}
			p := start(t, o)
			r := storetest.Ref(1)
			p.load(r, "row")
			if n := testing.AllocsPerRun(100, func() {
				if !p.inFirst(r) {
					t.Fatal("not in the first tier")
				}
			}); n > 2 { // bigcache's own: the key it compares, and the value
				t.Fatalf("%v allocations", n)
			}
		})
	}
}

// TestCellsAreBounded: an embedded store forgets cells, but none under a write.
func TestCellsAreBounded(t *testing.T) {
	p := start(t, Options{Cells: minCells})
	in := p.prepare(flushlist.Strict, storetest.Ref(0).List)
	p.load(storetest.Ref(1), "row")
	for n := range 5 * minCells {
		p.ask(storetest.Ref(n + 2))
	}
	cells := 0
	for i := range p.memory.cells {
		cells += len(p.memory.cells[i].cells)
	}
	if cells > minCells+shardCount {
		t.Fatalf("%d cells are kept", cells)
	}
	p.wants(storetest.Ref(0), flushlist.UnderWrite, "")
	in.Finish(context.Background())
	p.load(storetest.Ref(0), "row")

	k := newKnown(minCells, 1, time.Minute)
	for n := range uint64(5 * minCells) {
		k.learn(cellAt{id: n * 7919}, 1, 0, 0)
	}
	known := 0
	for i := range k.stripes {
		known += len(k.stripes[i].stamps)
	}
	if known > minCells {
		t.Fatalf("%d stamps are known", known)
	}
}

func TestIllegalNames(t *testing.T) {
	p := start(t, Options{})
	for _, name := range []string{"", "a b", "a\nb", "a\x7f", strings.Repeat("x", 201)} {
		if _, err := p.Prepare(context.Background(), []flushlist.List{storetest.List(name)}, flushlist.Available); err == nil {
			t.Errorf("a list is called %q", name)
		}
	}
	r := storetest.Ref(1)
	r.Key += " "
	if f := p.ask(r); f.Outcome != flushlist.BadEntry || f.Ticket.Storable {
		t.Errorf("a key with a blank: %+v", f)
	}
	for _, server := range []string{"127.0.0.1:11211", strings.Repeat("long.", 50) + "example:11211"} {
		if key := allKey(server, strings.Repeat("x", 200)); !legalKey(key) {
			t.Errorf("the key of an `all` cell is %q", key)
		}
	}
	if k := cellKey(flushlist.List{Name: "n", ID: 0xab}); k != fmt.Sprintf("%016x:n", 0xab) {
		t.Errorf("the key of a cell is %q", k)
	}
}
