package relations_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
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

// What docs/relations.md says a level costs in statements.
func TestStatements(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		ids := []uint64{1, 3, 4, 6} // those without a long list
		rows := func() error { _, err := w.m.Croupon.Cache.GetMany(w.ctx, ids...); return err }
		w.statements("the rows", 1, rows)
		for _, c := range []struct {
			what string
			n    int
			with relations.CrouponReader
		}{
			{"belongs to", 1, w.m.Croupon.Cache.WithMerchant()},
			{"has many", 2, w.m.Croupon.Cache.WithReviews()},
			{"what belongs to is in another package", 1, w.m.Croupon.Cache.WithReviews(relations.ReviewWithAuthor())},
			{"by another column", 2, w.m.Croupon.Cache.WithReviews(relations.ReviewWithAuthor(people.PersonWithCountry()))},
			{"polymorphic", 2, w.m.Croupon.Cache.WithPhotos()},
			{"many to many", 2, w.m.Croupon.Cache.WithTags()},
			{"many to many by other columns, whose rows are there", 2, w.m.Croupon.Cache.WithCountries()},
			{"has one", 2, w.m.Croupon.Cache.WithMerchant(relations.MerchantWithProfile())},
		} {
			read := func() error { _, err := c.with.GetMany(w.ctx, ids...); return err }
			w.statements(c.what, c.n, read)
			w.statements(c.what+", warm", 0, read)
			w.statements(c.what+", one of them", 0, func() error { _, err := c.with.Get(w.ctx, 1); return err })
		}
		all := w.m.Croupon.Cache.WithMerchant().WithReviews(relations.ReviewWithAuthor())
		w.statements("from the database", 4, func() error { _, err := all.GetMany(cacheruntime.WithBypass(w.ctx), ids...); return err })
		w.statements("no rows", 0, func() error { _, err := all.GetMany(w.ctx); return err })
	})
}

// What docs/relations.md says a level costs in round trips, wave by wave.
func TestRoundTrips(t *testing.T) {
	relay := testserver.Proxy(t, testserver.Memcached(t).Addr()).Apart()
	w := openWith(t, fixture.SQLite(t), cacheruntime.Options{}, tiered.Options{Servers: []string{relay.Addr()}, MaxStale: -1})
	m := w.m.Croupon.Cache
	for _, c := range []struct {
		what  string
		waves []int
		with  relations.CrouponReader
	}{
		{"the rows alone", []int{1}, m},
		{"belongs to", []int{1, 1}, m.WithMerchant()},
		{"has many", []int{1, 1, 1}, m.WithReviews()},
		{"many to many", []int{1, 1, 1}, m.WithTags()},
		{"many to many by other columns", []int{1, 1, 1, 1}, m.WithCountries()},
		{"two levels", []int{1, 1, 1, 1}, m.WithReviews(relations.ReviewWithAuthor())},
		{"two side by side, as the longer", []int{1, 1, 1}, m.WithMerchant().WithReviews()},
		{"three side by side, as the longest", []int{1, 1, 1}, m.WithTags().WithMerchant().WithReviews()},
		{"seven side by side, as the longest", []int{1, 1, 1, 1},
			m.WithMerchant().WithReviews().WithPhotos().WithTags().WithSimilar().WithCountries().WithPlaces()},
		{"several on several levels, as the longest way down", []int{1, 1, 1, 1, 1, 1},
			m.WithMerchant(relations.MerchantWithProfile(), relations.MerchantWithOwner(people.PersonWithTeam(), people.PersonWithBoss())).WithTags().
				WithReviews(relations.ReviewWithAuthor(people.PersonWithCountry(), people.PersonWithBoss()))},
	} {
		t.Run(c.what, func(t *testing.T) {
			read := func() {
				if _, err := c.with.GetMany(w.ctx, 1, 3, 4, 6); err != nil {
					t.Error(err)
				}
			}
			read()
			testserver.Waves(t, []*testserver.Relay{relay}, c.waves, read)
		})
	}
}

// More rows than the limit are all there, in one statement for all owners that have so many, and are counted.
func TestLongLists(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		for i := range 4 {
			w.must(w.db.Create(&relations.Review{ID: uint64(100 + i), CrouponID: 3, Stars: i}).Error)
		}
		r := w.m.Croupon.Cache.WithReviews()
		for range 2 {
			cs, err := r.GetMany(w.ctx, 1, 2, 3)
			w.must(err)
			if n := fmt.Sprint(len(cs[0].Reviews), len(cs[1].Reviews), len(cs[2].Reviews)); n != "3 4 4" {
				t.Errorf("reviews: %s", n)
			}
		}
		before := w.rt.Stats().LongLists
		w.statements("two long lists", 1, func() error { _, err := r.GetMany(w.ctx, 1, 2, 3); return err })
		if n := w.rt.Stats().LongLists - before; n != 2 {
			t.Errorf("%d long lists were counted, want 2", n)
		}
		w.must(w.db.Delete(&relations.Review{}, []uint64{100, 101}).Error)
		_, err := r.GetMany(w.ctx, 1, 3)
		w.must(err)
		w.statements("it is short again", 0, func() error { _, err := r.GetMany(w.ctx, 1, 3); return err })
		w.must(w.db.Create(&relations.TagPlace{TagID: 1, PlaceCode: "c"}).Error) // a third, of two
		tag, err := w.m.Tag.Cache.WithPlaces().GetMany(w.ctx, 1, 2, 3)
		w.must(err)
		w.same("places", tag, preloaded(w, w.db.Preload("Places", order("code")), tagID, 1, 2, 3))
	})
}

// Within a result, rows that lead to one row share it where Preload lets them; two results share nothing.
func TestSharing(t *testing.T) {
	w := open(t, fixture.SQLite(t), cacheruntime.Options{})
	want := preloaded(w, w.db.Preload("Merchant").Preload("Similar"), crouponID, 1, 2)
	for range 2 {
		got, err := w.m.Croupon.Cache.WithMerchant().WithSimilar().GetMany(w.ctx, 1, 2)
		w.must(err)
		if (got[0].Merchant == got[1].Merchant) != (want[0].Merchant == want[1].Merchant) {
			t.Error("a merchant is shared otherwise than by Preload")
		}
		if (got[0].Similar[0] == got[1].Similar[0]) != (want[0].Similar[0] == want[1].Similar[0]) {
			t.Error("a similar croupon is shared otherwise than by Preload")
		}
		got[0].Merchant.Name = "changed by its caller"
		got[0].Similar[0].Slug = "too"
	}
	again, err := w.m.Croupon.Cache.WithMerchant().WithSimilar().GetMany(w.ctx, 1, 1)
	w.must(err)
	if again[0].Merchant.Name != "one" || again[0].Similar[0].Slug != "c1" || again[0] == again[1] {
		t.Errorf("a caller's change is seen by another: %s", show(again))
	}
}

// A row that has left its list since the list was made is noticed, among several lists too.
func TestRowsThatNoLongerFit(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		r := w.m.Croupon.Cache.WithReviews()
		_, err := r.GetMany(w.ctx, 1, 3, 4)
		w.must(err)
		// The lists stay, the row does not: as it is between a write's COMMIT and a reader that holds the lists already.
		w.must(w.db.WithContext(cacheruntime.WithoutFlush(w.ctx)).Model(&relations.Review{ID: 1}).Update("croupon_id", 3).Error)
		w.must(w.m.Review.Cache.Flush(w.ctx, 1))
		got, err := r.GetMany(w.ctx, 1, 4)
		w.must(err)
		if len(got[0].Reviews) != 2 || len(got[1].Reviews) != 1 {
			t.Errorf("%s", show(got))
		}
	})
}

// In a transaction related rows are those of the transaction, and nothing of it is cached.
func TestTransactions(t *testing.T) {
	worlds(t, cacheruntime.Options{}, func(t *testing.T, w *world) {
		w.TB = t
		read := func(m *relations.Models) *relations.Croupon {
			t.Helper()
			c, err := m.Croupon.Cache.WithMerchant().WithReviews().WithTags().Get(w.ctx, 1)
			w.must(err)
			return c
		}
		before := read(w.m)
		err := w.db.Transaction(func(tx *gorm.DB) error {
			w.must(tx.Model(&relations.Merchant{ID: 1}).Update("name", "inside").Error)
			w.must(tx.Create(&relations.Review{ID: 200, CrouponID: 1}).Error)
			w.must(tx.Model(&relations.Croupon{ID: 1}).Association("Tags").Clear())
			if c := read(w.m.WithTx(tx)); c.Merchant.Name != "inside" || len(c.Reviews) != 4 || len(c.Tags) != 0 {
				t.Errorf("inside: %s", show(c))
			}
			return errUndone
		})
		if !errors.Is(err, errUndone) {
			t.Error(err)
		}
		w.same("after the rollback", read(w.m), before)
	})
}

// Every level is in the trace: as asked for, where all is in the first tier, and each relation's own in order, where they are read side by side.
func TestTrace(t *testing.T) {
	w := open(t, fixture.SQLite(t), cacheruntime.Options{})
	read := func() (names []string) {
		ctx, trace := cacheruntime.WithTrace(w.ctx)
		_, err := w.m.Croupon.Cache.WithReviews(relations.ReviewWithAuthor()).WithTags().Get(ctx, 1)
		w.must(err)
		for _, r := range trace.Reads() {
			if len(names) == 0 || names[len(names)-1] != r.Accessor {
				names = append(names, r.Accessor)
			}
		}
		return names
	}
	cold := read()
	if got := strings.Join(read(), " "); got != "Croupon.Get Croupon.WithReviews Review.Get Person.Get Croupon.WithTags Tag.Get" {
		t.Error(got)
	}
	for _, way := range [][]string{{"Croupon.Get", "Croupon.WithReviews", "Review.Get", "Person.Get"}, {"Croupon.Get", "Croupon.WithTags", "Tag.Get"}} {
		at := -1
		for _, name := range way {
			if i := slices.Index(cold, name); i > at {
				at = i
			} else {
				t.Errorf("%s, read cold: %q", name, cold)
			}
		}
	}
}

// A related model whose package is not registered is an error that says so, and names it; the order of registering does not matter.
func TestPackagesRegistered(t *testing.T) {
	w := &world{TB: t, ctx: t.Context(), sql: &fixture.Statements{}}
	db := fixture.SQLite(t).Open(t, &gorm.Config{Logger: w.sql})
	w.must(db.SetupJoinTable(&relations.Tag{}, "Places", &relations.TagPlace{}))
	w.must(db.AutoMigrate(&people.Country{}, &people.Person{}, &relations.Merchant{}, &relations.Croupon{}, &relations.Review{}, &relations.Tag{}, &relations.Place{}))
	store, err := tiered.Open(tiered.Options{})
	w.must(err)
	t.Cleanup(func() { w.must(store.Close()) })
	rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: "relations"})
	w.must(err)
	m, err := relations.NewModels(rt)
	w.must(err)
	w.must(db.Create(&people.Person{ID: 1, Name: "Ada"}).Error)
	w.must(db.Exec("INSERT INTO merchants (id, owner_id) VALUES (1, 1)").Error)
	_, err = m.Merchant.Cache.WithOwner().Get(w.ctx, 1)
	if !errors.Is(err, cacheruntime.ErrNoModel) || !strings.Contains(err.Error(), "call NewModels of github.com/cachegen/cachegen/generated_test/relations/people") {
		t.Error(err)
	}
	for range 2 { // again and again: no list is there twice
		_, err = people.NewModels(rt)
		w.must(err)
		c, err := m.Merchant.Cache.WithOwner().Get(w.ctx, 1)
		w.must(err)
		if c.Owner == nil || c.Owner.Name != "Ada" {
			t.Errorf("%s", show(c))
		}
		if m, err = relations.NewModels(rt); err != nil {
			t.Fatal(err)
		}
	}
}

// Models are registered while others write to the tables that they lead to.
func TestRegisteredUnderWrites(t *testing.T) {
	w := open(t, fixture.SQLite(t), cacheruntime.Options{})
	ctx, stop := context.WithCancel(w.ctx)
	var group sync.WaitGroup
	written := make(chan bool, 100)
	group.Go(func() {
		for i := uint64(0); ctx.Err() == nil; i++ {
			if err := w.db.Model(&relations.Review{ID: 1}).Update("croupon_id", 1+i%3).Error; err != nil {
				t.Error(err)
			}
			select {
			case written <- true:
			default:
			}
		}
	})
	for range 20 {
		select {
		case <-written:
		case <-time.After(time.Minute):
			t.Fatal("nothing is written")
		}
		m, err := relations.NewModels(w.rt)
		w.must(err)
		if _, err := m.Croupon.Cache.WithReviews().GetMany(w.ctx, 1, 2, 3); err != nil {
			t.Error(err)
		}
	}
	stop()
	group.Wait()
	got, err := w.m.Croupon.Cache.WithReviews().GetMany(w.ctx, 1, 2, 3)
	w.must(err)
	w.same("in the end", got, preloaded(w, w.db.Preload("Reviews", order("stars desc, id")), crouponID, 1, 2, 3))
}

// A fake that is asked for relations answers as it says.
type fake struct {
	relations.UnimplementedCrouponReader
}

func (f fake) WithMerchant(...cacheruntime.With[*relations.Merchant]) relations.CrouponReader {
	return f
}

func (fake) Get(context.Context, uint64) (*relations.Croupon, error) {
	return &relations.Croupon{ID: 5}, nil
}

func TestFakes(t *testing.T) {
	var r relations.CrouponReader = fake{}
	if c, err := r.WithMerchant().Get(t.Context(), 1); err != nil || c.ID != 5 {
		t.Error(c, err)
	}
	if _, err := r.WithReviews().Get(t.Context(), 1); !errors.Is(err, cacheruntime.ErrUnimplemented) {
		t.Error(err)
	}
}

// Hits of relations' lists are compared with the database as others are, and found right.
func TestSampled(t *testing.T) {
	worlds(t, cacheruntime.Options{Sample: 1}, func(t *testing.T, w *world) {
		w.TB = t
		deadline := time.Now().Add(time.Minute)
		for w.rt.Stats().Sampled.Hits < 100 {
			for _, ctx := range []context.Context{w.ctx, cacheruntime.WithFresh(w.ctx)} {
				_, err := w.m.Croupon.Cache.WithTags().WithCountries().WithReviews().WithPhotos().GetMany(ctx, 1, 2, 3)
				w.must(err)
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v", w.rt.Stats().Sampled)
			}
			runtime.Gosched()
		}
		if s := w.rt.Stats().Sampled; s.Behind > 0 || s.Stale > 0 {
			t.Errorf("%+v", s)
		}
	})
}
