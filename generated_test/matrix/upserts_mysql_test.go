package matrix

import (
	"context"
	"database/sql"
	"slices"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// behaviour 45: what MySQL's programs write, and the other databases do not take.
func TestUpsertsOfMySQL(t *testing.T) {
	moved := []string{"shops.CountByCity(bend)", "shops.CountByCity(reno)", "shops.ListByCity(bend)", "shops.ListByCity(reno)", "shops:1"}
	for _, d := range databases[2:] {
		t.Run(d.name, func(t *testing.T) {
			w, _ := meddled(t, d.name, d.new(t))
			for _, c := range []struct {
				name string
				how  clause.OnConflict
			}{
				{"columns of the conflict are not named", clause.OnConflict{DoUpdates: clause.AssignmentColumns([]string{"city"})}},
				{"the key of the row that is there is asked for", clause.OnConflict{DoUpdates: append(clause.AssignmentColumns([]string{"city"}),
					clause.Assignment{Column: clause.Column{Name: "id"}, Value: gorm.Expr("LAST_INSERT_ID(`id`)")})}},
			} {
				s := Shop{Name: "anna", City: "reno"}
				must(t, w.db.Clauses(c.how).Create(&s).Error)
				if lists, reason, _ := w.spy.take(); s.ID != 1 || !slices.Equal(lists, moved) {
					t.Errorf("%s: %q fell (%s); the key is %d", c.name, lists, reason, s.ID)
				}
				must(t, w.plain.Model(&Shop{ID: 1}).Update("city", "bend").Error)
			}
		})
	}
}

// behaviour 45: in a SERIALIZABLE transaction each SELECT locks, also keys that it does not find. There the plugin does not look, so that upserts of new
// rows do not wait for one another: each of the two has sent its upsert before the other commits.
func TestUpsertsInSerializableTransactions(t *testing.T) {
	for _, d := range databases[2:] {
		t.Run(d.name, func(t *testing.T) {
			w, _ := meddled(t, d.name, d.new(t))
			begin := func() *gorm.DB {
				tx := w.db.WithContext(context.Background()).Begin(&sql.TxOptions{Isolation: sql.LevelSerializable})
				must(t, tx.Error)
				t.Cleanup(func() { tx.Rollback() })
				must(t, tx.Exec("SET SESSION innodb_lock_wait_timeout = 1").Error)
				return tx
			}
			a, b := begin(), begin()
			up := func(tx *gorm.DB, s Shop) error {
				return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&s).Error
			}
			must(t, up(a, Shop{ID: 70, Name: "edna", City: "reno"}))
			must(t, up(b, Shop{ID: 80, Name: "fay", City: "salem"}))
			must(t, up(a, Shop{ID: 71, Name: "gus", City: "reno"}))
			must(t, a.Commit().Error)
			must(t, b.Commit().Error)
			want := []string{"shops.CountByCity(reno)", "shops.CountByCity(salem)", "shops.GetByName(edna)", "shops.GetByName(fay)", "shops.GetByName(gus)", "shops.ListByCity(reno)",
				"shops.ListByCity(salem)", "shops.ListByRegionID(~)", "shops:70", "shops:71", "shops:80"}
			if lists, reason, _ := w.spy.take(); !slices.Equal(lists, want) {
				t.Errorf("%q fell (%s)", lists, reason)
			}
			must(t, w.db.Transaction(func(tx *gorm.DB) error { return up(tx, Shop{ID: 70, Name: "edna", City: "bend"}) }, &sql.TxOptions{Isolation: sql.LevelSerializable}))
			if lists, reason, _ := w.spy.take(); !slices.Equal(lists, []string{"shops"}) || reason != "upsert" {
				t.Errorf("%q fell (%s)", lists, reason)
			}
		})
	}
}
