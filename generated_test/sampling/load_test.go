package sampling

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

// Two programs write and read the same few rows as fast as they can. Values differ from the database's all the time,
// counts go up and down again, and nothing is stale.
func TestNothingIsStaleUnderWrites(t *testing.T) {
	for name, database := range map[string]func(testing.TB) fixture.Database{"sqlite": fixture.SQLite, "postgres": fixture.Postgres} {
		t.Run(name, func(t *testing.T) {
			d := database(t)
			const maxStale = 40 * time.Millisecond
			told := &stales{}
			o := fixture.Options{Servers: []string{testserver.Memcached(t).Addr()}, Tiered: tiered.Options{MaxStale: maxStale}, DB: &d, Runtime: sampled(told)}
			programs := []*fixture.Fixture{fixture.New(t, o)}
			o.Path = programs[0].Path // its tables are there
			programs = append(programs, fixture.New(t, o))
			const rows = 4
			for i := range rows {
				programs[0].Create(t, croupon(fmt.Sprint("c", i)))
			}
			// For as long as it takes until the first tiers go by the journal, at least, and enough was looked at.
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				least, most := time.NewTimer(7*time.Second), time.After(time.Minute)
				<-least.C
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for !lookedAt(programs) && !t.Failed() {
					select {
					case <-tick.C:
					case <-most:
						return
					}
				}
			}()
			running := func() bool {
				select {
				case <-ended:
					return false
				default:
					return true
				}
			}
			var all sync.WaitGroup
			for p, f := range programs {
				all.Go(func() {
					pace := time.NewTicker(time.Duration(5+7*p) * time.Millisecond)
					defer pace.Stop()
					for n := int64(1); running(); n++ {
						row := &shop.Croupon{ID: uint64(n%rows + 1)}
						change := map[string]any{"popularity": n % 3, "city": [2]string{"Portland", "Salem"}[n/rows%2]}
						if err := f.DB.Model(row).Updates(change).Error; err != nil {
							t.Errorf("program %d writes: %v", p, err)
							return
						}
						<-pace.C // writers that never pause leave no hits to be looked at
					}
				})
				all.Go(func() {
					for n := 1; running(); n++ {
						for _, err := range []error{
							second(f.M.Croupon.Cache.Get(ctx, uint64(n%rows+1))),
							second(f.M.Croupon.Cache.ListPopularInCity(ctx, "Portland")),
							second(f.M.Croupon.Cache.CountByCity(ctx, "Salem")),
							second(f.M.Croupon.Cache.GetBySlug(ctx, "c1")),
						} {
							if err != nil {
								t.Errorf("program %d reads: %v", p, err)
								return
							}
						}
					}
				})
			}
			all.Wait()
			<-ended
			for p, f := range programs {
				s := f.RT.Stats()
				t.Logf("program %d: %+v of %d and %d hits, %d writes", p, s.Sampled, s.FirstHits, s.SecondHits, s.Flushes)
				if s.Sampled.Stale != 0 {
					t.Errorf("program %d: %+v", p, s.Sampled)
				}
			}
			if !lookedAt(programs) {
				t.Error("too little was looked at")
			}
			for _, e := range told.events() {
				t.Error(e.Err)
			}
		})
	}
}

// lookedAt reports whether hits of both tiers were compared in each program, and differed.
func lookedAt(programs []*fixture.Fixture) bool {
	for _, f := range programs {
		if s := f.RT.Stats(); s.Sampled.Hits < 50 || s.Sampled.Behind == 0 || s.FirstHits == 0 {
			return false
		}
	}
	return true
}

func second[T any](_ T, err error) error { return err }

type gateKey struct{}

// gate holds the sampler's statements for contexts that have it up before they are sent, until it is opened.
type gate struct {
	reached chan struct{}
	open    chan struct{}
	held    atomic.Int64
}

func newGate(t *testing.T, f *fixture.Fixture) *gate {
	g := &gate{reached: make(chan struct{}, 1000), open: make(chan struct{})}
	if err := f.DB.Callback().Query().Before("gorm:query").Register("test:gate", func(tx *gorm.DB) {
		if tx.Statement.Context.Value(gateKey{}) != g {
			return
		}
		g.held.Add(1)
		g.reached <- struct{}{}
		select {
		case <-g.open:
		case <-tx.Statement.Context.Done():
		}
	}); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *gate) ctx() context.Context { return context.WithValue(ctx, gateKey{}, g) }

// A write that comes between a hit and its comparison is none of the cache's fault, and neither is one that the first tier
// may not have heard of yet.
//
//  1. B reads the row from its first tier: old
//  2. A writes it, and returns
//  3. B's sampler reads the database: new
//  4. it reads the cache: new, or old for MaxStale at most
func TestWriteInBetween(t *testing.T) {
	for name, o := range map[string]tiered.Options{
		"first tier": {MaxStale: 300 * time.Millisecond}, "second tier": {MaxStale: -1},
	} {
		t.Run(name, func(t *testing.T) {
			o := fixture.Options{Servers: []string{testserver.Memcached(t).Addr()}, Tiered: o}
			a := fixture.New(t, o)
			o.Path = a.Path
			o.Runtime = sampled(nil)
			b := fixture.New(t, o)
			a.Create(t, croupon("a"))
			g := newGate(t, b)
			must(b.M.Croupon.Cache.Get(ctx, 1))(t)
			eventually(t, "no hit is compared", func() bool {
				must(b.M.Croupon.Cache.Get(ctx, 1))(t)
				return b.RT.Stats().Sampled.Hits > 0
			})
			eventually(t, "the row is not served to the gate", func() bool {
				must(b.M.Croupon.Cache.Get(g.ctx(), 1))(t)
				return g.held.Load() > 0
			})
			if err := a.DB.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error; err != nil {
				t.Fatal(err)
			}
			close(g.open)
			eventually(t, "it is not compared", func() bool { return b.RT.Stats().Sampled.Behind > 0 })
			if s := b.RT.Stats().Sampled; s.Stale != 0 || s.WorstAge != 0 || s.WorstKey != "" {
				t.Errorf("%+v", s)
			}
		})
	}
}

// What the workers cannot take is dropped, and counted; no reader waits. The statements see the values of the
// reader's context, and not its end. Close ends what is under way, and nothing runs after it.
func TestFullQueueAndClose(t *testing.T) {
	f := fixture.New(t, fixture.Options{Runtime: sampled(nil)})
	f.Create(t, croupon("a"))
	must(f.M.Croupon.Cache.Get(ctx, 1))(t)
	g := newGate(t, f)
	reader, end := context.WithCancel(g.ctx())
	eventually(t, "nothing is dropped", func() bool {
		must(f.M.Croupon.Cache.Get(reader, 1))(t)
		return f.RT.Stats().Sampled.Dropped > 0
	})
	end()
	<-g.reached
	<-g.reached // two workers
	if n := g.held.Load(); n != 2 {
		t.Fatalf("%d statements at once", n)
	}
	if err := f.RT.Close(); err != nil {
		t.Fatal(err)
	}
	s := f.RT.Stats()
	if n := g.held.Load(); n != 2 || s.Sampled.Hits != 0 || s.Sampled.Stale != 0 {
		t.Errorf("%d statements; %+v", n, s.Sampled)
	}
	close(g.open)
	if again := f.RT.Stats(); again.Sampled != s.Sampled {
		t.Errorf("after Close: %+v, then %+v", s.Sampled, again.Sampled)
	}
	if err := f.RT.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

// A database that does not answer makes nothing stale.
func TestDatabaseDown(t *testing.T) {
	f := fixture.New(t, fixture.Options{Runtime: sampled(nil)})
	f.Create(t, croupon("a"))
	must(f.M.Croupon.Cache.Get(ctx, 1))(t)
	if err := must(f.DB.DB())(t).Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nothing is dropped", func() bool {
		must(f.M.Croupon.Cache.Get(ctx, 1))(t)
		return f.RT.Stats().Sampled.Dropped > 3
	})
	if s := f.RT.Stats(); s.Sampled.Stale+s.Sampled.Behind+s.Sampled.Hits != 0 || s.LoadErrors != 0 {
		t.Errorf("%+v, %d loads failed", s.Sampled, s.LoadErrors)
	}
}
