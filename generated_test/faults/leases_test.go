package faults_test

import (
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

// long is a lease that does not end by time.
const long = 10 * time.Minute

// twoProcesses are two programs on one database and one memcached, with three croupons in Portland.
func twoProcesses(t *testing.T, lease time.Duration) (a, b *fixture.Fixture) {
	t.Helper()
	o := fixture.Options{Servers: []string{testserver.Memcached(t).Addr()}, Tiered: tiered.Options{Lease: lease}}
	a = fixture.New(t, o)
	o.Path = a.Path
	b = fixture.New(t, o)
	a.Create(t, croupon("a"), croupon("b"), croupon("c"))
	for _, f := range []*fixture.Fixture{a, b} { // before an accessor's first load it is asked what callbacks add to it
		must(f.M.Croupon.Cache.CountByCity(ctx, "Nowhere"))(t)
	}
	return a, b
}

// counted asks n times at once how many croupons are in Portland.
func counted(t *testing.T, f *fixture.Fixture, n int) (wait func()) {
	var asking sync.WaitGroup
	for range n {
		asking.Go(func() {
			if got, err := f.M.Croupon.Cache.CountByCity(ctx, "Portland"); err != nil || got != 3 {
				t.Errorf("counted %d, %v", got, err)
			}
		})
	}
	return asking.Wait
}

// eventually polls until ok, or fails with what.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal(what)
		}
	}
}

// behaviour 72
func TestColdKeyIsLoadedOnce(t *testing.T) {
	a, b := twoProcesses(t, long)
	g := newGate(t, a)
	before, other := a.RT.Stats(), b.RT.Stats()
	g.armed.Store(true)
	first := counted(t, a, 100)
	<-g.reached
	second := counted(t, b, 100)
	eventually(t, "the second process does not wait for the first", func() bool {
		return b.RT.Stats().AwaitedLoads == 1
	})
	close(g.open)
	first()
	second()
	if n := a.RT.Stats().Minus(before).CacheStatements + b.RT.Stats().Minus(other).CacheStatements; n != 1 {
		t.Errorf("%d loads", n)
	}
}

// behaviour 74: who holds the lease and does not end keeps others waiting for the lease's time, and no longer.
func TestLeaseOutlivesItsHolder(t *testing.T) {
	const lease = 3 * time.Second
	a, b := twoProcesses(t, lease)
	g := newGate(t, a)
	g.armed.Store(true)
	asked := time.Now()
	held := counted(t, a, 1)
	<-g.reached
	waited := counted(t, b, 10)
	awaited := func() int64 { return b.RT.Stats().AwaitedLoads }
	eventually(t, "nobody waits for the first process", func() bool { return awaited() > 0 || time.Since(asked) >= lease })
	waited() // while the holder has not ended
	if n := awaited(); n > 1 {
		t.Errorf("%d loads were awaited", n)
	}
	close(g.open)
	held()
}

// A write while others wait: who began before it may count either way, and nothing from before is kept.
func TestWriteWhileALoadIsAwaited(t *testing.T) {
	a, b := twoProcesses(t, long)
	g := newGate(t, a)
	g.armed.Store(true)
	old := make(chan struct{})
	go func() {
		defer close(old)
		if _, err := a.M.Croupon.Cache.CountByCity(ctx, "Portland"); err != nil {
			t.Error(err)
		}
	}()
	<-g.reached // it has counted three
	waiting := make(chan int64)
	go func() {
		n, err := b.M.Croupon.Cache.CountByCity(ctx, "Portland")
		if err != nil {
			t.Error(err)
		}
		waiting <- n
	}()
	eventually(t, "the second process does not wait for the first", func() bool { return b.RT.Stats().AwaitedLoads == 1 })
	b.Create(t, croupon("d"))
	close(g.open)
	if n := <-waiting; n != 3 && n != 4 {
		t.Errorf("who waited during the write counted %d", n)
	}
	<-old
	for _, f := range []*fixture.Fixture{a, b} {
		if n := must(f.M.Croupon.Cache.CountByCity(cacheruntime.WithFresh(ctx), "Portland"))(t); n != 4 {
			t.Errorf("after the write %d are counted", n)
		}
	}
}
