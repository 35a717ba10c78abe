package tiered

import (
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

var _ cacheruntime.Store = (*Store)(nil)

func TestConformance(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { storetest.Run(t, harness(nil)) })
	t.Run("one server", func(t *testing.T) { storetest.Run(t, harness(relayed(t, 1))) })
	t.Run("three servers", func(t *testing.T) { storetest.Run(t, harness(relayed(t, 3))) })
}

// relayed starts servers, each behind a proxy.
func relayed(t *testing.T, n int) (relays []*testserver.Relay) {
	for range n {
		relays = append(relays, testserver.Proxy(t, testserver.Memcached(t).Addr()))
	}
	return relays
}

// lease is how long stores' leases last here: longer than a busy machine is held up between two steps of a case, and no longer
// than one case may wait.
const lease = 4 * time.Second

// harness makes stores on servers, which are emptied before each test.
func harness(relays []*testserver.Relay) storetest.Harness {
	var last *Store
	var servers []string
	for _, r := range relays {
		servers = append(servers, r.Addr())
	}
	second := func(tb testing.TB, intentTTL time.Duration) cacheruntime.Store {
		// The machine of a test may be busy: only tests of failing servers are in a hurry. A server that
		// is cut refuses at once.
		return mustOpen(tb, Options{Servers: servers, IntentTTL: intentTTL, Timeout: 30 * time.Second, BreakerPause: 20 * time.Millisecond,
			Lease: lease})
	}
	h := storetest.Harness{
		Open: func(tb testing.TB, intentTTL time.Duration) cacheruntime.Store {
			for _, s := range servers {
				if err := testserver.Client(s).FlushAll(); err != nil {
					tb.Fatal(err)
				}
			}
			last = second(tb, intentTTL).(*Store)
			return last
		},
		Close:    func(s cacheruntime.Store) { _ = s.(*Store).Close() },
		Evict:    func(tb testing.TB, l flushlist.List) { evict(tb, last, l) },
		TooLarge: 1 << 20,
	}
	if len(servers) > 0 {
		h.Second, h.Lease = second, lease
		h.Cut = func(testing.TB) func() {
			for _, r := range relays {
				r.Cut()
			}
			return func() {
				for _, r := range relays {
					r.Mend()
				}
			}
		}
	}
	return h
}

func mustOpen(tb testing.TB, o Options) *Store {
	tb.Helper()
	s, err := Open(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// evict makes a list's cells disappear.
func evict(tb testing.TB, s *Store, l flushlist.List) {
	tb.Helper()
	for _, c := range s.cellsOf([]flushlist.List{l}) {
		if s.memory != nil {
			sh := s.memory.shard(c.id)
			sh.mu.Lock()
			delete(sh.cells, c.id)
			sh.mu.Unlock()
			continue
		}
		p := s.places[c.place]
		if err := testserver.Client(p.name()).Delete(c.addr(p.name()).key); err != nil {
			tb.Fatal(err)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string // "" is valid
	}{
		{Options{}, ""},
		{Options{Servers: []string{"cache:11211", "[::1]:11211"}, MaxStale: -1, BreakerFailures: -1}, ""},
		{Options{Servers: []string{"cache"}}, `Servers[0] is "cache"`},
		{Options{Servers: []string{"cache:port"}}, "the port is not a number"},
		{Options{Servers: []string{":11211"}}, "the host is missing"},
		{Options{Servers: []string{"a b:11211"}}, "blank"},
		{Options{Servers: []string{"a:1", "a:1"}}, "a second time"},
		{Options{Timeout: -1}, "Options.Timeout"},
		{Options{Timeout: time.Hour}, "Options.Timeout is 1h0m0s; set it from 1ms to 1m0s"},
		{Options{MaxIdleConns: -1}, "Options.MaxIdleConns"},
		{Options{FirstTierMB: -1}, "Options.FirstTierMB"},
		{Options{MaxStale: time.Hour}, "Options.MaxStale"},
		{Options{IntentTTL: time.Millisecond}, "Options.IntentTTL"},
		{Options{IntentTTL: 2 * time.Hour}, "Options.IntentTTL"},
		{Options{Cells: 1}, "Options.Cells"},
		{Options{ItemLimit: 1}, "Options.ItemLimit"},
		{Options{BreakerPause: -1}, "Options.BreakerPause"},
	} {
		s, err := Open(c.o)
		if s != nil {
			_ = s.Close()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
	}
}
