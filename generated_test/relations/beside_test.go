package relations_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/relations"
	"github.com/cachegen/cachegen/generated_test/relations/people"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
)

// Relations that are asked for side by side are read by several goroutines, where they wait. These tests hold what that may not change.

// all has every relation of a croupon, the slow ones first and last.
func all(r relations.CrouponReader) relations.CrouponReader {
	return r.WithCountries().WithMerchant(relations.MerchantWithOwner(people.PersonWithTeam())).WithSimilar(relations.CrouponWithTags(), relations.CrouponWithMerchant()).
		WithPlaces().WithTags(relations.TagWithPlaces()).WithPhotos().WithReviews(relations.ReviewWithAuthor(people.PersonWithBoss(), people.PersonWithCountry()))
}

// allPreloaded is what all brings.
func allPreloaded(db *gorm.DB) *gorm.DB {
	return db.Preload("Countries", order("id")).Preload("Merchant.Owner.Team", order("name desc, id")).Preload("Similar", order("id")).
		Preload("Similar.Tags", order("weight desc, id")).Preload("Similar.Merchant").Preload("Places", order("code")).
		Preload("Tags", order("weight desc, id")).Preload("Tags.Places", order("code")).Preload("Photos", order("url, id")).
		Preload("Reviews", order("stars desc, id")).Preload("Reviews.Author.Boss").Preload("Reviews.Author.Country")
}

// Many relations of many rows side by side are what Preload brings, from cold and from every tier.
func TestAllSideBySide(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		ids := []uint64{4, 1, 2, 6, 3, 5}
		want := preloaded(w, allPreloaded(w.db), crouponID, ids...)
		croupons := func(m *relations.Models, _ *people.Models) relations.CrouponReader { return m.Croupon.Cache }
		readers[relations.CrouponReader](w, w.m.Croupon.Cache, w.m.Croupon.Objects, croupons, func(what string, w *world, r relations.CrouponReader) {
			got, err := all(r).GetMany(w.ctx, ids...)
			w.must(err)
			w.same(what, got, want)
		})
	})
}

// goroutine is the caller's own.
func goroutine() string {
	b := make([]byte, 64)
	id, _, _ := bytes.Cut(bytes.TrimPrefix(b[:runtime.Stack(b, false)], []byte("goroutine ")), []byte(" "))
	return string(id)
}

// on notes on which goroutines reads are observed and statements are sent.
type on struct {
	mu sync.Mutex
	by map[string]bool
}

func (o *on) ObserveRead(context.Context, cacheruntime.ReadEvent) { o.note() }

func (o *on) note() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.by[goroutine()] = true
}

// of returns how many f took.
func (o *on) of(f func()) int {
	o.mu.Lock()
	o.by = map[string]bool{goroutine(): true}
	o.mu.Unlock()
	f()
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.by)
}

// Where nobody waits, and where the call goes past the cache, there is the caller's goroutine alone; else one more for each further relation at the most.
func TestGoroutines(t *testing.T) {
	o := &on{by: map[string]bool{}}
	test := func(t *testing.T, d fixture.Database, servers ...string) {
		w := openWith(t, d, cacheruntime.Options{Observer: o}, tiered.Options{Servers: servers, MaxStale: time.Minute}) // the first tier is not to be late
		direct := false
		w.must(w.db.Callback().Query().Before("gorm:query").Register("test:on", func(*gorm.DB) {
			if direct {
				o.note()
			}
		}))
		ids := []uint64{1, 3, 4, 6} // those without a long list
		read := func(what string, most int, ctx context.Context, r relations.CrouponReader) {
			t.Helper()
			if n := o.of(func() { _, err := r.GetMany(ctx, ids...); w.must(err) }); n > most {
				t.Errorf("%s: %d goroutines, want %d", what, n, most)
			}
		}
		r := w.m.Croupon.Cache.WithTags().WithMerchant().WithReviews()
		read("cold", 3, w.ctx, r)
		read("from the second tier into the first", 3, cacheruntime.WithFresh(w.ctx), r)
		read("in the first tier", 1, w.ctx, r)
		read("in the second tier", 3, cacheruntime.WithFresh(w.ctx), r)
		read("one relation", 1, cacheruntime.WithFresh(w.ctx), w.m.Croupon.Cache.WithTags(relations.TagWithPlaces()))
		direct = true
		read("Objects", 1, w.ctx, w.m.Croupon.Objects.WithTags().WithMerchant().WithReviews())
		read("bypass", 1, cacheruntime.WithBypass(w.ctx), r)
		w.must(w.db.Transaction(func(tx *gorm.DB) error {
			read("transaction", 1, w.ctx, w.m.WithTx(tx).Croupon.Cache.WithTags().WithMerchant().WithReviews())
			return nil
		}))
	}
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		t.Run("embedded", func(t *testing.T) { test(t, d) })
		t.Run("memcached", func(t *testing.T) { test(t, again(t, d), testserver.Memcached(t).Addr()) })
	})
}

// loads is a callback that loads of tables wait in.
type loads struct {
	mu      sync.Mutex
	changed *sync.Cond
	now     []string // whose statements are about to be sent
	most    int      // of them at once
	hold    func(l *loads, table string) (bool, error)
}

func hold(w *world) *loads {
	l := &loads{}
	l.changed = sync.NewCond(&l.mu)
	w.must(w.db.Callback().Query().Before("gorm:query").Register("test:hold", func(db *gorm.DB) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.hold == nil || db.DryRun {
			return
		}
		table := db.Statement.Table
		if db.Statement.Schema != nil {
			table = db.Statement.Schema.Table
		}
		l.now = append(l.now, table)
		l.most = max(l.most, len(l.now))
		l.changed.Broadcast()
		for wait, err := l.hold(l, table); wait || err != nil; wait, err = l.hold(l, table) {
			if err != nil {
				_ = db.AddError(err)
				break
			}
			l.changed.Wait()
		}
		l.now = slices.Delete(l.now, slices.Index(l.now, table), slices.Index(l.now, table)+1)
		l.changed.Broadcast()
	}))
	return l
}

// set changes what is held, from here on.
func (l *loads) set(hold func(l *loads, table string) (bool, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold, l.most = hold, 0
	l.changed.Broadcast()
}

// await waits until these are held, in any order. To an SQLite statements go one by one: there it is any of them.
func (l *loads) await(w *world, tables ...string) {
	w.Helper()
	slices.Sort(tables)
	deadline := time.Now().Add(time.Minute)
	for {
		l.mu.Lock()
		now := slices.Sorted(slices.Values(l.now))
		l.mu.Unlock()
		if slices.Equal(now, tables) || w.db.Name() == "sqlite" && len(now) == 1 && slices.Contains(tables, now[0]) {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("%q are held, want %q", now, tables)
		}
		runtime.Gosched()
	}
}

// What is missing is asked of the database at the same time: the three loads are all under way before any of them ends. To an SQLite
// statements go one by one.
func TestStatementsSideBySide(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		_, err := w.m.Croupon.Cache.GetMany(w.ctx, 1, 3)
		w.must(err)
		l := hold(w)
		let := false
		l.set(func(*loads, string) (bool, error) { return !let, nil })
		read := make(chan error, 1)
		go func() {
			_, err := w.m.Croupon.Cache.WithMerchant().WithReviews().WithTags().GetMany(w.ctx, 1, 3)
			read <- err
		}()
		l.await(w, "merchants", "reviews", "croupon_tags")
		l.mu.Lock()
		let = true
		l.changed.Broadcast()
		l.mu.Unlock()
		w.must(<-read)
		if w.db.Name() == "sqlite" && l.most != 1 {
			t.Errorf("%d statements at once", l.most)
		}
	})
}

// Hooks run on the caller's goroutine, in the order in which the relations were asked for, and the error of one is the read's where no
// relation before it has failed.
func TestHooksInOrder(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		r := w.m.Croupon.Cache.WithMerchant(relations.MerchantWithOwner(people.PersonWithTeam()), relations.MerchantWithStaff()).
			WithReviews(relations.ReviewWithAuthor(people.PersonWithBoss()))
		var names []string
		var fails string
		caller := goroutine()
		ctx := people.WithFound(w.ctx, func(p *people.Person) error {
			if goroutine() != caller {
				t.Error("a hook runs on another goroutine")
			}
			if names = append(names, p.Name); p.Name == fails {
				return errUndone
			}
			return nil
		})
		// Ada's team is Cy and Bo, Ada owns, Bo and Ada are the staff; Ada is the boss of Bo; Bo and Ada have written the reviews.
		const want = "Cy Bo Ada Bo Ada Ada Bo Ada"
		for what, ctx := range map[string]context.Context{
			"cold": ctx, "fresh": cacheruntime.WithFresh(ctx), "refreshed": cacheruntime.WithRefresh(ctx), "warm": ctx, "bypass": cacheruntime.WithBypass(ctx),
		} {
			names, fails = nil, ""
			_, err := r.Get(ctx, 1)
			w.must(err)
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
			names, fails = nil, "Ada"
			if _, err = r.Get(ctx, 1); !errors.Is(err, errUndone) || strings.Join(names, " ") != "Cy Bo Ada" {
				t.Errorf("%s, the hook of Ada fails: %v after %q", what, err, names)
			}
		}
	})
}

// One connection is enough, whatever is read beside what, and more are not opened to an SQLite, of which each has a database of its own where
// it is in memory.
func TestOneConnection(t *testing.T) {
	read := func(t *testing.T, w *world) {
		for range 3 {
			got, err := all(w.m.Croupon.Cache).GetMany(w.ctx, 1, 2, 3, 4, 5, 6)
			w.must(err)
			w.same("one connection", got, preloaded(w, allPreloaded(w.db), crouponID, 1, 2, 3, 4, 5, 6))
			for _, table := range []string{"croupons", "merchants", "reviews", "croupon_tags", "people"} {
				w.must(w.rt.FlushTable(w.ctx, table))
			}
		}
	}
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := open(t, d, cacheruntime.Options{})
		pool, err := w.db.DB()
		w.must(err)
		pool.SetMaxOpenConns(1)
		read(t, w)
	})
	t.Run("in memory", func(t *testing.T) {
		w := open(t, fixture.SQLite(t).As(func(gorm.Dialector) gorm.Dialector { return sqlite.Open(":memory:") }), cacheruntime.Options{}, testserver.Memcached(t).Addr())
		read(t, w)
		pool, err := w.db.DB()
		w.must(err)
		if n := pool.Stats().OpenConnections; n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

// Many callers read many relations side by side, while others write what they show, and some of them leave.
func TestSideBySideUnderWrites(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				for range 10 {
					if _, err := all(w.m.Croupon.Cache).GetMany(w.ctx, 1, 2, 3, 4, 5, 6); err != nil {
						t.Error(err)
					}
				}
			})
			group.Go(func() {
				for range 10 {
					ctx, leave := context.WithCancel(cacheruntime.WithFresh(w.ctx))
					go leave()
					if _, err := all(w.m.Croupon.Cache).GetMany(ctx, 1, 2, 3, 4, 5, 6); err != nil && !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				}
			})
			group.Go(func() {
				for n := range 10 {
					if err := w.db.Model(&relations.Review{ID: uint64(1 + i)}).Update("croupon_id", 1+(n+i)%4).Error; err != nil {
						t.Error(err)
					}
					if err := w.db.Model(&relations.Merchant{ID: 1}).Update("name", fmt.Sprint(i, n)).Error; err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		ids := []uint64{1, 2, 3, 4, 5, 6}
		got, err := all(w.m.Croupon.Cache).GetMany(w.ctx, ids...)
		w.must(err)
		w.same("in the end", got, preloaded(w, allPreloaded(w.db), crouponID, ids...))
	})
}
