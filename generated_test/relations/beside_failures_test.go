package relations_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/relations"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

// What goes wrong with one of several relations that are read at the same time.

// The error is that of the first relation that fails, whichever is heard of first.
func TestFirstError(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		_, err := w.m.Croupon.Cache.GetMany(w.ctx, 1, 3)
		w.must(err)
		l := hold(w)
		// The first of two fails when the second has, where statements do not go one by one.
		failing := func(first, second string) func(*loads, string) (bool, error) {
			failed := w.db.Name() == "sqlite"
			return func(l *loads, table string) (bool, error) {
				switch table {
				case first:
					if !failed {
						return true, nil
					}
				case second:
					failed = true
				default:
					return false, nil
				}
				return false, errors.New(table + " cannot be read")
			}
		}
		for range 5 {
			l.set(failing("reviews", "croupon_tags"))
			_, err = w.m.Croupon.Cache.WithMerchant().WithReviews().WithTags().GetMany(cacheruntime.WithRefresh(w.ctx), 1, 3)
			if err == nil || err.Error() != "reviews cannot be read" {
				t.Errorf("reviews and tags fail: %v", err)
			}
			l.set(failing("people", "croupon_tags"))
			_, err = w.m.Croupon.Cache.WithReviews(relations.ReviewWithAuthor()).WithTags().GetMany(cacheruntime.WithRefresh(w.ctx), 1, 3)
			if err == nil || err.Error() != "people cannot be read" {
				t.Errorf("reviews' authors and tags fail: %v", err)
			}
		}
		l.set(nil)
		got, err := w.m.Croupon.Cache.WithReviews(relations.ReviewWithAuthor()).WithTags().GetMany(w.ctx, 1, 3)
		w.must(err)
		w.same("after it", got, preloaded(w, w.db.Preload("Reviews", order("stars desc, id")).Preload("Reviews.Author").Preload("Tags", order("weight desc, id")), crouponID, 1, 3))
	})
}

// Whose context ends gets its error while the loads hang, from one by one and from all at once.
func TestContextEndsSideBySide(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		_, err := w.m.Croupon.Cache.GetMany(w.ctx, 1, 3)
		w.must(err)
		l := hold(w)
		l.set(func(*loads, string) (bool, error) { return true, nil })
		ctx, cancel := context.WithCancel(w.ctx)
		read := make(chan error, 1)
		go func() {
			_, err := w.m.Croupon.Cache.WithMerchant().WithReviews().WithTags().GetMany(ctx, 1, 3)
			read <- err
		}()
		l.await(w, "merchants", "reviews", "croupon_tags")
		cancel()
		select {
		case err := <-read:
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("it waits on")
		}
		l.set(nil) // the loads go on, for others
		_, err = w.m.Croupon.Cache.WithMerchant().WithReviews().WithTags().GetMany(w.ctx, 1, 3)
		w.must(err)
	})
}

// A panic on another goroutine than the caller's is the caller's all the same, and so is the end of the goroutine.
func TestPanicsSideBySide(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		r := w.m.Croupon.Cache.WithMerchant().WithReviews().WithTags() // croupon 2 has too many reviews: they are read without a load
		_, err := r.GetMany(w.ctx, 1, 2)
		w.must(err)
		var with func()
		var by string
		w.must(w.db.Callback().Query().Before("gorm:query").Register("test:panic", func(db *gorm.DB) {
			if with != nil && db.Statement.Schema.Table == "reviews" {
				by = goroutine()
				with()
			}
		}))
		for _, c := range []struct {
			what string
			with func()
			want any
		}{{"a panic", func() { panic("reviews are odd") }, "reviews are odd"}, {"Goexit", runtime.Goexit, nil}} {
			with = c.with
			var caller string
			ended := make(chan any, 1)
			go func() {
				caller = goroutine()
				returned := false
				defer func() {
					if p := recover(); returned {
						ended <- "it returned"
					} else {
						ended <- p
					}
				}()
				_, _ = r.GetMany(cacheruntime.WithFresh(w.ctx), 1, 2)
				returned = true
			}()
			if got := <-ended; got != c.want {
				t.Errorf("%s: %v", c.what, got)
			}
			if by == caller {
				t.Errorf("%s: it was on the caller's goroutine, which shows nothing", c.what)
			}
		}
		with = nil
		_, err = r.GetMany(cacheruntime.WithFresh(w.ctx), 1, 2)
		w.must(err)
	})
}

// panicking is a store that may panic.
type panicking struct {
	*tiered.Store
	on bool
}

func (p *panicking) Fetch(ctx context.Context, refs []flushlist.Ref) []flushlist.Found {
	if p.on {
		panic("the store is odd")
	}
	return p.Store.Fetch(ctx, refs)
}

// A store that panics in what several relations have asked for together leaves nobody waiting.
func TestStorePanicsSideBySide(t *testing.T) {
	p := &panicking{}
	w := openOver(t, fixture.SQLite(t), cacheruntime.Options{}, tiered.Options{}, func(s *tiered.Store) cacheruntime.Store { p.Store = s; return p })
	r := w.m.Croupon.Cache.WithMerchant().WithReviews().WithTags()
	_, err := w.m.Croupon.Cache.GetMany(w.ctx, 1, 3)
	w.must(err)
	func() {
		defer func() {
			if got := recover(); got != "the store is odd" {
				t.Error(got)
			}
		}()
		p.on = true
		_, err := r.GetMany(w.ctx, 1, 3)
		t.Error("it returned", err)
	}()
	p.on = false
	_, err = r.GetMany(w.ctx, 1, 3)
	w.must(err)
}

// While the server is gone, before the breaker knows and after it, relations side by side are read from the database, as Preload reads them.
func TestServerGoneSideBySide(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		relay := testserver.Proxy(t, testserver.Memcached(t).Addr())
		w := open(t, d, cacheruntime.Options{}, relay.Addr())
		ids := []uint64{1, 2, 3, 4, 5, 6}
		want := preloaded(w, allPreloaded(w.db), crouponID, ids...)
		read := func(what string) {
			got, err := all(w.m.Croupon.Cache).GetMany(cacheruntime.WithFresh(w.ctx), ids...)
			w.must(err)
			w.same(what, got, want)
		}
		read("before")
		relay.Cut()
		for range 3 {
			read("gone")
		}
		relay.Mend()
		read("back")
	})
}
