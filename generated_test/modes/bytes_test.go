package modes_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// cell returns the key of a row's cell.
func (p *program) cell(id uint64) string {
	p.t.Helper()
	return p.key(id)[:17] + fmt.Sprint("shop:croupons:", id)
}

// bad are bytes that are nobody's entry or cell, beside those of two entries that are sound.
func bad(good, another []byte) map[string][]byte {
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)/2] ^= 1
	return map[string][]byte{
		"empty": {}, "garbage": []byte("garbage"), "truncated": good[:len(good)-1], "one bit": flipped, "another key's": another,
		"a string of zeros": make([]byte, 300), "twice": append(append([]byte(nil), good...), good...),
	}
}

// behaviour 80: whatever lies under the keys, reads are right, and what is bad is replaced.
func foreignReads(t *testing.T) {
	w := newWorld(t, 1, cacheruntime.Available)
	client := testserver.Client(w.servers[0].Addr())
	defer client.Close()
	get := func(key string) []byte {
		it, err := client.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		return it.Value
	}
	entry, cell := w.a.key(1), w.a.cell(1)
	for name, bytes := range bad(get(entry), get(w.a.key(2))) {
		for _, key := range []string{entry, cell} {
			if err := client.Set(&memcache.Item{Key: key, Value: bytes}); err != nil {
				t.Fatal(err)
			}
			for _, p := range []*program{w.a, w.b} {
				if got := p.title(1); got != "old" {
					t.Errorf("%s under %s: %q", name, key, got)
				}
			}
			w.a.isCached(1, "old")
		}
	}
	if w.a.events(flushlist.EntryBad) == 0 {
		t.Error("bad bytes were not counted")
	}
}

// A write finds such bytes in its cell: its token is appended to them and lost with them, and it is through
// nevertheless when it returns.
func foreignWrites(t *testing.T, mode cacheruntime.Mode) {
	w := newWorld(t, 1, mode)
	client := testserver.Client(w.servers[0].Addr())
	defer client.Close()
	it, err := client.Get(w.a.cell(1))
	if err != nil {
		t.Fatal(err)
	}
	other, err := client.Get(w.a.cell(2))
	if err != nil {
		t.Fatal(err)
	}
	for name, bytes := range bad(it.Value, other.Value) {
		if err := client.Set(&memcache.Item{Key: it.Key, Value: bytes}); err != nil {
			t.Fatal(err)
		}
		w.a.writes(1, name)
		for _, p := range []*program{w.a, w.b} {
			if got := p.title(1); got != name {
				t.Errorf("after a write into %s: %q", name, got)
			}
		}
		w.a.isCached(1, name)
		w.b.isCached(1, name)
	}
}

// withLarge adds a row over the item limit.
func (w *world) withLarge() (id uint64, title string) {
	c := &shop.Croupon{Slug: "large", Title: strings.Repeat("x", 1<<20)}
	w.a.Create(w.T, c)
	return c.ID, c.Title
}

// behaviour 81: it is served, not stored, and counted.
func largeReads(t *testing.T) {
	w := newWorld(t, 1, cacheruntime.Available)
	id, title := w.withLarge()
	before := w.a.events(flushlist.EntryTooLarge)
	for range 2 {
		w.a.Expect(t, "a large row", 1, func() {
			if got := w.a.title(id); got != title {
				t.Errorf("the title has %d bytes", len(got))
			}
		})
	}
	if n := w.a.events(flushlist.EntryTooLarge) - before; n != 2 {
		t.Errorf("%d were counted, want 2", n)
	}
	// With no server the limit is the first tier's.
	f := fixture.New(t, fixture.Options{})
	f.Create(t, &shop.Croupon{Slug: "large", Title: title})
	for range 2 {
		f.Expect(t, "a large row", 1, func() {
			if c, err := f.M.Croupon.Cache.Get(ctx, 1); err != nil || c.Title != title {
				t.Errorf("%v", err)
			}
		})
	}
	if n := f.RT.Stats().Events[flushlist.EntryTooLarge]; n != 2 {
		t.Errorf("%d were counted, want 2", n)
	}
}

// Its writes are as others: a row that has become small is stored, and falls when it grows.
func largeWrites(t *testing.T, mode cacheruntime.Mode) {
	w := newWorld(t, 1, mode)
	id, title := w.withLarge()
	w.b.wants(id, title)
	w.a.writes(id, "small")
	w.a.isCached(id, "small")
	w.b.isCached(id, "small")
	w.a.writes(id, title)
	for _, p := range []*program{w.a, w.b} {
		if got := p.title(id); got != title {
			t.Errorf("the title has %d bytes", len(got))
		}
	}
}
