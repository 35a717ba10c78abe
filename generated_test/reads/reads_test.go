// Package reads_test holds the behaviours of reads, on SQLite, PostgreSQL and MariaDB, on the embedded store and on a real memcached.
package reads_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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

// croupon is an active one of Portland.
func croupon(slug string) *shop.Croupon {
	return &shop.Croupon{Slug: slug, Title: "Half price", City: "Portland", Category: "food", Active: true}
}

// get takes what a read returned, and fails the test on its error.
func get[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func slugs(cs []*shop.Croupon) string {
	var s []string
	for _, c := range cs {
		s = append(s, c.Slug)
	}
	return strings.Join(s, " ")
}

// behaviour 1
func TestGet(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		c := croupon("pizza")
		merchant := uint64(7)
		c.MerchantID = &merchant
		f.Create(t, &shop.Merchant{ID: merchant}, c)
		var want shop.Croupon
		if err := f.DB.First(&want, c.ID).Error; err != nil {
			t.Fatal(err)
		}
		check := func(n int, ctx context.Context) {
			t.Helper()
			f.Expect(t, "Get", n, func() {
				got := get(f.M.Croupon.Cache.Get(ctx, c.ID))(t)
				if !got.CreatedAt.Equal(want.CreatedAt) || !got.UpdatedAt.Equal(want.UpdatedAt) {
					t.Errorf("times are %v and %v, want %v and %v", got.CreatedAt, got.UpdatedAt, want.CreatedAt, want.UpdatedAt)
				}
				gn, g := got.CreatedAt.Zone()
				wn, w := want.CreatedAt.Zone()
				if gn != wn || g != w {
					t.Errorf("the zone is %q %d, want %q %d", gn, g, wn, w)
				}
				got.CreatedAt, got.UpdatedAt = want.CreatedAt, want.UpdatedAt
				if !reflect.DeepEqual(*got, want) {
					t.Errorf("got %+v, want %+v", *got, want)
				}
			})
		}
		check(1, ctx)
		check(0, ctx)
		check(0, cacheruntime.WithFresh(ctx)) // from the second tier, where there is one
	})
}

// behaviours 2 and 3. A list's first read is one statement for its keys and one for the rows that are
// not cached.
func TestList(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		for i, city := range []string{"Portland", "Portland", "Portland", "Eugene"} {
			c := croupon(fmt.Sprint("c", i))
			c.City, c.Popularity = city, int64(10*(i%3)+i)
			f.Create(t, c)
		}
		idle := croupon("idle")
		idle.Active, idle.Popularity = false, 1000
		f.Create(t, idle)
		read := func(city string, n int, want string) {
			t.Helper()
			f.Expect(t, city, n, func() {
				if got := slugs(get(f.M.Croupon.Cache.ListPopularInCity(ctx, city))(t)); got != want {
					t.Errorf("%s has %q, want %q", city, got, want)
				}
			})
		}
		read("Portland", 2, "c2 c1 c0")
		read("Portland", 0, "c2 c1 c0")
		read("Eugene", 2, "c3")
		read("Eugene", 0, "c3")
		read("Portland", 0, "c2 c1 c0")
		if got := slugs(get(f.M.Croupon.Objects.ListPopularInCity(ctx, "Portland"))(t)); got != "c2 c1 c0" {
			t.Errorf("Objects has %q", got)
		}
	})
}

// behaviour 4
func TestGetMany(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		for i := range 15 {
			f.Create(t, croupon(fmt.Sprint("c", i+1)))
		}
		get(f.M.Croupon.Cache.GetMany(ctx, 1, 2, 3))(t)
		ids := []uint64{3, 900, 15, 7, 3, 8, 1, 901, 9, 10, 11, 2, 12, 13, 14, 4, 5, 6, 15, 902}
		before := f.RT.Stats()
		stmts := f.SQL.Of(func() {
			got := get(f.M.Croupon.Cache.GetMany(ctx, ids...))(t)
			if want := "c3 c15 c7 c3 c8 c1 c9 c10 c11 c2 c12 c13 c14 c4 c5 c6 c15"; slugs(got) != want {
				t.Errorf("got  %s\nwant %s", slugs(got), want)
			}
			if got[0] == got[3] {
				t.Error("an id given twice gives one copy")
			}
			got[0].Title = "changed"
			if got[3].Title == "changed" {
				t.Error("the two copies share memory")
			}
		})
		if len(stmts) != 1 || strings.Contains(stmts[0], "IN (3,") {
			t.Errorf("want one statement, for the missing only: %q", stmts)
		}
		if s := f.RT.Stats().Minus(before); s.Hits() != 3 || s.Misses != 15 {
			t.Errorf("%d hits and %d misses for 18 distinct ids, of which 3 were cached", s.Hits(), s.Misses)
		}
		f.Expect(t, "again", 0, func() {
			m := get(f.M.Croupon.Cache.GetMap(ctx, ids...))(t)
			if len(m) != 15 || m[15].Slug != "c15" || m[900] != nil {
				t.Errorf("GetMap has %d rows", len(m))
			}
		})
	})
}

// behaviour 5
func TestGetManyOfNone(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		before := f.RT.Stats()
		f.Expect(t, "GetMany()", 0, func() {
			if got := get(f.M.Croupon.Cache.GetMany(ctx))(t); got == nil || len(got) != 0 {
				t.Errorf("got %v, want an empty slice", got)
			}
		})
		if s := f.RT.Stats().Minus(before); s.Hits()+s.Misses != 0 {
			t.Errorf("%d lookups", s.Hits()+s.Misses)
		}
	})
}

// behaviours 6, 7 and 62
func TestAbsent(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		for _, n := range []int{1, 0} {
			f.Expect(t, "absent", n, func() {
				if _, err := f.M.Croupon.Cache.Get(ctx, 42); !errors.Is(err, gorm.ErrRecordNotFound) {
					t.Errorf("the error is %v", err)
				}
			})
		}
		c := croupon("late")
		c.ID = 42
		f.Create(t, c)
		if got := get(f.M.Croupon.Cache.Get(ctx, 42))(t); got.Slug != "late" {
			t.Errorf("found %+v", got)
		}
	})
}

// behaviour 8. The first read is one statement for the key and one for the row.
func TestUnique(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		c := croupon("pizza")
		f.Create(t, c, croupon("books"))
		for _, n := range []int{2, 0} {
			f.Expect(t, "GetBySlug", n, func() {
				if got := get(f.M.Croupon.Cache.GetBySlug(ctx, "pizza"))(t); got.ID != c.ID {
					t.Errorf("found %+v", got)
				}
			})
		}
		f.Expect(t, "Get after GetBySlug", 0, func() { get(f.M.Croupon.Cache.Get(ctx, c.ID))(t) })
		f.Expect(t, "GetManyBySlug", 2, func() {
			got := get(f.M.Croupon.Cache.GetManyBySlug(ctx, "books", "none", "pizza", "books"))(t)
			if slugs(got) != "books pizza books" {
				t.Errorf("got %s", slugs(got))
			}
		})
		f.Expect(t, "GetManyBySlug again", 0, func() { get(f.M.Croupon.Cache.GetManyBySlug(ctx, "books", "none", "pizza"))(t) })
		for _, n := range []int{1, 0} {
			f.Expect(t, "absent slug", n, func() {
				if _, err := f.M.Croupon.Cache.GetBySlug(ctx, "nothing"); !errors.Is(err, gorm.ErrRecordNotFound) {
					t.Errorf("the error is %v", err)
				}
			})
		}
	})
}

// behaviours 9 and 10
func TestCount(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		f.Create(t, croupon("a"), croupon("b"))
		count := func(n int, want int64) {
			t.Helper()
			f.Expect(t, "CountInCategory", n, func() {
				if got := get(f.M.Croupon.Cache.CountInCategory(ctx, "Portland", "food"))(t); got != want {
					t.Errorf("counted %d, want %d", got, want)
				}
			})
		}
		count(1, 2)
		count(0, 2)
		f.Create(t, croupon("c"))
		count(1, 3)
		idle, books, eugene := croupon("idle"), croupon("books"), croupon("eugene")
		idle.Active, books.Category, eugene.City = false, "books", "Eugene"
		f.Create(t, idle, books, eugene)
		count(0, 3)
	})
}

// behaviour 11
func TestEmptyList(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		merchant := uint64(9)
		f.Create(t, &shop.Merchant{ID: merchant})
		f.Expect(t, "empty list", 1, func() {
			if got := get(f.M.Croupon.Cache.ListByMerchantID(ctx, &merchant))(t); got == nil || len(got) != 0 {
				t.Errorf("got %v, want an empty slice", got)
			}
		})
		f.Expect(t, "empty list again", 0, func() { get(f.M.Croupon.Cache.ListByMerchantID(ctx, &merchant))(t) })
		c := croupon("first")
		c.MerchantID = &merchant
		f.Create(t, c)
		if got := get(f.M.Croupon.Cache.ListByMerchantID(ctx, &merchant))(t); slugs(got) != "first" {
			t.Errorf("got %q", slugs(got))
		}
		f.Create(t, croupon("of nobody"))
		if got := get(f.M.Croupon.Cache.ListByMerchantID(ctx, nil))(t); slugs(got) != "of nobody" {
			t.Errorf("IS NULL finds %q", slugs(got))
		}
	})
}

// behaviours 12 and 13, on the way through both tiers; key_test.go in runtime has the tables.
func TestArguments(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		pairs := [][2]string{{"ab", "c"}, {"a", "bc"}, {"", "abc"}, {"abc", ""}, {"ab,s1=c", ""}, {"x AND b = y", ""}, {"x", "y"},
			{"北京", "food"}, {"food", strings.Repeat("long ", 800)}, {"food", strings.Repeat("long ", 800) + "er"}, {"a b", "\r\nset x 0 0 1\r\n"}}
		if f.DB.Name() != "postgres" { // whose text has no zero bytes
			pairs = append(pairs, [2]string{"a b", "\x00\r\nset x 0 0 1\r\n"})
		}
		for i, p := range pairs {
			for j := range i + 1 {
				c := croupon(fmt.Sprint(i, "-", j))
				c.City, c.Category = p[0], p[1]
				f.Create(t, c)
			}
		}
		for _, n := range []int{1, 0} {
			for i, p := range pairs {
				f.Expect(t, fmt.Sprintf("%.20q", p), n, func() {
					if got := get(f.M.Croupon.Cache.CountInCategory(ctx, p[0], p[1]))(t); got != int64(i+1) {
						t.Errorf("%.20q: counted %d, want %d", p, got, i+1)
					}
				})
			}
		}
	})
}

// behaviour 15
func TestCopiesArePrivate(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		c := croupon("pizza")
		merchant := uint64(7)
		c.MerchantID = &merchant
		f.Create(t, &shop.Merchant{ID: merchant}, c)
		for range 3 { // from the database, then from the cache
			got := get(f.M.Croupon.Cache.Get(ctx, c.ID))(t)
			if got.Title != "Half price" || *got.MerchantID != 7 {
				t.Fatalf("a caller's change is in the cache: %+v", got)
			}
			got.Title, *got.MerchantID = "changed", 8
			list := get(f.M.Croupon.Cache.ListByCity(ctx, "Portland"))(t)
			list[0].Title = "changed"
		}
	})
}

func TestPages(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		for i := range 60 {
			c := croupon(fmt.Sprintf("c%02d", i))
			c.Popularity = int64(1000 - i)
			f.Create(t, c)
		}
		get(f.M.Croupon.Cache.ListPopularInCity(ctx, "Portland"))(t)
		for _, p := range []struct {
			offset, limit int
			first         string
			n             int
		}{{0, 10, "c00", 10}, {45, 10, "c45", 5}, {49, 1, "c49", 1}, {50, 10, "", 0}, {500, 10, "", 0}} {
			for name, r := range map[string]shop.CrouponReader{"Cache": f.M.Croupon.Cache, "Objects": f.M.Croupon.Objects} {
				got := get(r.ListPopularInCityPage(ctx, "Portland", p.offset, p.limit))(t)
				if len(got) != p.n || p.n > 0 && got[0].Slug != p.first {
					t.Errorf("%s: page %d, %d is %s", name, p.offset, p.limit, slugs(got))
				}
			}
		}
		for _, p := range [][2]int{{-1, 10}, {0, 0}, {0, -1}} {
			for _, r := range []shop.CrouponReader{f.M.Croupon.Cache, f.M.Croupon.Objects} {
				if _, err := r.ListPopularInCityPage(ctx, "Portland", p[0], p[1]); err == nil || !strings.Contains(err.Error(), "Croupon.ListPopularInCityPage") {
					t.Errorf("page %d, %d: the error is %v", p[0], p[1], err)
				}
			}
		}
	})
}

// A list without a limit that is longer than the window is read whole each time, and counted.
func TestLongList(t *testing.T) {
	fixture.EverywhereWith(t, fixture.Options{Runtime: cacheruntime.Options{ListWindow: 5}}, func(t *testing.T, f *fixture.Fixture) {
		for i := range 6 {
			f.Create(t, croupon(fmt.Sprint("c", i)))
		}
		for range 2 {
			if got := get(f.M.Croupon.Cache.ListByCity(ctx, "Portland"))(t); slugs(got) != "c0 c1 c2 c3 c4 c5" {
				t.Errorf("got %s", slugs(got))
			}
		}
		if got := get(f.M.Croupon.Cache.ListByCityPage(ctx, "Portland", 4, 5))(t); slugs(got) != "c4 c5" {
			t.Errorf("the page is %s", slugs(got))
		}
		if n := f.RT.Stats().LongLists; n != 3 {
			t.Errorf("%d reads of a long list were counted, want 3", n)
		}
		if err := f.DB.Delete(&shop.Croupon{}, 1).Error; err != nil {
			t.Fatal(err)
		}
		get(f.M.Croupon.Cache.ListByCity(ctx, "Portland"))(t)
		f.Expect(t, "as long as the window", 0, func() {
			if got := get(f.M.Croupon.Cache.ListByCity(ctx, "Portland"))(t); slugs(got) != "c1 c2 c3 c4 c5" {
				t.Errorf("got %s", slugs(got))
			}
		})
	})
}

func TestOne(t *testing.T) {
	fixture.Everywhere(t, func(t *testing.T, f *fixture.Fixture) {
		for _, n := range []int{1, 0} {
			f.Expect(t, "none", n, func() {
				if _, err := f.M.Croupon.Cache.OneNewest(ctx, "Portland"); !errors.Is(err, gorm.ErrRecordNotFound) {
					t.Errorf("the error is %v", err)
				}
			})
		}
		old, new := croupon("old"), croupon("new")
		old.CreatedAt, new.CreatedAt = time.Unix(1, 0).UTC(), time.Unix(2, 0).UTC()
		f.Create(t, new, old)
		for _, n := range []int{2, 0} {
			f.Expect(t, "OneNewest", n, func() {
				if got := get(f.M.Croupon.Cache.OneNewest(ctx, "Portland"))(t); got.Slug != "new" {
					t.Errorf("found %s", got.Slug)
				}
			})
		}
	})
}
