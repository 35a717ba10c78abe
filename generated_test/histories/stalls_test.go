package histories_test

import (
	"sync"
	"testing"
	"time"
)

// stalls are the times at which the whole machine, as it seems, was held up. A writer that was held up for IntentTTL is taken for
// dead, whether the test stopped it or not.
type stalls struct {
	mu  sync.Mutex
	all [][2]int64
}

// watchStalls notes them until the test ends.
func watchStalls(t *testing.T, least time.Duration) *stalls {
	s := &stalls{}
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for last := clock(); ; {
			select {
			case <-tick.C:
			case <-stop:
				return
			}
			now := clock()
			if now-last >= int64(least) {
				s.mu.Lock()
				s.all = append(s.all, [2]int64{last, now})
				s.mu.Unlock()
			}
			last = now
		}
	})
	t.Cleanup(func() {
		close(stop)
		watching.Wait()
	})
	return s
}

// and returns the stops of a process, with what it was held up for beside them.
func (s *stalls) and(stops [][2]int64) [][2]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(append([][2]int64(nil), stops...), s.all...)
}
