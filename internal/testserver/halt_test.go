package testserver

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

// A server that is paused answers nothing that is asked behind Pause.
func TestPausedServerAnswersNothing(t *testing.T) {
	m := Memcached(t)
	for range 100 {
		var paused, answered atomic.Bool
		var asked sync.WaitGroup
		for range 4 {
			c := memcache.New(m.Addr())
			c.Timeout = 20 * time.Millisecond
			asked.Go(func() {
				for {
					last := paused.Load()
					_, err := c.Get("key")
					if last {
						answered.CompareAndSwap(false, err == memcache.ErrCacheMiss)
						break
					}
				}
				_ = c.Close()
			})
		}
		m.Pause()
		paused.Store(true)
		asked.Wait()
		m.Resume()
		if answered.Load() {
			t.Fatal("a paused server has answered")
		}
	}
}
