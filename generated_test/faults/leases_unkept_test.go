package faults_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

// overtaken is a store in a cluster that writes faster than it loads: whenever it asks for a lease another process
// has it, and by the time that it looks again a write has come.
type overtaken struct {
	*tiered.Store
	t     *testing.T
	other *tiered.Store
	asked atomic.Int64
}

func (o *overtaken) Lease(ctx context.Context, r flushlist.Ref, ticket flushlist.Ticket) (func(), bool) {
	if o.asked.Add(1) > 100 {
		return func() {}, true // the test has failed
	}
	if _, granted := o.other.Lease(ctx, r, ticket); !granted {
		o.t.Error("the other process is not granted the lease")
	}
	release, granted := o.Store.Lease(ctx, r, ticket)
	in, err := o.other.Prepare(ctx, []flushlist.List{r.List}, flushlist.Strict)
	if err != nil {
		o.t.Error(err)
	} else {
		in.Finish(ctx)
	}
	return release, granted
}

// Who is never the first to ask loads after a few writes, with no lease.
func TestLeaseIsAlwaysAnothers(t *testing.T) {
	servers := []string{testserver.Memcached(t).Addr()}
	f := fixture.New(t, fixture.Options{Servers: servers})
	f.Create(t, croupon("a"), croupon("b"))
	store := must(tiered.Open(tiered.Options{Servers: servers, Timeout: 30 * time.Second}))(t)
	defer store.Close()
	d := fixture.SQLite(t).Open(t, nil)
	if err := d.AutoMigrate(&shop.Merchant{}, &shop.Croupon{}); err != nil {
		t.Fatal(err)
	}
	s := &overtaken{Store: store, t: t, other: f.Store}
	rt := must(cacheruntime.New(d, s, cacheruntime.Options{Namespace: "shop"}))(t)
	defer rt.Close()
	m := must(shop.NewModels(rt))(t)
	if n := must(m.Croupon.Cache.CountByCity(ctx, "Portland"))(t); n != 0 {
		t.Errorf("counted %d", n)
	}
	if n := s.asked.Load(); n > 5 {
		t.Errorf("loaded after %d leases that others had", n)
	}
}

// What is too large for an entry is waited for once, and not by each process for all others.
//
//  1. A loads; B waits, is granted the lease when A has ended, finds nothing, and loads
//  2. A loads again; B does not wait
func TestWhatCannotBeStoredIsNotAwaited(t *testing.T) {
	o := fixture.Options{Servers: []string{testserver.Memcached(t).Addr()}, Tiered: tiered.Options{ItemLimit: 1 << 10}}
	a := fixture.New(t, o)
	o.Path = a.Path
	b := fixture.New(t, o)
	rows := make([]any, 600) // their keys have more than a KiB
	for i := range rows {
		rows[i] = croupon(strings.Repeat("a", i+1))
	}
	a.Create(t, rows...)
	list := func(f *fixture.Fixture) {
		if got, err := f.M.Croupon.Cache.ListByCity(ctx, "Portland"); err != nil || len(got) != len(rows) {
			t.Errorf("read %d rows, %v", len(got), err)
		}
	}
	for _, f := range []*fixture.Fixture{a, b} {
		must(f.M.Croupon.Cache.ListByCity(ctx, "Nowhere"))(t)
	}
	awaited := func() int64 { return b.RT.Stats().AwaitedLoads }

	g := newGate(t, a)
	for round := range 2 {
		g.armed.Store(true)
		first, second := make(chan struct{}), make(chan struct{})
		go func() { defer close(first); list(a) }()
		<-g.reached
		go func() { defer close(second); list(b) }()
		if round == 0 {
			eventually(t, "the second process does not wait for the first", func() bool { return awaited() == 1 })
			close(g.open)
		} else {
			<-second
			close(g.open)
		}
		<-first
		<-second
		if n := awaited(); n != 1 {
			t.Errorf("round %d: %d loads were awaited so far", round, n)
		}
		g = newGate(t, a)
	}
}
