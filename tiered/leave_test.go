package tiered

import (
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// behaviour 66: the lists of a write of unknown outcome are flushed at 1, 2, 4, 8 … IntentTTL after its tokens were left.
func TestLeftWriteIsFlushedInTime(t *testing.T) {
	m := testserver.Memcached(t)
	o := fetching(m)
	o.IntentTTL = 20 * time.Millisecond
	p := start(t, o)
	r := storetest.Ref(1)
	in := p.prepare(flushlist.Strict, r.List).(*intent)
	begun := in.begun
	stamp := func() cell {
		c, ok := parseCell(rawItem(t, m.Addr(), cellKey(r.List)))
		if !ok {
			t.Fatal("no cell")
		}
		return c
	}
	last := stamp()
	in.Leave()
	for due := o.IntentTTL; due <= 16*o.IntentTTL; due *= 2 {
		eventually(t, "it is not flushed again", func() bool { return stamp().stamp != last.stamp })
		if passed := p.now() - begun; passed < due {
			t.Fatalf("flushed after %v, and was due after %v", passed, due)
		}
		if last = stamp(); last.count() != 0 {
			t.Fatal("the token is left after IntentTTL")
		}
	}
}

// What was left an hour ago is flushed once more, and not cared for any longer.
func TestLeftWriteIsForgotten(t *testing.T) {
	p := start(t, fetching(testserver.Memcached(t)))
	in := p.prepare(flushlist.Strict, storetest.Ref(1).List).(*intent)
	in.ended, in.begun = true, -leftFor
	o := &p.owed
	o.mu.Lock()
	o.left, o.leftCells = append(o.left, &leftWrite{intent: in, wait: leftFor}), len(in.cells)
	o.mu.Unlock()
	p.flushLeft()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.left) != 0 || o.leftCells != 0 {
		t.Fatalf("%d writes with %d cells are remembered", len(o.left), o.leftCells)
	}
	if c, ok := parseCell(rawItem(t, p.places[0].name(), cellKey(storetest.Ref(1).List))); !ok || c.count() != 0 {
		t.Fatal("it is not flushed a last time")
	}
}
