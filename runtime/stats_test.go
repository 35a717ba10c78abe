package cacheruntime

import (
	"testing"

	"github.com/cachegen/cachegen/flushlist"
)

func TestStats(t *testing.T) {
	var rt Runtime
	rt.stats.read(flushlist.HitFirst, false)
	rt.stats.read(flushlist.HitSecond, false)
	rt.stats.read(flushlist.NoEntry, true)
	before := rt.Stats()
	rt.stats.read(flushlist.HitFirst, false)
	rt.stats.event(flushlist.EntryTooLarge)
	after := rt.Stats()
	if after.FirstHits != 2 || after.SecondHits != 1 || after.Misses != 1 || after.SharedLoads != 1 || after.HitRatio() != 0.75 {
		t.Errorf("counted %+v", after)
	}
	span := after.Minus(before)
	if want := "         1 hits: first tier\n         1 events: entry too large\n"; span.String() != want {
		t.Errorf("the span is\n%swant\n%s", span, want)
	}
	if before.Plus(span) != after {
		t.Errorf("before and span are %+v, want %+v", before.Plus(span), after)
	}
	if (Stats{}).HitRatio() != 0 {
		t.Error("a ratio of nothing")
	}
}
