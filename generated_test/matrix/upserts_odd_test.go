package matrix

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// behaviour 45: on MySQL and MariaDB, upserts of rows that are there by their keys, into tables that do more than the statement says. The primary
// key is not always what an upsert finds its row by, and a row may change where nothing that it sets does. DO NOTHING is an update of nothing, which
// has triggers run.
func TestUpsertsIntoOddTables(t *testing.T) {
	set := func(columns ...string) clause.OnConflict {
		return clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns(columns)}
	}
	anna, bert := Shop{ID: 1, Name: "anna", City: "bend"}, Shop{ID: 2, Name: "bert", City: "bend"}
	inReno := func(s Shop) Shop { s.City = "reno"; return s }
	const (
		touches = "CREATE TRIGGER odd BEFORE UPDATE ON shops FOR EACH ROW SET NEW.phone = CONCAT(OLD.phone, '1')"
		moves   = "CREATE TRIGGER odd BEFORE UPDATE ON shops FOR EACH ROW SET NEW.city = 'reno'"
		rekeys  = "CREATE TRIGGER odd BEFORE INSERT ON shops FOR EACH ROW SET NEW.id = 2"
	)
	for _, d := range databases[2:] {
		t.Run(d.name, func(t *testing.T) {
			w := newWorld(t, d.name, d.new(t), gorm.Config{}).cached(t, cacheruntime.Options{})
			for _, c := range []struct {
				name       string
				made, undo []string
				write      func(db *gorm.DB) *gorm.DB
				falls      []string
			}{
				{"a trigger changes what is not set, one row", []string{touches}, []string{"DROP TRIGGER odd"}, func(db *gorm.DB) *gorm.DB {
					return db.Clauses(set("city")).Create(&anna)
				}, []string{"shops"}},
				{"a trigger changes what is not set, two rows", []string{touches}, []string{"DROP TRIGGER odd"}, func(db *gorm.DB) *gorm.DB {
					return db.Clauses(set("city")).Create(&[]Shop{anna, bert})
				}, []string{"shops"}},
				{"a trigger moves the rows to another list", []string{moves}, []string{"DROP TRIGGER odd"}, func(db *gorm.DB) *gorm.DB {
					return db.Clauses(set("phone")).Create(&[]Shop{anna, bert})
				}, []string{"shops"}},
				{"a trigger changes a row that DO NOTHING finds, one value", []string{moves}, []string{"DROP TRIGGER odd"}, func(db *gorm.DB) *gorm.DB {
					return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&Shop{Name: "anna"})
				}, []string{"shops"}},
				{"a trigger changes a row that DO NOTHING finds, two values", []string{moves}, []string{"DROP TRIGGER odd"}, func(db *gorm.DB) *gorm.DB {
					return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&[]Shop{anna, {ID: 70, Name: "dora"}})
				}, []string{"shops"}},
				{"a trigger changes the key", []string{rekeys}, []string{"DROP TRIGGER odd"}, func(db *gorm.DB) *gorm.DB {
					return db.Clauses(set("city")).Create(&[]Shop{inReno(anna)})
				}, []string{"shops"}},
				{"MariaDB looks at a unique key of a text first", []string{"UPDATE shops SET phone = id", "CREATE UNIQUE INDEX odd ON shops (phone) USING HASH"},
					[]string{"DROP INDEX odd ON shops", "UPDATE shops SET phone = ''"}, func(db *gorm.DB) *gorm.DB {
						s := inReno(anna)
						s.Phone = "2" // which is row 2's
						return db.Clauses(set("city")).Create(&[]Shop{s})
					}, []string{"shops"}},
				{"a key that is not sent, and a unique column that no tag tells of", []string{"CREATE UNIQUE INDEX odd ON licences (number)"}, []string{"DROP INDEX odd ON licences"}, func(db *gorm.DB) *gorm.DB {
					return db.Omit("ID").Clauses(set("shop_id"), clause.Returning{}).Create(&Licence{ID: 1, Number: "two", ShopID: id(3)})
				}, []string{"licences"}},
			} {
				w.reset(t, []string{"shops", "licences"})
				for _, sql := range c.made {
					must(t, w.plain.Exec(sql).Error)
				}
				var reads []read
				for _, r := range w.reads() {
					if _, err := r.cache(t.Context()); err != nil {
						t.Fatalf("%s: %s: %v", c.name, r.what, err)
					}
					reads = append(reads, r)
				}
				w.spy.take()
				must(t, c.write(w.db).Error)
				lists, reason, _ := w.spy.take()
				if c.falls != nil && !slices.Equal(lists, c.falls) {
					t.Errorf("%s: %q fell (%s), want %q", c.name, lists, reason, c.falls)
				}
				for _, r := range reads {
					got, err := r.cache(t.Context())
					stored, err2 := r.objects(t.Context())
					if err != nil || err2 != nil || !reflect.DeepEqual(got, stored) {
						t.Errorf("%s: %s is %s in the cache (%v), %s in the database (%v)", c.name, r.what, show(got), err, show(stored), err2)
					}
				}
				for _, sql := range c.undo {
					must(t, w.plain.Exec(sql).Error)
				}
			}
			w.idle(t)
		})
	}
}

// behaviour 45: NULL is like nothing in a unique key, so that rows which have it are neither held nor judged by an upsert of another.
func TestUpsertOfNull(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			w := newWorld(t, d.name, d.new(t), gorm.Config{}).cached(t, cacheruntime.Options{})
			must(t, w.plain.Exec("CREATE UNIQUE INDEX once ON licences (shop_id)").Error)
			must(t, w.plain.Create(&[]Licence{{Number: "three"}, {Number: "four"}}).Error)
			w.spy.take()
			sent := w.sql.Of(func() {
				at := clause.OnConflict{Columns: columns("shop_id"), DoUpdates: clause.AssignmentColumns([]string{"number"})}
				must(t, w.db.Clauses(at).Create(&Licence{ID: 70, Number: "five"}).Error)
				if d.name != "postgres" && d.name != "sqlite" { // which want an index on the conflict's columns
					at = clause.OnConflict{Columns: columns("kind", "deleted_at"), DoUpdates: clause.AssignmentColumns([]string{"title"})}
					must(t, w.db.Clauses(at).Create(&Article{ID: 70, Code: "e", Kind: "food"}).Error)
				}
			})
			if lists, reason, _ := w.spy.take(); !slices.Contains(lists, "licences:70") || slices.Contains(lists, "licences") {
				t.Errorf("%q fell (%s)", lists, reason)
			}
			for _, sql := range sent {
				if strings.Contains(sql, "IS NULL") {
					t.Errorf("sent %s", sql)
				}
			}
		})
	}
}

// behaviour 45: on SQLite, an index whose collation is not its column's finds another row than a read of the column does: which lists
// that was on is not known, also where all values have keys.
func TestUpsertByAnotherCollation(t *testing.T) {
	w := newWorld(t, "sqlite", fixture.SQLite(t), gorm.Config{}).cached(t, cacheruntime.Options{})
	must(t, w.plain.Exec("DROP INDEX idx_shops_name").Error)
	must(t, w.plain.Exec("CREATE UNIQUE INDEX idx_shops_name ON shops (name COLLATE NOCASE)").Error)
	must(t, w.plain.Exec("CREATE UNIQUE INDEX odd ON badges (city COLLATE NOCASE)").Error)
	for _, c := range []struct {
		name  string
		write func(at clause.OnConflict) *gorm.DB
		by    string
		set   []string
		falls []string
	}{
		{"without a key, and the row is found by its new name", func(at clause.OnConflict) *gorm.DB {
			return w.db.Clauses(at).Create(&Shop{Name: "BERT", City: "reno"})
		}, "name", []string{"name", "city"}, []string{"shops"}},
		{"with a key of no row, and the row is found by its new name", func(at clause.OnConflict) *gorm.DB {
			return w.db.Clauses(at).Create(&Shop{ID: 71, Name: "CLEO", City: "reno"})
		}, "name", []string{"name", "city"}, []string{"shops"}},
		{"with a key of no row", func(at clause.OnConflict) *gorm.DB {
			return w.db.Clauses(at).Create(&Shop{ID: 70, Name: "ANNA", City: "reno"})
		}, "name", []string{"city"}, []string{"shops"}},
		{"with another row's key, which is not returned", func(at clause.OnConflict) *gorm.DB {
			return w.db.Clauses(at).Create(&Badge{Code: "a", Number: 9, City: "SALEM"}) // which is b's
		}, "city", []string{"number"}, []string{"badges"}},
	} {
		w.spy.take()
		must(t, c.write(clause.OnConflict{Columns: columns(c.by), DoUpdates: clause.AssignmentColumns(c.set)}).Error)
		if lists, reason, _ := w.spy.take(); !slices.Equal(lists, c.falls) {
			t.Errorf("%s: %q fell (%s), want %q", c.name, lists, reason, c.falls)
		}
	}
}

// stall is a shop whose name the database makes.
type stall struct {
	ID   uint64
	Name string `gorm:"default:lower('DORA')"`
	City string
}

func (stall) TableName() string { return "shops" }

// behaviour 45: a value without what the conflict is about, which the database makes and does not return, is not taken for a row that has nothing there.
func TestUpsertByAColumnThatTheDatabaseMakes(t *testing.T) {
	w, _ := meddled(t, "postgres", fixture.Postgres(t))
	must(t, w.plain.Exec("ALTER TABLE shops ALTER COLUMN name SET DEFAULT lower('DORA')").Error)
	must(t, w.plain.Create(&Shop{ID: 9, Name: "", City: "bend"}).Error)
	s := stall{ID: 70, City: "reno"}
	must(t, w.db.Clauses(clause.OnConflict{Columns: columns("name"), DoUpdates: clause.AssignmentColumns([]string{"city"})},
		clause.Returning{Columns: columns("id")}).Create(&s).Error)
	if lists, reason, _ := w.spy.take(); !slices.Contains(lists, "shops.ListByCity(reno)") && !slices.Contains(lists, "shops") {
		t.Errorf("%q fell (%s)", lists, reason)
	}
}
