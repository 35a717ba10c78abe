package shop_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/cachegen/cachegen/example/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

var ctx = context.Background()

// open opens a database with three croupons and a cache over it. A program would do it once, at its
// start.
func open() (db *gorm.DB, rt *cacheruntime.Runtime, m *shop.Models, closeAll func()) {
	dir, err := os.MkdirTemp("", "shop")
	check(err)
	db, err = gorm.Open(sqlite.Open(filepath.Join(dir, "shop.db")), &gorm.Config{Logger: logger.Discard})
	check(err)
	check(db.AutoMigrate(&shop.City{}, &shop.Merchant{}, &shop.Croupon{}, &shop.Review{}))

	store, err := tiered.Open(tiered.Options{}) // no server: in this process only
	check(err)
	rt, err = cacheruntime.New(db, store, cacheruntime.Options{Namespace: "shop"})
	check(err)
	m, err = shop.NewModels(rt)
	check(err)

	for i, slug := range []string{"pizza", "books", "boots"} {
		check(db.Create(&shop.Croupon{Slug: slug, City: "Portland", Category: "food", Popularity: int64(10 * i), Active: true}).Error)
	}
	return db, rt, m, func() {
		check(rt.Close())
		check(store.Close())
		pool, err := db.DB()
		check(err)
		check(pool.Close())
		check(os.RemoveAll(dir))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Reads go through the cache; writes are plain GORM and flush what they make wrong.
func Example() {
	db, rt, m, closeAll := open()
	defer closeAll()

	for range 2 { // a miss, then a hit
		c, err := m.Croupon.Cache.Get(ctx, 1)
		check(err)
		fmt.Println(c.Slug, c.Popularity)
	}
	fmt.Println(rt.Stats().CacheStatements, "statement")

	c, err := m.Croupon.Objects.Get(ctx, 1)
	check(err)
	c.Popularity = 50
	check(db.Save(c).Error)

	c, err = m.Croupon.Cache.Get(ctx, 1)
	check(err)
	fmt.Println(c.Slug, c.Popularity)
	// Output:
	// pizza 0
	// pizza 0
	// 1 statement
	// pizza 50
}

// A list holds the rows that equal its arguments, in its order.
func ExampleCrouponCache_ListPopularInCity() {
	db, _, m, closeAll := open()
	defer closeAll()

	show := func() {
		croupons, err := m.Croupon.Cache.ListPopularInCity(ctx, "Portland")
		check(err)
		var slugs []string
		for _, c := range croupons {
			slugs = append(slugs, c.Slug)
		}
		fmt.Println(slugs)
	}
	show()
	check(db.Model(&shop.Croupon{ID: 1}).Update("popularity", 15).Error) // moves within the list
	show()
	check(db.Model(&shop.Croupon{ID: 3}).Update("active", false).Error) // leaves it
	show()
	// Output:
	// [boots books pizza]
	// [boots pizza books]
	// [pizza books]
}

// What is not there is remembered, too, until it is made.
func ExampleCrouponCache_GetBySlug() {
	db, _, m, closeAll := open()
	defer closeAll()

	_, err := m.Croupon.Cache.GetBySlug(ctx, "shoes")
	fmt.Println(errors.Is(err, gorm.ErrRecordNotFound))

	check(db.Create(&shop.Croupon{Slug: "shoes", City: "Eugene"}).Error)
	c, err := m.Croupon.Cache.GetBySlug(ctx, "shoes")
	check(err)
	fmt.Println(c.City)
	// Output:
	// true
	// Eugene
}

// Within a transaction, read what will be saved from it.
func ExampleModels_WithTx() {
	db, _, m, closeAll := open()
	defer closeAll()

	err := db.Transaction(func(tx *gorm.DB) error {
		c, err := m.WithTx(tx).Croupon.Objects.Get(ctx, 1)
		if err != nil {
			return err
		}
		c.City = "Eugene"
		if err := tx.Save(c).Error; err != nil {
			return err
		}
		n, err := m.WithTx(tx).Croupon.Cache.CountByCity(ctx, "Eugene") // sees the transaction's own write
		fmt.Println("inside:", n)
		if err != nil {
			return err
		}
		n, err = m.Croupon.Cache.CountByCity(ctx, "Eugene") // sees what is committed
		fmt.Println("outside:", n)
		return err
	})
	check(err)
	n, err := m.Croupon.Cache.CountByCity(ctx, "Eugene")
	check(err)
	fmt.Println("after:", n)
	// Output:
	// inside: 1
	// outside: 0
	// after: 1
}

// A trace tells what became of every read and write of one context.
func Example_trace() {
	db, _, m, closeAll := open()
	defer closeAll()

	ctx, trace := cacheruntime.WithTrace(ctx)
	for range 2 {
		_, err := m.Croupon.Cache.CountByCity(ctx, "Portland")
		check(err)
	}
	check(db.WithContext(ctx).Model(&shop.Croupon{ID: 2}).Update("title", "All books").Error)
	for _, r := range trace.Reads() {
		fmt.Println(r.Accessor, "-", r.Outcome)
	}
	for _, f := range trace.Flushes() {
		fmt.Println("flushed", f.Lists)
	}
	// Output:
	// Croupon.CountByCity - no cell
	// Croupon.CountByCity - first tier
	// flushed [shop:croupons:2]
}
