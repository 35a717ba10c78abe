package faults_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

// written is the popularity that a write gave a croupon, and when the write had returned.
type written struct {
	popularity int64
	at         time.Time
}

// behaviour 67: what another process reads from its first tier is never more than MaxStale behind, whatever
// memcached forgets meanwhile.
func TestFirstTierIsNotBehind(t *testing.T) {
	const maxStale = 100 * time.Millisecond
	m := testserver.Memcached(t)
	o := fixture.Options{Servers: []string{m.Addr()}, Tiered: tiered.Options{MaxStale: maxStale}}
	writer := fixture.New(t, o)
	o.Path = writer.Path
	reader := fixture.New(t, o)
	const rows = 4
	for i := range rows {
		writer.Create(t, croupon(fmt.Sprint("c", i)))
	}

	var mu sync.Mutex
	var last [rows + 1][]written // by row, oldest first
	// For its first 5 seconds the reader does not go by the journal, then it does, until memcached forgets it.
	began := time.Now()
	deadline := began.Add(9 * time.Second)
	followed := false
	var running sync.WaitGroup
	running.Go(func() {
		for n := int64(1); time.Now().Before(deadline); n++ {
			id := uint64(n%rows + 1)
			if err := writer.DB.Model(&shop.Croupon{ID: id}).Update("popularity", n).Error; err != nil {
				t.Errorf("write: %v", err)
				return
			}
			mu.Lock()
			last[id] = append(last[id], written{n, time.Now()})
			mu.Unlock()
			if journal := reader.Store.Stats().Journal; time.Since(began) < 7*time.Second {
				followed = followed || journal
			} else if n%40 == 0 { // cells, entries and the journal are gone
				if err := testserver.Client(m.Addr()).DeleteAll(); err != nil {
					t.Errorf("flush_all: %v", err)
				}
			}
		}
	})
	var first, read [3]int64
	for r := range read {
		running.Go(func() {
			for n := r; time.Now().Before(deadline); n++ {
				id := uint64(n%rows + 1)
				began := time.Now()
				ctx, trace := cacheruntime.WithTrace(ctx)
				c, err := reader.M.Croupon.Cache.Get(ctx, id)
				if err != nil {
					t.Errorf("read: %v", err)
					return
				}
				read[r]++
				if trace.Reads()[0].Outcome.String() == "first tier" {
					first[r]++
				}
				mu.Lock()
				var atLeast int64
				for _, w := range last[id] {
					if w.at.Before(began.Add(-maxStale)) {
						atLeast = w.popularity
					}
				}
				mu.Unlock()
				if c.Popularity < atLeast {
					t.Errorf("row %d: popularity %d, and %d was written more than MaxStale before (%v)", id, c.Popularity, atLeast, trace)
					return
				}
			}
		})
	}
	running.Wait()
	if first[0]+first[1]+first[2] == 0 || !followed {
		t.Errorf("%v served by the first tier, the journal was followed: %v", first, followed)
	}
	t.Logf("%v reads, %v from the first tier; %+v", read, first, reader.Store.Stats())
}
