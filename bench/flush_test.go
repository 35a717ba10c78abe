package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/tiered"
	"github.com/cespare/xxhash/v2"
)

// A flush with one entry on its list and with a million, all of them stored and served until then, by turns, each
// on a server of its own. The first flush is the one that makes them fall; the median is of those after it.
//
//	go test -bench 'Flush$' -benchtime 2000x
func BenchmarkFlush(b *testing.B) {
	type side struct {
		name  string
		store *tiered.Store
		refs  []flushlist.Ref
		took  []time.Duration
	}
	sides := []*side{{name: "one"}, {name: "million"}}
	for i, entries := range []int{1, 1_000_000} {
		server := testserver.Memcached(b, "-m", "1024")
		// No first tier: what is to be seen is memcached's.
		s, err := tiered.Open(tiered.Options{Servers: []string{server.Addr()}, MaxStale: -1, Timeout: 10 * time.Second})
		check(b, err)
		b.Cleanup(func() { s.Close() })
		sides[i].store, sides[i].refs = s, hang(b, s, listOf("bench:rows.OfCity"), entries)
	}
	sample := func(want flushlist.Outcome) {
		for _, s := range sides {
			n := len(s.refs)
			demand(b, s.store, []flushlist.Ref{s.refs[0], s.refs[n/2], s.refs[n-1]}, want)
		}
	}
	for range 100 { // connections and the journal are there
		for _, s := range sides {
			flush(b, s.store, listOf("bench:rows.Other"))
		}
	}
	sample(flushlist.HitSecond)
	b.ResetTimer()
	for range b.N {
		for _, s := range sides {
			s.took = append(s.took, flush(b, s.store, s.refs[0].List))
		}
	}
	b.StopTimer()
	sample(flushlist.ListFlushed)
	for _, s := range sides {
		b.ReportMetric(float64(s.took[0].Microseconds()), s.name+"-first-µs")
		slices.Sort(s.took)
		b.ReportMetric(float64(s.took[len(s.took)/2].Microseconds()), s.name+"-median-µs")
	}
	b.ReportMetric(0, "ns/op")
}

// hang stores entries of 200 bytes on one list.
func hang(b *testing.B, s *tiered.Store, l flushlist.List, entries int) []flushlist.Ref {
	b.Helper()
	all := listOf("bench:rows")
	all.All = true
	refs := make([]flushlist.Ref, entries)
	for i := range refs {
		refs[i] = flushlist.Ref{Key: fmt.Sprintf("%016x::bench::rows.01234567:ListOfCity:u%d", l.ID, i), List: l, All: all}
	}
	// None of them is there, and the cells are one list's: one ticket is everybody's.
	found := s.Fetch(ctx, refs[:1])[0]
	if !found.Ticket.Storable {
		b.Fatal(found.Outcome)
	}
	value := flushlist.Value{Payload: make([]byte, 200)}
	for part := range slices.Chunk(refs, 10_000) {
		fills := make([]flushlist.Fill, len(part))
		for i, r := range part {
			fills[i] = flushlist.Fill{Ref: r, Ticket: found.Ticket, Value: value, TTL: time.Hour}
		}
		s.Fill(ctx, fills)
	}
	return refs
}

// demand looks entries up.
func demand(b *testing.B, s *tiered.Store, refs []flushlist.Ref, want flushlist.Outcome) {
	b.Helper()
	for i, found := range s.Fetch(ctx, refs) {
		if found.Outcome != want {
			b.Fatalf("%s: %v, want %v", refs[i].Key, found.Outcome, want)
		}
	}
}

// flush is what a write of one list adds to a COMMIT.
func flush(b *testing.B, s *tiered.Store, l flushlist.List) time.Duration {
	began := time.Now()
	in, err := s.Prepare(ctx, []flushlist.List{l}, flushlist.Strict)
	if err != nil {
		b.Error(err)
		return 0
	}
	in.Finish(ctx)
	return time.Since(began)
}

func listOf(name string) flushlist.List {
	return flushlist.List{Name: name, ID: xxhash.Sum64String(name)}
}
