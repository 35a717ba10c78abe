package ddl_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/ddl"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// made are tables whose columns the database makes of others, and that refer to those. MySQL and MariaDB do not let a foreign key change
// what a stored column is made of, nor refer to one that is not stored.
var made = map[string][]string{
	"sqlite": {
		"CREATE TABLE brands (id integer PRIMARY KEY, name text, note text, slug text AS (lower(name)) VIRTUAL UNIQUE)",
		"CREATE TABLE stickers (id integer PRIMARY KEY, brand_slug text REFERENCES brands (slug) ON UPDATE CASCADE, mark text GENERATED ALWAYS AS ('m' || brand_slug) STORED UNIQUE)",
		"CREATE TABLE tapes (id integer PRIMARY KEY, sticker_mark text REFERENCES stickers (mark) ON UPDATE CASCADE)",
	},
	"postgres": {
		"CREATE TABLE brands (id bigint PRIMARY KEY, name text, note text, slug text GENERATED ALWAYS AS (lower(name)) STORED UNIQUE)",
		"CREATE TABLE stickers (id bigint PRIMARY KEY, brand_slug text REFERENCES brands (slug) ON UPDATE CASCADE, mark text GENERATED ALWAYS AS ('m' || brand_slug) STORED UNIQUE)",
		"CREATE TABLE tapes (id bigint PRIMARY KEY, sticker_mark text REFERENCES stickers (mark) ON UPDATE CASCADE)",
	},
	"mysql": {
		"CREATE TABLE brands (id bigint PRIMARY KEY, name varchar(40), note varchar(40), slug varchar(40) AS (lower(name)) STORED UNIQUE)",
		"CREATE TABLE stickers (id bigint PRIMARY KEY, brand_slug varchar(40), mark varchar(40) AS (concat('m', brand_slug)) VIRTUAL, FOREIGN KEY (brand_slug) REFERENCES brands (slug) ON UPDATE CASCADE)",
		"CREATE TABLE tapes (id bigint PRIMARY KEY, sticker_mark varchar(40))",
	},
}

var madeRows = []string{
	"DELETE FROM tapes", "DELETE FROM stickers", "DELETE FROM brands",
	"INSERT INTO brands (id, name, note) VALUES (1, 'A', ''), (2, 'B', '')",
	"INSERT INTO stickers (id, brand_slug) VALUES (1, 'a'), (2, 'b')",
	"INSERT INTO tapes (id, sticker_mark) VALUES (1, 'ma'), (2, 'mb')",
}

// behaviours 40, 97: a column that the database makes, as its catalog says and no tag does, changes with what it is made of: so do the
// lists that are by it, and what refers to it.
func TestColumnsThatTheDatabaseMakes(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, gorm.Config{}, made[d.Name]...)
		w.rows = madeRows
		const stickers = "stickers.ListByBrandSlug(a) stickers.ListByBrandSlug(n) stickers.ListByMark(ma) stickers.ListByMark(mn) stickers:1"
		moved := "brands.ListBySlug(a) brands.ListBySlug(n) brands:1 " + stickers
		all := "brands stickers"
		// What a write costs besides: brands and stickers are read before and after, and tapes.
		extra := map[string]int{"sqlite": 8, "postgres": 6, "mysql": 4}[d.Name]
		if d.Name != "mysql" {
			moved += " tapes.ListByStickerMark(ma) tapes.ListByStickerMark(mn) tapes:1"
			all += " tapes"
		}
		upserted := "brands.ListBySlug(a) brands.ListBySlug(n) brands:1" + strings.TrimPrefix(all, "brands")
		one := func() *ddl.Brand { return &ddl.Brand{ID: 1} }
		for _, c := range []struct {
			what, falls string
			extra       int
			write       func(db *gorm.DB) error
		}{
			{"Update", moved, extra, func(db *gorm.DB) error { return db.Model(one()).Update("name", "N").Error }},
			{"UpdateColumn", moved, extra, func(db *gorm.DB) error { return db.Model(one()).UpdateColumn("name", "N").Error }},
			{"Updates by a condition", moved, extra, func(db *gorm.DB) error {
				return db.Where("name = ?", "A").Updates(&ddl.Brand{Name: "N"}).Error
			}},
			{"a slim struct", moved, extra, func(db *gorm.DB) error {
				return db.Table("brands").Model(&struct{ ID int }{1}).Update("name", "N").Error
			}},
			{"what it is not made of", "brands:1", -1, func(db *gorm.DB) error { return db.Model(one()).Update("note", "z").Error }},
			{"an upsert", upserted, -1, func(db *gorm.DB) error {
				id := []clause.Column{{Name: "id"}}
				return db.Clauses(clause.OnConflict{Columns: id, DoUpdates: clause.AssignmentColumns([]string{"name"})}).Create(&ddl.Brand{ID: 1, Name: "N"}).Error
			}},
			{"a map without a struct", moved, extra, func(db *gorm.DB) error {
				return db.Table("brands").Where("id = 1").Updates(map[string]any{"name": "N"}).Error
			}},
			{"SQL text", all, -1, func(db *gorm.DB) error { return db.Exec("UPDATE brands SET name = 'N' WHERE id = 1").Error }},
		} {
			w.falls(c.what, c.falls, c.extra, c.write)
		}
	})
}

// behaviour 97: the same of a table to which nothing refers.
func TestListByColumnThatIsMade(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, gorm.Config{}, made[d.Name][0])
		w.rows = []string{"DELETE FROM brands", madeRows[3]}
		extra := map[string]int{"sqlite": 3, "postgres": 2, "mysql": 2}[d.Name]
		w.falls("Create", "brands.ListBySlug(n) brands:3", 1, func(db *gorm.DB) error { return db.Create(&ddl.Brand{ID: 3, Name: "N"}).Error })
		w.falls("Update", "brands.ListBySlug(a) brands.ListBySlug(n) brands:1", extra, func(db *gorm.DB) error {
			return db.Model(&ddl.Brand{ID: 1}).Update("name", "N").Error
		})
		w.falls("of another column", "brands:1", extra, func(db *gorm.DB) error { return db.Model(&ddl.Brand{ID: 1}).Update("note", "z").Error })
		w.falls("Delete", "brands.ListBySlug(a) brands:1", -1, func(db *gorm.DB) error { return db.Delete(&ddl.Brand{ID: 1}).Error })
	})
}

// behaviours 40, 97: so does what refers to a column that is made in a table which is not cached, or is made of what a soft delete sets.
func TestWhatRefersToColumnsThatAreMade(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, gorm.Config{},
			"CREATE TABLE boxes (id bigint PRIMARY KEY, code varchar(40), mark varchar(40) GENERATED ALWAYS AS (upper(code)) STORED UNIQUE)",
			"CREATE TABLE tapes (id bigint PRIMARY KEY, sticker_mark varchar(40), FOREIGN KEY (sticker_mark) REFERENCES boxes (mark) ON UPDATE CASCADE)",
			"CREATE TABLE drafts (id bigint PRIMARY KEY, code varchar(40), deleted_at timestamp NULL, live varchar(40) GENERATED ALWAYS AS (CASE WHEN deleted_at IS NULL THEN code END) STORED UNIQUE)",
			"CREATE TABLE stickers (id bigint PRIMARY KEY, brand_slug varchar(40), mark varchar(40), FOREIGN KEY (brand_slug) REFERENCES drafts (live) ON UPDATE CASCADE)",
		)
		w.rows = []string{
			"DELETE FROM tapes", "DELETE FROM boxes", "DELETE FROM stickers", "DELETE FROM drafts",
			"INSERT INTO boxes (id, code) VALUES (1, 'a'), (2, 'b')", "INSERT INTO tapes (id, sticker_mark) VALUES (1, 'A'), (2, 'B')",
			"INSERT INTO drafts (id, code) VALUES (1, 'a'), (2, 'b')", "INSERT INTO stickers (id, brand_slug) VALUES (1, 'a'), (2, 'b')",
		}
		w.falls("of a table that is not cached", "tapes.ListByStickerMark(a) tapes.ListByStickerMark(n) tapes:1", -1, func(db *gorm.DB) error {
			return db.Model(&ddl.Box{ID: 1}).Update("code", "n").Error
		})
		w.falls("of a time of deletion", "drafts.ListByCode(a) drafts:1 stickers.ListByBrandSlug(a) stickers.ListByBrandSlug(~) stickers:1", -1, func(db *gorm.DB) error {
			return db.Delete(&ddl.Draft{ID: 1}).Error
		})
		w.falls("SQL text", "drafts stickers", -1, func(db *gorm.DB) error {
			return db.Exec("UPDATE drafts SET deleted_at = CURRENT_TIMESTAMP WHERE id = 1").Error
		})
	})
}

// behaviour 97: what PostgreSQL has besides: a primary key that is made of another column, and a column that is made in a partition
// and not in its table.
func TestPostgres(t *testing.T) {
	w := newWorld(t, fixture.Postgres(t), gorm.Config{},
		"CREATE TABLE tickets (no bigint GENERATED ALWAYS AS (seat * 10) STORED PRIMARY KEY, seat bigint, note text)",
		"CREATE TABLE brands (id bigint PRIMARY KEY, name text, note text, slug text) PARTITION BY RANGE (id)",
		"CREATE TABLE brands1 (id bigint NOT NULL, name text, note text, slug text GENERATED ALWAYS AS (lower(name)) STORED)",
	)
	w.rows = []string{"DELETE FROM tickets", "INSERT INTO tickets (seat) VALUES (1), (2)"}
	w.falls("a primary key", "tickets", 0, func(db *gorm.DB) error { return db.Model(&ddl.Ticket{No: 10}).Update("seat", 3).Error })
	w.falls("an upsert", "tickets", 0, func(db *gorm.DB) error {
		no := []clause.Column{{Name: "no"}}
		return db.Clauses(clause.OnConflict{Columns: no, DoUpdates: clause.Assignments(map[string]any{"seat": 3})}).Omit("No").Create(&ddl.Ticket{Seat: 1}).Error
	})
	if w.db.Exec("ALTER TABLE brands ATTACH PARTITION brands1 FOR VALUES FROM (0) TO (10)").Error != nil {
		return // from version 16 on, there is no such partition
	}
	w.rows = []string{"DELETE FROM brands", "INSERT INTO brands1 (id, name) VALUES (1, 'A')"}
	w.falls("to learn what has changed", "", -1, func(db *gorm.DB) error { return db.Delete(&ddl.Brand{ID: 9}).Error })
	w.falls("a column of a partition", "brands.ListBySlug(a) brands.ListBySlug(n) brands:1", 2, func(db *gorm.DB) error {
		return db.Model(&ddl.Brand{ID: 1}).Update("name", "N").Error
	})
}

// behaviour 97: a column that MySQL and MariaDB set when another is set.
func TestOnUpdate(t *testing.T) {
	w := newWorld(t, fixture.MariaDB(t), gorm.Config{NowFunc: func() time.Time { return time.Now().UTC() }},
		"CREATE TABLE papers (id bigint PRIMARY KEY, city varchar(40), title varchar(40), touched timestamp(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))")
	w.rows = []string{"DELETE FROM papers", "INSERT INTO papers (id, city, title, touched) VALUES (1, 'x', 'a', '2020-01-01'), (2, 'x', 'b', '2020-01-02')"}
	w.falls("another column", "papers.ListInCity(x) papers:1", 2, func(db *gorm.DB) error { return db.Model(&ddl.Paper{ID: 1}).Update("title", "z").Error })
	w.falls("as it is", "", 1, func(db *gorm.DB) error { return db.Model(&ddl.Paper{ID: 1}).Update("title", "a").Error })
}
