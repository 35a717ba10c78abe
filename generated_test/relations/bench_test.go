package relations_test

import (
	"context"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/relations"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// BenchmarkWith is what related rows cost from the first tier, beside the reads of the same rows by hand and GORM's Preload of
// them on SQLite.
func BenchmarkWith(b *testing.B) {
	w := open(b, fixture.SQLite(b), cacheruntime.Options{})
	ctx := context.Background()
	m := w.m.Croupon.Cache
	merchant, reviews, all := m.WithMerchant(), m.WithReviews(), m.WithMerchant().WithReviews().WithTags()
	ids := []uint64{1, 3, 4, 6}
	for _, c := range []struct {
		name string
		read func() error
	}{
		{"Get", func() error { _, err := m.Get(ctx, 1); return err }},
		{"Get, and its merchant's", func() error {
			c, err := m.Get(ctx, 1)
			if err == nil {
				c.Merchant, err = w.m.Merchant.Cache.Get(ctx, *c.MerchantID)
			}
			return err
		}},
		{"WithMerchant", func() error { _, err := merchant.Get(ctx, 1); return err }},
		{"WithReviews", func() error { _, err := reviews.Get(ctx, 1); return err }},
		{"WithMerchant, WithReviews, WithTags", func() error { _, err := all.Get(ctx, 1); return err }},
		{"the same, 4 rows", func() error { _, err := all.GetMany(ctx, ids...); return err }},
		{"Preload of the same, 4 rows", func() error {
			var rows []*relations.Croupon
			return w.db.WithContext(ctx).Preload("Merchant").Preload("Reviews", order("stars desc, id")).Preload("Tags").Find(&rows, ids).Error
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			w.must(c.read())
			b.ReportAllocs()
			for b.Loop() {
				if err := c.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
