package tiered_test

import (
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/journaltest"
	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/tiered"
)

// The journal on memcached passes the suite that journals of others are to pass, on one server and on three.
func TestJournal(t *testing.T) {
	for name, n := range map[string]int{"one server": 1, "three servers": 3} {
		t.Run(name, func(t *testing.T) {
			var servers []string
			for range n {
				servers = append(servers, testserver.Memcached(t).Addr())
			}
			empty := func(tb testing.TB) {
				tb.Helper()
				for _, s := range servers {
					if err := testserver.Client(s).FlushAll(); err != nil {
						tb.Fatal(err)
					}
				}
			}
			journaltest.Run(t, journaltest.Harness{
				Open: func(tb testing.TB) func() tiered.Journal {
					empty(tb)
					return func() tiered.Journal {
						// The poller of each store takes no number.
						store, err := tiered.Open(tiered.Options{Servers: servers, Timeout: 5 * time.Second, MaxStale: time.Minute})
						if err != nil {
							tb.Fatal(err)
						}
						tb.Cleanup(func() {
							if err := store.Close(); err != nil {
								tb.Error(err)
							}
						})
						return tiered.JournalOf(store)
					}
				},
				Lose: empty,
			})
		})
	}
}
