package relations_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/relations"
	"github.com/cachegen/cachegen/generated_test/relations/people"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

// A program that writes people and knows nothing of merchants, whose list of staff it makes wrong: the others see what it
// writes, and cache the list no longer.
func TestAProgramWithOnePackage(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		server := testserver.Memcached(t).Addr()
		w := open(t, d, cacheruntime.Options{}, server)
		staff := func() int {
			t.Helper()
			m, err := w.m.Merchant.Cache.WithStaff().Get(cacheruntime.WithFresh(w.ctx), 1)
			w.must(err)
			return len(m.Staff)
		}
		for range 2 {
			if n := staff(); n != 2 {
				t.Fatalf("%d people, want 2", n)
			}
		}
		store, err := tiered.Open(tiered.Options{Servers: []string{server}})
		w.must(err)
		defer store.Close()
		db := d.Open(t, &gorm.Config{Logger: w.sql})
		rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: "relations"})
		w.must(err)
		defer rt.Close()
		_, err = people.NewModels(rt)
		w.must(err)
		for i := range 5 {
			w.must(db.Model(&people.Person{ID: 3}).Update("employer_id", 1+i%2).Error)
			for range 2 {
				if n, want := staff(), 3-i%2; n != want {
					t.Errorf("write %d: %d people, want %d", i, n, want)
				}
			}
		}
	})
}

// Models that are registered before their tables are there, join tables included, are read from the database until the tables
// are, and then as others.
func TestRegisteredBeforeMigration(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := &world{TB: t, ctx: t.Context(), sql: &fixture.Statements{}}
		w.db = d.Open(t, &gorm.Config{Logger: w.sql, DisableForeignKeyConstraintWhenMigrating: true})
		store, err := tiered.Open(tiered.Options{})
		w.must(err)
		defer store.Close()
		w.rt, err = cacheruntime.New(w.db, store, cacheruntime.Options{Namespace: "relations"})
		w.must(err)
		defer w.rt.Close()
		w.m, err = relations.NewModels(w.rt)
		w.must(err)
		w.p, err = people.NewModels(w.rt)
		w.must(err)
		w.must(w.db.AutoMigrate(&relations.Croupon{}, &relations.Tag{}, &relations.Review{}, &people.Person{}, &people.Country{}))
		w.must(w.db.Create(&relations.Croupon{ID: 1, Tags: []relations.Tag{{ID: 1}, {ID: 2, Weight: 1}}, Reviews: []relations.Review{{ID: 1}}}).Error)
		r := w.m.Croupon.Cache.WithTags().WithReviews()
		deadline := time.Now().Add(time.Minute)
		for len(w.sql.Of(func() { _, err = r.Get(w.ctx, 1) })) > 0 {
			w.must(err)
			if time.Now().After(deadline) {
				t.Fatal("it is not cached")
			}
			runtime.Gosched()
		}
		w.must(w.db.Model(&relations.Croupon{ID: 1}).Association("Tags").Delete(&relations.Tag{ID: 2}))
		w.must(w.db.Create(&relations.Review{ID: 2, CrouponID: 1}).Error)
		c, err := r.Get(w.ctx, 1)
		w.must(err)
		w.same("after writes", c, preloaded(w, w.db.Preload("Tags", order("weight desc, id")).Preload("Reviews", order("stars desc, id")), crouponID, 1)[0])
	})
}
