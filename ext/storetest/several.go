package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// A transaction marks all its lists in one Prepare. Here they are a row's, an accessor's and an `all`, each
// of a table of its own, so that what hangs on one of them falls by that one alone.

// allOf is the `all` list of another table than the suite's.
func allOf(table string) flushlist.List {
	l := List("shop:" + table)
	l.All = true
	return l
}

// entryOf is the n-th entry that hangs on a list of a table.
func entryOf(l flushlist.List, table string, n int) flushlist.Ref {
	return flushlist.Ref{Key: fmt.Sprintf("%016x::shop::%s.f:%d", l.ID, table, n), List: l, All: allOf(table)}
}

// hanging is a flush list, the entries on it, and what they are looked up with once it has fallen.
type hanging struct {
	list    flushlist.List
	entries []flushlist.Ref
	fallen  flushlist.Outcome
}

func threeTables() []hanging {
	inPortland, merchants := List("shop:reviews.InCity(Portland)"), allOf("merchants")
	var all []flushlist.Ref
	for n := range 20 { // enough for some on every server
		all = append(all, entryOf(List(fmt.Sprintf("shop:merchants:%d", n)), "merchants", n))
	}
	return []hanging{
		{Ref(1).List, []flushlist.Ref{Ref(1)}, flushlist.ListFlushed},
		{inPortland, []flushlist.Ref{entryOf(inPortland, "reviews", 1), entryOf(inPortland, "reviews", 2)}, flushlist.ListFlushed},
		{merchants, all, flushlist.AllFlushed},
	}
}

// beside are entries of the same tables that the write does not concern.
func beside() []flushlist.Ref {
	return []flushlist.Ref{Ref(2), entryOf(List("shop:reviews.InCity(Salem)"), "reviews", 1)}
}

// turned are the three in each of their orders that begins, and ends, with another one.
func turned(lists []hanging) [][]hanging {
	a, b, c := lists[0], lists[1], lists[2]
	return [][]hanging{{a, b, c}, {b, c, a}, {c, a, b}}
}

func listsOf(hs []hanging) (lists []flushlist.List) {
	for _, h := range hs {
		lists = append(lists, h.list)
	}
	return lists
}

func entriesOf(hs []hanging) (refs []flushlist.Ref) {
	for _, h := range hs {
		refs = append(refs, h.entries...)
	}
	return refs
}

// underWrite demands that nothing of the lists is served or stored.
func (f *fixture) underWrite(hs []hanging) {
	f.Helper()
	for i, found := range f.missesAll(entriesOf(hs)) {
		if r := entriesOf(hs)[i]; found.Outcome != flushlist.UnderWrite || found.Ticket.Storable {
			f.Fatalf("%s, on a list that is being written: %v, storable %v", r.Key, found.Outcome, found.Ticket.Storable)
		}
	}
}

// fell demands that each of the lists has fallen.
func (f *fixture) fell(hs []hanging) {
	f.Helper()
	for _, h := range hs {
		for i, found := range f.missesAll(h.entries) {
			if found.Outcome != h.fallen {
				f.Fatalf("%s, on a list that was written: %v, want %v", h.entries[i].Key, found.Outcome, h.fallen)
			}
		}
	}
}

func writeOfSeveral(t *testing.T, h Harness) {
	f := open(t, h, 0)
	hs := threeTables()
	f.loadAll(beside(), "kept")
	f.loadAll(entriesOf(hs), "0")
	for i, hs := range turned(hs) {
		for j, mode := range []flushlist.Mode{flushlist.Strict, flushlist.Available} {
			n := 2*i + j
			refs := entriesOf(hs)
			f.hitsAll(refs, fmt.Sprint(n))
			before := f.fetch(refs)
			in, err := f.store.Prepare(context.Background(), listsOf(hs), mode)
			if err != nil {
				t.Fatal(err)
			}
			f.underWrite(hs)
			f.hitsAll(beside(), "kept")
			in.Finish(context.Background())
			f.fell(hs)
			f.fillAll(refs, before, "loaded before COMMIT")
			f.fell(hs)
			f.hitsAll(beside(), "kept")
			f.loadAll(refs, fmt.Sprint(n+1))
		}
	}
	f.hitsAll(entriesOf(hs), "6")

	// In one table: what hangs on the row and on the accessor's list falls by `all` too, and so does the rest.
	active := List("shop:croupons.Active()")
	refs := []flushlist.Ref{Ref(1), entryOf(active, "croupons", 1), Ref(2), Ref(3)}
	f.loadAll(refs[1:2], "6")
	f.loadAll(refs[3:], "6")
	f.write(Ref(1).List, active, All())
	f.missesAll(refs)
	f.loadAll(refs, "7")
	f.hitsAll(refs, "7")
}

func abortOfSeveral(t *testing.T, h Harness) {
	f := open(t, h, 0)
	refs := entriesOf(threeTables())
	f.loadAll(refs, "row")
	for _, hs := range turned(threeTables()) {
		in := f.prepare(listsOf(hs)...)
		f.underWrite(hs)
		in.Abort(context.Background())
		f.hitsAll(refs, "row")
	}
}

func leaveOfSeveral(t *testing.T, h Harness) {
	for _, hs := range turned(threeTables()) {
		// A store each, closed before the next is opened: it goes on to flush.
		t.Run(hs[0].entries[0].All.Name, func(t *testing.T) { leave(t, h, hs) })
	}
}

func leave(t *testing.T, h Harness, hs []hanging) {
	const ttl = 30 * time.Millisecond
	f := open(t, h, ttl)
	refs := entriesOf(hs)
	f.loadAll(refs, "old")
	asked := time.Now()
	f.prepare(listsOf(hs)...).Leave()
	found := f.missesAll(refs)
	if time.Since(asked) < ttl { // else the tokens may have been taken out already
		for i, r := range refs {
			f.demand(r, found[i], flushlist.UnderWrite)
		}
	}
	// Each entry is loaded when its list may be stored again, and falls once more: nobody knows whether
	// the COMMIT took effect meanwhile.
	flushes := make([]int, len(refs))
	f.eventually("a list of a write of unknown outcome is not flushed again", func() bool {
		done := true
		for i, found := range f.fetch(refs) {
			if string(found.Value.Payload) == textOf("old", refs[i]) {
				t.Fatalf("%s: %v with what was there before a write of unknown outcome", refs[i].Key, found.Outcome)
			}
			if !found.Outcome.Hit() && found.Ticket.Storable {
				f.fill(refs[i], found.Ticket, "loaded")
				flushes[i]++
			}
			done = done && flushes[i] >= 2
		}
		return done
	})
}

func renewOfSeveral(t *testing.T, h Harness) {
	const ttl = 120 * time.Millisecond
	f := open(t, h, ttl)
	hs := threeTables()
	refs := entriesOf(hs)
	f.loadAll(refs, "old")
	var seen, renewed time.Time
	in := f.renews(ttl, "late after Renew", func() flushlist.Intent {
		in := f.prepare(listsOf(hs)...)
		f.fetch(refs) // a reader sees the first tokens
		seen = time.Now()
		f.eventually("a write is never late", in.Late)
		renewed = time.Now()
		return in
	})
	// The first tokens are a dead writer's by now, the fresh ones are not: in none of the cells.
	f.eventually("the clock stands still", func() bool {
		past := time.Since(seen) > ttl+ttl/4
		found := f.missesAll(refs)
		if time.Since(renewed) < ttl { // else the machine is too busy for this to be seen
			for i, r := range refs {
				f.demand(r, found[i], flushlist.UnderWrite)
			}
		}
		return past
	})
	in.Finish(context.Background())
	f.missesAll(refs)
	f.loadAll(refs, "new")
	f.hitsAll(refs, "new")
}

// endAfterRenew: both tokens go out, everywhere.
func endAfterRenew(t *testing.T, h Harness) {
	f := open(t, h, 0)
	refs := entriesOf(threeTables())
	f.loadAll(refs, "old")
	for _, hs := range turned(threeTables()) {
		in := f.prepare(listsOf(hs)...)
		if err := in.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		f.underWrite(hs)
		in.Abort(context.Background())
		f.hitsAll(refs, "old")
		in = f.prepare(listsOf(hs)...)
		if err := in.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
		in.Finish(context.Background())
		f.fell(hs)
		f.loadAll(refs, "old")
	}
}

// prepareWithEndedContext: a store may go on, or take it for a server that does not answer. It must do
// one of them.
func prepareWithEndedContext(t *testing.T, h Harness) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	hs := threeTables()
	refs := entriesOf(hs)
	f := open(t, h, 0)
	f.loadAll(refs, "old")
	in, err := f.store.Prepare(done, listsOf(hs), flushlist.Strict)
	switch {
	case err == nil && in != nil:
		f.underWrite(hs)
		in.Abort(done)
	case !isErrFlush(err) || in != nil:
		t.Fatalf("Prepare in mode Strict with an ended context: %v, %v; want an Intent, or ErrFlush and none", in, err)
	}
	f.eventually("a list is out of service after a write that failed", func() bool {
		hits := true
		for _, found := range f.fetch(refs) {
			hits = hits && found.Outcome.Hit()
		}
		return hits
	})
	f.hitsAll(refs, "old")

	in, err = f.store.Prepare(done, listsOf(hs), flushlist.Available)
	if err != nil || in == nil {
		t.Fatalf("Prepare in mode Available with an ended context: %v, %v; want an Intent", in, err)
	}
	for i, found := range f.missesAll(refs) {
		if found.Ticket.Storable {
			t.Fatalf("%s may be stored while its write is under way", refs[i].Key)
		}
	}
	in.Finish(done)
	f.eventually("a list stays out of service", func() bool {
		storable := true
		for _, found := range f.missesAll(refs) {
			storable = storable && found.Ticket.Storable
		}
		return storable
	})
	f.loadAll(refs, "new")
	f.hitsAll(refs, "new")
}

// otherProcessOfSeveral: each of the lists falls there. behaviour 67, without the journal
func otherProcessOfSeveral(t *testing.T, h Harness) {
	f := open(t, h, 0)
	g := f.second(0)
	refs := entriesOf(threeTables())
	f.loadAll(refs, "old")
	for _, hs := range turned(threeTables()) {
		g.hitsAll(refs, "old") // and has them in its first tier
		in := f.prepare(listsOf(hs)...)
		for i, found := range g.fetch(refs) {
			g.demand(refs[i], found, flushlist.UnderWrite)
		}
		in.Finish(context.Background())
		for _, h := range hs {
			for i, found := range g.fetch(h.entries) {
				g.demand(h.entries[i], found, h.fallen)
			}
		}
		g.eventually("the first tier is behind for ever", func() bool {
			for _, r := range refs {
				if _, ok := g.store.First(r.Key, r.List.ID, r.All.ID); ok {
					return false
				}
			}
			return true
		})
		g.loadAll(refs, "old")
		f.hitsAll(refs, "old")
	}
}
