// Package faults_test holds the behaviours under races and failures: readers and writers that meet,
// bytes that are no entry, servers that do not answer.
package faults_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

var ctx = context.Background()

// must takes what a read returned, and fails the test on its error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func croupon(slug string) *shop.Croupon {
	return &shop.Croupon{Slug: slug, Title: "old", City: "Portland", Category: "food", Active: true}
}

// gate stops the next SELECT after the database has answered it, until it is opened.
type gate struct {
	armed   atomic.Bool
	reached chan struct{}
	open    chan struct{}
}

func newGate(t *testing.T, f *fixture.Fixture) *gate {
	g := &gate{reached: make(chan struct{}), open: make(chan struct{})}
	err := f.DB.Callback().Query().After("gorm:query").Register("test:gate", func(*gorm.DB) {
		if g.armed.CompareAndSwap(true, false) {
			close(g.reached)
			<-g.open
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

type answer struct {
	c   *shop.Croupon
	err error
}

// behaviours 61, 62, 94 and 105: a reader has read the database and not stored yet.
//
//  1. the first reader loads the row
//  2. a write commits and returns
//  3. a second reader begins: it does not share the first one's load
//  4. the first reader stores what it loaded: it is never served
func TestSlowReader(t *testing.T) {
	for name, test := range map[string]struct {
		before *shop.Croupon
		write  func(tx *gorm.DB) error
		want   string
	}{
		"update": {croupon("a"), func(db *gorm.DB) error { return db.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error }, "new"},
		"create": {nil, func(db *gorm.DB) error { c := croupon("a"); c.Title = "new"; return db.Create(c).Error }, "new"},
		"delete": {croupon("a"), func(db *gorm.DB) error { return db.Delete(&shop.Croupon{}, 1).Error }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			fixture.Both(t, func(t *testing.T, f *fixture.Fixture) {
				if test.before != nil {
					c := *test.before
					f.Create(t, &c)
				}
				g := newGate(t, f)
				g.armed.Store(true)
				first := make(chan answer)
				go func() {
					c, err := f.M.Croupon.Cache.Get(ctx, 1)
					first <- answer{c, err}
				}()
				<-g.reached
				if err := test.write(f.DB); err != nil {
					t.Fatal(err)
				}
				check := func(what string) {
					t.Helper()
					switch c, err := f.M.Croupon.Cache.Get(ctx, 1); {
					case test.want == "" && !errors.Is(err, gorm.ErrRecordNotFound):
						t.Errorf("%s found %+v, %v", what, c, err)
					case test.want != "" && (err != nil || c.Title != test.want):
						t.Errorf("%s found %+v, %v", what, c, err)
					}
				}
				check("the second reader")
				close(g.open)
				<-first
				check("a reader after both")
				check("a reader after that")
			})
		})
	}
}

// behaviour 73: a leader that gives up fails nobody, and a loader that panics or fails leaves the key
// free.
func TestLeaderGivesUp(t *testing.T) {
	fixture.Both(t, func(t *testing.T, f *fixture.Fixture) {
		f.Create(t, croupon("a"))
		g := newGate(t, f)
		g.armed.Store(true)
		leader, cancel := context.WithCancel(ctx)
		given := make(chan error)
		go func() {
			_, err := f.M.Croupon.Cache.Get(leader, 1)
			given <- err
		}()
		<-g.reached
		follower, trace := cacheruntime.WithTrace(ctx)
		got := make(chan answer)
		go func() {
			c, err := f.M.Croupon.Cache.Get(follower, 1)
			got <- answer{c, err}
		}()
		for len(trace.Reads()) == 0 { // it is told of as soon as it has joined
			select {
			case a := <-got:
				t.Fatalf("the follower has %+v before the load has ended", a)
			default:
			}
		}
		cancel()
		if err := <-given; !errors.Is(err, context.Canceled) {
			t.Errorf("the leader's error is %v", err)
		}
		close(g.open)
		if a := <-got; a.err != nil || a.c.Slug != "a" {
			t.Errorf("the follower has %+v", a)
		}
		if !trace.Reads()[0].Shared || trace.Statements() != 0 {
			t.Errorf("the follower made a load of its own:\n%s", trace)
		}
	})
}

func TestLoaderFailsOrPanics(t *testing.T) {
	fixture.Both(t, func(t *testing.T, f *fixture.Fixture) {
		f.Create(t, croupon("a"))
		var fault atomic.Value
		fault.Store("")
		err := f.DB.Callback().Query().Before("gorm:query").Register("test:fault", func(db *gorm.DB) {
			switch fault.Swap("") {
			case "panic":
				panic("the loader's own")
			case "fail":
				_ = db.AddError(errors.New("no database today"))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ what, message string }{{"panic", "the loader's own"}, {"fail", "no database today"}} {
			fault.Store(c.what)
			if _, err := f.M.Croupon.Cache.Get(ctx, 1); err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("%s: the error is %v", c.what, err)
			}
			fault.Store(c.what)
			if _, err := f.M.Croupon.Cache.CountByCity(ctx, "Portland"); err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("%s: the count's error is %v", c.what, err)
			}
		}
		// behaviour 82
		fault.Store("fail")
		if got, err := f.M.Croupon.Cache.GetMany(ctx, 1, 2, 3); err == nil {
			t.Errorf("a batch that failed returned %v", got)
		}
		if got := must(f.M.Croupon.Cache.GetMany(ctx, 1, 2, 3))(t); len(got) != 1 {
			t.Errorf("after a batch that failed, %d rows are found", len(got))
		}
		if n := must(f.M.Croupon.Cache.CountByCity(ctx, "Portland"))(t); n != 1 {
			t.Errorf("the count is %d", n)
		}
	})
}

// keyOf returns the entry's key of a row, and its cell's.
func keyOf(t *testing.T, f *fixture.Fixture, id uint64) (entry, cell string) {
	t.Helper()
	ctx, trace := cacheruntime.WithTrace(ctx)
	must(f.M.Croupon.Cache.Get(ctx, id))(t)
	entry = trace.Reads()[0].Key
	return entry, entry[:17] + fmt.Sprint("shop:croupons:", id)
}

// behaviours 18 and 63: entries and cells that memcached evicts.
func TestEviction(t *testing.T) {
	server := testserver.Memcached(t)
	f := fixture.New(t, fixture.Options{Servers: []string{server.Addr()}})
	f.Create(t, croupon("a"))
	client := testserver.Client(server.Addr())
	defer client.Close()
	entry, cell := keyOf(t, f, 1)
	fresh := cacheruntime.WithFresh(ctx)
	for _, key := range []string{entry, cell} {
		if err := client.Delete(key); err != nil {
			t.Fatalf("%s is not there to be evicted: %v", key, err)
		}
		for _, n := range []int{1, 0} {
			f.Expect(t, "after "+key, n, func() { must(f.M.Croupon.Cache.Get(fresh, 1))(t) })
		}
	}
	if err := client.Delete(cell); err != nil {
		t.Fatal(err)
	}
	if err := f.DB.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error; err != nil {
		t.Fatal(err)
	}
	if c := must(f.M.Croupon.Cache.Get(fresh, 1))(t); c.Title != "new" {
		t.Errorf("a write whose cell was evicted left %+v", c)
	}
}

// While nothing can be stored, a read takes the statements that Objects takes.
func TestServerIsDown(t *testing.T) {
	server := testserver.Memcached(t)
	f := fixture.New(t, fixture.Options{Servers: []string{server.Addr()}})
	server.Stop()
	f.Create(t, croupon("a"), croupon("b"), croupon("c"))
	if cs := must(f.M.Croupon.Cache.ListByCity(ctx, "Nowhere"))(t); cs == nil || len(cs) != 0 {
		t.Errorf("an empty list is %v", cs)
	}
	for name, read := range map[string]func() (int, error){
		"Get":       func() (int, error) { c, err := f.M.Croupon.Cache.Get(ctx, 2); return int(c.ID) + 1, err },
		"GetMany":   func() (int, error) { cs, err := f.M.Croupon.Cache.GetMany(ctx, 3, 1, 2); return len(cs), err },
		"GetBySlug": func() (int, error) { c, err := f.M.Croupon.Cache.GetBySlug(ctx, "b"); return int(c.ID) + 1, err },
		"List":      func() (int, error) { cs, err := f.M.Croupon.Cache.ListByCity(ctx, "Portland"); return len(cs), err },
		"Page": func() (int, error) {
			cs, err := f.M.Croupon.Cache.ListPopularInCityPage(ctx, "Portland", 0, 3)
			return len(cs), err
		},
		"Count": func() (int, error) { n, err := f.M.Croupon.Cache.CountByCity(ctx, "Portland"); return int(n), err },
	} {
		for range 2 {
			f.Expect(t, name, 1, func() {
				if n, err := read(); err != nil || n != 3 {
					t.Errorf("%s: %d, %v", name, n, err)
				}
			})
		}
	}
}

// Bad input: each gets an error that says what to do.
func TestBadInput(t *testing.T) {
	fixture.Both(t, func(t *testing.T, f *fixture.Fixture) {
		var none context.Context
		calls := map[string]func() error{
			"Get":          func() error { _, err := f.M.Croupon.Cache.Get(none, 1); return err },
			"GetMany":      func() error { _, err := f.M.Croupon.Cache.GetMany(none, 1); return err },
			"GetBySlug":    func() error { _, err := f.M.Croupon.Cache.GetBySlug(none, "a"); return err },
			"List":         func() error { _, err := f.M.Croupon.Cache.ListByCity(none, "a"); return err },
			"Count":        func() error { _, err := f.M.Croupon.Objects.CountByCity(none, "a"); return err },
			"Flush":        func() error { return f.M.Croupon.Cache.Flush(none, 1) },
			"FlushTable":   func() error { return f.RT.FlushTable(none, "croupons") },
			"Flush a list": func() error { return f.M.Croupon.Cache.FlushListByCity(none, "a") },
		}
		for name, call := range calls {
			if err := call(); !errors.Is(err, cacheruntime.ErrNilContext) {
				t.Errorf("%s(nil): %v", name, err)
			}
		}
		if _, err := cacheruntime.New(f.DB, f.Store, cacheruntime.Options{Namespace: "other"}); err == nil || !strings.Contains(err.Error(), "has a Runtime already") {
			t.Errorf("a second plugin on one database: %v", err)
		}
		other := must(gorm.Open(f.DB.Dialector, &gorm.Config{}))(t)
		defer func() { must(other.DB())(t).Close() }()
		if _, err := cacheruntime.New(other, f.Store, cacheruntime.Options{Namespace: "shop"}); err == nil || !strings.Contains(err.Error(), "namespace") {
			t.Errorf("a second runtime with one namespace: %v", err)
		}
		for _, o := range []cacheruntime.Options{{}, {Namespace: "a b"}, {Namespace: strings.Repeat("x", 99)}, {Namespace: "x", Jitter: 2}, {Namespace: "x", TTL: -5}} {
			if _, err := cacheruntime.New(other, f.Store, o); err == nil || !strings.Contains(err.Error(), "Options.") {
				t.Errorf("%+v: %v", o, err)
			}
		}
		if _, err := cacheruntime.New(other, f.Store, cacheruntime.Options{Namespace: "x", Observer: 5}); err == nil || !strings.Contains(err.Error(), "Options.Observer") {
			t.Errorf("an observer that observes nothing: %v", err)
		}
		if _, err := cacheruntime.New(other, (*tiered.Store)(nil), cacheruntime.Options{Namespace: "x"}); !errors.Is(err, cacheruntime.ErrClosed) {
			t.Errorf("a nil store: %v", err)
		}
		if _, err := cacheruntime.New(nil, f.Store, cacheruntime.Options{Namespace: "x"}); err == nil {
			t.Error("a nil database was taken")
		}
		if _, err := shop.NewModels(nil); err == nil || !strings.Contains(err.Error(), "cacheruntime.New") {
			t.Errorf("a nil runtime: %v", err)
		}
		if err := f.Store.Close(); err != nil {
			t.Error(err)
		}
		if _, err := f.M.Croupon.Cache.Get(ctx, 1); !errors.Is(err, cacheruntime.ErrClosed) {
			t.Errorf("with a closed store: %v", err)
		}
		if err := f.RT.Close(); err != nil {
			t.Error(err)
		}
		if _, err := f.M.Croupon.Cache.Get(ctx, 1); !errors.Is(err, cacheruntime.ErrClosed) {
			t.Errorf("with a closed runtime: %v", err)
		}
	})
}
