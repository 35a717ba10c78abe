package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

func missFillHit(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	if _, ok := f.store.First(r.Key, r.List.ID, r.All.ID); ok {
		t.Fatal("an empty first tier serves")
	}
	found := f.ask(r)
	f.outcome(found, flushlist.NoCell)
	if !found.Ticket.Storable || found.Ticket.List == 0 || found.Ticket.All == 0 || found.Ticket.Seen {
		t.Fatalf("ticket of a cold key: %+v", found.Ticket)
	}
	again := f.ask(r)
	f.outcome(again, flushlist.NoEntry)
	if again.Ticket.List != found.Ticket.List || again.Ticket.All != found.Ticket.All {
		t.Fatal("the stamps changed without a flush")
	}
	f.fill(r, found.Ticket, "row 1")
	f.hits(r, "row 1")
	if v, ok := f.store.First(r.Key, r.List.ID, r.All.ID); !ok || string(v.Payload) != "row 1" {
		t.Fatalf("First after a hit: %q, %v", v.Payload, ok)
	}
	if n := len(f.store.Fetch(context.Background(), nil)); n != 0 {
		t.Fatalf("a Fetch of nothing gave %d answers", n)
	}
}

func absent(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	found := f.ask(r)
	f.store.Fill(context.Background(), []flushlist.Fill{{Ref: r, Ticket: found.Ticket, Value: flushlist.Value{Absent: true}}})
	for range 2 {
		found = f.ask(r)
		if !found.Outcome.Hit() || !found.Value.Absent || len(found.Value.Payload) > 0 {
			t.Fatalf("absent row: %v %+v", found.Outcome, found.Value)
		}
	}
	if v, ok := f.store.First(r.Key, r.List.ID, r.All.ID); !ok || !v.Absent {
		t.Fatalf("First of an absent row: %+v, %v", v, ok)
	}
	f.write(r.List) // the row is created
	f.misses(r)
}

func manyInOrder(t *testing.T, h Harness) {
	f := open(t, h, 0)
	for _, n := range []int{2, 4, 6} {
		f.load(Ref(n), Ref(n).Key)
	}
	var refs []flushlist.Ref
	for _, n := range []int{6, 1, 2, 2, 3, 4, 6} {
		refs = append(refs, Ref(n))
	}
	for i, found := range f.store.Fetch(context.Background(), refs) {
		stored := i != 1 && i != 4
		if found.Outcome.Hit() != stored {
			t.Fatalf("entry %d: %v", i, found.Outcome)
		}
		if stored && string(found.Value.Payload) != refs[i].Key {
			t.Fatalf("entry %d holds %q", i, found.Value.Payload)
		}
	}
}

// behaviour 15, as far as a store is concerned
func privateCopies(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	f.load(r, "row 1")
	for range 2 {
		found := f.store.Fetch(context.Background(), []flushlist.Ref{r, r})
		copy(found[0].Value.Payload, "#####")
		if string(found[1].Value.Payload) != "row 1" {
			t.Fatal("two answers share their bytes")
		}
		if v, ok := f.store.First(r.Key, r.List.ID, r.All.ID); ok {
			copy(v.Payload, "#####")
			_ = append(v.Payload, "#####"...)
		}
	}
	f.hits(r, "row 1")
}

func keysAreWhole(t *testing.T, h Harness) {
	f := open(t, h, 0)
	a, b := Ref(1), Ref(1)
	b.Key += "x"
	f.load(a, "a")
	f.outcome(f.misses(b), flushlist.NoEntry)
	f.fill(b, f.ask(b).Ticket, "b")
	f.hits(a, "a")
	f.hits(b, "b")
}

func expiry(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	found := f.ask(r)
	f.store.Fill(context.Background(), []flushlist.Fill{{
		Ref: r, Ticket: found.Ticket, Value: flushlist.Value{Payload: []byte("short")}, TTL: 20 * time.Millisecond,
	}})
	f.eventually("an entry outlived its ttl", func() bool {
		_, first := f.store.First(r.Key, r.List.ID, r.All.ID)
		found = f.ask(r)
		return !first && !found.Outcome.Hit()
	})
	f.outcome(found, flushlist.Expired)
	f.fill(r, found.Ticket, "next") // in place of the expired one
	f.hits(r, "next")
}

// longTTL: memcached reads more than 30 days as a date.
func longTTL(t *testing.T, h Harness) {
	f := open(t, h, 0)
	for i, ttl := range []time.Duration{0, -1, 29 * 24 * time.Hour, 31 * 24 * time.Hour, 100 * 365 * 24 * time.Hour, 1<<63 - 1} {
		r := Ref(i)
		f.store.Fill(context.Background(), []flushlist.Fill{{
			Ref: r, Ticket: f.ask(r).Ticket, Value: flushlist.Value{Payload: []byte("long")}, TTL: ttl,
		}})
		f.hits(r, "long")
	}
}

// behaviour 81
func tooLarge(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	f.fill(r, f.ask(r).Ticket, strings.Repeat("x", h.TooLarge))
	if n := f.count(flushlist.EntryTooLarge); n != 1 {
		t.Fatalf("%d events for a large entry, want 1", n)
	}
	f.outcome(f.misses(r), flushlist.NoEntry)

	r = Ref(2)
	big := strings.Repeat("0123456789", h.TooLarge/20)
	f.load(r, big)
	f.hits(r, big)
}

func endedContext(t *testing.T, h Harness) {
	f := open(t, h, 0)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := Ref(1)
	found := f.store.Fetch(ctx, []flushlist.Ref{r})
	if len(found) != 1 || found[0].Outcome.Hit() {
		t.Fatalf("Fetch with an ended context: %+v", found)
	}
	f.load(r, "row 1") // nobody else is harmed
	f.hits(r, "row 1")
}

func claim(t *testing.T, h Harness) {
	f := open(t, h, 0) // claims "shop"
	if _, err := f.store.Claim("shop", nil); err == nil || !strings.Contains(err.Error(), `"shop"`) {
		t.Fatalf("a second claim of a namespace: %v", err)
	}
	release, err := f.store.Claim("depot", nil)
	if err != nil {
		t.Fatal(err)
	}
	release()
	release() // a second time does nothing
	release, err = f.store.Claim("depot", nil)
	if err != nil {
		t.Fatalf("a claim after release: %v", err)
	}
	release()
	if _, err := f.store.Claim("", nil); err == nil {
		t.Fatal("an empty namespace was taken")
	}
}

func closed(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	f.load(r, "row 1")
	if f.store.Closed() {
		t.Fatal("an open store says that it is closed")
	}
	in := f.prepare(Ref(2).List)
	ticket := f.ask(Ref(3)).Ticket
	h.Close(f.store)
	h.Close(f.store) // a second time does nothing
	if !f.store.Closed() {
		t.Fatal("a closed store says that it is open")
	}
	f.outcome(f.misses(r), flushlist.Unreachable)
	f.fill(Ref(3), ticket, "late") // does nothing
	in.Finish(context.Background())
	if _, err := f.store.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict); !isErrFlush(err) {
		t.Fatalf("Prepare in mode Strict on a closed store: %v", err)
	}
	in, err := f.store.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Available)
	if err != nil {
		t.Fatalf("Prepare in mode Available on a closed store: %v", err)
	}
	in.Finish(context.Background())
	if f.count(flushlist.FlushUndelivered) != 1 {
		t.Fatal("a flush that a closed store cannot deliver was not reported")
	}
	if _, err := f.store.Claim("depot", nil); err == nil {
		t.Fatal("a closed store was claimed")
	}
}
