// Package seed fills a database with a small site's data, the same each time.
package seed

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cachegen/cachegen/example/shop"
	"gorm.io/gorm"
)

var (
	// Cities are where croupons are offered.
	Cities = []string{"Portland", "Eugene", "Salem", "Bend", "Ashland", "Astoria", "Medford", "Corvallis"}
	// Categories are what they are filed under.
	Categories = []string{"food", "books", "travel", "tools"}
)

const merchants = 200

// Fill makes the tables of a new database, and size croupons, at least 1, with as many reviews. Call it
// before the cache is switched on: it stands for the program that owned the data before.
func Fill(db *gorm.DB, size int) error {
	if err := db.AutoMigrate(&shop.City{}, &shop.Merchant{}, &shop.Croupon{}, &shop.Review{}); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(1, 2))
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

	var cs []shop.City
	for _, name := range Cities {
		cs = append(cs, shop.City{Name: name, Country: "US", Population: 10_000 + random.Int64N(600_000)})
	}
	ms := make([]shop.Merchant, merchants)
	for i := range ms {
		ms[i] = shop.Merchant{Name: fmt.Sprintf("Merchant %03d", i+1)}
	}
	croupons := make([]shop.Croupon, size)
	for i := range croupons {
		category := Categories[random.IntN(len(Categories))]
		croupons[i] = shop.Croupon{
			Slug:       fmt.Sprintf("half-price-%s-%d", category, i+1),
			Title:      fmt.Sprintf("Half price on %s, offer %d", category, i+1),
			City:       Cities[random.IntN(len(Cities))],
			Category:   category,
			Percent:    uint8(5 * (1 + random.IntN(15))),
			Popularity: random.Int64N(1_000_000),
			Active:     random.IntN(10) > 0,
			MerchantID: 1 + random.Uint64N(merchants),
			CreatedAt:  day.Add(time.Duration(i) * time.Minute),
		}
	}
	reviews := make([]shop.Review, size)
	for i := range reviews {
		reviews[i] = shop.Review{CrouponID: 1 + random.Uint64N(uint64(size)), Stars: uint8(1 + random.IntN(5)), Text: "As described."}
	}
	return db.Transaction(func(tx *gorm.DB) error {
		for _, rows := range []any{&cs, &ms, &croupons, &reviews} {
			if err := tx.CreateInBatches(rows, 1000).Error; err != nil {
				return err
			}
		}
		return nil
	})
}
