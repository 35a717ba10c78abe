// Package leases tests rows of models whose tag says lease.
package leases

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shapes"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

var ctx = context.Background()

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program is one of several on one database and one memcached.
type program struct {
	db *gorm.DB
	rt *cacheruntime.Runtime
	m  *shapes.Models

	// hold stops the next load after the database has answered it, until it is closed; held says that it is.
	mu         sync.Mutex
	hold, held chan struct{}
}

func open(t *testing.T, d fixture.Database, addr string) *program {
	t.Helper()
	p := &program{db: d.Open(t, nil)}
	check(t, p.db.AutoMigrate(&shapes.Thing{}, &shapes.Event{}, &shapes.Document{}, &shapes.Translation{}, &shapes.Account{}, &shapes.Post{}))
	store, err := tiered.Open(tiered.Options{Servers: []string{addr}, Timeout: 30 * time.Second, Lease: 10 * time.Minute})
	check(t, err)
	t.Cleanup(func() { check(t, store.Close()) })
	p.rt, err = cacheruntime.New(p.db, store, cacheruntime.Options{Namespace: "shapes"})
	check(t, err)
	t.Cleanup(func() { check(t, p.rt.Close()) })
	p.m, err = shapes.NewModels(p.rt)
	check(t, err)
	check(t, p.db.Callback().Query().After("gorm:query").Register("test:hold", func(*gorm.DB) {
		p.mu.Lock()
		hold, held := p.hold, p.held
		p.hold = nil
		p.mu.Unlock()
		if hold != nil {
			close(held)
			<-hold
		}
	}))
	_, _ = p.m.Document.Cache.Get(ctx, "nobody", 0) // before an accessor's first load it is asked what callbacks add to it
	_, _ = p.m.Document.Cache.GetByTitle(ctx, "nobody", "")
	return p
}

func (p *program) holdNext() (held <-chan struct{}, release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hold := make(chan struct{})
	p.hold, p.held = hold, make(chan struct{})
	return p.held, func() { close(hold) }
}

// ask reads n times at once.
func ask(t *testing.T, n int, read func() (*shapes.Document, error)) (wait func()) {
	var asking sync.WaitGroup
	for range n {
		asking.Go(func() {
			if d, err := read(); err != nil || d.Title != "a" {
				t.Errorf("read %+v, %v", d, err)
			}
		})
	}
	return asking.Wait
}

// behaviour 72, for a row of a model whose tag says lease, by its key and by a unique lookup: 200 callers in two
// programs make one load of each entry.
func TestRowIsLoadedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		read  func(*program) (*shapes.Document, error)
		loads int64 // the key of a lookup, and the row
	}{
		"key":    {func(p *program) (*shapes.Document, error) { return p.m.Document.Cache.Get(ctx, "acme", 1) }, 1},
		"unique": {func(p *program) (*shapes.Document, error) { return p.m.Document.Cache.GetByTitle(ctx, "acme", "a") }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			d, addr := fixture.SQLite(t), testserver.Memcached(t).Addr()
			a, b := open(t, d, addr), open(t, d, addr)
			check(t, a.db.Create(&shapes.Document{OrgID: "acme", No: 1, Title: "a"}).Error)
			before, other := a.rt.Stats(), b.rt.Stats()
			held, release := a.holdNext()
			first := ask(t, 100, func() (*shapes.Document, error) { return c.read(a) })
			<-held
			second := ask(t, 100, func() (*shapes.Document, error) { return c.read(b) })
			deadline := time.After(time.Minute)
			tick := time.NewTicker(2 * time.Millisecond)
			defer tick.Stop()
			for b.rt.Stats().Minus(other).AwaitedLoads == 0 {
				select {
				case <-tick.C:
				case <-deadline:
					t.Fatal("the second program does not wait for the first")
				}
			}
			release()
			first()
			second()
			if n := a.rt.Stats().Minus(before).CacheStatements + b.rt.Stats().Minus(other).CacheStatements; n != c.loads {
				t.Errorf("%d loads, want %d", n, c.loads)
			}
		})
	}
}

// What GetMany misses of several rows is loaded at once: nobody waits for another program's load.
func TestManyAreLoadedAtOnce(t *testing.T) {
	d, addr := fixture.SQLite(t), testserver.Memcached(t).Addr()
	a, b := open(t, d, addr), open(t, d, addr)
	for _, doc := range []shapes.Document{{OrgID: "acme", No: 1, Title: "a"}, {OrgID: "acme", No: 2, Title: "b"}} {
		check(t, a.db.Create(&doc).Error)
	}
	held, release := a.holdNext()
	first := ask(t, 1, func() (*shapes.Document, error) { return a.m.Document.Cache.Get(ctx, "acme", 1) })
	<-held
	many, err := b.m.Document.Cache.GetMany(ctx, shapes.DocumentKey{OrgID: "acme", No: 1}, shapes.DocumentKey{OrgID: "acme", No: 2})
	if err != nil || len(many) != 2 || b.rt.Stats().AwaitedLoads != 0 {
		t.Errorf("read %v, %v with %d loads awaited", many, err, b.rt.Stats().AwaitedLoads)
	}
	release()
	first()
}
