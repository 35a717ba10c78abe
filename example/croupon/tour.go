package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cachegen/cachegen/example/seed"
	"github.com/cachegen/cachegen/example/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// tour reads and writes the shop, step by step.
type tour struct {
	ctx  context.Context
	db   *gorm.DB
	rt   *cacheruntime.Runtime
	m    *shop.Models
	size int
}

func (t *tour) run() error {
	for _, step := range []func() error{t.rows, t.batches, t.lookups, t.lists, t.counts, t.pages, t.move, t.remove} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// ids are n primary keys, the same each time.
func (t *tour) ids(n int) []uint64 {
	random := rand.New(rand.NewPCG(3, 4))
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = 1 + random.Uint64N(uint64(t.size))
	}
	return ids
}

// rows reads croupons one by one. Everything that is shown here takes a CrouponReader, so the same
// code runs through the cache and beside it.
func (t *tour) rows() error {
	ids := t.ids(1000)
	return t.compare("1000 × Get", "a row by primary key", len(ids), func(r readers, i int) error {
		_, err := r.croupons.Get(t.ctx, ids[i])
		return err
	})
}

// batches reads twenty at a time: one round trip a tier, one statement for what is missing.
func (t *tour) batches() error {
	ids := t.ids(2000)
	return t.compare("100 × GetMany of 20", "rows by primary key", 100, func(r readers, i int) error {
		_, err := r.croupons.GetMany(t.ctx, ids[20*i:20*i+20]...)
		return err
	})
}

// lookups reads croupons by slug, and merchants by name.
func (t *tour) lookups() error {
	croupons, err := t.m.Croupon.Objects.GetMany(t.ctx, t.ids(200)...)
	if err != nil {
		return err
	}
	return t.compare("200 × GetBySlug", "a row by a unique column", len(croupons), func(r readers, i int) error {
		_, err := r.croupons.GetBySlug(t.ctx, croupons[i].Slug)
		return err
	})
}

// lists reads the most popular croupons of each city. The list holds primary keys; the rows come from
// their own entries, so lists that show the same row share it.
func (t *tour) lists() error {
	return t.compare("64 × ListPopularInCity", "8 lists of up to 50 rows", 64, func(r readers, i int) error {
		_, err := r.croupons.ListPopularInCity(t.ctx, seed.Cities[i%len(seed.Cities)])
		return err
	})
}

func (t *tour) counts() error {
	return t.compare("256 × CountInCategory", "32 counts", 256, func(r readers, i int) error {
		_, err := r.croupons.CountInCategory(t.ctx, seed.Cities[i%len(seed.Cities)], seed.Categories[i/len(seed.Cities)%len(seed.Categories)])
		return err
	})
}

// pages renders what a city's page shows.
func (t *tour) pages() error {
	return t.compare("64 × a city's page", "its city, newest, top ten with merchants and reviews, four counts", 64, func(r readers, i int) error {
		_, err := cityPage(t.ctx, r, seed.Cities[i%len(seed.Cities)])
		return err
	})
}

// page is what a city's page shows.
type page struct {
	City    *shop.City
	Newest  *shop.Croupon
	Popular []*shop.Croupon // each with its merchant
	Reviews map[uint64][]*shop.Review
	Counts  map[string]int64
}

// cityPage reads a page. It neither knows nor cares whether it reads through the cache.
func cityPage(ctx context.Context, r readers, name string) (p page, err error) {
	if p.City, err = r.cities.Get(ctx, name); err != nil {
		return p, err
	}
	if p.Newest, err = r.croupons.OneNewestInCity(ctx, name); err != nil {
		return p, err
	}
	if p.Popular, err = r.croupons.WithMerchant().ListPopularInCityPage(ctx, name, 0, 10); err != nil {
		return p, err
	}
	p.Reviews = map[uint64][]*shop.Review{}
	for _, c := range p.Popular {
		if p.Reviews[c.ID], err = r.reviews.ListLatest(ctx, c.ID); err != nil {
			return p, err
		}
	}
	p.Counts = map[string]int64{}
	for _, category := range seed.Categories {
		if p.Counts[category], err = r.croupons.CountInCategory(ctx, name, category); err != nil {
			return p, err
		}
	}
	return p, nil
}

// move saves the most popular croupon of Portland into Eugene, with plain GORM, and shows which pages
// that changed. What will be saved is read from the database, in the transaction: a row from the cache
// may be older than what another transaction has just committed.
func (t *tour) move() error {
	top, err := t.m.Croupon.Cache.ListPopularInCityPage(t.ctx, "Portland", 0, 1)
	if err != nil {
		return err
	}
	fmt.Printf("\ndb.Save moves croupon %d from Portland to Eugene.\n", top[0].ID)
	return t.write(func(db *gorm.DB) error {
		return db.Transaction(func(tx *gorm.DB) error {
			c, err := t.m.WithTx(tx).Croupon.Objects.Get(t.ctx, top[0].ID)
			if err != nil {
				return err
			}
			c.City = "Eugene"
			return tx.Save(c).Error
		})
	})
}

// remove deletes the newest croupon of Salem.
func (t *tour) remove() error {
	c, err := t.m.Croupon.Cache.OneNewestInCity(t.ctx, "Salem")
	if err != nil {
		return err
	}
	fmt.Printf("\ndb.Delete removes croupon %d, the newest of Salem.\n", c.ID)
	return t.write(func(db *gorm.DB) error { return db.Delete(&shop.Croupon{}, c.ID).Error })
}

// write makes a write, shows what it flushed, and reads every city's page again.
func (t *tour) write(change func(*gorm.DB) error) error {
	ctx, trace := cacheruntime.WithTrace(t.ctx)
	if err := change(t.db.WithContext(ctx)); err != nil {
		return err
	}
	fmt.Println("It flushed:")
	for _, f := range trace.Flushes() {
		for _, list := range f.Lists {
			_, name, _ := strings.Cut(list, ":") // without the namespace
			fmt.Println("   ", name)
		}
	}
	fmt.Println("Reading the pages of all cities again took:")
	fmt.Printf("    %-14s %6s %12s %12s %8s %13s %13s %13s\n", "", "SQL", "first tier", "second tier", "misses", "Cache", "Objects' SQL", "Objects")
	for _, name := range seed.Cities {
		if err := t.comparePage(name); err != nil {
			return err
		}
	}
	fmt.Println("and each page is what the database says.")
	return nil
}

// comparePage reads a city's page through the cache and beside it, prints a line, and sees that both are
// the same.
func (t *tour) comparePage(name string) error {
	before, began := t.rt.Stats(), time.Now()
	cached, err := cityPage(t.ctx, cachedReaders(t.m), name)
	if err != nil {
		return err
	}
	through, between := time.Since(began), time.Now()
	direct, err := cityPage(t.ctx, directReaders(t.m), name)
	if err != nil {
		return err
	}
	beside, s := time.Since(between), t.rt.Stats().Minus(before)
	fmt.Printf("    %-14s %6d %12d %12d %8d %13s %13d %13s\n", name, s.CacheStatements, s.FirstHits, s.SecondHits, s.Misses,
		short(through), s.ObjectStatements, short(beside))
	if err := samePage(cached, direct); err != nil {
		return fmt.Errorf("the page of %s: %w", name, err)
	}
	return nil
}
