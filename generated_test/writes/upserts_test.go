package writes_test

import (
	"testing"

	"gorm.io/gorm/clause"
)

// behaviour 45: upserts that can be judged, and those that cannot.
func TestUpserts(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.flushes("upsert by key", func() error {
			return w.db.Clauses(clause.OnConflict{UpdateAll: true}).
				Create(&Croupon{ID: 1, Slug: "a", City: "salem", Active: true, Popularity: 1}).Error
		}, cities(1, "portland", "salem")...)
		w.flushes("upsert by another column", func() error {
			return w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "slug"}}, DoUpdates: clause.AssignmentColumns([]string{"city"})}).
				Create(&Croupon{Slug: "b", City: "bend"}).Error
		}, cities(2, "portland", "bend")...)
		w.flushes("upsert by another column, with a key", func() error {
			return w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "slug"}}, DoUpdates: clause.AssignmentColumns([]string{"city"})}).
				Create(&Croupon{ID: 2, Slug: "b", City: "salem"}).Error
		}, cities(2, "bend", "salem")...)
		w.flushes("DoNothing on a row that is there", func() error {
			return w.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&Croupon{Slug: "c", City: "bend"}).Error
		})
		w.flushes("DoNothing on a new row", func() error {
			return w.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&Croupon{ID: 9, Slug: "z", City: "bend", Active: true}).Error
		}, whole(9, "z", "bend")...)
		if w.d.Name != "postgres" { // which has no such words
			slug := on(w, "z", "", "new here") // IGNORE makes none where there is one
			w.flushes("INSERT OR REPLACE, INSERT IGNORE", func() error {
				return w.db.Clauses(clause.Insert{Modifier: on(w, "OR REPLACE", "", "IGNORE")}).Create(&Croupon{ID: 10, Slug: slug, City: "bend"}).Error
			}, "croupons")
		}
		w.countOn()
		var c Croupon
		w.spy.take()
		if err := w.db.Where(Croupon{Slug: "new"}).Attrs(Croupon{City: "reno", Active: true}).FirstOrCreate(&c).Error; err != nil {
			t.Fatal(err)
		}
		w.flushed("FirstOrCreate", whole(c.ID, "new", "reno")...)
		w.flushes("FirstOrCreate of what is there", func() error { return w.db.Where(Croupon{Slug: "new"}).FirstOrCreate(&Croupon{}).Error })
	})
}
