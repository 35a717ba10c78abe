package modes_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// behaviour 69, strict: several writers in two programs, one of which is cut off from one of three servers and back,
// again and again. Nobody reads what is older than a write that had returned when the read began; what was refused is
// not written; and nobody hangs.
func TestStrictWritersWhileOneIsCutOff(t *testing.T) {
	for name, server := range map[string]func(*world) int{"from the journal": (*world).journal, "from rows alone": (*world).victim} {
		t.Run(name, func(t *testing.T) {
			d := fixture.Postgres(t) // where writers of different rows are not in each other's way
			w := newWorld(t, 3, cacheruntime.Strict, func(o *fixture.Options) { o.DB = &d })
			relay := w.a.relays[server(w)]
			const counters = 12                 // rows that are written
			var done [counters + 1]atomic.Int64 // writes that have returned, by row
			var went, refused [2]atomic.Int64   // by program
			var reads atomic.Int64
			stop := make(chan struct{})
			var running sync.WaitGroup
			loop := func(f func(n int) bool) {
				running.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
							if !f(n) {
								return
							}
						}
					}
				})
			}
			for i, p := range []*program{w.a, w.b} {
				for first := range 2 {
					loop(func(n int) bool {
						id := uint64((n*2+first)%counters + 1)
						err := p.DB.Model(&shop.Croupon{ID: id}).UpdateColumn("popularity", gorm.Expr("popularity + 1")).Error
						switch {
						case err == nil:
							done[id].Add(1)
							went[i].Add(1)
						case errors.Is(err, cacheruntime.ErrFlush):
							refused[i].Add(1)
						default:
							t.Errorf("a write: %v", err)
							return false
						}
						return true
					})
					loop(func(n int) bool {
						id := uint64((n+first)%counters + 1)
						atLeast := done[id].Load()
						c, err := p.M.Croupon.Cache.Get(fresh, id)
						if err != nil || c.Popularity < atLeast {
							t.Errorf("row %d: %+v, %v, and %d writes had returned", id, c, err, atLeast)
							return false
						}
						reads.Add(1)
						return true
					})
				}
			}
			reaches := func(what string, n *atomic.Int64, more int64) {
				t.Helper()
				from := n.Load()
				w.a.eventually(what, func() bool { return t.Failed() || n.Load() >= from+more })
			}
			for range 4 {
				reaches("the first program does not write", &went[0], 10)
				relay.Cut()
				reaches("the first program is not refused", &refused[0], 10)
				reaches("the second program does not write", &went[1], 10)
				reaches("there are no reads", &reads, 100)
				relay.Mend()
			}
			reaches("the first program does not write again", &went[0], 10)
			close(stop)
			running.Wait()
			if n := refused[1].Load(); n != 0 {
				t.Errorf("%d writes of the program that reaches every server were refused", n)
			}
			for id := uint64(1); id <= counters; id++ {
				for _, p := range []*program{w.a, w.b} {
					stored, err := p.M.Croupon.Objects.Get(ctx, id)
					read, err2 := p.M.Croupon.Cache.Get(fresh, id)
					if err != nil || err2 != nil || stored.Popularity != done[id].Load() || read.Popularity != done[id].Load() {
						t.Errorf("row %d: %v in the database, %v read, %d writes had returned (%v, %v)", id, stored, read, done[id].Load(), err, err2)
					}
				}
			}
			t.Logf("%d and %d writes, %d refused, %d reads", went[0].Load(), went[1].Load(), refused[0].Load(), reads.Load())
			began := time.Now()
			w.a.isCached(1, "old")
			w.b.isCached(1, "old")
			t.Logf("cached again after %v", time.Since(began))
		})
	}
}
