package faults_test

import (
	"fmt"
	"sync"
	"sync/atomic"
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
	// At first the reader does not go by the journal, then it does, until memcached forgets it. Each phase is as long as it
	// takes a slow machine to come to the next.
	var followed, ended atomic.Bool
	var first [3]atomic.Int64 // served by the first tier, by phase
	var phase atomic.Int64
	var running sync.WaitGroup
	running.Go(func() {
		defer ended.Store(true)
		phases := []struct {
			least time.Duration
			done  func() bool
		}{
			{0, followed.Load},
			{2 * time.Second, func() bool { return first[1].Load() > 0 }},
			{2 * time.Second, func() bool { return true }},
		}
		began, deadline := time.Now(), time.Now().Add(time.Minute)
		for n := int64(1); ; n++ {
			if at := phases[phase.Load()]; time.Since(began) >= at.least && at.done() {
				if int(phase.Add(1)) == len(phases) {
					return
				}
				began = time.Now()
			}
			if time.Now().After(deadline) {
				t.Errorf("in phase %d for a minute", phase.Load())
				return
			}
			id := uint64(n%rows + 1)
			if err := writer.DB.Model(&shop.Croupon{ID: id}).Update("popularity", n).Error; err != nil {
				t.Errorf("write: %v", err)
				return
			}
			mu.Lock()
			last[id] = append(last[id], written{n, time.Now()})
			mu.Unlock()
			if phase.Load() == 0 && reader.Store.Stats().Journal {
				followed.Store(true)
			}
			if phase.Load() == 2 && n%40 == 0 { // cells, entries and the journal are gone
				if err := testserver.Client(m.Addr()).DeleteAll(); err != nil {
					t.Errorf("flush_all: %v", err)
				}
			}
		}
	})
	var read [3]int64
	for r := range read {
		running.Go(func() {
			for n := r; !ended.Load(); n++ {
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
					first[min(phase.Load(), 2)].Add(1)
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
	t.Logf("%v reads, from the first tier %d before the journal was followed, %d by it, %d while it was lost; %+v", read,
		first[0].Load(), first[1].Load(), first[2].Load(), reader.Store.Stats())
}
