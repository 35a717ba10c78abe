// Package associations_test holds what is flushed where GORM saves children with their owner, and where Save makes an
// upsert of an update: what docs/writes.md says of both, on every database.
package associations_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shapes"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// owner is a merchant with its croupons, which have a list by the foreign key.
type owner struct {
	ID       uint64
	Name     string
	Croupons []shop.Croupon `gorm:"foreignKey:MerchantID"`
}

func (owner) TableName() string { return "merchants" }

// heard remembers the last flush.
type heard struct {
	mu      sync.Mutex
	lists   []string
	reasons []string
}

func (h *heard) ObserveFlush(_ context.Context, e cacheruntime.FlushEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lists = append(h.lists, e.Lists...)
	if e.Reason != "" {
		h.reasons = append(h.reasons, e.Reason)
	}
}

// whole returns why the table fell as a whole while f ran, and whether it did.
func (h *heard) whole(t *testing.T, table string, f func() error) (bool, string) {
	t.Helper()
	h.lists, h.reasons = nil, nil
	if err := f(); err != nil {
		t.Fatal(err)
	}
	return slices.Contains(h.lists, "shop:"+table), strings.Join(h.reasons, "; ")
}

func program(t *testing.T, d fixture.Database) (*fixture.Fixture, *heard) {
	h := &heard{}
	return fixture.New(t, fixture.Options{DB: &d, Runtime: cacheruntime.Options{Observer: h}}), h
}

// Children that GORM saves with their owner are an upsert, which flushes what they were and are on, on every database.
func TestChildrenSavedWithOwner(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		f, h := program(t, d)
		db := f.DB
		one := owner{Name: "one"}
		two := owner{Name: "two", Croupons: []shop.Croupon{{Slug: "c", City: "Bend"}, {Slug: "d", City: "Bend"}}}
		for _, c := range []struct {
			what  string
			write func() error
		}{
			{"Create of an owner alone", func() error { return db.Create(&one).Error }},
			{"Create with children", func() error {
				return db.Create(&owner{Name: "x", Croupons: []shop.Croupon{{Slug: "a", City: "Bend"}}}).Error
			}},
			{"Append", func() error {
				return db.Model(&one).Association("Croupons").Append(&shop.Croupon{Slug: "b", City: "Bend"})
			}},
			{"each by itself", func() error {
				return db.Transaction(func(tx *gorm.DB) error {
					if err := tx.Omit(clause.Associations).Create(&two).Error; err != nil {
						return err
					}
					for i := range two.Croupons {
						two.Croupons[i].MerchantID = &two.ID
					}
					return tx.Create(&two.Croupons).Error
				})
			}},
			{"Save without children", func() error { two.Name = "2"; return db.Omit("Croupons").Save(&two).Error }},
			{"Save with children that are there", func() error { two.Name = "II"; return db.Save(&two).Error }},
		} {
			whole, reason := h.whole(t, "croupons", c.write)
			if len(h.lists) == 0 {
				t.Errorf("%s: nothing was flushed", c.what)
			}
			if whole {
				t.Errorf("%s: the whole table (%q); %q", c.what, reason, h.lists)
			}
			for id := range uint64(4) {
				cached, err := f.M.Croupon.Cache.ListByMerchantID(t.Context(), &id)
				if err != nil {
					t.Fatal(err)
				}
				stored, err := f.M.Croupon.Objects.ListByMerchantID(t.Context(), &id)
				if err != nil || len(cached) != len(stored) {
					t.Errorf("%s: merchant %d has %d croupons in the cache and %d in the database: %v", c.what, id, len(cached), len(stored), err)
				}
			}
		}
	})
}

// Save of a row as it is changes no row where the server counts changed rows, and GORM makes an upsert of it then: of a row
// that is there.
func TestSaveOfUnchangedRow(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		for _, parameter := range []string{"", "clientFoundRows=true"} {
			d := d
			if d.Name == "mysql" {
				d = d.With(parameter)
			}
			f, h := program(t, d)
			m := shop.Merchant{Name: "as it is " + parameter}
			f.Create(t, &m)
			whole, reason := h.whole(t, "merchants", func() error { return f.DB.Save(&m).Error })
			want := []string{"shop:merchants:" + strconv.FormatUint(m.ID, 10)}
			if d.Name == "mysql" && parameter == "" { // which tells that nothing in it has changed
				want = nil
			}
			if whole || !slices.Equal(h.lists, want) {
				t.Errorf("with %q: %q fell (%q), want %q", parameter, h.lists, reason, want)
			}
		}
	})
}

// organisation has documents, of whose primary key its own is a part.
type organisation struct {
	ID        string            `gorm:"primaryKey;size:40"`
	Documents []shapes.Document `gorm:"foreignKey:OrgID"`
}

// Where the foreign key is part of the children's primary key, the upsert sets that: the table falls on every database.
func TestChildrenWithForeignKeyInTheirKey(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		db := d.Open(t, nil)
		if err := db.AutoMigrate(&organisation{}, &shapes.Document{}); err != nil {
			t.Fatal(err)
		}
		store, err := tiered.Open(tiered.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		h := &heard{}
		rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: "shop", Observer: h})
		if err != nil {
			t.Fatal(err)
		}
		defer rt.Close()
		if _, err := shapes.NewModels(rt); err != nil {
			t.Fatal(err)
		}
		whole, reason := h.whole(t, "documents", func() error {
			return db.Create(&organisation{ID: "a", Documents: []shapes.Document{{No: 1, Title: "one"}}}).Error
		})
		if !whole || reason != "upsert" {
			t.Errorf("with its owner: the whole table %v (%q)", whole, reason)
		}
		if whole, reason := h.whole(t, "documents", func() error {
			return db.Create(&shapes.Document{OrgID: "a", No: 2, Title: "two"}).Error
		}); whole {
			t.Errorf("by itself: the whole table (%q)", reason)
		}
	})
}
