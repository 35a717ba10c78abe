package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// back waits until the store reaches its servers again.
func (f *fixture) back() {
	f.Helper()
	f.eventually("the store does not come back to its servers", func() bool {
		return f.ask(Ref(1000)).Outcome != flushlist.Unreachable
	})
}

// never polls until done, and fails if the entry is served with text meanwhile, from either tier.
func (f *fixture) never(r flushlist.Ref, text, what string, done func() bool) {
	f.Helper()
	f.eventually(what, func() bool {
		if v, ok := f.store.First(r.Key, r.List.ID, r.All.ID); ok && string(v.Payload) == text {
			f.Fatalf("%s: the first tier serves %q, which was flushed", r.Key, text)
		}
		if found := f.ask(r); found.Outcome.Hit() && string(found.Value.Payload) == text {
			f.Fatalf("%s: %v with %q, which was flushed", r.Key, found.Outcome, text)
		}
		return done()
	})
}

// renewed loads text once the entry may be stored again.
func (f *fixture) renewed(r flushlist.Ref, text string) {
	f.Helper()
	f.eventually("the list stays out of service", func() bool { return f.ask(r).Ticket.Storable })
	f.load(r, text)
	f.hits(r, text)
}

// behaviour 69, reads
func readsWhileCut(t *testing.T, h Harness) {
	f := open(t, h, 0)
	f.load(Ref(1), "row 1")
	ticket := f.ask(Ref(2)).Ticket
	mend := h.Cut(t)
	for _, r := range []flushlist.Ref{Ref(1), Ref(3)} {
		found := f.ask(r)
		f.outcome(found, flushlist.Unreachable)
		if found.Ticket.Storable {
			t.Fatal("what is loaded while no server is in reach may be stored")
		}
	}
	f.fill(Ref(2), ticket, "lost") // is not stored, and harms nobody
	mend()
	f.back()
	f.eventually("an entry is gone after a cut", func() bool { return f.ask(Ref(1)).Outcome.Hit() })
	f.hits(Ref(1), "row 1")
}

// behaviour 69, strict: the write fails, and nothing was flushed
func strictWhileCut(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	f.load(r, "row 1")
	mend := h.Cut(t)
	in, err := f.store.Prepare(context.Background(), []flushlist.List{r.List, All()}, flushlist.Strict)
	if !isErrFlush(err) || in != nil {
		t.Fatalf("Prepare in mode Strict without a server: %v, %v; want no Intent, and ErrFlush", in, err)
	}
	mend()
	f.back()
	f.eventually("a list is out of service after a write that failed", func() bool { return f.ask(r).Outcome.Hit() })
	f.hits(r, "row 1")
}

// behaviour 69, available: the write proceeds, and its lists are not served from here until a retry has
// flushed them
func availableWhileCut(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	f.load(r, "old")
	f.hits(r, "old")
	mend := h.Cut(t)
	in, err := f.store.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Available)
	if err != nil || in == nil {
		t.Fatalf("Prepare in mode Available without a server: %v, %v", in, err)
	}
	if f.count(flushlist.FlushUndelivered) != 1 {
		t.Fatalf("%d flushes were reported undelivered, want 1", f.count(flushlist.FlushUndelivered))
	}
	f.misses(r)
	mend()
	f.back() // before COMMIT: a flush now would let the old row be stored again, and served after it
	if found := f.misses(r); found.Ticket.Storable {
		t.Fatal("a list may be stored while its write is under way")
	}
	mend = h.Cut(t)
	in.Finish(context.Background())
	f.misses(r)
	mend()
	f.never(r, "old", "the flush is not delivered", func() bool { return f.count(flushlist.FlushDelivered) == 1 })
	f.renewed(r, "new")
}

func abortWhileCut(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	f.load(r, "row 1")
	mend := h.Cut(t)
	in, err := f.store.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Available)
	if err != nil {
		t.Fatal(err)
	}
	in.Abort(context.Background())
	mend()
	f.eventually("an aborted write keeps its list out of service", func() bool { return f.ask(r).Outcome.Hit() })
	f.hits(r, "row 1")
}

// cutBeforeFinish: the servers have the tokens and are gone when the write ends. It ends all the same,
// and so that nothing old is served.
func cutBeforeFinish(t *testing.T, h Harness) {
	f := open(t, h, 0)
	r := Ref(1)
	f.load(r, "old")
	in := f.prepare(r.List, All())
	mend := h.Cut(t)
	finished := make(chan struct{})
	go func() { in.Finish(context.Background()); close(finished) }()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	select {
	case <-finished:
	case <-deadline.C:
		t.Fatal("Finish does not return without a server")
	}
	f.misses(r)
	mend()
	f.never(r, "old", "the list stays out of service", func() bool { return f.ask(r).Ticket.Storable })
	f.renewed(r, "new")
}
