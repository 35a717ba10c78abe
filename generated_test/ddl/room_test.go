package ddl_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/ddl"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// The tables of SQLite whose constraints make room for what is written.
var roomy = []string{
	`CREATE TABLE parts (id integer PRIMARY KEY, code text CONSTRAINT one UNIQUE ON CONFLICT REPLACE, shelf text, slot integer,
		title text NOT NULL ON CONFLICT REPLACE DEFAULT 'none', UNIQUE (shelf, slot) ON CONFLICT REPLACE)`,
	"CREATE TABLE screws (id integer PRIMARY KEY, part_id integer REFERENCES parts ON DELETE CASCADE)",
	"CREATE TABLE boxes (id integer PRIMARY KEY ON CONFLICT REPLACE, code text)",
	"CREATE TABLE lids (id integer PRIMARY KEY, box_id integer REFERENCES boxes ON DELETE CASCADE)",
	"CREATE TABLE drafts (id integer PRIMARY KEY, code text, deleted_at datetime, UNIQUE (code, deleted_at) ON CONFLICT REPLACE)",
	"CREATE TABLE folders (id integer PRIMARY KEY, code text, gone integer NOT NULL DEFAULT 0, removed_at integer, UNIQUE (code, removed_at) ON CONFLICT REPLACE)",
	"CREATE TABLE brands (id integer PRIMARY KEY, name text, note text, slug text AS (lower(name)) UNIQUE ON CONFLICT REPLACE)",
}

var roomyRows = []string{
	"DELETE FROM screws", "DELETE FROM parts", "DELETE FROM lids", "DELETE FROM boxes", "DELETE FROM drafts", "DELETE FROM folders", "DELETE FROM brands",
	"INSERT INTO parts VALUES (1, 'a', 'x', NULL, 't'), (2, 'b', 'x', 1, 't'), (3, 'c', 'x', 2, 't')",
	"INSERT INTO screws VALUES (1, 1), (2, 2)",
	"INSERT INTO boxes VALUES (1, 'a'), (2, 'b'), (3, 'c')",
	"INSERT INTO lids VALUES (1, 1), (2, 2)",
	"INSERT INTO drafts VALUES (1, 'a', NULL), (2, 'a', NULL), (3, 'b', NULL)",
	"INSERT INTO folders VALUES (1, 'a', 0, NULL), (2, 'a', 1, 1715000000)",
	"INSERT INTO brands (id, name, note) VALUES (1, 'A', ''), (2, 'B', '')",
}

// behaviours 40, 42 to 45: where a table of SQLite's says ON CONFLICT REPLACE, a write deletes the rows that are in its way.
func TestTablesThatMakeRoom(t *testing.T) {
	now := time.Unix(1715000000, 0).UTC()
	w := newWorld(t, fixture.SQLite(t), gorm.Config{NowFunc: func() time.Time { return now }}, roomy...)
	w.rows = roomyRows
	const whole = "parts screws"
	one := func(id uint64) *ddl.Part { return &ddl.Part{ID: id} }
	for _, c := range []struct {
		what, falls string
		extra       int
		write       func(db *gorm.DB) error
	}{
		{"Create", whole, 1, func(db *gorm.DB) error { return db.Create(&ddl.Part{Code: "a"}).Error }},
		{"Create with a key", whole, 1, func(db *gorm.DB) error { return db.Create(&ddl.Part{ID: 9, Code: "b"}).Error }},
		{"Create from a map", whole, 1, func(db *gorm.DB) error {
			return db.Model(&ddl.Part{}).Create(map[string]any{"code": "a", "shelf": "y"}).Error
		}},
		{"Save of a new row", whole, 1, func(db *gorm.DB) error { return db.Save(&ddl.Part{Code: "a"}).Error }},
		{"Save", whole, 1, func(db *gorm.DB) error { return db.Save(&ddl.Part{ID: 3, Code: "a", Shelf: "z"}).Error }},
		{"DO NOTHING by the key", whole, 1, func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoNothing: true}).Create(&ddl.Part{ID: 9, Code: "a"}).Error
		}},
		{"an upsert", whole, 1, func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&ddl.Part{ID: 9, Code: "a"}).Error
		}},
		{"Update", whole, 1, func(db *gorm.DB) error { return db.Model(one(3)).Update("code", "a").Error }},
		{"Update of a part of a constraint", whole, 1, func(db *gorm.DB) error { return db.Model(one(3)).Update("slot", 1).Error }},
		{"UpdateColumn by a condition", whole, 1, func(db *gorm.DB) error {
			return db.Model(&ddl.Part{}).Where("code = ?", "c").UpdateColumn("code", "a").Error
		}},
		{"Update without a struct", whole, 1, func(db *gorm.DB) error {
			return db.Table("parts").Where("id = 3").Updates(map[string]any{"CODE": "a"}).Error
		}},
		{"Update of what is in no constraint", "parts:3", 0, func(db *gorm.DB) error { return db.Model(one(3)).Update("title", "z").Error }},
		{"Update of a list's column that is in one", whole, 1, func(db *gorm.DB) error { return db.Model(one(3)).Update("shelf", "x").Error }},
		{"Delete", "parts.GetByCode(c) parts.ListByShelf(x) parts:3", 4, func(db *gorm.DB) error { return db.Delete(one(3)).Error }},
		{"SQL text", whole, 3, func(db *gorm.DB) error { return db.Exec("INSERT INTO parts (code) VALUES ('a')").Error }},
		{"SQL text in a transaction", whole, -1, func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Exec("UPDATE parts SET code = 'a' WHERE id = 3").Error })
		}},
		{"SQL text that deletes", whole, -1, func(db *gorm.DB) error { return db.Exec("DELETE FROM parts WHERE id = 3").Error }},
		{"Create of what is not cached", "lids", 1, func(db *gorm.DB) error { return db.Create(&ddl.Box{ID: 1}).Error }},
		{"Update of its key", "lids", -1, func(db *gorm.DB) error { return db.Model(&ddl.Box{}).Where("id = 3").Update("rowid", 1).Error }},
		{"Update of what is in no constraint of it", "", 0, func(db *gorm.DB) error { return db.Model(&ddl.Box{ID: 2}).Update("code", "a").Error }},
		{"SQL text about it", "lids", -1, func(db *gorm.DB) error { return db.Exec("INSERT INTO boxes VALUES (1, 'c')").Error }},
		{"a soft delete", "drafts", 0, func(db *gorm.DB) error { return db.Where("id < 3").Delete(&ddl.Draft{}).Error }},
		{"one whose type sets more", "folders", 2, func(db *gorm.DB) error { return db.Delete(&ddl.Folder{ID: 1}).Error }},
		{"Update of what a constraint's column is made of", "brands", 0, func(db *gorm.DB) error { return db.Model(&ddl.Brand{ID: 2}).Update("name", "a").Error }},
		{"one that is not soft", "drafts.ListByCode(b) drafts:3", -1, func(db *gorm.DB) error { return db.Unscoped().Delete(&ddl.Draft{ID: 3}).Error }},
	} {
		w.falls(c.what, c.falls, c.extra, c.write)
	}
	reasons := w.falls("Create", whole, 1, func(db *gorm.DB) error { return db.Create(&ddl.Part{Code: "a"}).Error })
	if reasons != "ON CONFLICT REPLACE, foreign key" {
		t.Errorf("the reason is %q", reasons)
	}
}

// behaviour 45: DDL of this program counts at once, in the transaction that makes it, too.
func TestTableThatComesToMakeRoom(t *testing.T) {
	w := newWorld(t, fixture.SQLite(t), gorm.Config{})
	create := func(db *gorm.DB) error { return db.Create(&ddl.Draft{ID: 3, Code: "b"}).Error }
	w.falls("before", "drafts.ListByCode(b) drafts:3", 1, create)
	drop := "DROP TABLE drafts"
	w.must(errors.Join(w.db.Exec(drop).Error, w.db.Exec(roomy[4]).Error))
	w.falls("after", "drafts", 1, create)
	w.must(errors.Join(w.db.Exec(drop).Error, w.db.Migrator().CreateTable(&ddl.Draft{})))
	w.falls("no more", "drafts.ListByCode(b) drafts:3", 2, create)
	w.falls("in a transaction", "drafts", -1, func(db *gorm.DB) error {
		return db.Transaction(func(tx *gorm.DB) error {
			return errors.Join(tx.Exec(drop).Error, tx.Exec(roomy[4]).Error, create(tx))
		})
	})
}

// behaviour 51: a write that fails, of which SQLite keeps a part.
func TestTableThatKeepsAPart(t *testing.T) {
	w := newWorld(t, fixture.SQLite(t), gorm.Config{}, "CREATE TABLE papers (id integer PRIMARY KEY, city text UNIQUE ON CONFLICT FAIL, title text, touched datetime)")
	two := func(db *gorm.DB) error {
		if db.Create(&[]ddl.Paper{{ID: 1, City: "x"}, {ID: 2, City: "x"}}).Error == nil {
			return errors.New("no error")
		}
		return nil
	}
	w.rows = []string{"DELETE FROM papers"}
	w.falls("undone", "", -1, two)
	w.falls("in a transaction that goes on", "papers", -1, func(db *gorm.DB) error { return db.Transaction(two) })
	w.rows = append(w.rows, "INSERT INTO papers (id, city) VALUES (1, 'a'), (2, 'b')")
	w.falls("an update", "papers", -1, func(db *gorm.DB) error {
		return db.Transaction(func(tx *gorm.DB) error {
			if tx.Model(&ddl.Paper{}).Where("id > 0").Update("city", "x").Error == nil {
				return errors.New("no error")
			}
			return nil
		})
	})
}
