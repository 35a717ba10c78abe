// Package relations_test holds what With… brings against what GORM's Preload brings, on every database.
package relations_test

import (
	"testing"

	"github.com/cachegen/cachegen/generated_test/relations"
	"github.com/cachegen/cachegen/generated_test/relations/people"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// readers are the ways to one model's rows that must all bring the same: a cold cache, a warm one, the second tier alone, the
// database, a bypass, and a transaction.
func readers[R any](w *world, cache, objects R, tx func(*relations.Models, *people.Models) R, check func(what string, w *world, r R)) {
	check("cold", w, cache)
	check("warm", w, cache)
	second := *w
	second.ctx = cacheruntime.WithFresh(w.ctx)
	check("second tier", &second, cache)
	second.ctx = cacheruntime.WithRefresh(w.ctx)
	check("refreshed", &second, cache)
	second.ctx = cacheruntime.WithBypass(w.ctx)
	check("bypass", &second, cache)
	check("objects", w, objects)
	w.must(w.db.Transaction(func(db *gorm.DB) error {
		check("transaction", w, tx(w.m.WithTx(db), w.p.WithTx(db)))
		return nil
	}))
}

// Every kind of relation brings what Preload brings.
func TestEqualToPreload(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		croupons := func(m *relations.Models, _ *people.Models) relations.CrouponReader { return m.Croupon.Cache }
		ids := []uint64{4, 1, 2, 6, 3, 5}
		for name, c := range map[string]struct {
			with    func(relations.CrouponReader) relations.CrouponReader
			preload func(*gorm.DB) *gorm.DB
		}{
			"belongs to": {
				func(r relations.CrouponReader) relations.CrouponReader { return r.WithMerchant() },
				func(db *gorm.DB) *gorm.DB { return db.Preload("Merchant") },
			},
			"has many": {
				func(r relations.CrouponReader) relations.CrouponReader { return r.WithReviews() },
				func(db *gorm.DB) *gorm.DB { return db.Preload("Reviews", order("stars desc, id")) },
			},
			"polymorphic": {
				func(r relations.CrouponReader) relations.CrouponReader { return r.WithPhotos() },
				func(db *gorm.DB) *gorm.DB { return db.Preload("Photos", order("url, id")) },
			},
			"many to many": {
				func(r relations.CrouponReader) relations.CrouponReader { return r.WithTags() },
				func(db *gorm.DB) *gorm.DB { return db.Preload("Tags", order("weight desc, id")) },
			},
			"many to many of the same": {
				func(r relations.CrouponReader) relations.CrouponReader {
					return r.WithSimilar(relations.CrouponWithSimilar(), relations.CrouponWithTags(relations.TagWithPlaces()))
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Preload("Similar", order("id")).Preload("Similar.Similar", order("id")).Preload("Similar.Tags", order("weight desc, id")).Preload("Similar.Tags.Places", order("code"))
				},
			},
			"many to many by other columns": {
				func(r relations.CrouponReader) relations.CrouponReader { return r.WithCountries() },
				func(db *gorm.DB) *gorm.DB { return db.Preload("Countries", order("id")) },
			},
			"many to many, each side with a join table of its own": {
				func(r relations.CrouponReader) relations.CrouponReader {
					return r.WithPlaces(relations.PlaceWithCroupons())
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Preload("Places", order("code")).Preload("Places.Croupons", order("id desc"))
				},
			},
			"several, nested, in another package": {
				func(r relations.CrouponReader) relations.CrouponReader {
					return r.WithReviews(relations.ReviewWithAuthor(people.PersonWithBoss(), people.PersonWithCountry())).
						WithMerchant(relations.MerchantWithOwner(people.PersonWithTeam())).WithMerchant(relations.MerchantWithProfile())
				},
				func(db *gorm.DB) *gorm.DB {
					return db.Preload("Reviews", order("stars desc, id")).Preload("Reviews.Author.Boss").Preload("Reviews.Author.Country").
						Preload("Merchant.Owner.Team", order("name desc, id")).Preload("Merchant.Profile", order("id"))
				},
			},
		} {
			for _, ids := range [][]uint64{{1}, {2}, {5}, {6}, {5, 6}, ids} {
				want := preloaded(w, c.preload(w.db), crouponID, ids...)
				readers[relations.CrouponReader](w, w.m.Croupon.Cache, w.m.Croupon.Objects, croupons, func(what string, w *world, r relations.CrouponReader) {
					got, err := c.with(r).GetMany(w.ctx, ids...)
					w.must(err)
					w.same(name+", "+what, got, want)
					one, err := c.with(r).Get(w.ctx, ids[0])
					w.must(err)
					w.same(name+", "+what+", Get", one, preloaded(w, c.preload(w.db), crouponID, ids[0])[0])
				})
			}
		}
		merchants := func(m *relations.Models, _ *people.Models) relations.MerchantReader { return m.Merchant.Cache }
		want := preloaded(w, w.db.Preload("Profile", order("id")).Preload("Croupons", order("id")).Preload("Photos", order("id")).Preload("Owner").
			Preload("Staff", order("name desc, id")).Preload("Partners", order("id")), merchantID, 1, 2, 3)
		readers[relations.MerchantReader](w, w.m.Merchant.Cache, w.m.Merchant.Objects, merchants, func(what string, w *world, r relations.MerchantReader) {
			got, err := r.WithProfile().WithCroupons().WithPhotos().WithOwner().WithStaff().WithPartners().GetMany(w.ctx, 1, 2, 3)
			w.must(err)
			w.same("merchants, "+what, got, want)
		})
		tags := func(m *relations.Models, _ *people.Models) relations.TagReader { return m.Tag.Cache }
		placed := preloaded(w, w.db.Preload("Croupons", order("id")).Preload("Places", order("code")), tagID, 1, 2, 3, 4)
		readers[relations.TagReader](w, w.m.Tag.Cache, w.m.Tag.Objects, tags, func(what string, w *world, r relations.TagReader) {
			got, err := r.WithCroupons().WithPlaces().GetMany(w.ctx, 1, 2, 3, 4)
			w.must(err)
			w.same("tags, "+what, got, placed)
		})
		persons := func(_ *relations.Models, p *people.Models) people.PersonReader { return p.Person.Cache }
		team := preloaded(w, w.db.Preload("Team", order("name desc, id")).Preload("Team.Team", order("name desc, id")).Preload("Country").Preload("Boss.Boss"), personID, 1, 2, 3, 4)
		readers[people.PersonReader](w, w.p.Person.Cache, w.p.Person.Objects, persons, func(what string, w *world, r people.PersonReader) {
			got, err := r.WithTeam(people.PersonWithTeam()).WithCountry().WithBoss(people.PersonWithBoss()).GetMany(w.ctx, 1, 2, 3, 4)
			w.must(err)
			w.same("people, "+what, got, team)
		})
	})
}

// Every accessor of a reader that was told With brings the related rows.
func TestEveryAccessor(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		r := w.m.Croupon.Cache.WithMerchant()
		for range 2 {
			c, err := r.GetBySlug(w.ctx, "c2")
			w.must(err)
			list, err := r.ListInCity(w.ctx, "Bend")
			w.must(err)
			page, err := r.ListInCityPage(w.ctx, "Bend", 0, 1)
			w.must(err)
			slugs, err := r.GetManyBySlug(w.ctx, "c1", "c2", "c1")
			w.must(err)
			byID, err := r.GetMap(w.ctx, 3, 1)
			w.must(err)
			for _, c := range append(append(append(list[:2:2], page...), slugs...), c, byID[3], byID[1]) {
				if c.Merchant == nil || c.Merchant.Name != "one" {
					t.Errorf("croupon %d has the merchant %v", c.ID, c.Merchant)
				}
			}
		}
		if _, err := r.Get(w.ctx, 99); err == nil {
			t.Error("an absent row was found")
		}
		plain, err := w.m.Croupon.Cache.Get(w.ctx, 1)
		w.must(err)
		if plain.Merchant != nil {
			t.Error("the reader that With was called on has changed")
		}
	})
}
