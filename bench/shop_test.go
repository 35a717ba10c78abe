package bench

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/cachegen/cachegen/bench/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

const (
	croupons = 200
	page     = 20 // croupons of one city
)

// plainShop seeds a database: each croupon has one of ten merchants, five reviews and three tags.
func plainShop(b *testing.B) *gorm.DB {
	b.Helper()
	db, err := gorm.Open(sqlite.Open(filepath.Join(b.TempDir(), "shop.db")+"?_pragma=synchronous(OFF)"), &gorm.Config{Logger: logger.Discard})
	check(b, err)
	b.Cleanup(func() {
		if pool, err := db.DB(); err == nil {
			pool.Close()
		}
	})
	check(b, db.AutoMigrate(&shop.Merchant{}, &shop.Croupon{}, &shop.Review{}, &shop.Tag{}))
	var tags []shop.Tag
	for i := range uint64(10) {
		check(b, db.Create(&shop.Merchant{ID: i + 1, Name: fmt.Sprint("Merchant ", i), City: "Portland"}).Error)
		tags = append(tags, shop.Tag{ID: i + 1, Name: fmt.Sprint("tag ", i)})
	}
	check(b, db.Create(&tags).Error)
	var all []shop.Croupon
	for i := range croupons {
		c := shop.Croupon{Title: "Half price pizza on every Monday", City: city(i / page), Category: "food", Popularity: int64(i), Active: true, MerchantID: uint64(i%10 + 1)}
		for j := range 5 {
			c.Reviews = append(c.Reviews, shop.Review{Stars: j, Text: "Hot, round, and half the price"})
		}
		for j := range 3 {
			c.Tags = append(c.Tags, tags[(i+j)%len(tags)])
		}
		all = append(all, c)
	}
	check(b, db.CreateInBatches(&all, 50).Error)
	return db
}

func city(i int) string { return fmt.Sprint("City ", i) }

// openShop opens a cache over such a database.
func openShop(b *testing.B, servers ...string) *shop.Models {
	b.Helper()
	store, err := tiered.Open(tiered.Options{Servers: servers, Timeout: time.Second, MaxStale: time.Minute})
	check(b, err)
	b.Cleanup(func() { store.Close() })
	rt, err := cacheruntime.New(plainShop(b), store, cacheruntime.Options{Namespace: "bench"})
	check(b, err)
	b.Cleanup(func() { check(b, rt.Close()) })
	m, err := shop.NewModels(rt)
	check(b, err)
	return m
}

// pageIDs are the primary keys of one city's croupons.
func pageIDs(i int) []uint64 {
	at := i % (croupons / page) * page
	return ids()[at : at+page]
}

// measure runs a read often enough that all is cached, and then measures it.
func measure(b *testing.B, stretch int, read func(i int) (int, error), want int) {
	b.Helper()
	f := func(i int) {
		if n, err := read(i); err != nil || n != want {
			b.Fatal(n, want, err)
		}
	}
	for i := range croupons / page {
		f(i)
	}
	best(b, stretch, f)
}

// A page of twenty rows with what belongs to them from the first tier, beside the hits of the same entries read by hand, and beside GORM's Preload on
// an SQLite in the process.
func BenchmarkWith(b *testing.B) {
	m := openShop(b)
	db := plainShop(b)
	with := func(r shop.CrouponReader) func(int) (int, error) {
		return func(i int) (int, error) {
			got, err := r.GetMany(ctx, pageIDs(i)...)
			return len(got), err
		}
	}
	preload := func(relations ...string) func(int) (int, error) {
		return func(i int) (int, error) {
			q := db
			for _, r := range relations {
				q = q.Preload(r)
			}
			var got []*shop.Croupon
			err := q.Find(&got, pageIDs(i)).Error
			return len(got), err
		}
	}
	cache := m.Croupon.Cache
	for _, c := range []struct {
		name    string
		read    func(int) (int, error)
		stretch int
	}{
		{"merchant/cachegen", with(cache.WithMerchant()), 20},
		{"merchant/hits", func(i int) (int, error) {
			got, err := cache.GetMany(ctx, pageIDs(i)...)
			if err != nil {
				return 0, err
			}
			var owners []uint64
			for _, c := range got {
				owners = append(owners, c.MerchantID)
			}
			merchants, err := m.Merchant.Cache.GetMap(ctx, owners...)
			for _, c := range got {
				c.Merchant = merchants[c.MerchantID]
			}
			return len(got), err
		}, 20},
		{"merchant/preload", preload("Merchant"), 2},
		{"reviews/cachegen", with(cache.WithReviews()), 5},
		{"reviews/hits", func(i int) (int, error) {
			got, err := cache.GetMany(ctx, pageIDs(i)...)
			for _, c := range got {
				reviews, err := m.Review.Cache.ListOfCroupon(ctx, c.ID)
				if err != nil {
					return 0, err
				}
				for _, r := range reviews {
					c.Reviews = append(c.Reviews, *r)
				}
			}
			return len(got), err
		}, 5},
		{"reviews/preload", preload("Reviews"), 2},
		{"all/cachegen", with(cache.WithMerchant().WithReviews().WithTags()), 5},
		{"all/preload", preload("Merchant", "Reviews", "Tags"), 1},
	} {
		b.Run(c.name, func(b *testing.B) { measure(b, c.stretch, c.read, page) })
	}
}

// Relations side by side from a second tier that is a millisecond away, beside the one that takes the longest.
func BenchmarkWithSideBySide(b *testing.B) {
	relay := testserver.Proxy(b, testserver.Memcached(b).Addr())
	m := openShop(b, relay.Addr())
	fresh := cacheruntime.WithFresh(ctx)
	for _, c := range []struct {
		name string
		r    shop.CrouponReader
	}{
		{"none", m.Croupon.Cache},
		{"one", m.Croupon.Cache.WithReviews()},
		{"three", m.Croupon.Cache.WithReviews().WithTags().WithMerchant()},
	} {
		b.Run(c.name, func(b *testing.B) {
			_, err := c.r.GetMany(ctx, ids()[:croupons]...)
			check(b, err)
			relay.Delay(time.Millisecond)
			defer relay.Delay(0)
			measure(b, 2, func(i int) (int, error) {
				got, err := c.r.GetMany(fresh, pageIDs(i)...)
				return len(got), err
			}, page)
		})
	}
}

// A query's hit in the first tier, beside GORM making the same statement without sending it, which a hit does too, and beside
// GORM asking an SQLite in the process.
func BenchmarkQuery(b *testing.B) {
	m := openShop(b)
	db := plainShop(b)
	for _, rows := range []int{2, page} {
		chain := func(db *gorm.DB, i int) *gorm.DB {
			return db.Where("city = ?", city(i%(croupons/page))).Where("active = ?", true).Order("popularity DESC").Limit(rows)
		}
		for _, c := range []struct {
			name    string
			read    func(int) (int, error)
			stretch int
		}{
			{"cachegen", func(i int) (int, error) {
				got, err := m.Croupon.Cache.Query(ctx, func(db *gorm.DB) *gorm.DB { return chain(db, i) })
				return len(got), err
			}, 20},
			{"statement", func(i int) (int, error) {
				var got []*shop.Croupon
				return rows, chain(db.Session(&gorm.Session{DryRun: true}), i).Find(&got).Error
			}, 20},
			{"database", func(i int) (int, error) {
				var got []*shop.Croupon
				err := chain(db, i).Find(&got).Error
				return len(got), err
			}, 5},
		} {
			b.Run(fmt.Sprintf("rows=%d/%s", rows, c.name), func(b *testing.B) { measure(b, c.stretch, c.read, rows) })
		}
	}
}
