package tiered

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// registering is a process that has registered identities for the suite's table.
type registering struct {
	*process
	*registered
	client *memcache.Client
}

// register begins a program whose set is taken out registryPatience after it was marked, and a little.
func register(t *testing.T, server *testserver.Server, identities ...uint64) *registering {
	t.Helper()
	return registerFor(t, 50*time.Millisecond, server, identities...)
}

// registerFor begins a program whose writes may be under way for as long after its end. So long is a set that
// it has marked by mistake not taken out, whatever holds the program up.
func registerFor(t *testing.T, intentTTL time.Duration, server *testserver.Server, identities ...uint64) *registering {
	t.Helper()
	p := start(t, Options{Servers: []string{server.Addr()}, Timeout: 30 * time.Second, IntentTTL: intentTTL})
	client := testserver.Client(server.Addr())
	t.Cleanup(func() { _ = client.Close() })
	return &registering{p, p.Register(context.Background(), storetest.All(), identities).(*registered), client}
}

func (r *registering) flushes(identity uint64) bool {
	_, ok := r.Flushed(identity)
	return ok
}

func (r *registering) term(identity uint64) uint64 {
	term, _ := r.Flushed(identity)
	return term
}

// lose deletes an item, as memory pressure would.
func (r *registering) lose(key string) {
	r.process.Helper()
	if err := r.client.Delete(key); err != nil {
		r.process.Fatal(err)
	}
}

// behaviour 110: a program ends, and what it did not flush is flushed by all again, in new entries, once
// nothing of it can be under way any more
func TestRegistrationLapses(t *testing.T) {
	server := testserver.Memcached(t)
	a := register(t, server, 1, 2)
	one, two := a.term(1), a.term(2)
	b := register(t, server, 2, 3)
	eventually(t, "the first program does not hear of the second", func() bool { return !a.flushes(1) })
	_ = b.Close()
	ended := time.Now()
	a.lose(b.setKey(b.own.name))
	eventually(t, "the registration never lapses", func() bool { return a.flushes(1) })
	if waited := time.Since(ended); waited < registryPatience {
		t.Errorf("it lapsed after %v", waited)
	}
	if a.term(1) == one {
		t.Error("what was not flushed for a while is found again")
	}
	if a.term(2) != two {
		t.Error("what was flushed all the while is not found any more")
	}
}

// behaviour 110: the registration of a program that lives is evicted
func TestRegistrationEvicted(t *testing.T) {
	server := testserver.Memcached(t)
	a := register(t, server, 1, 2)
	b := registerFor(t, 10*time.Second, server, 2, 3)
	eventually(t, "the second program is not confirmed", func() bool { return b.Confirmed() != 0 })
	standing := b.Confirmed()
	a.lose(b.setKey(b.own.name))
	eventually(t, "it is not put back", func() bool {
		_, err := a.client.Get(b.setKey(b.own.name))
		return err == nil
	})
	eventually(t, "the second program is not confirmed again", func() bool {
		if a.flushes(1) {
			t.Fatal("it was taken for ended")
		}
		return b.Confirmed() == standing
	})
}

// behaviour 110: a mark is waited for by the clock of whoever saw it, and is in vain where the program is back
func TestMarkIsTakenAway(t *testing.T) {
	server := testserver.Memcached(t)
	b := registerFor(t, 10*time.Second, server, 2, 3)
	d, ok := directoryOf(b)
	if !ok {
		t.Fatal("no directory")
	}
	d.sets[0].mark = newToken()
	if err := b.client.Set(&memcache.Item{Key: b.key, Value: d.bytes()}); err != nil {
		t.Fatal(err)
	}
	a := register(t, server, 1, 2)
	if a.flushes(1) {
		t.Error("a set that is marked counts for nothing")
	}
	eventually(t, "the mark stays", func() bool {
		d, ok := directoryOf(b)
		return ok && d.set(b.own.name) != nil && d.set(b.own.name).mark == 0
	})
	if a.flushes(1) {
		t.Error("the program was taken for ended")
	}
}

func directoryOf(r *registering) (directory, bool) {
	it, err := r.client.Get(r.key)
	if err != nil {
		return directory{}, false
	}
	return parseDirectory(it.Value)
}

// behaviours 70 and 110: the directory is lost, alone or with everything, or is not one
func TestDirectoryIsLost(t *testing.T) {
	server := testserver.Memcached(t)
	a := register(t, server, 1, 2)
	term := a.term(1)
	for name, lose := range map[string]func(){
		"evicted": func() { a.lose(a.key) },
		"garbage": func() {
			if err := a.client.Set(&memcache.Item{Key: a.key, Value: []byte("\xc6R\x01\xff\xff\xff\x00\x00")}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		lost := a.Store.now()
		lose()
		// Whoever comes now cannot know who was there.
		b := register(t, server, 1, 2)
		if (b.flushes(1) || b.Confirmed() != 0) && a.Store.now()-lost < registryPatience {
			t.Errorf("%s: a program that comes then takes itself for the only one", name)
		}
		eventually(t, name+": it is not made anew", func() bool { return a.flushes(1) && b.flushes(1) && a.Confirmed() != 0 && b.Confirmed() != 0 })
		if a.term(1) == term || a.term(1) != b.term(1) {
			t.Errorf("%s: terms %d and %d, and %d before", name, a.term(1), b.term(1), term)
		}
		term = a.term(1)
		_ = b.Close()
	}
}

// behaviour 110: a process that was held up goes by nothing that it knew before
func TestPollIsGoodForAWhile(t *testing.T) {
	server := testserver.Memcached(t)
	a := register(t, server, 1)
	a.registry.mu.Lock() // holds up the poller
	defer a.registry.mu.Unlock()
	st := a.standing.Load()
	eventually(t, "an old poll is gone by", func() bool { return !a.flushes(1) && a.Confirmed() == 0 })
	if now := a.Store.now(); now < st.until {
		t.Errorf("it was gone by until %v, and not until %v", now, st.until)
	}
}

// The journal and the registry lie on one server: where the first was lost, the second is asked at once.
func TestDoubt(t *testing.T) {
	server := testserver.Memcached(t)
	a := register(t, server, 1)
	a.quiet()
	st := a.standing.Load()
	a.lose(journalHead)
	eventually(t, "nothing is doubted", func() bool { return a.standing.Load() != st })
	eventually(t, "it is not flushed again", func() bool { return a.flushes(1) })
}

// More accessors than can be registered are not cached, and said to be too many.
func TestTooManyIdentities(t *testing.T) {
	server := testserver.Memcached(t)
	var many []uint64
	for i := range uint64(mostIdentities + 1) {
		many = append(many, i)
	}
	a := register(t, server, many...)
	if a.flushes(1) || a.Confirmed() != 0 || a.count(flushlist.Fault) != 1 {
		t.Errorf("flushed %v, confirmed %d, faults %d", a.flushes(1), a.Confirmed(), a.count(flushlist.Fault))
	}
	// More programs than a directory takes are not confirmed.
	var d directory
	for i := range uint64(mostSets) {
		if !d.enter(listSet{name: nameOfSet([]uint64{i}), born: 1, has: []uint64{i}}) {
			t.Fatalf("set %d does not go in", i)
		}
	}
	if d.enter(listSet{name: nameOfSet([]uint64{99}), born: 1, has: []uint64{99}}) {
		t.Error("one set too many")
	}
}

// A directory's bytes come back, and what is not a directory is refused.
func TestDirectoryBytes(t *testing.T) {
	var d directory
	for i := range uint64(3) {
		has := []uint64{i, i + 10, 1 << 60}
		d.enter(listSet{name: nameOfSet(has), born: i + 1, mark: i, ttl: time.Duration(i) * time.Second, settled: i == 1, has: has})
	}
	d.sets = append(d.sets, listSet{name: ghost, born: 7, mark: 8, ttl: time.Minute})
	b := d.bytes()
	back, ok := parseDirectory(b)
	if !ok || fmt.Sprint(back) != fmt.Sprint(d) {
		t.Fatalf("%v\n%v", back, d)
	}
	for n := range b {
		if _, ok := parseDirectory(b[:n]); ok {
			t.Errorf("%d bytes of %d are taken for a directory", n, len(b))
		}
	}
	if _, ok := parseDirectory(append(b, 0)); ok {
		t.Error("one byte more is")
	}
}

func FuzzDirectory(f *testing.F) {
	var d directory
	has := []uint64{1, 2}
	d.enter(listSet{name: nameOfSet(has), born: 1, has: has})
	f.Add(d.bytes())
	f.Add([]byte(directoryMagic + "\x01\x20\xff\xff\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, ok := parseDirectory(b)
		if !ok {
			return
		}
		d.flushed()
		if again, ok := parseDirectory(d.bytes()); !ok || !bytes.Equal(again.bytes(), d.bytes()) {
			t.Errorf("%x does not come back", b)
		}
		for _, s := range d.sets {
			d.remove(s.name)
		}
		if len(d.sets) > 0 {
			t.Errorf("%d sets stay", len(d.sets))
		}
	})
}

// What a read of a list costs more: two of these at most.
func BenchmarkFlushed(b *testing.B) {
	server := testserver.Memcached(b)
	s := mustOpen(b, Options{Servers: []string{server.Addr()}})
	reg := s.Register(context.Background(), storetest.All(), []uint64{1, 2, 3, 4, 5, 6, 7, 8})
	for b.Loop() {
		if _, ok := reg.Flushed(5); !ok {
			b.Fatal("not flushed")
		}
	}
}

// A table whose directory is larger than the server's items takes no other table with it.
func TestDirectoryIsTooLarge(t *testing.T) {
	p := start(t, patient(testserver.Memcached(t, "-I", "8k", "-o", "slab_chunk_max=4096").Addr()))
	ctx := context.Background()
	var many []uint64
	for i := range uint64(mostIdentities) {
		many = append(many, i)
	}
	big, ok := p.Register(ctx, storetest.All(), many).(*registered)
	list := storetest.List("shop:merchants")
	list.All = true
	small, is := p.Register(ctx, list, []uint64{1}).(*registered)
	if !ok || !is || big.Confirmed() != 0 || small.Confirmed() == 0 {
		t.Fatalf("confirmed: %d and %d", big.Confirmed(), small.Confirmed())
	}
	small.standing.Store(nil)
	p.registries[0].poll(ctx, []*registered{big, small})
	if small.Confirmed() == 0 {
		t.Error("the other table is not asked for any more")
	}
}
