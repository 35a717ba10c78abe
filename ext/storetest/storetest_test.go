package storetest_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

// A store is run through the suite by a test like this one. Second, Evict and Cut are left out, since
// this store's data is in the process and is never lost.
func ExampleRun() {
	_ = func(t *testing.T) { // TestStore, say
		storetest.Run(t, storetest.Harness{
			Open: func(tb testing.TB, intentTTL time.Duration) cacheruntime.Store {
				store, err := tiered.Open(tiered.Options{IntentTTL: intentTTL})
				if err != nil {
					tb.Fatal(err)
				}
				return store
			},
			Close:    func(store cacheruntime.Store) { _ = store.(*tiered.Store).Close() },
			TooLarge: 1 << 20,
		})
	}
}

// TestStore runs the suite on a sound store, and on a faulty one where TestFaultsAreFound says so.
func TestStore(t *testing.T) { storetest.Run(t, harness(nil, faults[os.Getenv(faulty)].make)) }

// TestStoreOnServer has what TestStore leaves out: another process.
func TestStoreOnServer(t *testing.T) {
	storetest.Run(t, harness([]string{testserver.Memcached(t).Addr()}, faults[os.Getenv(faulty)].make))
}

// lease is how long stores' leases last here: longer than a busy machine is held up between two steps of a case, and no longer
// than one case may wait.
const lease = 4 * time.Second

// harness makes stores, each of which make alters where it is not nil.
func harness(servers []string, alter func(*tiered.Store) cacheruntime.Store) storetest.Harness {
	second := func(tb testing.TB, intentTTL time.Duration) cacheruntime.Store {
		store, err := tiered.Open(tiered.Options{Servers: servers, IntentTTL: intentTTL, Timeout: 30 * time.Second, Lease: lease})
		if err != nil {
			tb.Fatal(err)
		}
		if alter != nil {
			return alter(store)
		}
		return store
	}
	h := storetest.Harness{
		Open: func(tb testing.TB, intentTTL time.Duration) cacheruntime.Store {
			for _, s := range servers {
				if err := testserver.Client(s).FlushAll(); err != nil {
					tb.Fatal(err)
				}
			}
			return second(tb, intentTTL)
		},
		Close: func(store cacheruntime.Store) {
			if c, ok := store.(interface{ Close() error }); ok {
				_ = c.Close()
			}
		},
		TooLarge: 1 << 20,
	}
	if len(servers) > 0 {
		h.Second, h.Lease = second, lease
	}
	return h
}

// A store that looks at no context in Prepare passes: the contract leaves that to it.
func TestPrepareWithoutContext(t *testing.T) {
	storetest.Run(t, harness(nil, func(s *tiered.Store) cacheruntime.Store {
		return altered{Store: s, prepare: func(_ context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
			return s.Prepare(context.Background(), lists, mode)
		}}
	}))
}
