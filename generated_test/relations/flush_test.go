package relations_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/generated_test/relations"
	"github.com/cachegen/cachegen/generated_test/relations/people"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// heard remembers the lists that fell.
type heard struct {
	mu    sync.Mutex
	lists []string
}

func (h *heard) ObserveFlush(_ context.Context, e cacheruntime.FlushEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range e.Lists {
		h.lists = append(h.lists, strings.TrimPrefix(l, "relations:"))
	}
}

// fell fails the test unless f makes just these lists fall.
func (h *heard) fell(t *testing.T, what string, f func() error, lists ...string) {
	t.Helper()
	h.mu.Lock()
	h.lists = nil
	h.mu.Unlock()
	if err := f(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.Sort(h.lists)
	slices.Sort(lists)
	if !slices.Equal(h.lists, lists) {
		t.Errorf("%s: fell %q, want %q", what, h.lists, lists)
	}
}

// The lists of children fall with the writes that change them, and no others do.
func TestListsThatFall(t *testing.T) {
	h := &heard{}
	worlds(t, cacheruntime.Options{Observer: h}, func(t *testing.T, w *world) {
		w.TB = t
		db := w.db
		is := func(what string, f func() error, lists ...string) { t.Helper(); h.fell(t, what, f, lists...) }
		review := func(id uint64) *gorm.DB { return db.Model(&relations.Review{ID: id}) }
		// behaviour 35
		is("a review moves", func() error { return review(1).Update("croupon_id", 3).Error }, "reviews:1", "croupons.Reviews(1)", "croupons.Reviews(3)")
		is("a review's text", func() error { return review(1).Update("text", "x").Error }, "reviews:1")
		is("a review's stars, by which they are ordered", func() error { return review(1).Update("stars", 4).Error }, "reviews:1", "croupons.Reviews(3)")
		is("a review is made", func() error { return db.Create(&relations.Review{ID: 50, CrouponID: 4}).Error }, "reviews:50", "croupons.Reviews(4)")
		is("one without a croupon", func() error { return db.Create(&relations.Review{ID: 51}).Error }, "reviews:51")
		// behaviour 39
		is("it is deleted softly", func() error { return db.Delete(&relations.Review{ID: 50}).Error }, "reviews:50", "croupons.Reviews(4)")
		is("it is brought back", func() error { return review(50).Unscoped().Update("deleted_at", nil).Error }, "reviews:50", "croupons.Reviews(4)")
		is("it is deleted", func() error { return db.Unscoped().Delete(&relations.Review{ID: 50}).Error }, "reviews:50", "croupons.Reviews(4)")
		// behaviour 38
		is("a photo of a croupon", func() error { return db.Create(&relations.Photo{ID: 60, OwnerID: 1, OwnerType: "c"}).Error }, "photos:60", "croupons.Photos(c,1)")
		is("it goes to the merchant", func() error { return db.Model(&relations.Photo{ID: 60}).Update("owner_type", "merchants").Error },
			"photos:60", "croupons.Photos(c,1)", "merchants.Photos(merchants,1)")
		is("its URL, by which those of croupons are ordered", func() error { return db.Model(&relations.Photo{ID: 60}).Update("url", "u").Error }, "photos:60")
		is("another's URL", func() error { return db.Model(&relations.Photo{ID: 2}).Update("url", "zz").Error }, "photos:2", "croupons.Photos(c,1)")
		is("sharp", func() error { return db.Model(&relations.Photo{ID: 2}).Update("sharp", true).Error }, "photos:2")
		is("a photo of nobody's kind", func() error { return db.Create(&relations.Photo{ID: 61, OwnerID: 1, OwnerType: "x"}).Error }, "photos:61")
		// behaviour 37
		is("a profile is made", func() error { return db.Create(&relations.Profile{ID: 70, MerchantID: 3}).Error }, "profiles:70", "merchants.Profile(3)")
		is("it moves", func() error { return db.Model(&relations.Profile{ID: 70}).Update("merchant_id", 2).Error },
			"profiles:70", "merchants.Profile(3)", "merchants.Profile(2)")
		is("its text", func() error { return db.Model(&relations.Profile{ID: 70}).Update("about", "x").Error }, "profiles:70")
		is("it is deleted", func() error { return db.Delete(&relations.Profile{ID: 70}).Error }, "profiles:70", "merchants.Profile(2)")
		// behaviour 33
		is("a merchant's name", func() error { return db.Model(&relations.Merchant{ID: 1}).Update("name", "x").Error }, "merchants:1")
		// behaviour 34: people lead people
		is("a boss", func() error { return db.Model(&people.Person{ID: 3}).Update("boss_id", 2).Error }, "people:3", "people.Team(1)", "people.Team(2)")
		is("one's own boss", func() error { return db.Model(&people.Person{ID: 3}).Update("boss_id", 3).Error }, "people:3", "people.Team(2)", "people.Team(3)")
		is("a country's code", func() error { return db.Model(&people.Country{ID: 1}).Update("code", "dk").Error },
			"countries:1", "people.Country(no)", "people.Country(dk)", "croupons.CountriesOf(no)", "croupons.CountriesOf(dk)")
		// The owner's model is of another package.
		is("an employer", func() error { return db.Model(&people.Person{ID: 3}).Update("employer_id", 1).Error },
			"people:3", "merchants.Staff(1)", "merchants.Staff(2)")
		is("his name", func() error { return db.Model(&people.Person{ID: 3}).Update("name", "Cyd").Error },
			"people:3", "people.Team(3)", "merchants.Staff(1)")
	})
}

// What a write changes is seen by the next read, and what it does not is still a hit.
func TestFreshAfterWrites(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		r := w.m.Croupon.Cache.WithMerchant().WithReviews(relations.ReviewWithAuthor())
		read := func() (all []*relations.Croupon) {
			t.Helper()
			all, err := r.GetMany(w.ctx, 1, 2, 3, 4)
			w.must(err)
			w.same("after a write", all, preloaded(w, w.db.Preload("Merchant").Preload("Reviews", order("stars desc, id")).Preload("Reviews.Author"), crouponID, 1, 2, 3, 4))
			return all
		}
		read()
		again := func(what string, statements int, write func() error) {
			t.Helper()
			read()
			w.must(write())
			// Each read asks for the one list that is too long for an entry.
			w.statements(what, statements+1, func() error { _, err := r.GetMany(w.ctx, 1, 2, 3, 4); return err })
			read()
		}
		again("nothing", 0, func() error { return nil })
		// behaviour 33
		again("the merchant", 1, func() error { return w.db.Model(&relations.Merchant{ID: 1}).Update("name", "new").Error })
		again("an author", 1, func() error { return w.db.Model(&people.Person{ID: 1}).Update("name", "Eve").Error })
		again("a review's text", 1, func() error { return w.db.Model(&relations.Review{ID: 1}).Update("text", "good").Error })
		// behaviour 35: the two lists in one statement, and the row
		again("a review moves", 2, func() error { return w.db.Model(&relations.Review{ID: 1}).Update("croupon_id", 4).Error })
		again("a croupon's merchant", 1, func() error { return w.db.Model(&relations.Croupon{ID: 1}).Update("merchant_id", 2).Error })
		again("a review is made", 2, func() error { return w.db.Create(&relations.Review{ID: 52, CrouponID: 3, AuthorID: 2}).Error })
	})
}

// behaviour 34: whoever leads himself is read as deep as asked, and no deeper.
func TestCyclesEnd(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		w.must(w.db.Model(&people.Person{ID: 1}).Update("boss_id", 2).Error) // Ada and Bo lead each other
		deep := people.PersonWithBoss()
		for range 10 {
			deep = people.PersonWithBoss(deep)
		}
		for range 2 {
			p, err := w.p.Person.Cache.WithBoss(deep).Get(w.ctx, 1)
			w.must(err)
			n := 0
			for ; p != nil; p = p.Boss {
				n++
			}
			if n != 13 {
				t.Errorf("%d people, want 13", n)
			}
		}
	})
}
