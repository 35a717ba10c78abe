package faults_test

import (
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/tiered"
)

// TestInterleaving drives the interleavings that go wrong without the parts of the protocol that are the runtime's; the store's
// are in tiered. internal/without has the names, and a test that leaves out one at a time and demands that the test of
// its name fails.
func TestInterleaving(t *testing.T) {
	t.Run("StampsBefore", slowLoaderStoresOldRow)
	t.Run("StampedJoins", joinOfOldLoad)
}

// fetching opens a program without a first tier on a server.
func fetching(t *testing.T) *fixture.Fixture {
	return fixture.New(t, fixture.Options{
		Servers: []string{testserver.Memcached(t).Addr()}, Tiered: tiered.Options{MaxStale: -1},
	})
}

// slowLoad starts a read that is stopped when the database has answered it, and returns what lets it go on.
func slowLoad(t *testing.T, f *fixture.Fixture) (goOn func()) {
	t.Helper()
	g := newGate(t, f)
	g.armed.Store(true)
	done := make(chan answer)
	go func() {
		c, err := f.M.Croupon.Cache.Get(context.Background(), 1)
		done <- answer{c, err}
	}()
	<-g.reached
	return func() {
		close(g.open)
		<-done
	}
}

func reads(t *testing.T, f *fixture.Fixture, title string) {
	t.Helper()
	c, err := f.M.Croupon.Cache.Get(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.Title != title {
		t.Fatalf("read %q, after a write of %q has returned", c.Title, title)
	}
}

// slowLoaderStoresOldRow: STAMP_AFTER. behaviour 61
//
//  1. reader: misses, and loads the old row
//  2. writer: a whole write, which returns
//  3. reader: stores what it loaded, under the stamps from before 1
//  4. readers from here on must not be served the old row
func slowLoaderStoresOldRow(t *testing.T) {
	f := fetching(t)
	f.Create(t, croupon("a"))
	goOn := slowLoad(t, f)
	if err := f.DB.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error; err != nil {
		t.Fatal(err)
	}
	goOn()
	reads(t, f, "new")
	reads(t, f, "new")
}

// joinOfOldLoad: JOIN_ANY. behaviour 94
//
//  1. reader: misses, and loads the old row; its load is under way in this process
//  2. writer: a whole write, which returns
//  3. a second reader of the same row begins: it must not wait for the first one's load, which has the old row
func joinOfOldLoad(t *testing.T) {
	f := fetching(t)
	f.Create(t, croupon("a"))
	goOn := slowLoad(t, f)
	if err := f.DB.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error; err != nil {
		t.Fatal(err)
	}
	second := make(chan answer, 1)
	go func() {
		c, err := f.M.Croupon.Cache.Get(context.Background(), 1)
		second <- answer{c, err}
	}()
	// It has its answer without the first one's, or waits for that.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for len(second) == 0 && f.RT.Stats().SharedLoads == 0 {
		<-tick.C
	}
	goOn()
	if a := <-second; a.err != nil || a.c.Title != "new" {
		t.Fatalf("read %+v, %v, after a write of %q has returned", a.c, a.err, "new")
	}
}
