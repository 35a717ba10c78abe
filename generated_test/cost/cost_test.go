// Package cost_test counts the round trips to memcached that accessors and writes through GORM make, one after the
// other. The table in docs/cost.md is tiered's own; this is the same as an application meets it.
package cost_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

// TestRoundTrips: requests that are out at once, wave by wave.
func TestRoundTrips(t *testing.T) {
	ctx := context.Background()
	relay := testserver.Proxy(t, testserver.Memcached(t).Addr()).Apart()
	// No first tier: every read is seen.
	f := fixture.New(t, fixture.Options{Servers: []string{relay.Addr()}, Tiered: tiered.Options{MaxStale: -1}})
	var ids []uint64
	for i := range 20 {
		c := &shop.Croupon{Slug: fmt.Sprint("pizza-", i), Title: "Pizza", City: "Portland", Category: "food", Active: true}
		f.Create(t, c)
		ids = append(ids, c.ID)
	}
	read := map[string]func() error{
		"Get":        func() error { _, err := f.M.Croupon.Cache.Get(ctx, ids[0]); return err },
		"GetMany":    func() error { _, err := f.M.Croupon.Cache.GetMany(ctx, ids...); return err },
		"GetBySlug":  func() error { _, err := f.M.Croupon.Cache.GetBySlug(ctx, "pizza-1"); return err },
		"ListByCity": func() error { _, err := f.M.Croupon.Cache.ListByCity(ctx, "Portland"); return err },
		"OneNewest":  func() error { _, err := f.M.Croupon.Cache.OneNewest(ctx, "Portland"); return err },
		"Count":      func() error { _, err := f.M.Croupon.Cache.CountByCity(ctx, "Portland"); return err },
	}
	warm := func() {
		for name, read := range read {
			if err := read(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	title := func(db *gorm.DB) error {
		return db.Model(&shop.Croupon{ID: ids[0]}).Update("title", "Half a pizza").Error
	}
	undone := errors.New("undone")
	for _, c := range []struct {
		what  string
		waves []int
		do    func() error
	}{
		{"Get", []int{1}, read["Get"]},
		{"GetMany of 20", []int{1}, read["GetMany"]},
		{"GetBySlug: its key, the row", []int{1, 1}, read["GetBySlug"]},
		{"ListByCity: its keys, 20 rows", []int{1, 1}, read["ListByCity"]},
		{"OneNewest: its key, the row", []int{1, 1}, read["OneNewest"]},
		{"CountByCity", []int{1}, read["Count"]},
		{"Update of a title: the row's list", []int{2, 1, 1, 1}, func() error { return title(f.DB) }},
		{"two of them in a transaction", []int{2, 1, 1, 1}, func() error {
			return f.DB.Transaction(func(tx *gorm.DB) error { return errors.Join(title(tx), title(tx)) })
		}},
		{"a rollback", nil, func() error {
			err := f.DB.Transaction(func(tx *gorm.DB) error { return errors.Join(title(tx), undone) })
			if errors.Is(err, undone) {
				return nil
			}
			return err
		}},
		{"Update that changes nothing", nil, func() error { return f.DB.Model(&shop.Croupon{ID: 1 << 40}).Update("title", "x").Error }},
	} {
		t.Run(c.what, func(t *testing.T) {
			warm()
			testserver.Waves(t, []*testserver.Relay{relay}, c.waves, func() {
				if err := c.do(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
