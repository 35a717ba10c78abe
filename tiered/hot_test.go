package tiered

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// behaviour 103: of many writers on one list, in one process or in two that change the cell under each
// other, all finish, and the list is cached again after them. Whoever writes reads, and fills, what it or a later write has
// committed.
func TestHotList(t *testing.T) {
	for _, c := range []struct{ writers, processes int }{{64, 1}, {64, 2}, {256, 1}, {256, 2}} {
		t.Run(fmt.Sprintf("%d writers in %d processes", c.writers, c.processes), func(t *testing.T) {
			addr := testserver.Memcached(t).Addr()
			r := storetest.Ref(1)
			var processes []*process
			for range c.processes {
				p := start(t, patient(addr))
				defer p.Close()
				p.load(r, "old")
				processes = append(processes, p)
			}
			var committed atomic.Int64
			var all sync.WaitGroup
			for w := range c.writers {
				all.Go(func() {
					p := processes[w%c.processes]
					for range 4 {
						in, err := p.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict)
						if err != nil {
							t.Error(err)
							return
						}
						mine := committed.Add(1)
						in.Finish(context.Background())
						f := p.ask(r)
						if f.Outcome.Hit() {
							if n, err := strconv.ParseInt(string(f.Value.Payload), 10, 64); err != nil || n < mine {
								t.Errorf("after write %d it is served %q", mine, f.Value.Payload)
							}
							continue
						}
						p.fill(r, f.Ticket, strconv.FormatInt(committed.Load(), 10))
					}
				})
			}
			all.Wait()
			// What did not get through within its tries goes on behind the writers.
			p := processes[0]
			eventually(t, "a token was left behind", func() bool { return p.ask(r).Ticket.Storable })
			p.load(r, "new")
			for _, p := range processes {
				p.wants(r, flushlist.HitSecond, "new")
				for _, k := range []flushlist.EventKind{flushlist.IntentLost, flushlist.FlushUndelivered, flushlist.BreakerOpened} {
					if n := p.count(k); n != 0 {
						t.Errorf("%d events of kind %v", n, k)
					}
				}
				eventually(t, "a cell is left behind", func() bool {
					p.rounds.mu.Lock()
					defer p.rounds.mu.Unlock()
					return len(p.rounds.waiting) == 0
				})
			}
		})
	}
}

// behaviour 103: writers that never stop, in one process, do not keep those of another from finishing.
func TestHotListStarvesNobody(t *testing.T) {
	addr := testserver.Memcached(t).Addr()
	busy, other := start(t, patient(addr)), start(t, patient(addr))
	defer busy.Close()
	defer other.Close()
	r := storetest.Ref(1)
	busy.load(r, "old")
	var enough atomic.Bool
	var writes atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for !enough.Load() {
				in, err := busy.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict)
				if err != nil {
					t.Error(err)
					return
				}
				in.Finish(context.Background())
				writes.Add(1)
			}
		})
	}
	eventually(t, "the busy process does not write", func() bool { return writes.Load() > 0 })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 32 {
			in, err := other.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict)
			if err != nil {
				t.Error(err)
				return
			}
			in.Finish(context.Background())
		}
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Minute):
		t.Errorf("32 writes have not ended beside %d of the other process", writes.Load())
	}
	enough.Store(true)
	all.Wait()
	<-ended
	eventually(t, "a token was left behind", func() bool { return other.ask(r).Ticket.Storable })
	other.load(r, "new")
	busy.wants(r, flushlist.HitSecond, "new")
}

// A write whose token stands returns after a bounded number of conflicts, and the rest is done behind it:
// until the new stamp is in, nobody is served.
func TestContestedFinishReturns(t *testing.T) {
	addr := testserver.Memcached(t).Addr()
	p, other := start(t, patient(addr)), start(t, patient(addr))
	defer p.Close()
	defer other.Close()
	r := storetest.Ref(1)
	p.load(r, "old")
	in := p.prepare(flushlist.Strict, r.List)
	m := &gate{place: p.places[0], waiting: make(chan struct{}, 1), open: make(chan struct{})}
	p.places[0] = m
	in.Finish(context.Background())
	if m.conflicts != finishTries {
		t.Errorf("the write returned after %d conflicts, want %d", m.conflicts, finishTries)
	}
	<-m.waiting // the one behind it
	other.wants(r, flushlist.UnderWrite, "")
	close(m.open)
	eventually(t, "the rest is not done", func() bool { return other.ask(r).Ticket.Storable })
	other.load(r, "new")
	other.wants(r, flushlist.HitSecond, "new")
}

// gate is a place where the first tries to swap a cell meet another writer's change, and the next waits.
type gate struct {
	place
	conflicts int
	waiting   chan struct{}
	open      chan struct{}
}

func (g *gate) swap(ctx context.Context, at addr, value []byte, seen uint64, ttl time.Duration) error {
	if g.conflicts < finishTries {
		g.conflicts++
		return errConflict
	}
	g.waiting <- struct{}{}
	<-g.open
	return g.place.swap(ctx, at, value, seen, ttl)
}

// behaviour 41: a write flushes ten thousand entries by the same requests as one, of the same size.
func TestEntriesCostAWriteNothing(t *testing.T) {
	_, relay := proxied(t)
	o := patient(relay.Addr())
	o.MaxStale = -1 // no polls
	p := start(t, o)
	defer p.Close()
	const many = 10_000
	hung := func(list string, n int) (refs []flushlist.Ref) {
		l := storetest.List(list)
		for i := range n {
			refs = append(refs, flushlist.Ref{Key: fmt.Sprintf("%016x::shop::croupons.f:get:%d", l.ID, i), List: l, All: storetest.All()})
		}
		var fills []flushlist.Fill
		for i, found := range p.Fetch(context.Background(), refs) {
			if !found.Ticket.Storable {
				t.Fatalf("%s: %v", refs[i].Key, found.Outcome)
			}
			fills = append(fills, flushlist.Fill{Ref: refs[i], Ticket: found.Ticket, Value: flushlist.Value{Payload: []byte("row")}, TTL: time.Hour})
		}
		p.Fill(context.Background(), fills)
		return refs
	}
	all := func(refs []flushlist.Ref, want flushlist.Outcome) {
		t.Helper()
		for i, found := range p.Fetch(context.Background(), refs) {
			if found.Outcome != want {
				t.Fatalf("%s: %v, want %v", refs[i].Key, found.Outcome, want)
			}
		}
	}
	type cost struct{ trips, requests, asked, answered int }
	now := func() cost {
		asked, answered := relay.Traffic()
		return cost{relay.RoundTrips(), relay.Requests(), asked, answered}
	}
	write := func(l flushlist.List) cost {
		from := now()
		p.write(l)
		to := now()
		return cost{to.trips - from.trips, to.requests - from.requests, to.asked - from.asked, to.answered - from.answered}
	}
	p.write(storetest.List("shop:croupons.0")) // begins the journal
	thousands := hung("shop:croupons.B", many)
	single := hung("shop:croupons.A", 1)
	all(thousands, flushlist.HitSecond)
	one, lots := write(single[0].List), write(thousands[0].List)
	if one != lots {
		t.Errorf("with one entry %+v, with %d entries %+v", one, many, lots)
	}
	t.Logf("a write with 1 and with %d entries: %d requests, %d bytes there, %d bytes back", many, lots.trips, lots.asked, lots.answered)
	all(single, flushlist.ListFlushed)
	all(thousands, flushlist.ListFlushed)
}
