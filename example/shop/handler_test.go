package shop_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/example/shop"
	"github.com/cachegen/cachegen/ext/cachetest"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// This file is what docs/testing.md shows: how a program that reads through the cache is tested.

// cityPage serves the best croupons of a city, from whatever reads croupons.
func cityPage(croupons shop.CrouponReader) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		best, err := croupons.ListPopularInCity(r.Context(), r.PathValue("city"))
		if err != nil {
			http.Error(w, "the croupons cannot be read now", http.StatusServiceUnavailable)
			return
		}
		for _, c := range best {
			fmt.Fprintln(w, c.Slug)
		}
	}
}

// body returns what a page says about a city.
func body(page http.Handler, city string) string {
	r := httptest.NewRequest(http.MethodGet, "/"+city, nil)
	r.SetPathValue("city", city)
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w.Body.String()
}

// fakeCroupons knows one list.
type fakeCroupons struct {
	shop.UnimplementedCrouponReader
	best []*shop.Croupon
	err  error
}

func (f fakeCroupons) ListPopularInCity(context.Context, string) ([]*shop.Croupon, error) {
	return f.best, f.err
}

func TestCityPageShowsSlugs(t *testing.T) {
	page := cityPage(fakeCroupons{best: []*shop.Croupon{{Slug: "pizza"}, {Slug: "books"}}})
	if got := body(page, "Portland"); got != "pizza\nbooks\n" {
		t.Errorf("the page shows %q", got)
	}
}

func TestCityPageWithoutDatabase(t *testing.T) {
	page := cityPage(fakeCroupons{err: errors.New("connection refused")})
	if got := body(page, "Portland"); !strings.Contains(got, "cannot be read now") {
		t.Errorf("the page shows %q", got)
	}
}

// openTest opens an empty database for one test.
func openTest(t *testing.T) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "shop.db")), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pool, err := db.DB(); err == nil {
			pool.Close()
		}
	})
	if err := db.AutoMigrate(&shop.City{}, &shop.Merchant{}, &shop.Croupon{}, &shop.Review{}); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestCityPageIsCached(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	rt := cachetest.New(t, db)
	m, err := shop.NewModels(rt)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Create(&shop.Croupon{Slug: "pizza", City: "Portland", Active: true}).Error; err != nil {
		t.Fatal(err)
	}
	page := cityPage(m.Croupon.Cache)

	cold := cachetest.Statements(t, rt, func() { body(page, "Portland") })
	if len(cold) != 2 { // the list's keys, then its rows
		t.Errorf("the cold page sends %d statements, want 2:\n%s", len(cold), strings.Join(cold, "\n"))
	}
	cachetest.NoSQL(t, rt, func() { body(page, "Portland") })
}

func TestRenamingFlushesOneRow(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	rt := cachetest.New(t, db)
	m, err := shop.NewModels(rt)
	if err != nil {
		t.Fatal(err)
	}
	c := shop.Croupon{Slug: "pizza", Title: "Half a pizza", City: "Portland", Active: true}
	if err := db.Create(&c).Error; err != nil {
		t.Fatal(err)
	}
	page := cityPage(m.Croupon.Cache)
	body(page, "Portland")

	for _, test := range []struct {
		column string
		value  any
		want   []string
	}{
		{"title", "A whole pizza", []string{"test:croupons:1"}},
		{"popularity", 7, []string{"test:croupons.ListPopularInCity(portland)", "test:croupons:1"}},
	} {
		got := cachetest.Flushed(t, rt, func() {
			if err := db.Model(&c).Update(test.column, test.value).Error; err != nil {
				t.Fatal(err)
			}
		})
		if !slices.Equal(got, test.want) {
			t.Errorf("a new %s flushes %q, want %q", test.column, got, test.want)
		}
	}
}
