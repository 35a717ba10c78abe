package relations_test

import (
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/relations"
	"github.com/cachegen/cachegen/generated_test/relations/people"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// What docs/relations.md shows.
func TestExample(t *testing.T) {
	w := open(t, fixture.SQLite(t), cacheruntime.Options{})
	m, ctx := w.m, w.ctx
	w.must(w.db.Create(&relations.Croupon{ID: 42, Slug: "half-price-pizza", City: "Portland", MerchantID: ptr(1)}).Error)
	w.must(w.db.Create(&relations.Review{ID: 42, CrouponID: 42, AuthorID: 1}).Error)

	// The croupon with its merchant and its reviews.
	c, err := m.Croupon.Cache.WithMerchant().WithReviews().Get(ctx, 42)
	w.must(err)
	if c.Merchant.Name != "one" || len(c.Reviews) != 1 {
		t.Errorf("%s", show(c))
	}

	// A reader may be kept, and shared.
	reader := m.Croupon.Cache.WithReviews(relations.ReviewWithAuthor(people.PersonWithCountry()))
	cs, err := reader.ListInCity(ctx, "Portland")
	w.must(err)
	if len(cs) != 1 || cs[0].Reviews[0].Author.Country.Name != "Sweden" {
		t.Errorf("%s", show(cs))
	}
}
