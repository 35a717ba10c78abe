package triggers_test

import (
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/triggers"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// touches sets a column that no list is by, whenever a post is changed.
var touches = []trigger{{
	when: "BEFORE UPDATE", table: "posts", code: "NEW.touched := 'now'",
	sqlite:  "CREATE TRIGGER g0 AFTER UPDATE ON posts FOR EACH ROW WHEN NEW.touched = OLD.touched BEGIN UPDATE posts SET touched = 'now' WHERE id = OLD.id; END",
	mariadb: "CREATE TRIGGER g0 BEFORE UPDATE ON posts FOR EACH ROW SET NEW.touched = 'now'",
}}

// slugs makes a post's slug of its title, whenever that is set.
var slugs = []trigger{{
	table: "posts",
	sqlite: "CREATE TRIGGER g0 AFTER UPDATE OF title ON posts BEGIN UPDATE posts SET slug = NEW.title WHERE rowid = new.rowid; END\n;\n" +
		"CREATE TRIGGER g0i AFTER INSERT ON posts BEGIN UPDATE posts SET slug = NEW.title WHERE id = NEW.id AND NEW.slug = ''; END",
	postgres: "CREATE FUNCTION g0() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.slug = NEW.title; RETURN NEW; END $$\n;\n" +
		"CREATE TRIGGER g0 BEFORE INSERT OR UPDATE OF title ON posts FOR EACH ROW EXECUTE FUNCTION g0()",
	mariadb: "CREATE TRIGGER g0 BEFORE UPDATE ON posts FOR EACH ROW BEGIN IF NEW.title <> OLD.title THEN SET NEW.slug = NEW.title; END IF; END\n;\n" +
		"CREATE TRIGGER g0i BEFORE INSERT ON posts FOR EACH ROW SET NEW.slug = NEW.title",
}}

func update(column string, value any) func(db *gorm.DB) error {
	return func(db *gorm.DB) error { return db.Model(one()).Update(column, value).Error }
}

// behaviours 32, 97: columns that a trigger sets of the row itself are as those that the database makes: an update reads the row where a
// list is by one, and costs nothing more where none is, or where the trigger does not fire.
func TestColumnsThatATriggerSets(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d)
		reads := map[string]int{"sqlite": 3, "postgres": 2, "mysql": 2}[d.Name]
		none := 0
		if d.Name == "mysql" { // it has no UPDATE OF
			none = 2
		}
		w.run([]kase{
			{what: "a time of change", triggers: touches, falls: "posts:1", write: update("note", "z")},
			{what: "the same by a condition", triggers: touches, falls: "posts:1 posts:2", extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{}).Where("author_id = 1").Update("note", "z").Error
			}},
			{what: "a slug", triggers: slugs, falls: moved1, extra: reads, write: update("title", "n")},
			{what: "a slug by UpdateColumn", triggers: slugs, falls: moved1, extra: reads, write: func(db *gorm.DB) error {
				return db.Model(one()).UpdateColumn("title", "n").Error
			}},
			{what: "a slug by a condition", triggers: slugs, falls: moved1, extra: reads, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{}).Where("title = 't'").Update("title", "n").Error
			}},
			{what: "what makes no slug", triggers: slugs, falls: "posts:1", extra: none, write: update("note", "z")},
			{what: "a new row", triggers: slugs, falls: "posts.ListByAuthorID(1) posts.ListBySlug(n) posts:3", extra: 1, write: func(db *gorm.DB) error {
				return db.Create(&triggers.Post{ID: 3, AuthorID: 1, Title: "n"}).Error
			}},
			{what: "an upsert", triggers: slugs, falls: moved1, extra: -1, write: func(db *gorm.DB) error {
				return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"title"})}).
					Create(&triggers.Post{ID: 1, AuthorID: 1, Title: "n"}).Error
			}},
			{what: "SQL text", triggers: slugs, falls: "posts", extra: -1, write: func(db *gorm.DB) error {
				return db.Exec("UPDATE posts SET title = 'n' WHERE id = 1").Error
			}},
			{what: "a map without a struct", triggers: slugs, falls: moved1, extra: -1, write: func(db *gorm.DB) error {
				return db.Table("posts").Where("id = 1").Updates(map[string]any{"title": "n"}).Error
			}},
		})
	})
}

// behaviours 32, 97: the same by ways that some databases have.
func TestRowsThatTriggersWrite(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d)
		function := func(when, code string) trigger { // of PostgreSQL's alone
			return trigger{when: when, code: code, table: "posts", sqlite: "-", mariadb: "-"}
		}
		others := []trigger{{when: "AFTER UPDATE OF note", table: "posts", code: "UPDATE posts SET touched = 'x' WHERE author_id = NEW.author_id", mariadb: "-"}}
		either := []trigger{{when: "AFTER UPDATE OF note", table: "posts", code: "UPDATE posts SET touched = 'x' WHERE id = NEW.id OR slug = NEW.slug", mariadb: "-"}}
		again := []trigger{
			{when: "AFTER UPDATE OF note", table: "posts", code: "UPDATE posts SET title = NEW.note WHERE id = NEW.id", mariadb: "-"},
			{when: "AFTER UPDATE OF title", table: "posts", code: "UPDATE posts SET slug = NEW.title WHERE posts.id = NEW.id", mariadb: "-"},
		}
		kept := []trigger{{when: "BEFORE DELETE", table: "plates",
			sqlite:   "CREATE TRIGGER g0 BEFORE DELETE ON plates BEGIN UPDATE plates SET note = 'gone' WHERE id = OLD.id; SELECT RAISE(IGNORE); END",
			postgres: "CREATE FUNCTION g0() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE plates SET note = 'gone' WHERE id = OLD.id; RETURN NULL; END $$\n;\nCREATE TRIGGER g0 BEFORE DELETE ON plates FOR EACH ROW EXECUTE FUNCTION g0()",
			mariadb:  "-"}}
		soft := append(kept, trigger{when: "AFTER UPDATE OF note", table: "plates", code: stats})
		ignored := []trigger{{when: "BEFORE UPDATE", table: "plates", sqlite: "CREATE TRIGGER g0 BEFORE UPDATE ON plates BEGIN UPDATE plates SET note = 'kept' WHERE id = OLD.id; SELECT RAISE(IGNORE); END",
			postgres: "-", mariadb: "-"}, {when: "AFTER UPDATE", table: "plates", code: stats}}
		rekeyed := func(table, set string) []trigger {
			return []trigger{{when: "BEFORE INSERT", table: table, code: set, sqlite: "-"}}
		}
		pg, not := map[string]string{"sqlite": "-", "mysql": "-"}, map[string]string{"mysql": "-"}
		server := map[string]string{"sqlite": "-"}
		w.run([]kase{
			{what: "other rows", triggers: others, falls: "posts", on: not, extra: -1, write: update("note", "z")},
			{what: "perhaps other rows", triggers: either, falls: "posts", on: not, extra: -1, write: update("note", "z")},
			{what: "other rows, and another column", triggers: others, falls: "posts:1", on: not, write: update("title", "z")},
			{what: "one trigger after another", triggers: again, falls: moved1, on: not, extra: -1, write: update("note", "n")},
			{what: "only the second", triggers: again, falls: moved1, on: not, extra: -1, write: update("title", "n")},
			{what: "in place of a delete", triggers: kept, falls: "plates:x", on: not, extra: -1, write: func(db *gorm.DB) error {
				return db.Delete(&triggers.Plate{ID: "x"}).Error
			}},
			{what: "in place of a delete, and a trigger on that", triggers: soft, falls: "plates:x stats", on: not, extra: -1, write: func(db *gorm.DB) error {
				return db.Delete(&triggers.Plate{ID: "x"}).Error
			}},
			{what: "in place of an update, and a trigger on that", triggers: ignored, falls: "plates:x stats", on: map[string]string{"postgres": "-", "mysql": "-"}, extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Plate{ID: "x"}).Update("note", "z").Error
			}},
			{what: "the whole row", triggers: []trigger{function("BEFORE UPDATE", `NEW := jsonb_populate_record(NEW, '{"slug": "n"}')`)}, falls: moved1, on: pg, extra: 2, write: update("note", "z")},
			{what: "a row of its own", triggers: []trigger{function("BEFORE UPDATE", `DECLARE r posts; BEGIN r := NEW; r.slug := 'n'; RETURN r; END`)}, falls: moved1, on: pg, extra: 2, write: update("note", "z")},
			{what: "SELECT INTO", triggers: []trigger{function("BEFORE UPDATE", "SELECT 'n' INTO NEW.slug")}, falls: moved1, on: pg, extra: 2, write: update("note", "z")},
			{what: "after the row is written it is too late", triggers: []trigger{function("AFTER UPDATE", "NEW.slug := 'n'")}, falls: "posts:1", on: pg, write: update("note", "z")},
			{what: "another key", triggers: []trigger{function("BEFORE UPDATE", "NEW.id := 3")}, falls: "posts", on: pg, extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{ID: 2}).Update("note", "z").Error
			}},
			{what: "another key, by the whole row", triggers: []trigger{function("BEFORE UPDATE", `NEW := jsonb_populate_record(NEW, '{"id": 3}')`)}, falls: "posts", on: pg, extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{ID: 2}).Update("note", "z").Error
			}},
			{what: "at the COMMIT", triggers: []trigger{{table: "posts", sqlite: "-", mariadb: "-",
				postgres: "CREATE FUNCTION g0() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE posts SET slug = 'n' WHERE id = NEW.id; RETURN NULL; END $$\n;\n" +
					"CREATE CONSTRAINT TRIGGER g0 AFTER UPDATE OF note ON posts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION g0()"}},
				falls: "posts", on: pg, extra: -1, write: update("note", "z")},
			{what: "the key of a new row", triggers: rekeyed("plates", "SET NEW.id = 'z'"), falls: "plates",
				on: map[string]string{"sqlite": "-", "postgres": "-"}, extra: -1, write: func(db *gorm.DB) error { return db.Create(&triggers.Plate{ID: "q"}).Error }},
			{what: "the key of a new row", triggers: rekeyed("plates", "NEW.id := 'z'"), falls: "plates", on: pg, extra: -1, write: func(db *gorm.DB) error {
				return db.Create(&triggers.Plate{ID: "q"}).Error
			}},
			{what: "another column of a new row", triggers: []trigger{{when: "BEFORE INSERT", table: "plates", sqlite: "-", code: "NEW.note := 'n'", mariadb: "CREATE TRIGGER g0 BEFORE INSERT ON plates FOR EACH ROW SET NEW.note = 'n'"}},
				falls: "plates:z", on: server, write: func(db *gorm.DB) error { return db.Create(&triggers.Plate{ID: "z"}).Error }},
			{what: "what an upsert conflicts by", triggers: rekeyed("badges", "NEW.code := 'cy'"), falls: "badges", on: pg, extra: -1, write: func(db *gorm.DB) error {
				return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "code"}}, DoUpdates: clause.AssignmentColumns([]string{"note"})}).
					Create(&triggers.Badge{ID: "x", Code: "cx", Note: "n"}).Error
			}},
		})
	})
}

// behaviours 32, 97: a column whose name is the rowid's is not that.
func TestColumnsNamedAsTheRowID(t *testing.T) {
	w := newWorld(t, fixture.SQLite(t))
	w.past("ALTER TABLE posts ADD oid integer DEFAULT 1")
	by := func(column string) []trigger {
		return []trigger{{when: "AFTER UPDATE OF note", table: "posts", code: "UPDATE posts SET touched = 'x' WHERE " + column + " = NEW." + column}}
	}
	w.run([]kase{
		{what: "a column", triggers: by("oid"), falls: "posts", extra: -1, write: update("note", "z")},
		{what: "the rowid", triggers: by("rowid"), falls: "posts:1", write: update("note", "z")},
	})
}
