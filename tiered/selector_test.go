package tiered

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// A client with the Selector finds what a store has stored: an entry, its cell, the cells of `all`, and the
// journal.
func TestSelectorFindsWhatAStoreStored(t *testing.T) {
	var servers []string
	for range 3 {
		servers = append(servers, testserver.Memcached(t).Addr())
	}
	o := patient(servers...)
	o.Weights = []int{1, 2, 3}
	p := start(t, o).quiet()
	selector, err := NewSelector(servers, o.Weights)
	if err != nil {
		t.Fatal(err)
	}
	client := memcache.NewFromSelector(selector)
	t.Cleanup(func() { client.Close() })
	find := func(key string) {
		t.Helper()
		if _, err := client.Get(key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	used := make(map[int]bool)
	for n := range 30 {
		r := storetest.Ref(n)
		p.load(r, "row")
		find(r.Key)
		find(cellKey(r.List))
		used[p.ring.server(r.List.ID)] = true
	}
	if len(used) != 3 {
		t.Fatalf("%d servers are used", len(used))
	}
	p.prepare(flushlist.Strict, storetest.All()).Finish(context.Background())
	for _, s := range servers {
		find(allKey(s, storetest.All().Name))
	}
	find(journalHead)
	n := 0
	if err := selector.Each(func(net.Addr) error { n++; return nil }); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	for _, key := range []string{"", "x", "0123456789abcdef", "0123456789abcdef:", "0123456789ABCDEF:x", "0123456789abcdeg:x", "+123456789abcdef:x"} {
		if a, err := selector.PickServer(key); err == nil {
			t.Errorf("%q: %v", key, a)
		}
	}
}

// A server's long name is hashed in keys, and the Selector knows it by that.
func TestSelectorLongName(t *testing.T) {
	long := strings.Repeat("a", 60) + ".example:11211"
	s, err := NewSelector([]string{"other:11211", long}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := s.PickServer(allKey(long, "shop:croupons")); err != nil || a.String() != long {
		t.Fatal(a, err)
	}
}

func TestSelectorRefuses(t *testing.T) {
	for want, servers := range map[string][]string{
		"no servers": {}, "Options.Servers[1]": {"a:1", "a:1"}, "port": {"a"}, "comma": {"a,b:1"},
	} {
		if _, err := NewSelector(servers, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q in it", servers, err, want)
		}
	}
}
