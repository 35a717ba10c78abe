package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// fixture is one store under test, with what tests do to it all the time.
type fixture struct {
	testing.TB
	h     Harness
	store cacheruntime.Store

	mu     sync.Mutex
	events []flushlist.Event
}

func open(tb testing.TB, h Harness, intentTTL time.Duration) *fixture {
	tb.Helper()
	f := &fixture{TB: tb, h: h, store: h.Open(tb, intentTTL)}
	tb.Cleanup(func() { h.Close(f.store) })
	release, err := f.store.Claim("shop", func(e flushlist.Event) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.events = append(f.events, e)
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(release)
	return f
}

// second returns a fixture of another process on the same data.
func (f *fixture) second(intentTTL time.Duration) *fixture {
	f.Helper()
	h := f.h
	h.Open = h.Second
	return open(f.TB, h, intentTTL)
}

// count returns the number of events of a kind.
func (f *fixture) count(k flushlist.EventKind) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, e := range f.events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

// ask looks one entry up in the second tier.
func (f *fixture) ask(r flushlist.Ref) flushlist.Found {
	f.Helper()
	found := f.store.Fetch(context.Background(), []flushlist.Ref{r})
	if len(found) != 1 {
		f.Fatalf("Fetch of one entry gave %d answers", len(found))
	}
	return found[0]
}

// fill stores text under a ticket.
func (f *fixture) fill(r flushlist.Ref, t flushlist.Ticket, text string) {
	f.store.Fill(context.Background(), []flushlist.Fill{{
		Ref: r, Ticket: t, Value: flushlist.Value{Payload: []byte(text)}, TTL: time.Hour,
	}})
}

// load looks an entry up and stores text, as a read that misses does.
func (f *fixture) load(r flushlist.Ref, text string) {
	f.Helper()
	found := f.ask(r)
	if found.Outcome.Hit() {
		f.Fatalf("%s: %v, want a miss", r.Key, found.Outcome)
	}
	if !found.Ticket.Storable {
		f.Fatalf("%s: %v, and not storable", r.Key, found.Outcome)
	}
	f.fill(r, found.Ticket, text)
}

// hits demands that an entry is served with text, from the second tier and, where it is served
// from the first, from there.
func (f *fixture) hits(r flushlist.Ref, text string) {
	f.Helper()
	if v, ok := f.store.First(r.Key, r.List.ID, r.All.ID); ok && string(v.Payload) != text {
		f.Fatalf("%s: first tier has %q, want %q", r.Key, v.Payload, text)
	}
	found := f.ask(r)
	if !found.Outcome.Hit() || string(found.Value.Payload) != text {
		f.Fatalf("%s: %v with %q, want a hit with %q", r.Key, found.Outcome, found.Value.Payload, text)
	}
}

// misses demands that an entry is served from neither tier, and returns why.
func (f *fixture) misses(r flushlist.Ref) flushlist.Found {
	f.Helper()
	if v, ok := f.store.First(r.Key, r.List.ID, r.All.ID); ok {
		f.Fatalf("%s: first tier has %q, want a miss", r.Key, v.Payload)
	}
	found := f.ask(r)
	if found.Outcome.Hit() {
		f.Fatalf("%s: %v with %q, want a miss", r.Key, found.Outcome, found.Value.Payload)
	}
	return found
}

// prepare begins a write.
func (f *fixture) prepare(lists ...flushlist.List) flushlist.Intent {
	f.Helper()
	in, err := f.store.Prepare(context.Background(), lists, flushlist.Strict)
	if err != nil {
		f.Fatal(err)
	}
	return in
}

// write is a whole committed write.
func (f *fixture) write(lists ...flushlist.List) {
	f.Helper()
	f.prepare(lists...).Finish(context.Background())
}

// outcome demands an outcome.
func (f *fixture) outcome(found flushlist.Found, want flushlist.Outcome) {
	f.Helper()
	if found.Outcome != want {
		f.Fatalf("outcome is %q, want %q", found.Outcome, want)
	}
}

// eventually polls until ok, or fails with what.
func (f *fixture) eventually(what string, ok func() bool) {
	f.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			f.Fatal(what)
		}
	}
}
