package relations_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/relations"
	"github.com/cachegen/cachegen/generated_test/relations/people"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// behaviour 36: the lists of a join table fall with its writes, on both sides, and others' do not.
func TestJoinTables(t *testing.T) {
	h := &heard{}
	worlds(t, cacheruntime.Options{Observer: h}, func(t *testing.T, w *world) {
		w.TB = t
		db := w.db
		tags := func(id uint64) *gorm.Association { return db.Model(&relations.Croupon{ID: id}).Association("Tags") }
		is := func(what string, f func() error, lists ...string) { t.Helper(); h.fell(t, what, f, lists...) }
		row := func(croupon, tag string) string { return "croupon_tags:" + croupon + "," + tag }
		is("Delete", func() error { return tags(1).Delete(&relations.Tag{ID: 1}) },
			row("1", "1"), "croupons.Tags(1)", "tags.Croupons(1)")
		is("Clear", func() error { return db.Model(&relations.Tag{ID: 2}).Association("Croupons").Clear() },
			row("1", "2"), "croupons.Tags(1)", "tags.Croupons(2)")
		is("a row by hand", func() error {
			return db.Table("croupon_tags").Where("croupon_id = ?", 1).Where("tag_id = ?", 3).Delete(nil).Error
		},
			row("1", "3"), "croupons.Tags(1)", "tags.Croupons(3)")
		is("a place goes softly", func() error {
			return db.Model(&relations.Tag{ID: 1}).Association("Places").Delete(&relations.Place{Code: "b"})
		},
			"tag_places:1", "tags.Places(1)")
		is("it comes back", func() error {
			return db.Unscoped().Model(&relations.TagPlace{ID: 1}).Update("deleted_at", nil).Error
		}, "tag_places:1", "tags.Places(1)")
		is("a column of the join table", func() error { return db.Model(&relations.TagPlace{ID: 1}).Update("since", 3).Error }, "tag_places:1")
		is("another place", func() error { return db.Model(&relations.TagPlace{ID: 1}).Update("place_code", "c").Error }, "tag_places:1", "tags.Places(1)")
		is("another tag", func() error { return db.Model(&relations.TagPlace{ID: 1}).Update("tag_id", 4).Error }, "tag_places:1", "tags.Places(1)", "tags.Places(4)")
		is("a country by its code", func() error {
			return db.Model(&relations.Croupon{Slug: "c1"}).Association("Countries").Delete(&people.Country{Code: "no"})
		}, "croupon_countries:c1,no", "croupons.Countries(c1)")
		is("a partner of another package", func() error {
			return db.Model(&relations.Merchant{ID: 2}).Association("Partners").Delete(&people.Country{ID: 2})
		}, "partners:2,2", "merchants.Partners(2)")
		is("a tag's weight, by which croupons order them", func() error { return db.Model(&relations.Tag{ID: 4}).Update("weight", 9).Error }, "tags:4")
	})
}

// behaviour 36: after association mode on either side, both sides are as Preload has them.
func TestAssociationMode(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		db := w.db
		check := func(what string) {
			t.Helper()
			for range 2 {
				croupons, err := w.m.Croupon.Cache.WithTags(relations.TagWithPlaces()).GetMany(w.ctx, 1, 2, 3)
				w.must(err)
				w.same(what, croupons, preloaded(w, db.Preload("Tags", order("weight desc, id")).Preload("Tags.Places", order("code")), crouponID, 1, 2, 3))
				tags, err := w.m.Tag.Cache.WithCroupons().GetMany(w.ctx, 1, 2, 3, 4)
				w.must(err)
				w.same(what, tags, preloaded(w, db.Preload("Croupons", order("id")), tagID, 1, 2, 3, 4))
			}
		}
		check("before")
		one := db.Model(&relations.Croupon{ID: 1})
		for _, c := range []struct {
			what string
			do   func() error
		}{
			{"Delete", func() error { return one.Association("Tags").Delete(&relations.Tag{ID: 1}) }},
			{"Append", func() error {
				return db.Model(&relations.Croupon{ID: 3}).Association("Tags").Append(&relations.Tag{ID: 1})
			}},
			{"Append of a new one", func() error {
				return db.Model(&relations.Croupon{ID: 3}).Association("Tags").Append(&relations.Tag{ID: 9, Name: "new", Weight: 5})
			}},
			{"Replace", func() error {
				return db.Model(&relations.Croupon{ID: 1}).Association("Tags").Replace(&relations.Tag{ID: 4}, &relations.Tag{ID: 9})
			}},
			{"the other side", func() error {
				return db.Model(&relations.Tag{ID: 2}).Association("Croupons").Append(&relations.Croupon{ID: 2})
			}},
			{"its Clear", func() error { return db.Model(&relations.Tag{ID: 1}).Association("Croupons").Clear() }},
			{"a weight", func() error { return db.Model(&relations.Tag{ID: 9}).Update("weight", -5).Error }},
			{"a tag goes", func() error { return db.Delete(&relations.Tag{ID: 4}).Error }},
			{"a place", func() error {
				return db.Model(&relations.Tag{ID: 9}).Association("Places").Append(&relations.Place{Code: "a"})
			}},
			{"SQL text", func() error { return db.Exec("DELETE FROM croupon_tags WHERE tag_id = 9").Error }},
			{"Select and Delete", func() error { return db.Select("Tags").Delete(&relations.Croupon{ID: 1}).Error }},
			{"a croupon with tags", func() error {
				return db.Create(&relations.Croupon{ID: 1, Slug: "again", Tags: []relations.Tag{{ID: 2}, {ID: 20, Name: "made"}}}).Error
			}},
		} {
			w.must(c.do())
			check(c.what)
		}
	})
}

// behaviour 36: a join table that is set after NewModels is an error of the reads that go through it, since nobody knows of its columns:
// rows that are deleted softly would go on leading somewhere. NewModels after it mends that.
func TestJoinTableSetLate(t *testing.T) {
	w := open(t, fixture.SQLite(t), cacheruntime.Options{})
	w.must(w.db.SetupJoinTable(&relations.Place{}, "Croupons", &relations.CrouponPlace{}))
	for what, r := range map[string]relations.PlaceReader{"Cache": w.m.Place.Cache.WithCroupons(), "Objects": w.m.Place.Objects.WithCroupons()} {
		if _, err := r.Get(w.ctx, "a"); !errors.Is(err, cacheruntime.ErrModel) || !strings.Contains(err.Error(), "Place.Croupons: SetupJoinTable was called after NewModels") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := w.m.Croupon.Cache.WithPlaces().Get(w.ctx, 1) // the other side was set in time
	w.must(err)
	m, err := relations.NewModels(w.rt)
	w.must(err)
	_, err = m.Place.Cache.WithCroupons().Get(w.ctx, "a")
	w.must(err)
}
