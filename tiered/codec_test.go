package tiered

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cachegen/cachegen/flushlist"
)

// behaviour 80: no bytes make the parsers panic, and what they accept is written back as it was.
func FuzzEnvelope(f *testing.F) {
	const key = "00000000000000ab::shop:t:1"
	whole := seal(key, envelope{list: 1, all: 2, filledAt: 3, expiresAt: 4, payload: []byte("row")})
	f.Add(whole, key)
	f.Add(seal(key, envelope{list: 1, all: 2, absent: true}), key)
	f.Add(whole[:20], key)
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, b []byte, key string) {
		e, ok := open(b, key)
		checked, sound := openChecked(b, key)
		if sound && (!ok || !bytes.Equal(checked.payload, e.payload)) {
			t.Fatal("the checksum changes what is read")
		}
		if ok && !bytes.Equal(seal(key, e)[:len(b)-entryTail], b[:len(b)-entryTail]) {
			t.Fatal("read and written again, it is another")
		}
		if sound && !bytes.Equal(seal(key, checked), b) {
			t.Fatal("two envelopes for one entry")
		}
	})
}

func FuzzCell(f *testing.F) {
	c := freshCell()
	c.tokens = append(tokenBytes(5, time.Second), tokenBytes(6, time.Hour)...)
	f.Add(c.bytes())
	f.Add([]byte("\xc6L\x01\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, ok := parseCell(b)
		if !ok {
			return
		}
		if !bytes.Equal(c.bytes(), b) {
			t.Fatal("read and written again, it is another")
		}
		for i := range c.count() {
			if _, ttl := c.token(i); ttl > maxIntentTTL {
				t.Fatalf("a token is respected for %v", ttl)
			}
		}
		none, n := c.without(func(uint64, time.Duration) bool { return true })
		if n != c.count() || none.count() != 0 {
			t.Fatal("tokens are left")
		}
	})
}

func TestCellKeepsOtherTokens(t *testing.T) {
	c := freshCell()
	for _, token := range []uint64{1, 2, 3, 2} {
		c.tokens = append(c.tokens, tokenBytes(token, time.Second)...)
	}
	before := slices.Clone(c.tokens)
	left, n := c.without(own([]uint64{2}))
	if n != 2 || left.count() != 2 {
		t.Fatalf("%d tokens out, %d left", n, left.count())
	}
	if a, _ := left.token(0); a != 1 {
		t.Fatalf("token %d is left", a)
	}
	if !bytes.Equal(before, c.tokens) {
		t.Fatal("the bytes that were parsed have changed")
	}
	next := left.flushed()
	if next.stamp == c.stamp || next.previous != c.stamp || next.count() != 2 {
		t.Fatalf("after a flush: %+v", next)
	}
}

func TestExpiration(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	const day = 24 * time.Hour
	for _, c := range []struct {
		ttl  time.Duration
		want int32
	}{
		{0, 0}, {-1, 0}, {1, 1}, {time.Second, 1}, {time.Second + 1, 2}, {29 * day, 29 * 86400},
		{30 * day, 1_800_000_000 + 30*86400 + 1}, {31 * day, 1_800_000_000 + 31*86400 + 1}, {1<<63 - 1, 0},
	} {
		if got := expiration(c.ttl, now); got != c.want {
			t.Errorf("%v: %d, want %d", c.ttl, got, c.want)
		}
	}
}

func TestRing(t *testing.T) {
	servers := []string{"10.0.0.1:11211", "10.0.0.2:11211", "10.0.0.3:11211", "10.0.0.4:11212"}
	name := func(servers []string, route uint64) string { return servers[newRing(servers, nil).server(route)] }
	routes := make([]uint64, 2000)
	for i := range routes {
		routes[i] = xxhash.Sum64String(string(rune(i)))
	}
	all, reversed, fewer := newRing(servers, nil), slices.Clone(servers), newRing(servers[:3], nil)
	slices.Reverse(reversed)
	back := newRing(reversed, nil)
	share := map[string]int{}
	moved := 0
	for _, r := range routes {
		s := servers[all.server(r)]
		share[s]++
		if reversed[back.server(r)] != s {
			t.Fatal("the order of Options.Servers matters")
		}
		if was := servers[fewer.server(r)]; was != s {
			moved++
			if s != servers[3] {
				t.Fatalf("a list moved from %s to %s, which are both old", was, s)
			}
		}
	}
	for s, n := range share {
		if n < len(routes)/8 || n > len(routes)/2 {
			t.Errorf("%s has %d of %d lists", s, n, len(routes))
		}
	}
	if moved > len(routes)/2 {
		t.Errorf("%d of %d lists moved to one server of four", moved, len(routes))
	}
	if name(servers[:1], 1<<63) != servers[0] || name(servers, all64) == "" {
		t.Error("positions at the end have no server")
	}
	// Only the upper half is the position.
	if all.server(0xabcdef01_00000000) != all.server(0xabcdef01_ffffffff) {
		t.Error("the lower half of a route matters")
	}
	// libmemcached leaves the usual port out, and counts in single precision.
	if ketamaName("h:11211") != "h" || ketamaName("h:11212") != "h:11212" || len(all.points) != 4*160 {
		t.Errorf("%d points", len(all.points))
	}
}

const all64 = 1<<64 - 1

// TestKnown: the stripe's counter. See known.
func TestKnown(t *testing.T) {
	k := newKnown(1<<20, 2, time.Second)
	c, second := cellAt{id: 1}, cellAt{id: 2, place: 1}
	stamp := func(c cellAt) flushlist.Stamp { x, _ := k.stamp(c.id); return x.stamp }
	noted := k.note(c.id)
	if !k.learn(c, 10, 5, noted) || stamp(c) != 10 {
		t.Fatal("a stamp is not learned")
	}
	if !k.learn(c, 9, 4, noted) || stamp(c) != 10 {
		t.Fatal("the answer of an earlier request took the place of a later one's")
	}
	if k.drop(c.id); stamp(c) != 0 || k.learn(c, 11, 6, noted) || k.unmoved(c, noted) {
		t.Fatal("a stamp from before a flush was learned")
	}
	noted = k.note(c.id)
	k.learn(c, 12, 7, noted)
	k.hold(c.id)
	k.hold(c.id)
	k.release(c.id)
	if stamp(c) != 0 || k.serves(c) || k.learn(c, 13, 8, k.note(c.id)) {
		t.Fatal("a cell on hold is in service")
	}
	noted = k.note(c.id)
	if k.release(c.id); !k.serves(c) || k.learn(c, 13, 8, noted) || !k.learn(c, 13, 8, k.note(c.id)) {
		t.Fatal("after release")
	}
	k.learn(second, 20, 1, k.note(second.id))
	const never = time.Duration(math.MaxInt64) // the journal answers for nothing
	if _, _, ok := k.fresh(c.id, second.id, time.Second, never); !ok {
		t.Fatal("both stamps are known")
	}
	if _, _, ok := k.fresh(c.id, second.id, time.Second+1, never); ok {
		t.Fatal("the older stamp is MaxStale old")
	}
	noted = k.note(second.id)
	k.learn(second, 20, time.Second, noted)
	if _, _, ok := k.fresh(c.id, second.id, time.Second+8, never); ok {
		t.Fatal("the list's stamp is MaxStale old")
	}
	if _, _, ok := k.fresh(second.id, c.id, time.Second+8, never); ok {
		t.Fatal("the stamp of `all` is MaxStale old")
	}
	if !k.refuse(1) || k.refuse(1) || k.serves(second) || !k.serves(c) || stamp(second) != 0 ||
		k.learn(second, 21, 9, k.note(second.id)) {
		t.Fatal("a refused place is in service")
	}
}

func TestSeen(t *testing.T) {
	var s seen
	s.init()
	at := func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }
	dead := func(cell, token uint64, asked, answered int) bool {
		return s.dead(cell, token, at(100), at(asked), at(answered))
	}
	if dead(1, 7, 0, 10) || dead(1, 7, 105, 120) {
		t.Fatal("dead before it stood for its ttl")
	}
	if dead(2, 7, 105, 120) || dead(1, 8, 105, 120) {
		t.Fatal("another cell's or another token's time counts")
	}
	if !dead(1, 7, 110, 120) {
		t.Fatal("not dead after its ttl")
	}
	s.forget(1, 7)
	if dead(1, 7, 500, 510) {
		t.Fatal("a token that was forgotten is dead at once")
	}
	for n := range uint64(3 * maxSeen) {
		dead(3, n, 0, 0)
	}
	if len(s.tokens) > maxSeen {
		t.Fatalf("%d tokens are remembered", len(s.tokens))
	}
}

// Tokens of living writers, each seen once, do not push out a dead writer's that is looked at again and again:
// else its list would not be cached again for as long as others write enough.
func TestSeenAmongMany(t *testing.T) {
	var s seen
	s.init()
	var now time.Duration
	const ttl = 10 * time.Second
	for n := uint64(1); ; n++ {
		now += ttl / maxSeen
		if s.dead(1, 1, ttl, now, now) {
			break
		}
		if now > 2*ttl {
			t.Fatal("a dead writer's token is respected for ever")
		}
		for token := range uint64(8) {
			s.dead(2, 8*n+token, ttl, now, now)
		}
	}
}
