package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

func isErrFlush(err error) bool { return errors.Is(err, flushlist.ErrFlush) }

func flushOfList(t *testing.T, h Harness) {
	f := open(t, h, 0)
	f.load(Ref(1), "one")
	f.load(Ref(2), "two")
	in := f.prepare(Ref(1).List, Ref(1).List) // named twice
	f.outcome(f.misses(Ref(1)), flushlist.UnderWrite)
	f.hits(Ref(2), "two")
	in.Finish(context.Background())
	f.outcome(f.misses(Ref(1)), flushlist.ListFlushed)
	f.hits(Ref(2), "two")
	f.load(Ref(1), "one, new")
	f.hits(Ref(1), "one, new")
}

func flushOfAll(t *testing.T, h Harness) {
	f := open(t, h, 0)
	const n = 20 // enough for some on every server
	for i := range n {
		f.load(Ref(i), "old")
		f.hits(Ref(i), "old")
	}
	in := f.prepare(All())
	for i := range n {
		found := f.misses(Ref(i))
		f.outcome(found, flushlist.UnderWrite)
		f.fill(Ref(i), found.Ticket, "stored under a write")
	}
	in.Finish(context.Background())
	for i := range n {
		f.outcome(f.misses(Ref(i)), flushlist.AllFlushed)
		f.load(Ref(i), "new")
		f.hits(Ref(i), "new")
	}
}

func abortFlushesNothing(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	f.load(r, "row 1")
	in := f.prepare(r.List, All(), Ref(2).List) // the last has no cell yet
	f.misses(r)
	in.Abort(context.Background())
	in.Abort(context.Background())  // the end is the end
	in.Finish(context.Background()) // nor does this flush
	f.hits(r, "row 1")
	f.outcome(f.misses(Ref(2)), flushlist.NoEntry)
}

// behaviour 61
func slowReaderOfOldRow(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	// 1. reader: looks up, loads the old row
	before := f.ask(r).Ticket
	// 2. writer: leaves its token
	in := f.prepare(r.List)
	// 3. another reader: looks up under the token, loads the old row
	during := f.ask(r)
	f.outcome(during, flushlist.UnderWrite)
	if during.Ticket.Storable {
		t.Fatal("a ticket from under a write is storable")
	}
	f.fill(r, during.Ticket, "old")
	f.misses(r)
	// 4. writer: COMMIT, finish
	in.Finish(context.Background())
	// 5. both store what they loaded
	f.fill(r, before, "old")
	f.fill(r, during.Ticket, "old")
	f.misses(r)
	f.load(r, "new")
	f.hits(r, "new")
}

// behaviour 62
func slowReaderOfNoRow(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	ticket := f.ask(r).Ticket // and finds no row
	f.write(r.List)           // the row is created
	f.store.Fill(context.Background(), []flushlist.Fill{{Ref: r, Ticket: ticket, Value: flushlist.Value{Absent: true}}})
	f.misses(r)
}

// behaviour 63
func evictedCell(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	f.load(r, "old")
	h.Evict(t, r.List)
	f.write(r.List)
	f.misses(r)
	f.load(r, "new")
	f.hits(r, "new")

	// Without a write: a miss, since nothing is known of what happened meanwhile.
	h.Evict(t, r.List)
	found := f.ask(r)
	f.outcome(found, flushlist.NoCell)
	f.fill(r, found.Ticket, "again")
	f.hits(r, "again")
}

// behaviour 64
func evictedIntent(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	// 1. writer: leaves its token, which is evicted with its cell
	in := f.prepare(r.List)
	h.Evict(t, r.List)
	// 2. reader: makes the cell anew, loads the old row, stores it
	f.load(r, "old")
	f.hits(r, "old") // the write has not returned
	// 3. writer: COMMIT, finish
	in.Finish(context.Background())
	f.misses(r)
	if f.count(flushlist.IntentLost) != 1 {
		t.Fatal("the lost intent was not reported")
	}
	f.load(r, "new")
	f.hits(r, "new")
}

// behaviour 65
func overlappingWriters(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	first, second, third := f.prepare(r.List), f.prepare(r.List), f.prepare(r.List)
	first.Finish(context.Background())
	f.outcome(f.misses(r), flushlist.UnderWrite)
	third.Abort(context.Background())
	f.outcome(f.misses(r), flushlist.UnderWrite)
	second.Finish(context.Background())
	f.load(r, "new")
	f.hits(r, "new")
	if n := f.count(flushlist.IntentLost); n != 0 {
		t.Fatalf("%d intents were lost", n)
	}
}

// behaviour 105
func slowLoaderLosesToNewer(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	slow := f.ask(r).Ticket
	f.write(r.List)
	f.load(r, "newer")
	f.fill(r, slow, "older")
	f.hits(r, "newer")
	if f.count(flushlist.FillLost) != 1 {
		t.Fatal("the lost fill was not reported")
	}
	// The same where there was an entry to be replaced.
	f.write(r.List)
	slow = f.ask(r).Ticket
	f.write(r.List)
	f.load(r, "newest")
	f.fill(r, slow, "older")
	f.hits(r, "newest")
}

// behaviour 66, the part of the readers
func deadWriter(t *testing.T, h Harness) {
	const ttl = 50 * time.Millisecond
	f := open(t, h, ttl)
	r := Ref(1)
	f.load(r, "old")
	in := f.prepare(r.List) // whose writer dies
	asked := time.Now()
	f.eventually("a dead writer's token is respected for ever", func() bool {
		return f.misses(r).Outcome != flushlist.UnderWrite
	})
	if stood := time.Since(asked); stood < ttl {
		t.Fatalf("a token was taken out after %v, before its %v", stood, ttl)
	}
	f.load(r, "new")
	f.hits(r, "new")
	// The writer was only slow. What it committed must not be hidden.
	in.Finish(context.Background())
	f.misses(r)
}

func leftWriteIsFlushedAgain(t *testing.T, h Harness) {
	const ttl = 30 * time.Millisecond
	f := open(t, h, ttl)
	r := Ref(1)
	asked := time.Now()
	in := f.prepare(r.List)
	in.Leave()
	if found := f.misses(r); time.Since(asked) < ttl { // else the token may have been taken out already
		f.outcome(found, flushlist.UnderWrite)
	}
	flushes := 0
	f.eventually("a write of unknown outcome is not flushed again", func() bool {
		if found := f.ask(r); !found.Outcome.Hit() && found.Ticket.Storable {
			f.fill(r, found.Ticket, fmt.Sprint(flushes))
			flushes++ // what was stored fell
		}
		return flushes == 3
	})
}

func renewAndLate(t *testing.T, h Harness) {
	const ttl = 400 * time.Millisecond // half of it is what Renew may take
	f := open(t, h, ttl)
	r := Ref(1)
	f.load(r, "old")
	in := f.renews(ttl, "late after Renew", func() flushlist.Intent {
		in := f.prepare(r.List)
		f.eventually("a write is never late", in.Late)
		return in
	})
	in.Finish(context.Background())
	f.load(r, "new") // both tokens are out
	f.hits(r, "new")
	if f.store.IntentTTL() != ttl {
		t.Fatalf("IntentTTL is %v", f.store.IntentTTL())
	}
}

// renews renews a write that is late, and demands that it is not late then. On a machine that is held up for half of
// IntentTTL just then nothing can be seen, and another write is tried.
func (f *fixture) renews(ttl time.Duration, what string, late func() flushlist.Intent) flushlist.Intent {
	f.Helper()
	var in flushlist.Intent
	f.eventually("the machine is always held up", func() bool {
		in = late()
		began := time.Now()
		err := in.Renew(context.Background())
		is := err == nil && in.Late()
		if err == nil && !is {
			return true
		}
		if time.Since(began) < ttl/2 {
			f.Fatalf("%s: %v", what, err)
		}
		in.Abort(context.Background())
		return false
	})
	return in
}

func endIsDetached(t *testing.T, h Harness) {
	f := open(t, h, 0)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	r := Ref(1)
	f.load(r, "old")
	f.prepare(r.List).Abort(done)
	f.hits(r, "old")
	f.prepare(r.List).Finish(done)
	f.outcome(f.misses(r), flushlist.ListFlushed)
}

// behaviour 103
func manyWritersOfOneList(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	var writers sync.WaitGroup
	for range 64 {
		writers.Go(func() {
			in, err := f.store.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict)
			if err != nil {
				t.Error(err)
				return
			}
			in.Finish(context.Background())
		})
	}
	writers.Wait()
	var found flushlist.Found
	f.eventually("a token was left behind", func() bool { found = f.ask(r); return found.Ticket.Storable })
	f.fill(r, found.Ticket, "new")
	f.hits(r, "new")
}

// otherProcess: what one process writes falls in the other. behaviour 67, without the journal
func otherProcess(t *testing.T, h Harness) {
	f := open(t, h, 0)
	g := f.second(0)
	r := Ref(1)
	f.load(r, "old")
	g.hits(r, "old")
	in := f.prepare(r.List)
	g.outcome(g.ask(r), flushlist.UnderWrite)
	in.Finish(context.Background())
	g.outcome(g.ask(r), flushlist.ListFlushed)
	g.eventually("the first tier is behind for ever", func() bool {
		_, ok := g.store.First(r.Key, r.List.ID, r.All.ID)
		return !ok
	})
	g.load(r, "new")
	f.hits(r, "new")
}
