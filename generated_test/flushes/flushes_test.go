// Package flushes_test holds the behaviours of flushing: what falls when a row is written, and what
// stays. Each runs on SQLite, PostgreSQL and MariaDB, on the embedded store and on a real memcached.
package flushes_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

var ctx = context.Background()

// shelf is a shop with two croupons in Portland and one in Eugene, everything that is read of them
// cached.
type shelf struct {
	*fixture.Fixture
	t       *testing.T
	a, b, c *shop.Croupon
}

func shelves(t *testing.T, test func(s *shelf)) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		s := &shelf{Fixture: f, t: t,
			a: &shop.Croupon{Slug: "a", Title: "A", City: "Portland", Category: "food", Popularity: 3, Active: true},
			b: &shop.Croupon{Slug: "b", Title: "B", City: "Portland", Category: "food", Popularity: 2, Active: true},
			c: &shop.Croupon{Slug: "c", Title: "C", City: "Eugene", Category: "food", Popularity: 1, Active: true},
		}
		s.a.CreatedAt, s.b.CreatedAt, s.c.CreatedAt = time.Unix(1, 0).UTC(), time.Unix(2, 0).UTC(), time.Unix(3, 0).UTC()
		f.Create(t, s.a, s.b, s.c)
		s.warm()
		test(s)
	})
}

// reads are the shop's reads, by name: each returns what it found in words.
var reads = map[string]func(r shop.CrouponReader) (string, error){
	"row a":            func(r shop.CrouponReader) (string, error) { return row(r.Get(ctx, 1)) },
	"row b":            func(r shop.CrouponReader) (string, error) { return row(r.Get(ctx, 2)) },
	"row c":            func(r shop.CrouponReader) (string, error) { return row(r.Get(ctx, 3)) },
	"slug a":           func(r shop.CrouponReader) (string, error) { return row(r.GetBySlug(ctx, "a")) },
	"slug z":           func(r shop.CrouponReader) (string, error) { return row(r.GetBySlug(ctx, "z")) },
	"popular Portland": func(r shop.CrouponReader) (string, error) { return rows(r.ListPopularInCity(ctx, "Portland")) },
	"popular Eugene":   func(r shop.CrouponReader) (string, error) { return rows(r.ListPopularInCity(ctx, "Eugene")) },
	"all Portland":     func(r shop.CrouponReader) (string, error) { return rows(r.ListByCity(ctx, "Portland")) },
	"all Eugene":       func(r shop.CrouponReader) (string, error) { return rows(r.ListByCity(ctx, "Eugene")) },
	"newest Portland":  func(r shop.CrouponReader) (string, error) { return row(r.OneNewest(ctx, "Portland")) },
	"newest Eugene":    func(r shop.CrouponReader) (string, error) { return row(r.OneNewest(ctx, "Eugene")) },
	"count Portland":   func(r shop.CrouponReader) (string, error) { return count(r.CountByCity(ctx, "Portland")) },
	"count Eugene":     func(r shop.CrouponReader) (string, error) { return count(r.CountByCity(ctx, "Eugene")) },
	"food Portland":    func(r shop.CrouponReader) (string, error) { return count(r.CountInCategory(ctx, "Portland", "food")) },
	"food Eugene":      func(r shop.CrouponReader) (string, error) { return count(r.CountInCategory(ctx, "Eugene", "food")) },
}

func row(c *shop.Croupon, err error) (string, error) {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "none", nil
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprint(c.ID, " ", c.Slug, " ", c.Title, " ", c.City, " ", c.Popularity), nil
}

func rows(cs []*shop.Croupon, err error) (string, error) {
	var all []string
	for _, c := range cs {
		s, _ := row(c, nil)
		all = append(all, s)
	}
	return strings.Join(all, "; "), err
}

func count(n int64, err error) (string, error) { return fmt.Sprint(n), err }

func (s *shelf) warm() {
	for name, read := range reads {
		if _, err := read(s.M.Croupon.Cache); err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
	}
}

// after makes a write and then checks that exactly the named reads are misses, and that every read is
// what the database says.
func (s *shelf) after(what string, write func(), misses ...string) {
	s.t.Helper()
	write()
	missed := map[string]bool{}
	for _, name := range misses {
		missed[name] = true
	}
	// The rows first, since reading a list brings its rows back too. What an accessor's own entry was
	// is the first thing in its trace.
	for _, name := range slices.SortedFunc(maps.Keys(reads), rowsFirst) {
		read := reads[name]
		ctx, trace := cacheruntime.WithTrace(ctx)
		got, err := read(bound{s.M.Croupon.Cache, ctx})
		if err != nil {
			s.t.Errorf("%s: %s: %v", what, name, err)
		}
		first := trace.Reads()[0]
		if first.Outcome.Hit() == missed[name] {
			s.t.Errorf("%s: %s: %v", what, name, first.Outcome)
		}
		want, err := read(s.M.Croupon.Objects)
		if err != nil || got != want {
			s.t.Errorf("%s: %s is %q, in the database %q (%v)", what, name, got, want, err)
		}
	}
}

func rowsFirst(a, b string) int {
	if r := strings.HasPrefix(a, "row"); r != strings.HasPrefix(b, "row") {
		if r {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}

// bound is a reader that uses its own context.
type bound struct {
	*shop.CrouponCache
	ctx context.Context
}

func (b bound) Get(_ context.Context, id uint64) (*shop.Croupon, error) {
	return b.CrouponCache.Get(b.ctx, id)
}
func (b bound) GetBySlug(_ context.Context, s string) (*shop.Croupon, error) {
	return b.CrouponCache.GetBySlug(b.ctx, s)
}
func (b bound) ListPopularInCity(_ context.Context, c string) ([]*shop.Croupon, error) {
	return b.CrouponCache.ListPopularInCity(b.ctx, c)
}
func (b bound) ListByCity(_ context.Context, c string) ([]*shop.Croupon, error) {
	return b.CrouponCache.ListByCity(b.ctx, c)
}
func (b bound) OneNewest(_ context.Context, c string) (*shop.Croupon, error) {
	return b.CrouponCache.OneNewest(b.ctx, c)
}
func (b bound) CountByCity(_ context.Context, c string) (int64, error) {
	return b.CrouponCache.CountByCity(b.ctx, c)
}
func (b bound) CountInCategory(_ context.Context, c, k string) (int64, error) {
	return b.CrouponCache.CountInCategory(b.ctx, c, k)
}

func (s *shelf) save(change func(a *shop.Croupon)) func() {
	return func() {
		s.t.Helper()
		c := *s.a
		change(&c)
		if err := s.DB.Save(&c).Error; err != nil {
			s.t.Fatal(err)
		}
	}
}

// behaviours 21, 22 and 27
func TestSaveTitle(t *testing.T) {
	shelves(t, func(s *shelf) {
		s.after("title", s.save(func(a *shop.Croupon) { a.Title = "Other" }), "row a")
	})
}

// behaviour 23
func TestDelete(t *testing.T) {
	shelves(t, func(s *shelf) {
		s.after("delete", func() {
			if err := s.DB.Delete(s.a).Error; err != nil {
				s.t.Fatal(err)
			}
		}, "row a", "slug a", "popular Portland", "all Portland", "newest Portland", "count Portland", "food Portland")
	})
}

// behaviour 24
func TestMove(t *testing.T) {
	shelves(t, func(s *shelf) {
		s.after("move", s.save(func(a *shop.Croupon) { a.City = "Eugene" }), "row a",
			"popular Portland", "all Portland", "newest Portland", "count Portland", "food Portland",
			"popular Eugene", "all Eugene", "newest Eugene", "count Eugene", "food Eugene")
	})
}

// behaviour 25
func TestWhere(t *testing.T) {
	shelves(t, func(s *shelf) {
		s.after("leave", s.save(func(a *shop.Croupon) { a.Active = false }), "row a", "popular Portland", "food Portland")
		s.after("enter", s.save(func(a *shop.Croupon) { a.Active = true }), "row a", "popular Portland", "food Portland")
	})
}

// behaviour 26
func TestOrder(t *testing.T) {
	shelves(t, func(s *shelf) {
		s.after("popularity", s.save(func(a *shop.Croupon) { a.Popularity = 1 }), "row a", "popular Portland")
		s.after("age", s.save(func(a *shop.Croupon) { a.Popularity = 1; a.CreatedAt = time.Unix(9, 0).UTC() }), "row a", "newest Portland")
	})
}

// behaviour 28
func TestUniqueMoves(t *testing.T) {
	shelves(t, func(s *shelf) {
		s.after("slug", s.save(func(a *shop.Croupon) { a.Slug = "z" }), "row a", "slug a", "slug z")
	})
}

func TestCreate(t *testing.T) {
	shelves(t, func(s *shelf) {
		s.after("create", func() {
			s.Create(s.t, &shop.Croupon{Slug: "d", City: "Eugene", Category: "books", Active: false})
		}, "all Eugene", "newest Eugene", "count Eugene")
	})
}

// behaviour 31
func TestManualFlush(t *testing.T) {
	shelves(t, func(s *shelf) {
		flush := func(err error) func() {
			return func() {
				if err != nil {
					s.t.Error(err)
				}
			}
		}
		s.after("row", flush(s.M.Croupon.Cache.Flush(ctx, 1)), "row a")
		s.after("list", flush(s.M.Croupon.Cache.FlushListPopularInCity(ctx, "Portland")), "popular Portland")
		s.after("count", flush(s.M.Croupon.Cache.FlushCountByCity(ctx, "Eugene")), "count Eugene")
		var all []string
		for name := range reads {
			all = append(all, name)
		}
		s.after("table", flush(s.RT.FlushTable(ctx, "croupons")), all...)
		s.after("model", flush(s.M.Croupon.Cache.FlushAll(ctx)), all...)
		if err := s.RT.FlushTable(ctx, "nothing"); err == nil || !strings.Contains(err.Error(), "croupons") {
			t.Errorf("FlushTable of a table that is not cached: %v", err)
		}
	})
}

// behaviour 106
func TestBypass(t *testing.T) {
	shelves(t, func(s *shelf) {
		s.RT.SetBypass(true)
		for range 2 {
			s.Expect(t, "bypass", 1, func() { _, _ = s.M.Croupon.Cache.Get(ctx, 1) })
		}
		s.save(func(a *shop.Croupon) { a.Title = "Other" })()
		s.RT.SetBypass(false)
		s.after("bypass off", func() {}, "row a")
		s.Expect(t, "WithBypass", 1, func() { _, _ = s.M.Croupon.Cache.Get(cacheruntime.WithBypass(ctx), 1) })
	})
}

// WithRefresh loads and stores, and WithoutFlush leaves an entry as it was: behaviour 32.
func TestContextOptions(t *testing.T) {
	shelves(t, func(s *shelf) {
		quiet := cacheruntime.WithoutFlush(ctx)
		err := s.DB.WithContext(quiet).Transaction(func(tx *gorm.DB) error {
			return tx.Model(&shop.Croupon{ID: 1}).Update("title", "Other").Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if c, err := s.M.Croupon.Cache.Get(ctx, 1); err != nil || c.Title != "A" {
			t.Errorf("a write without flush flushed: %+v, %v", c, err)
		}
		if c, err := s.M.Croupon.Cache.Get(cacheruntime.WithRefresh(ctx), 1); err != nil || c.Title != "Other" {
			t.Errorf("WithRefresh returned %+v, %v", c, err)
		}
		s.after("refreshed", func() {})
		s.after("flushing again", s.save(func(a *shop.Croupon) { a.Title = "Third" }), "row a")
	})
}

// A second NewModels changes nothing: its accessors share entries with the first's, and a write is judged
// once.
func TestNewModelsTwice(t *testing.T) {
	shelves(t, func(s *shelf) {
		move := func(city string) int64 {
			before := s.RT.Stats().PluginStatements
			s.save(func(a *shop.Croupon) { a.City = city })()
			return s.RT.Stats().PluginStatements - before
		}
		once := move("Eugene")
		again, err := shop.NewModels(s.RT)
		if err != nil {
			s.t.Fatal(err)
		}
		if n := move("Portland"); n != once {
			s.t.Errorf("a write takes %d statements of the plugin, %d before", n, once)
		}
		s.warm()
		s.Expect(s.t, "the second's Get", 0, func() {
			if c, err := again.Croupon.Cache.Get(ctx, 1); err != nil || c.City != "Portland" {
				s.t.Errorf("found %+v, %v", c, err)
			}
		})
	})
}

// NULL in a column whose Go type has none reads as the zero value, and is another thing to the database.
func TestNullIsNotZero(t *testing.T) {
	shelves(t, func(s *shelf) {
		set := func(value any) func() {
			return func() {
				s.t.Helper()
				if err := s.DB.Model(&shop.Croupon{ID: 1}).Update("city", value).Error; err != nil {
					s.t.Fatal(err)
				}
			}
		}
		nowhere := func(want string) {
			s.t.Helper()
			for _, r := range []shop.CrouponReader{s.M.Croupon.Cache, s.M.Croupon.Objects} {
				if got, err := rows(r.ListByCity(ctx, "")); err != nil || got != want {
					s.t.Errorf("the list of no city is %q, want %q (%v)", got, want, err)
				}
			}
		}
		set(gorm.Expr("NULL"))()
		nowhere("")
		set("")()
		nowhere("1 a A  3")
		set(gorm.Expr("NULL"))()
		nowhere("")
	})
}
