// Package cascade_test holds what falls when the database deletes or changes rows by itself, on SQLite, PostgreSQL and MariaDB.
package cascade_test

import (
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/cascade"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
)

// A write is made on rows as fill makes them.
type write struct {
	name  string
	do    func(db *gorm.DB) error
	falls string // the lists, sorted
	// extra are the statements besides the write's own. SQLite has more: one that takes its write lock, where rows are read, and one
	// that asks whether it enforces foreign keys, where some hang on the table that matter.
	extra, sqlite int
}

// The lists that fall with a merchant, besides its own.
const (
	withMerchant1 = "croupons.CountByMerchantID(1) croupons.ListByMerchantID(1) croupons:11 croupons:12 items.ListByStallID(1) items:1 items:2 " +
		"labels.ListByMerchantCode(a) labels.ListByMerchantCode(~) labels:1"
	tags11        = "croupon_tags.ListByCrouponID(11) croupon_tags.ListByTagID(1) croupon_tags:11,1 "
	reviews1      = " reviews.ListByCrouponID(11) reviews.ListByCrouponID(~) reviews:101 reviews:102"
	withMerchant2 = "croupons.CountByMerchantID(2) croupons.ListByMerchantID(2) croupons:21 items.ListByStallID(2) items:3 " +
		"labels.ListByMerchantCode(b) labels.ListByMerchantCode(~) labels:2"
	reviews2   = " reviews.ListByCrouponID(21) reviews.ListByCrouponID(~) reviews:103"
	withTown1  = "merchants.ListByTownID(1) merchants.ListByTownID(~) merchants:1 merchants:2"
	labelMoves = "labels.ListByMerchantCode(a) labels.ListByMerchantCode(d) labels:1 merchants.GetByCode(a) merchants.GetByCode(d) merchants:1"
)

var writes = []write{
	{"a parent by value", func(db *gorm.DB) error { return db.Delete(&cascade.Merchant{ID: 1}).Error }, tags11 + withMerchant1 + " merchants.GetByCode(a) merchants.ListByTownID(1) merchants:1" + reviews1, 9, 11},
	{"a parent by condition", func(db *gorm.DB) error { return db.Where("code = ?", "b").Delete(&cascade.Merchant{}).Error }, withMerchant2 + " merchants.GetByCode(b) merchants.ListByTownID(1) merchants:2" + reviews2, 9, 11},
	{"a parent on which nothing hangs", func(db *gorm.DB) error { return db.Delete(&cascade.Merchant{ID: 3}).Error }, "merchants.GetByCode(c) merchants.ListByTownID(~) merchants:3", 4, 6},
	{"no parent", func(db *gorm.DB) error { return db.Delete(&cascade.Merchant{ID: 99}).Error }, "", 1, 3},
	{"a key that is referred to", func(db *gorm.DB) error { return db.Model(&cascade.Merchant{ID: 1}).Update("code", "d").Error }, labelMoves, 4, 6},
	{"the same key", func(db *gorm.DB) error { return db.Model(&cascade.Merchant{ID: 1}).Update("code", "a").Error }, "merchants:1", 4, 6},
	{"another column", func(db *gorm.DB) error { return db.Model(&cascade.Merchant{ID: 1}).Update("name", "z").Error }, "merchants:1", 0, 0},
	{"Save", func(db *gorm.DB) error {
		return db.Save(&cascade.Merchant{ID: 1, Name: "z", Code: "a", TownID: ptr(uint64(1))}).Error
	}, "merchants:1", 4, 6},
	{"Save with another key", func(db *gorm.DB) error {
		return db.Save(&cascade.Merchant{ID: 1, Name: "z", Code: "d", TownID: ptr(uint64(1))}).Error
	}, labelMoves, 4, 6},
	{"a primary key", func(db *gorm.DB) error { return db.Model(&cascade.Merchant{}).Where("id = 3").Update("id", 33).Error }, "merchants", 0, 0},
	{"a parent that is not cached", func(db *gorm.DB) error { return db.Delete(&cascade.Town{ID: 1}).Error }, withTown1, 3, 5},
	{"the same by condition", func(db *gorm.DB) error { return db.Where("name = ?", "x").Delete(&cascade.Town{}).Error }, withTown1, 3, 5},
	{"an update of it", func(db *gorm.DB) error { return db.Model(&cascade.Town{ID: 1}).Update("name", "z").Error }, "", 0, 0},
	{"a leaf", func(db *gorm.DB) error { return db.Delete(&cascade.Review{ID: 101}).Error }, "reviews.ListByCrouponID(11) reviews:101", 1, 2},
	{"the owner of a followed relation", func(db *gorm.DB) error { return db.Delete(&cascade.Label{ID: 1}).Error },
		"label_marks:1,1 label_marks:1,2 labels.ListByMerchantCode(a) labels.Marks(1) labels:1", 2, 4},
	{"what it leads to", func(db *gorm.DB) error { return db.Delete(&cascade.Mark{ID: 2}).Error },
		"label_marks:1,2 label_marks:2,2 labels.Marks(1) labels.Marks(2) marks:2", 2, 4},
	{"a tree", func(db *gorm.DB) error { return db.Delete(&cascade.Category{ID: 1}).Error }, "categories.ListByParentID(1) categories.ListByParentID(2) categories.ListByParentID(~) categories:1 categories:2 categories:3", 4, 6},
	{"a composite key", func(db *gorm.DB) error { return db.Delete(&cascade.Book{OrgID: "o", No: 1}).Error }, "pages.ListOfBook(o,1) pages:1 pages:2", 2, 4},
	{"a part of a composite key", func(db *gorm.DB) error {
		return db.Model(&cascade.Book{}).Where("no = 1").Update("no", 7).Error
	}, "pages", 0, 1},
	{"a soft delete", func(db *gorm.DB) error { return db.Delete(&cascade.Account{ID: 1}).Error }, "accounts:1", 0, 0},
	{"a hard one", func(db *gorm.DB) error { return db.Unscoped().Delete(&cascade.Account{ID: 1}).Error }, "accounts:1 entries.ListByAccountID(1) entries:1", 2, 4},
	{"a table without a struct", func(db *gorm.DB) error { return db.Table("towns").Where("id = 1").Delete(nil).Error }, "merchants", 0, 1},
	{"what is joined", func(db *gorm.DB) error { return db.Delete(&cascade.Tag{ID: 1}).Error }, strings.TrimSpace(tags11), 2, 4},
	{"what joins it", func(db *gorm.DB) error { return db.Model(&cascade.Croupon{ID: 11}).Association("Tags").Clear() }, strings.TrimSpace(tags11), 1, 2},
	{"a tag", func(db *gorm.DB) error { return db.Select("Tags").Delete(&cascade.Croupon{ID: 11}).Error }, tags11 + "croupons.CountByMerchantID(1) croupons.ListByMerchantID(1) croupons:11" + reviews1, 5, 7},
}

// behaviour 40
func TestWhatFalls(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, enforcing(d))
		for _, c := range writes {
			w.heard.take()
			var err error
			sql := w.sql.Of(func() { err = c.do(w.db) })
			lists, _, reasons := w.heard.take()
			if c.name == "the same key" && d.Name == "mysql" { // which counts no row, so that nothing has changed
				c.falls, c.extra = "", 2
			}
			if got := strings.Join(lists, " "); got != c.falls || err != nil {
				t.Errorf("%s: %v: fell\n\t%s (%s), want\n\t%s", c.name, err, got, reasons, c.falls)
			}
			extra := c.extra
			if d.Name == "sqlite" {
				extra = c.sqlite
			}
			own := 1
			if c.name == "a tag" {
				own = 2
			}
			if len(sql) != own+extra {
				t.Errorf("%s: %d extra statements, want %d:\n\t%s", c.name, len(sql)-own, extra, strings.Join(sql, "\n\t"))
			}
			w.fill()
		}
	})
}

// behaviour 40: text that is sent, and the tables that fall. What falls by foreign keys is an `all` list.
var texts = []struct{ on, query, falls string }{
	{"spm", "DELETE FROM towns WHERE id = 1", "merchants"},
	{"spm", "DELETE FROM merchants WHERE id = 1", "croupon_tags croupons items labels merchants reviews"},
	{"spm", "DELETE FROM merchants WHERE id = 99", ""},
	{"spm", "DELETE FROM stalls WHERE id = 1", "items"},
	{"spm", "DELETE FROM reviews WHERE id = 101", "reviews"},
	{"spm", "DELETE FROM categories WHERE id = 1", "categories"},
	{"spm", "UPDATE merchants SET code = 'd' WHERE id = 1", "labels merchants"},
	{"spm", "UPDATE merchants SET name = 'code' WHERE code = 'a'", "merchants"},
	{"spm", "UPDATE towns SET name = 'z'", ""},
	{"spm", "UPDATE books SET no = 9 WHERE no = 1", "pages"},
	{"spm", "INSERT INTO merchants (id, name, code) VALUES (9, 'x', 'i')", "merchants"},
	{"spm", "DELETE FROM tags", "croupon_tags"},
	{"spm", "DELETE FROM reviews WHERE id = 101; INSERT INTO towns (id, name) VALUES (9, 'x')", "reviews"},
	{"sm", "REPLACE INTO merchants (id, name, code) VALUES (1, 'x', 'a')", "croupon_tags croupons items labels merchants reviews"},
	{"s", "INSERT OR REPLACE INTO towns (id, name) VALUES (1, 'x')", "merchants"},
	{"sp", "INSERT INTO merchants (id, name, code) VALUES (1, 'x', 'd') ON CONFLICT (id) DO UPDATE SET name = excluded.name", "merchants"},
	{"sp", "INSERT INTO merchants (id, name, code) VALUES (1, 'x', 'd') ON CONFLICT (id) DO UPDATE SET code = excluded.code", "labels merchants"},
	{"m", "INSERT INTO merchants (id, name, code) VALUES (1, 'x', 'd') ON DUPLICATE KEY UPDATE code = 'd'", "labels merchants"},
	{"m", "INSERT INTO merchants SET id = 9, name = 'x', code = 'i'", "merchants"},
	{"m", "DELETE t FROM towns t JOIN merchants m ON m.town_id = t.id WHERE m.id = 1", "merchants"},
	{"p", "WITH gone AS (DELETE FROM towns WHERE id = 1 RETURNING id) SELECT * FROM gone", "merchants"},
	{"p", "MERGE INTO towns t USING merchants m ON m.town_id = t.id AND m.id = 1 WHEN MATCHED THEN DELETE", "merchants"},
	{"p", "MERGE INTO towns t USING merchants m ON m.town_id = t.id AND m.id = 1 WHEN MATCHED THEN UPDATE SET name = 'z'", ""},
	{"p", "TRUNCATE stalls CASCADE", "accounts categories croupon_tags croupons entries items label_marks labels marks merchants pages reviews"},
	{"s", "DROP TABLE stalls", "items"},
}

func TestTexts(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		if d.Name == "mysql" {
			d = d.With("multiStatements=true")
		}
		w := newWorld(t, enforcing(d))
		for _, c := range texts {
			if !strings.Contains(c.on, map[string]string{"sqlite": "s", "postgres": "p", "mysql": "m"}[d.Name]) {
				continue
			}
			w.heard.take()
			err := w.db.Exec(c.query).Error
			lists, _, reasons := w.heard.take()
			if got := strings.Join(lists, " "); got != c.falls || err != nil {
				t.Errorf("%s: %v: %q fell (%s), want %q", c.query, err, got, reasons, c.falls)
			}
			if !strings.HasPrefix(c.query, "DROP") {
				w.fill()
			}
		}
	})
}
