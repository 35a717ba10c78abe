package bench

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/tiered"
)

// Many writers of one list beside as many with a list each, a millisecond away from their server. A write
// is what a COMMIT adds: tokens and record before it, new stamps after it.
//
//	go test -bench HotList -benchtime 10000x
func BenchmarkHotList(b *testing.B) {
	for _, writers := range []int{64, 256} {
		for _, processes := range []int{1, 2} {
			for _, lists := range []string{"separate", "one"} {
				b.Run(fmt.Sprintf("writers=%d/processes=%d/lists=%s", writers, processes, lists), func(b *testing.B) {
					hotList(b, writers, processes, lists == "one")
				})
			}
		}
	}
}

func hotList(b *testing.B, writers, processes int, one bool) {
	relay := testserver.Proxy(b, testserver.Memcached(b).Addr())
	relay.Delay(time.Millisecond)
	stores := make([]*tiered.Store, processes)
	for i := range stores {
		s, err := tiered.Open(tiered.Options{Servers: []string{relay.Addr()}, Timeout: 10 * time.Second})
		check(b, err)
		defer s.Close()
		stores[i] = s
	}
	var left atomic.Int64
	lists := make([]flushlist.List, writers)
	for w := range lists {
		lists[w] = listOf("bench:rows.Hot")
		if !one {
			lists[w] = listOf(fmt.Sprint("bench:rows.Hot", w))
		}
	}
	took := make([][]time.Duration, writers)
	run := func(writes int64) {
		left.Store(writes)
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for left.Add(-1) >= 0 {
					took[w] = append(took[w], flush(b, stores[w%processes], lists[w]))
				}
			})
		}
		all.Wait()
	}
	run(int64(4 * writers)) // cells and connections are there
	clear(took)
	b.ResetTimer()
	began := time.Now()
	run(int64(b.N))
	reportWrites(b, took, time.Since(began))
}

// reportWrites reports what each of b.N writes took.
func reportWrites(b *testing.B, took [][]time.Duration, elapsed time.Duration) {
	b.StopTimer()
	each := slices.Concat(took...)
	slices.Sort(each)
	at := func(share float64) float64 {
		return float64(each[int(share*float64(len(each)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(float64(b.N)/elapsed.Seconds(), "writes/s")
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
	b.ReportMetric(0, "ns/op")
}
