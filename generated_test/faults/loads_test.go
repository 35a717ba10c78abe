package faults_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// bomb is an observer that panics once it is armed.
type bomb struct{ armed atomic.Bool }

func (b *bomb) blow() {
	if b.armed.Load() {
		panic("an observer's own")
	}
}

func (b *bomb) ObserveRead(context.Context, cacheruntime.ReadEvent)   { b.blow() }
func (b *bomb) ObserveFlush(context.Context, cacheruntime.FlushEvent) { b.blow() }
func (b *bomb) ObserveEvent(flushlist.Event)                          { b.blow() }

// An observer that panics takes no read, no write and no goroutine of the store's with it.
func TestObserverPanics(t *testing.T) {
	b := &bomb{}
	fixture.BothWith(t, fixture.Options{Runtime: cacheruntime.Options{Observer: b}}, func(t *testing.T, f *fixture.Fixture) {
		b.armed.Store(true)
		defer b.armed.Store(false)
		f.Create(t, croupon("a"))
		large := croupon("large")
		large.Title = strings.Repeat("x", 2<<20) // an event, on a goroutine of ours
		f.Create(t, large)
		for range 2 {
			must(f.M.Croupon.Cache.Get(ctx, 1))(t)
			must(f.M.Croupon.Cache.Get(ctx, 2))(t)
		}
		if n := f.RT.Stats().Events[flushlist.Fault]; n < 6 {
			t.Errorf("%d faults were counted", n)
		}
	})
}

// A load that ends its goroutine fails its callers and leaves the key free.
func TestLoadEndsItsGoroutine(t *testing.T) {
	fixture.Both(t, func(t *testing.T, f *fixture.Fixture) {
		f.Create(t, croupon("a"))
		var armed atomic.Bool
		err := f.DB.Callback().Query().Before("gorm:query").Register("test:exit", func(*gorm.DB) {
			if armed.CompareAndSwap(true, false) {
				runtime.Goexit()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		armed.Store(true)
		if c, err := f.M.Croupon.Cache.Get(ctx, 1); err == nil {
			t.Errorf("found %+v", c)
		}
		must(f.M.Croupon.Cache.Get(ctx, 1))(t)
	})
}

// A load's time begins when its SQL is sent, not while it waits for the one before it.
func TestLoadTimeout(t *testing.T) {
	const timeout = time.Second
	server := testserver.Memcached(t)
	f := fixture.New(t, fixture.Options{Servers: []string{server.Addr()}, Runtime: cacheruntime.Options{LoadTimeout: timeout}})
	f.Create(t, croupon("a"))
	server.Stop() // so that loads of one key queue
	g := newGate(t, f)
	var until atomic.Pointer[time.Time] // of the load that asked last
	if err := f.DB.Callback().Query().Before("gorm:query").Register("test:until", func(db *gorm.DB) {
		if end, ok := db.Statement.Context.Deadline(); ok {
			until.Store(&end)
		}
	}); err != nil {
		t.Fatal(err)
	}
	g.armed.Store(true)
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { _, err := f.M.Croupon.Cache.Get(ctx, 1); first <- err }()
	<-g.reached
	waiting, trace := cacheruntime.WithTrace(ctx)
	go func() { _, err := f.M.Croupon.Cache.Get(waiting, 1); second <- err }()
	for len(trace.Reads()) == 0 { // it stands in the queue
		runtime.Gosched()
	}
	<-time.After(timeout + timeout/10) // longer than a load may take
	opened := time.Now()
	close(g.open)
	if err := <-first; err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	// On a machine that is held up for all of its time the load that waited may have too little of it, too.
	err := <-second
	if end := until.Load(); end == nil || end.Before(opened.Add(timeout)) || err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the load that waited: %v; it had until %v, and could begin at %v", err, end, opened)
	}
}

// behaviour 15, where the database holds two values to be equal.
func TestEqualValuesAreTwoCopies(t *testing.T) {
	fixture.Both(t, func(t *testing.T, f *fixture.Fixture) {
		for _, sql := range []string{"DROP TABLE croupons", `CREATE TABLE croupons (id integer primary key, slug text COLLATE NOCASE UNIQUE,
			title text, city text, category text, popularity integer, active numeric, merchant_id integer, created_at datetime, updated_at datetime)`} {
			if err := f.DB.Exec(sql).Error; err != nil {
				t.Fatal(err)
			}
		}
		f.Create(t, croupon("abc"))
		for range 2 {
			for name, r := range map[string]shop.CrouponReader{"Cache": f.M.Croupon.Cache, "Objects": f.M.Croupon.Objects} {
				got := must(r.GetManyBySlug(ctx, "abc", "ABC"))(t)
				if len(got) != 2 || got[0] == got[1] {
					t.Errorf("%s: %v", name, got)
				}
			}
		}
	})
}

// WithRefresh asks for what the database has now, whatever others began to load before.
func TestRefreshSharesNoOlderLoad(t *testing.T) {
	fixture.Both(t, func(t *testing.T, f *fixture.Fixture) {
		f.Create(t, croupon("a"))
		g := newGate(t, f)
		g.armed.Store(true)
		first := make(chan answer, 1)
		go func() {
			c, err := f.M.Croupon.Cache.Get(ctx, 1)
			first <- answer{c, err}
		}()
		<-g.reached
		past := must(f.DB.DB())(t) // a write that GORM does not see
		if _, err := past.Exec("UPDATE croupons SET title = 'new' WHERE id = 1"); err != nil {
			t.Fatal(err)
		}
		if c := must(f.M.Croupon.Cache.Get(cacheruntime.WithRefresh(ctx), 1))(t); c.Title != "new" {
			t.Errorf("a refresh returned %q", c.Title)
		}
		close(g.open)
		<-first
	})
}
