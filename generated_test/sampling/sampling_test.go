// Package sampling tests Options.Sample: hits that are compared with the database in the background.
package sampling

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shapes"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

var ctx = context.Background()

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
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

// stales keeps the stale hits that an observer is told of.
type stales struct {
	mu  sync.Mutex
	all []flushlist.Event
}

func (s *stales) ObserveEvent(e flushlist.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Kind == flushlist.StaleHit {
		s.all = append(s.all, e)
	}
}

// of returns the first of a list's entries.
func (s *stales) of(list string) *cacheruntime.StaleError {
	for _, e := range s.events() {
		var err *cacheruntime.StaleError
		if errors.As(e.Err, &err) && err.List == list && err.Key == e.Name {
			return err
		}
	}
	return nil
}

func (s *stales) events() []flushlist.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]flushlist.Event(nil), s.all...)
}

// sampled are options that have every hit compared.
func sampled(o *stales) cacheruntime.Options {
	opts := cacheruntime.Options{Sample: 1}
	if o != nil {
		opts.Observer = o
	}
	return opts
}

func croupon(slug string) *shop.Croupon {
	return &shop.Croupon{Slug: slug, Title: "old", City: "Portland", Category: "food", Active: true}
}

// past writes past GORM: no plugin sees it.
func past(t *testing.T, db *gorm.DB, sql string) {
	t.Helper()
	pool := must(db.DB())(t)
	if _, err := pool.Exec(sql); err != nil {
		t.Fatal(err)
	}
}

// accessors are reads of each kind, and what makes each stale when it is written past GORM.
var accessors = []struct {
	accessor, list string
	read           func(context.Context, *shop.Models) error
	write          string
}{
	{"Croupon.Get", "croupons:1", func(ctx context.Context, m *shop.Models) error {
		_, err := m.Croupon.Cache.Get(ctx, 1)
		return err
	}, "UPDATE croupons SET title = 'new' WHERE id = 1"},
	{"Croupon.Get", "croupons:2", func(ctx context.Context, m *shop.Models) error {
		_, err := m.Croupon.Cache.GetMany(ctx, 1, 2)
		return err
	}, "UPDATE croupons SET title = 'new' WHERE id = 2"},
	{"Croupon.Get", "croupons:1", func(ctx context.Context, m *shop.Models) error {
		_, err := m.Croupon.Cache.Get(ctx, 1)
		return err
	}, "DELETE FROM croupons WHERE id = 1"},
	{"Croupon.Get", "croupons:77", func(ctx context.Context, m *shop.Models) error {
		_, err := m.Croupon.Cache.Get(ctx, 77)
		return err
	}, "INSERT INTO croupons (id, slug) VALUES (77, 'late')"},
	{"Croupon.ListByCity", "croupons.ListByCity(portland)", func(ctx context.Context, m *shop.Models) error {
		_, err := m.Croupon.Cache.ListByCity(ctx, "Portland")
		return err
	}, "DELETE FROM croupons WHERE id = 2"},
	{"Croupon.ListPopularInCity", "croupons.ListPopularInCity(portland)", func(ctx context.Context, m *shop.Models) error {
		_, err := m.Croupon.Cache.ListPopularInCity(ctx, "Portland")
		return err
	}, "UPDATE croupons SET popularity = 9 WHERE id = 2"}, // another order
	{"Croupon.CountByCity", "croupons.CountByCity(portland)", func(ctx context.Context, m *shop.Models) error {
		_, err := m.Croupon.Cache.CountByCity(ctx, "Portland")
		return err
	}, "INSERT INTO croupons (slug, city) VALUES ('c', 'Portland')"},
	{"Croupon.OneNewest", "croupons.OneNewest(salem)", func(ctx context.Context, m *shop.Models) error {
		_, err := m.Croupon.Cache.OneNewest(ctx, "Salem")
		return err
	}, "INSERT INTO croupons (slug, city) VALUES ('c', 'Salem')"},
	{"Croupon.GetBySlug", "croupons.GetBySlug(a)", func(ctx context.Context, m *shop.Models) error {
		_, err := m.Croupon.Cache.GetManyBySlug(ctx, "a", "b")
		return err
	}, "UPDATE croupons SET slug = 'z' WHERE id = 1"},
}

// A write past GORM is found, whatever it makes wrong and in whichever tier: with the entry's key, its list, its tier, and
// an age that grows until the entry is right again.
func TestWritePastGORM(t *testing.T) {
	memcached := testserver.Memcached(t).Addr()
	for _, tier := range []struct {
		name    string
		servers []string
		tiered  tiered.Options
		served  flushlist.Outcome
	}{
		{"embedded", nil, tiered.Options{}, flushlist.HitFirst},
		// So long that the first tier does not hear of it by itself.
		{"first tier", []string{memcached}, tiered.Options{MaxStale: 100 * time.Millisecond}, 0},
		{"second tier", []string{memcached}, tiered.Options{MaxStale: -1}, flushlist.HitSecond},
	} {
		for i, a := range accessors {
			t.Run(tier.name+"/"+a.list+"/"+strings.Fields(a.write)[0], func(t *testing.T) {
				told := &stales{}
				opts := sampled(told)
				opts.Namespace = fmt.Sprintf("%s%d", strings.ReplaceAll(tier.name, " ", "-"), i) // they share a memcached
				f := fixture.New(t, fixture.Options{Servers: tier.servers, Tiered: tier.tiered, Runtime: opts})
				f.Create(t, croupon("a"), croupon("b"))
				read := func() {
					t.Helper()
					if err := a.read(ctx, f.M); err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
						t.Fatal(err)
					}
				}
				read()
				eventually(t, "no hit is compared", func() bool { read(); return f.RT.Stats().Sampled.Hits > 0 })
				if s := f.RT.Stats().Sampled; s.Stale != 0 || s.Behind != 0 {
					t.Fatalf("before the write: %+v", s)
				}
				written := time.Now()
				past(t, f.DB, a.write)
				var e *cacheruntime.StaleError
				eventually(t, "the write is not found", func() bool {
					read()
					e = told.of(opts.Namespace + ":" + a.list)
					return e != nil
				})
				if e.Accessor != a.accessor || !strings.Contains(e.Error(), e.Key) || !strings.Contains(e.Key, "::"+opts.Namespace+":") ||
					tier.served != 0 && e.Tier != tier.served {
					t.Errorf("found %+v: %v", *e, e)
				}
				if e.Age <= 0 || e.Age > time.Since(written) {
					t.Errorf("age %v of a write %v ago", e.Age, time.Since(written))
				}
				// It is looked at until it is right.
				eventually(t, "it is not looked at again", func() bool { return f.RT.Stats().Sampled.WorstAge > e.Age })
				if err := f.RT.FlushTable(ctx, "croupons"); err != nil {
					t.Fatal(err)
				}
				s := f.RT.Stats().Sampled
				if s.WorstKey == "" || s.WorstAge > time.Since(written) || s.Stale == 0 || s.Stale > s.Hits {
					t.Errorf("%v after the write: %+v", time.Since(written), s)
				}
				// Samples from before the flush may still be looked at; after them all are right.
				eventually(t, "no hit is right again", func() bool {
					read()
					now := f.RT.Stats().Sampled
					if now.Stale != s.Stale || now.Behind != s.Behind {
						s = now
					}
					return now.Hits > s.Hits+5
				})
			})
		}
	}
}

// A composite key's row, list, count and lookup.
func TestCompositeKeys(t *testing.T) {
	db := fixture.SQLite(t).Open(t, nil)
	if err := db.AutoMigrate(&shapes.Thing{}, &shapes.Event{}, &shapes.Document{}, &shapes.Translation{}, &shapes.Account{}, &shapes.Post{}); err != nil {
		t.Fatal(err)
	}
	store := must(tiered.Open(tiered.Options{}))(t)
	defer store.Close()
	told := &stales{}
	rt := must(cacheruntime.New(db, store, cacheruntime.Options{Namespace: "shapes", Sample: 1, Observer: told}))(t)
	defer rt.Close()
	m := must(shapes.NewModels(rt))(t)
	for _, doc := range []shapes.Document{{OrgID: "acme", No: 1, Title: "a"}, {OrgID: "acme", No: 2, Title: "b"}} {
		if err := db.Create(&doc).Error; err != nil {
			t.Fatal(err)
		}
	}
	read := func() {
		t.Helper()
		must(m.Document.Cache.Get(ctx, "acme", 1))(t)
		must(m.Document.Cache.ListRecent(ctx, "acme"))(t)
		must(m.Document.Cache.CountByOrgID(ctx, "acme"))(t)
		must(m.Document.Cache.GetByTitle(ctx, "acme", "b"))(t)
	}
	eventually(t, "nothing is compared", func() bool { read(); return rt.Stats().Sampled.Hits > 20 })
	if s := rt.Stats().Sampled; s.Stale+s.Behind > 0 {
		t.Fatalf("nothing was written: %+v", s)
	}
	past(t, db, "UPDATE documents SET no = 3 WHERE no = 2")
	past(t, db, "UPDATE documents SET title = 'c' WHERE no = 1")
	want := map[string]bool{
		"shapes:documents:acme,1": true, "shapes:documents.ListRecent(acme)": true, "shapes:documents.GetByTitle(acme,b)": true,
		"shapes:documents:acme,2": true,
	}
	eventually(t, "not all that is stale is found", func() bool {
		read()
		lists := map[string]bool{}
		for _, e := range told.events() {
			var err *cacheruntime.StaleError
			if errors.As(e.Err, &err) {
				lists[err.List] = true
			}
		}
		return len(lists) == len(want)
	})
	for _, e := range told.events() {
		var err *cacheruntime.StaleError
		if !errors.As(e.Err, &err) || strings.Contains(err.List, "Count") {
			t.Errorf("told of %+v", e)
		}
	}
}

// Nothing is compared where nothing is asked for, in a transaction, and past the cache.
func TestNotSampled(t *testing.T) {
	off := fixture.New(t, fixture.Options{})
	off.Create(t, croupon("a"))
	for range 5 {
		must(off.M.Croupon.Cache.Get(ctx, 1))(t)
	}
	f := fixture.New(t, fixture.Options{Runtime: sampled(nil)})
	f.Create(t, croupon("a"))
	must(f.M.Croupon.Cache.Get(ctx, 1))(t) // a miss
	must(f.M.Croupon.Cache.Get(cacheruntime.WithBypass(ctx), 1))(t)
	must(f.M.Croupon.Cache.Get(cacheruntime.WithRefresh(ctx), 1))(t)
	must(f.M.Croupon.Objects.Get(ctx, 1))(t)
	if err := f.DB.Transaction(func(tx *gorm.DB) error {
		_, err := f.M.WithTx(tx).Croupon.Cache.Get(ctx, 1)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*fixture.Fixture{off, f} {
		if err := f.RT.Close(); err != nil { // whatever was taken is counted by now, or dropped
			t.Fatal(err)
		}
		if s := f.RT.Stats(); s.Sampled != (cacheruntime.Sampled{}) || s.SampleStatements != 0 {
			t.Errorf("%+v", s.Sampled)
		}
	}
}

// One hit in so many is compared, with a statement that is counted apart and is in no trace.
func TestOneInSoMany(t *testing.T) {
	o := sampled(nil)
	o.Sample = 50
	f := fixture.New(t, fixture.Options{Runtime: o})
	f.Create(t, croupon("a"))
	must(f.M.Croupon.Cache.Get(ctx, 1))(t)
	before := f.RT.Stats()
	traced, trace := cacheruntime.WithTrace(ctx)
	const hits = 20_000
	for range hits {
		must(f.M.Croupon.Cache.Get(traced, 1))(t)
	}
	const want = hits / 50
	taken := func() int64 { s := f.RT.Stats().Sampled; return s.Hits + s.Dropped }
	// Some still wait to be compared, and are counted only then.
	eventually(t, "too few are taken", func() bool { return taken() >= want/2 && f.RT.Stats().Sampled.Hits > 40 })
	s := f.RT.Stats().Minus(before)
	if taken() > want*2 || s.CacheStatements != 0 || s.SampleStatements < s.Sampled.Hits || trace.Statements() != 0 {
		t.Errorf("of %d hits, %d statements in the trace: %v", hits, trace.Statements(), s)
	}
	if err := (cacheruntime.Options{Namespace: "n", Sample: -1}).Validate(); err == nil || !strings.Contains(err.Error(), "Options.Sample is -1") {
		t.Errorf("-1: %v", err)
	}
}
