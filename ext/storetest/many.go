package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// fetch looks entries up in one Fetch.
func (f *fixture) fetch(refs []flushlist.Ref) []flushlist.Found {
	f.Helper()
	found := f.store.Fetch(context.Background(), refs)
	if len(found) != len(refs) {
		f.Fatalf("Fetch of %d entries gave %d answers", len(refs), len(found))
	}
	return found
}

// textOf is what the functions for many entries store: no two entries have the same.
func textOf(text string, r flushlist.Ref) string { return r.Key + ": " + text }

// fillAll stores a text for each entry, each under its ticket, in one Fill.
func (f *fixture) fillAll(refs []flushlist.Ref, found []flushlist.Found, text string) {
	fills := make([]flushlist.Fill, len(refs))
	for i, r := range refs {
		fills[i] = flushlist.Fill{
			Ref: r, Ticket: found[i].Ticket, Value: flushlist.Value{Payload: []byte(textOf(text, r))}, TTL: time.Hour,
		}
	}
	f.store.Fill(context.Background(), fills)
}

// loadAll looks entries up and stores a text for each, as a read that misses all does.
func (f *fixture) loadAll(refs []flushlist.Ref, text string) {
	f.Helper()
	found := f.missesAll(refs)
	for i, r := range refs {
		if !found[i].Ticket.Storable {
			f.Fatalf("%s: %v, and not storable", r.Key, found[i].Outcome)
		}
	}
	f.fillAll(refs, found, text)
}

// missesAll demands that none of the entries is served from either tier, and returns why.
func (f *fixture) missesAll(refs []flushlist.Ref) []flushlist.Found {
	f.Helper()
	for _, r := range refs {
		if v, ok := f.store.First(r.Key, r.List.ID, r.All.ID); ok {
			f.Fatalf("%s: first tier has %q, want a miss", r.Key, v.Payload)
		}
	}
	found := f.fetch(refs)
	for i, r := range refs {
		if found[i].Outcome.Hit() {
			f.Fatalf("%s: %v with %q, want a miss", r.Key, found[i].Outcome, found[i].Value.Payload)
		}
	}
	return found
}

// hitsAll demands that each of the entries is served with its text, as hits does.
func (f *fixture) hitsAll(refs []flushlist.Ref, text string) {
	f.Helper()
	found := f.fetch(refs)
	for i, r := range refs {
		want := textOf(text, r)
		if !found[i].Outcome.Hit() || string(found[i].Value.Payload) != want {
			f.Fatalf("%s: %v with %q, want a hit with %q", r.Key, found[i].Outcome, found[i].Value.Payload, want)
		}
		if v, ok := f.store.First(r.Key, r.List.ID, r.All.ID); ok && string(v.Payload) != want {
			f.Fatalf("%s: first tier has %q, want %q", r.Key, v.Payload, want)
		}
	}
}

// demand demands an outcome for one of several entries.
func (f *fixture) demand(r flushlist.Ref, found flushlist.Found, want flushlist.Outcome) {
	f.Helper()
	if found.Outcome != want {
		f.Fatalf("%s: %v, want %v", r.Key, found.Outcome, want)
	}
}

// fillOfMany: each value of one Fill is stored, or not, by its own ticket, under its own key, for its own
// time.
func fillOfMany(t *testing.T, h Harness) {
	const n = 24
	const (
		plain       = iota
		absentRow   // stored as such
		flushedList // between lookup and fill
		underWrite  // looked up during a write, and never storable
		replaces    // an entry that the lookup has seen
		overtaken   // flushed, and loaded by another reader, between lookup and fill
		brief       // its ttl is short
		flushedAll  // between lookup and fill
		kinds
	)
	f := open(t, h, 0)
	refs := make([]flushlist.Ref, n)
	for i := range refs {
		switch refs[i] = Ref(i); i % kinds {
		case replaces:
			f.load(refs[i], "replaced")
			f.write(refs[i].List)
		case flushedAll:
			refs[i] = entryOf(Ref(i).List, "merchants", i)
		}
	}
	var writes []flushlist.Intent
	for i := underWrite; i < n; i += kinds {
		writes = append(writes, f.prepare(refs[i].List))
	}
	found := f.fetch(refs)
	for _, in := range writes {
		in.Finish(context.Background())
	}
	fills := make([]flushlist.Fill, n)
	text := func(i int) string { return strings.Repeat(refs[i].Key, 1+i%3) } // of different sizes
	for i, r := range refs {
		fills[i] = flushlist.Fill{
			Ref: r, Ticket: found[i].Ticket, Value: flushlist.Value{Payload: []byte(text(i))}, TTL: time.Hour,
		}
		switch i % kinds {
		case absentRow:
			fills[i].Value = flushlist.Value{Absent: true}
		case flushedList:
			f.write(r.List)
		case overtaken:
			f.write(r.List)
			f.load(r, "newer")
		case brief:
			fills[i].TTL = 50 * time.Millisecond
		}
	}
	f.write(allOf("merchants"))
	filled := time.Now()
	f.store.Fill(context.Background(), fills)

	served := func(i int, v flushlist.Value) bool {
		switch i % kinds {
		case plain, replaces, brief:
			return !v.Absent && string(v.Payload) == text(i)
		case absentRow:
			return v.Absent && len(v.Payload) == 0
		case overtaken:
			return !v.Absent && string(v.Payload) == "newer"
		}
		return false
	}
	missed := func(i int) bool {
		switch i % kinds {
		case flushedList, underWrite, flushedAll:
			return true
		case brief:
			return time.Since(filled) >= 40*time.Millisecond // stored to the millisecond
		}
		return false
	}
	check := func() {
		t.Helper()
		for i, together := range f.fetch(refs) {
			for _, found := range []flushlist.Found{together, f.ask(refs[i])} {
				if found.Outcome.Hit() && !served(i, found.Value) || !found.Outcome.Hit() && !missed(i) {
					t.Fatalf("entry %d of a Fill, of kind %d: %v %+v", i, i%kinds, found.Outcome, found.Value)
				}
			}
			if v, ok := f.store.First(refs[i].Key, refs[i].List.ID, refs[i].All.ID); ok && !served(i, v) {
				t.Fatalf("entry %d of a Fill, of kind %d: first tier has %+v", i, i%kinds, v)
			}
		}
	}
	check()
	f.eventually("an entry outlived its ttl among others", func() bool {
		for i := brief; i < n; i += kinds {
			if f.ask(refs[i]).Outcome.Hit() {
				return false
			}
		}
		return true
	})
	check()
}

// fetchOfMix: each answer of one Fetch is as though its entry had been asked for alone.
func fetchOfMix(t *testing.T, h Harness) {
	const rounds = 4 // enough for some on every server
	f := open(t, h, 0)
	kinds := []flushlist.Outcome{
		flushlist.HitSecond, flushlist.HitSecond, flushlist.ListFlushed, flushlist.NoEntry, flushlist.NoCell,
		flushlist.UnderWrite, flushlist.AllFlushed,
	}
	const row, absentRow = 0, 1 // the two hits; the others are told by their outcome
	var refs []flushlist.Ref
	for i := range rounds * len(kinds) {
		r := Ref(i)
		switch kind := i % len(kinds); {
		case kind == absentRow:
			f.store.Fill(context.Background(), []flushlist.Fill{{Ref: r, Ticket: f.ask(r).Ticket, Value: flushlist.Value{Absent: true}}})
		case kind == row, kinds[kind] == flushlist.UnderWrite:
			f.load(r, textOf("row", r))
		case kinds[kind] == flushlist.ListFlushed:
			f.load(r, textOf("stale", r))
			f.write(r.List)
		case kinds[kind] == flushlist.NoEntry:
			f.ask(r) // makes the cells
		case kinds[kind] == flushlist.AllFlushed:
			r = entryOf(r.List, "merchants", i)
			f.load(r, textOf("stale", r))
		}
		refs = append(refs, r)
	}
	f.write(allOf("merchants"))
	var written []flushlist.List
	for i, r := range refs {
		if kinds[i%len(kinds)] == flushlist.UnderWrite {
			written = append(written, r.List)
		}
	}
	in := f.prepare(written...)
	refs = append(refs, refs[rounds:]...) // most are asked for twice

	answers := f.fetch(refs)
	for i, found := range answers {
		kind := i
		if i >= rounds*len(kinds) {
			kind = i - rounds*len(kinds) + rounds
		}
		kind %= len(kinds)
		want, r := kinds[kind], refs[i]
		if found.Outcome != want && !(found.Outcome.Hit() && want.Hit()) {
			t.Fatalf("answer %d, for %s: %v, want %v", i, r.Key, found.Outcome, want)
		}
		var value flushlist.Value
		switch kind {
		case row:
			value.Payload = []byte(textOf("row", r))
		case absentRow:
			value.Absent = true
		}
		if found.Value.Absent != value.Absent || string(found.Value.Payload) != string(value.Payload) {
			t.Fatalf("answer %d, for %s: %+v, want %+v", i, r.Key, found.Value, value)
		}
		if storable := want != flushlist.UnderWrite; found.Ticket.Storable != storable {
			t.Fatalf("answer %d, for %s: storable %v, want %v", i, r.Key, found.Ticket.Storable, storable)
		}
	}
	for i, r := range refs {
		if alone := f.ask(r).Ticket; alone.List != answers[i].Ticket.List || alone.All != answers[i].Ticket.All {
			t.Fatalf("answer %d, for %s, has other stamps than when it is asked for alone", i, r.Key)
		}
	}
	in.Abort(context.Background())
}
