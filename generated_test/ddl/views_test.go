package ddl_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/ddl"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
)

// shown is a brand as a view shows it.
type shown struct {
	ID    uint64
	Title string
}

func (shown) TableName() string { return "shown" }

// behaviours 42 to 44, 93: what is written through a view, and one that shows that.
func TestViews(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, gorm.Config{}, append([]string{}, made[d.Name]...)...)
		w.past("CREATE VIEW inner_shown AS SELECT id, name AS called, note FROM brands WHERE id < 100", "CREATE VIEW shown AS SELECT id, called AS title FROM inner_shown")
		if d.Name == "sqlite" {
			w.past(
				"CREATE TRIGGER inner_insert INSTEAD OF INSERT ON inner_shown BEGIN INSERT INTO brands (id, name) VALUES (NEW.id, NEW.called); END",
				"CREATE TRIGGER inner_update INSTEAD OF UPDATE ON inner_shown BEGIN UPDATE brands SET name = NEW.called WHERE id = NEW.id; END",
				"CREATE TRIGGER inner_delete INSTEAD OF DELETE ON inner_shown BEGIN DELETE FROM brands WHERE id = OLD.id; END",
				"CREATE TRIGGER shown_insert INSTEAD OF INSERT ON shown BEGIN INSERT INTO inner_shown (id, called) VALUES (NEW.id, NEW.title); END",
				"CREATE TRIGGER shown_update INSTEAD OF UPDATE ON shown BEGIN UPDATE inner_shown SET called = NEW.title WHERE id = NEW.id; END",
				"CREATE TRIGGER shown_delete INSTEAD OF DELETE ON shown BEGIN DELETE FROM inner_shown WHERE id = OLD.id; END",
			)
		}
		w.must(w.db.Exec("CREATE TABLE heard_of (id int)").Error) // so that the plugin asks again
		w.rows = append(append([]string{}, madeRows...), "INSERT INTO brands (id, name, note) VALUES (3, 'C', '')")
		all := "brands stickers"
		if d.Name != "mysql" {
			all += " tapes"
		}
		one := []map[string]any{{"id": 4, "title": "D"}}
		for _, c := range []struct {
			what, falls string
			extra       int
			write       func(db *gorm.DB) error
		}{
			{"to learn of it", "", -1, func(db *gorm.DB) error { return db.Delete(&ddl.Brand{ID: 99}).Error }},
			{"Create", "brands", 0, func(db *gorm.DB) error { return db.Create(&shown{ID: 4, Title: "D"}).Error }},
			{"Create from maps", "brands", 0, func(db *gorm.DB) error { return db.Table("shown").Create(one).Error }},
			{"Update", all, -1, func(db *gorm.DB) error { return db.Model(&shown{ID: 1}).Update("title", "N").Error }},
			{"Update without a struct", all, -1, func(db *gorm.DB) error { return db.Table("shown").Where("id = 1").Update("title", "N").Error }},
			{"Update of the inner one", all, -1, func(db *gorm.DB) error { return db.Table("inner_shown").Where("id = 1").Update("called", "N").Error }},
			{"Delete", "brands", -1, func(db *gorm.DB) error { return db.Delete(&shown{ID: 3}).Error }},
			{"what nobody shows", "", 0, func(db *gorm.DB) error { return db.Create(&ddl.Box{ID: 4}).Error }},
			{"the table itself", "brands.ListBySlug(d) brands:4", 1, func(db *gorm.DB) error { return db.Create(&ddl.Brand{ID: 4, Name: "D"}).Error }},
		} {
			w.falls(c.what, c.falls, c.extra, c.write)
		}
	})
}

// labelled is a box, which is not cached, as a view shows it.
type labelled struct {
	ID    uint64
	Label string
}

func (labelled) TableName() string { return "labelled" }

// behaviour 40: what hangs on what a view shows, by another name.
func TestWhatHangsOnAView(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, gorm.Config{}, "CREATE TABLE boxes (id bigint PRIMARY KEY, code varchar(40) UNIQUE)",
			"CREATE TABLE tapes (id bigint PRIMARY KEY, sticker_mark varchar(40), FOREIGN KEY (sticker_mark) REFERENCES boxes (code) ON UPDATE CASCADE)",
			"CREATE VIEW labelled AS SELECT id, code AS label FROM boxes")
		if d.Name == "sqlite" {
			w.past("CREATE TRIGGER labels INSTEAD OF UPDATE ON labelled BEGIN UPDATE boxes SET code = NEW.label WHERE id = NEW.id; END")
			w.must(w.db.Exec("CREATE TABLE heard_of (id int)").Error) // so that the plugin asks again
		}
		w.rows = []string{"DELETE FROM tapes", "DELETE FROM boxes", "INSERT INTO boxes VALUES (1, 'a'), (2, 'b')", "INSERT INTO tapes VALUES (1, 'a'), (2, 'b')"}
		w.falls("Update", "tapes", -1, func(db *gorm.DB) error { return db.Model(&labelled{ID: 1}).Update("label", "n").Error })
		w.falls("UpdateColumn", "tapes", -1, func(db *gorm.DB) error { return db.Table("labelled").Where("id = 1").UpdateColumn("label", "n").Error })
	})
}

// every are the tables of all models.
const every = "brands drafts folders lids papers parts screws stickers tapes tickets windows"

// behaviours 42 to 44: a view of which nobody tells what it shows.
func TestViewThatIsHidden(t *testing.T) {
	d := fixture.MariaDB(t)
	w := newWorld(t, d, gorm.Config{}, "CREATE TABLE brands (id bigint PRIMARY KEY, name varchar(40), note varchar(40), slug varchar(40))",
		"CREATE VIEW shown AS SELECT id, name AS title FROM brands",
		"CREATE USER guest@'%'", "GRANT SELECT, INSERT ON *.* TO guest@'%'")
	t.Cleanup(func() { w.past("DROP USER guest@'%'") })
	create := func(db *gorm.DB) error { return db.Create(&shown{ID: 1, Title: "D"}).Error }
	w.rows = []string{"DELETE FROM brands"}
	w.falls("Create", "brands", 0, create)
	w.past(w.rows...)
	guest := newWorld(t, d.As(func(gorm.Dialector) gorm.Dialector { return mysql.Open("guest" + strings.TrimPrefix(d.DSN(), "root")) }), gorm.Config{})
	guest.falls("Create by a guest", every, 0, create)
}

// behaviours 40, 42 to 44: a model on a view falls with what it shows, whoever writes that.
func TestModelOnAView(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, gorm.Config{},
			"CREATE TABLE boxes (id bigint PRIMARY KEY, code varchar(40) UNIQUE)",
			"CREATE TABLE tapes (id bigint PRIMARY KEY, sticker_mark varchar(40), FOREIGN KEY (sticker_mark) REFERENCES boxes (code) ON UPDATE CASCADE ON DELETE CASCADE)",
			"CREATE TABLE brands (id bigint PRIMARY KEY, name varchar(40), note varchar(40), slug varchar(40))",
			"CREATE TABLE notes (id bigint PRIMARY KEY, note varchar(40))", // of no model
			"CREATE VIEW noted AS SELECT id, note FROM notes UNION ALL SELECT id, note FROM brands",
			"CREATE VIEW windows AS SELECT t.id AS id, t.sticker_mark AS mark, n.note AS note FROM tapes t LEFT JOIN noted n ON n.id = t.id",
		)
		w.rows = []string{
			"DELETE FROM tapes", "DELETE FROM boxes", "DELETE FROM brands", "DELETE FROM notes",
			"INSERT INTO boxes VALUES (1, 'a'), (2, 'b')", "INSERT INTO tapes VALUES (1, 'a'), (2, 'b')",
			"INSERT INTO brands (id, name, note) VALUES (1, 'A', 'n')", "INSERT INTO notes VALUES (2, 'm')",
		}
		type note struct {
			ID   uint64
			Note string
		}
		const tape = "tapes.ListByStickerMark(a) tapes.ListByStickerMark(n) tapes:1 windows"
		for _, c := range []struct {
			what, falls string
			extra       int
			write       func(db *gorm.DB) error
		}{
			{"Create", "tapes.ListByStickerMark(b) tapes:3 windows", 1, func(db *gorm.DB) error { return db.Create(&ddl.Tape{ID: 3, StickerMark: "b"}).Error }},
			{"Update", "brands:1 windows", 0, func(db *gorm.DB) error { return db.Model(&ddl.Brand{ID: 1}).Update("note", "z").Error }},
			{"Create of what is not cached", "windows", 0, func(db *gorm.DB) error { return db.Create(&note{ID: 1, Note: "z"}).Error }},
			{"Update of that, by an expression", "windows", -1, func(db *gorm.DB) error {
				return db.Table("notes AS n").Where("id = 2").Update("note", "z").Error
			}},
			{"what a foreign key sets", tape, -1, func(db *gorm.DB) error { return db.Model(&ddl.Box{ID: 1}).Update("code", "n").Error }},
			{"what a foreign key sets, by SQL text", "tapes windows", -1, func(db *gorm.DB) error { return db.Exec("UPDATE boxes SET code = 'n' WHERE id = 1").Error }},
			{"SQL text", "windows", -1, func(db *gorm.DB) error { return db.Exec("INSERT INTO notes VALUES (1, 'z')").Error }},
			{"SQL text in a transaction", "windows", -1, func(db *gorm.DB) error {
				return db.Transaction(func(tx *gorm.DB) error { return tx.Exec("UPDATE notes SET note = 'z'").Error })
			}},
			{"what it does not show", "papers.ListInCity(x) papers:1", -1, func(db *gorm.DB) error {
				return errors.Join(db.Create(&ddl.Paper{ID: 1, City: "x", Touched: time.Unix(0, 0)}).Error, db.Delete(&ddl.Paper{ID: 1}).Error)
			}},
			{"what is not cached and not shown", "", -1, func(db *gorm.DB) error { return db.Model(&ddl.Box{ID: 9}).Update("id", 8).Error }},
		} {
			w.falls(c.what, c.falls, c.extra, c.write)
		}
	})
}

// behaviour 97: what a view shows may be made of what is written through it.
func TestListOfAView(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d, gorm.Config{}, "CREATE TABLE brands (id bigint PRIMARY KEY, name varchar(40), note varchar(40), slug varchar(40))",
			"CREATE VIEW windows AS SELECT id, upper(name) AS mark, name AS note FROM brands")
		if d.Name == "sqlite" {
			w.must(w.db.Exec("CREATE TRIGGER notes INSTEAD OF UPDATE ON windows BEGIN UPDATE brands SET name = NEW.note WHERE id = NEW.id; END").Error)
		}
		w.rows = []string{"DELETE FROM brands", madeRows[3]}
		falls := map[string]string{
			"sqlite":   "brands windows.ListByMark(~) windows:~", // nobody knows how a view's columns compare
			"postgres": "brands windows",                         // the view is known to show what it writes
			"mysql":    "brands windows.ListByMark(a) windows.ListByMark(n) windows:1",
		}
		w.falls("Update", falls[d.Name], -1, func(db *gorm.DB) error {
			return db.Model(&ddl.Window{ID: 1}).Update("note", "N").Error
		})
	})
}

// behaviours 42 to 44: PostgreSQL's partitions by their own names, rules, and views whose triggers nobody can read.
func TestPostgresTablesOfOneFamily(t *testing.T) {
	w := newWorld(t, fixture.Postgres(t), gorm.Config{},
		"CREATE TABLE brands (id bigint PRIMARY KEY, name text, note text, slug text) PARTITION BY RANGE (id)",
		"CREATE TABLE brands1 PARTITION OF brands FOR VALUES FROM (0) TO (10)",
		"CREATE TABLE stickers (id bigint PRIMARY KEY, brand_slug text, mark text)",
		"CREATE TABLE stickers_too () INHERITS (stickers)",
		"CREATE TABLE boxes (id bigint PRIMARY KEY, code text)",
		"CREATE TABLE lids (id bigint PRIMARY KEY, box_id bigint)",
		"CREATE RULE lid AS ON INSERT TO boxes DO INSTEAD INSERT INTO lids (id, box_id) VALUES (NEW.id, NEW.id)",
		"CREATE TABLE drafts (id bigint PRIMARY KEY, code text, deleted_at timestamptz)",
		"CREATE RULE draft AS ON DELETE TO lids DO ALSO DELETE FROM drafts WHERE id = OLD.id",
		"CREATE VIEW opaque AS SELECT 1 AS id, 'a' AS title",
		"CREATE FUNCTION write_it() RETURNS trigger AS $$ BEGIN INSERT INTO tapes VALUES (9, 'x'); RETURN NULL; END $$ LANGUAGE plpgsql",
		"CREATE TRIGGER opaque INSTEAD OF INSERT ON opaque FOR EACH ROW EXECUTE FUNCTION write_it()",
	)
	for _, c := range []struct {
		what, falls string
		extra       int
		write       func(db *gorm.DB) error
	}{
		{"a partition", "brands", 0, func(db *gorm.DB) error { return db.Table("brands1").Create(&ddl.Brand{ID: 1, Name: "A"}).Error }},
		{"its table", "brands.ListBySlug(~) brands:2", 1, func(db *gorm.DB) error { return db.Omit("Slug").Create(&ddl.Brand{ID: 2, Name: "B"}).Error }},
		{"a child", "stickers", 0, func(db *gorm.DB) error {
			return db.Table("stickers_too").Create(&ddl.Sticker{ID: 1, BrandSlug: "a"}).Error
		}},
		{"a table with a rule, whose other table has one", "drafts lids", 0, func(db *gorm.DB) error {
			return db.Table("boxes").Create(map[string]any{"id": 1, "code": "a"}).Error
		}},
		{"a cached one", "drafts lids.ListByBoxID(1) lids:1", -1, func(db *gorm.DB) error { return db.Delete(&ddl.Lid{ID: 1}).Error }},
		{"what a rule writes", "drafts.ListByCode(b) drafts:3", 1, func(db *gorm.DB) error { return db.Create(&ddl.Draft{ID: 3, Code: "b"}).Error }},
		{"a view with a trigger", every, 0, func(db *gorm.DB) error {
			return db.Table("opaque").Create(map[string]any{"id": 1, "title": "x"}).Error
		}},
	} {
		w.falls(c.what, c.falls, c.extra, c.write)
	}
}
