package triggers_test

import (
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/triggers"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// stats counts something.
const stats = "UPDATE stats SET n = n + 1 WHERE id = 'x'"

// behaviours 40, 42 to 44: which tables triggers write, by whatever way.
func TestTablesThatTriggersWrite(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := newWorld(t, d)
		logs := []trigger{{when: "AFTER UPDATE", table: "posts", code: "INSERT INTO drafts (id, author_id) VALUES (9, NEW.author_id)"}}
		chain := append(logs, trigger{when: "AFTER INSERT", table: "drafts", code: stats})
		drafts := []trigger{{when: "AFTER INSERT", table: "drafts", code: "UPDATE authors SET posts = posts + 1 WHERE id = NEW.author_id"}}
		deletes := []trigger{{when: "AFTER UPDATE", table: "authors", code: "DELETE FROM posts WHERE author_id = OLD.id"}}
		child := []trigger{{when: "AFTER DELETE", table: "remarks", code: stats}}
		before := []trigger{{when: "BEFORE UPDATE", table: "posts", code: stats}}
		after := []trigger{{when: "AFTER UPDATE", table: "posts", code: stats}}
		noMariaDB := map[string]string{"mysql": "-"}
		w.run([]kase{
			{what: "a log of no model", triggers: logs, falls: "posts:1", write: update("note", "z")},
			{what: "a new row, and a trigger on deletes", triggers: counters[1:2], falls: made3[1:], extra: 1, write: func(db *gorm.DB) error { return db.Create(post3()).Error }},
			{what: "a trigger on that", triggers: chain, falls: "posts:1 stats", write: update("note", "z")},
			{what: "a table of no model", triggers: drafts, falls: "authors", write: func(db *gorm.DB) error {
				return db.Create(&triggers.Draft{ID: 2, AuthorID: 1}).Error
			}},
			{what: "another statement of that", triggers: drafts, falls: "", write: func(db *gorm.DB) error {
				return db.Delete(&triggers.Draft{ID: 1}).Error
			}},
			{what: "SQL text on a table of no model", triggers: drafts, falls: "authors", extra: -1, write: func(db *gorm.DB) error {
				return db.Exec("INSERT INTO drafts (id, author_id) VALUES (2, 1)").Error
			}},
			{what: "what hangs on what a trigger deletes", triggers: deletes, falls: "authors:1 posts remarks", extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Author{ID: 1}).Update("posts", 0).Error
			}},
			{what: "the trigger of a child", triggers: child, falls: strings.TrimSpace(gone1) + " stats", on: map[string]string{"mysql": strings.TrimSpace(gone1)}, extra: -1,
				write: func(db *gorm.DB) error { return db.Delete(one()).Error }},
			{what: "the trigger of a child, SQL text", triggers: child, falls: "posts remarks stats", on: map[string]string{"mysql": "posts remarks"}, extra: -1,
				write: func(db *gorm.DB) error { return db.Exec("DELETE FROM posts WHERE id = 1").Error }},
			{what: "before an update that finds no row by a key", triggers: before, falls: "stats", extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{ID: 9}).Update("note", "z").Error
			}},
			{what: "before an update that finds no row by a condition", triggers: before, falls: "", extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{}).Where("author_id = 9").Update("note", "z").Error
			}},
			{what: "after an update that finds no row by a key", triggers: after, falls: "", on: map[string]string{"mysql": "stats"}, extra: -1, write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{ID: 9}).Update("note", "z").Error
			}},
			{what: "an update to what is there", triggers: after, falls: "posts:1 stats", on: map[string]string{"mysql": "stats"}, extra: -1, write: update("note", "")},
			{what: "SQL text that updates to what is there", triggers: after, falls: "posts stats", extra: -1, write: func(db *gorm.DB) error {
				return db.Exec("UPDATE posts SET note = '' WHERE id = 1").Error
			}},
			{what: "DO NOTHING of a row that is there", triggers: after, falls: "", on: noMariaDB, extra: -1, write: func(db *gorm.DB) error {
				return db.Clauses(clause.OnConflict{DoNothing: true}).Create(one()).Error
			}},
			{what: "an upsert of a row that is there", triggers: after, falls: "stats " + strings.TrimSpace(moved1), on: map[string]string{
				"sqlite": moved1 + " stats", "postgres": moved1 + " stats", "mysql": "posts stats"}, extra: -1, write: func(db *gorm.DB) error {
				return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&triggers.Post{ID: 1, AuthorID: 1, Title: "t", Slug: "n"}).Error
			}},
			{what: "a transaction", triggers: after, falls: "posts:1 posts:2 stats", extra: -1, write: func(db *gorm.DB) error {
				return db.Transaction(func(tx *gorm.DB) error {
					if err := tx.Model(one()).Update("note", "z").Error; err != nil {
						return err
					}
					return tx.Model(&triggers.Post{ID: 2}).Update("note", "z").Error
				})
			}},
		})
	})
}

// behaviours 40, 42 to 44: what triggers call, and what cannot be read.
func TestCodeThatTriggersCall(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		if d.Name == "sqlite" {
			return // it has no routines
		}
		asked := []string{}
		w := newWorld(t, d, func(o *cacheruntime.Options) {
			o.RawSQL = func(sql string) ([]string, bool) {
				if strings.Contains(sql, " ON public.posts ") {
					asked = append(asked, sql)
				}
				return []string{"stats"}, strings.Contains(sql, "CREATE TRIGGER g0 BEFORE")
			}
		})
		routine := func(postgres, mariadb string) {
			if d.Name == "postgres" {
				w.past(postgres)
			} else {
				w.past(mariadb)
			}
		}
		if d.Name == "postgres" {
			w.past("ALTER TABLE posts ADD words tsvector")
		}
		routine("CREATE FUNCTION count_it() RETURNS void LANGUAGE sql AS $$ "+stats+" $$", "CREATE PROCEDURE count_it() "+stats)
		routine("CREATE FUNCTION by_another() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM count_it(); RETURN 1; END $$",
			"CREATE FUNCTION by_another() RETURNS int BEGIN CALL count_it(); RETURN 1; END")
		routine("CREATE FUNCTION slugify(t text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN lower(t); END $$",
			"CREATE FUNCTION slugify(t varchar(40)) RETURNS varchar(40) RETURN lower(t)")
		call := func(when, postgres, mariadb string) []trigger {
			code := postgres
			if d.Name == "mysql" {
				code = mariadb
			}
			return []trigger{{when: when + " UPDATE", table: "posts", code: code}}
		}
		pg := map[string]string{"mysql": "-"}
		dynamic := "EXECUTE format('UPDATE %I SET n = n + 1', 'stats')"
		w.run([]kase{
			{what: "a routine", triggers: call("AFTER", "PERFORM count_it()", "CALL count_it()"), falls: "posts:1 stats", write: update("note", "z")},
			{what: "a routine that calls one", triggers: call("AFTER", "IF by_another() > 0 THEN NULL; END IF", "SET @a = by_another()"), falls: "posts:1 stats", write: update("note", "z")},
			{what: "a routine that writes nothing", triggers: call("BEFORE", "NEW.touched := slugify(NEW.title)", "SET NEW.touched = slugify(NEW.title)"), falls: "posts:1", write: update("note", "z")},
			{what: "functions of the database's own", triggers: call("BEFORE", "NEW.touched := concat(lower(NEW.title), now()::date)", "SET NEW.touched = CONCAT(LOWER(NEW.title), CURDATE())"), falls: "posts:1", write: update("note", "z")},
			{what: "text that is put together", triggers: call("AFTER", dynamic, ""), falls: every, on: pg, write: update("note", "z")},
			{what: "the same, and the program says", triggers: call("BEFORE", dynamic, ""), falls: "posts:1 stats", on: pg, write: update("note", "z")},
			{what: "text that is not", triggers: call("AFTER", "EXECUTE 'UPDATE stats SET n = $1' USING NEW.id", ""), falls: "posts:1 stats", on: pg, write: update("note", "z")},
			{what: "text that asks", triggers: call("BEFORE", "EXECUTE 'SELECT ' || quote_literal('n') INTO NEW.touched", ""), falls: "posts:1", on: pg, write: update("note", "z")},
		})
		if d.Name != "postgres" {
			return
		}
		if len(asked) != 2 || !strings.HasPrefix(asked[1], "CREATE TRIGGER g0 BEFORE UPDATE ON public.posts FOR EACH ROW EXECUTE ") {
			t.Errorf("asked for %q", asked)
		}
		own := func(when, call string) []trigger {
			return []trigger{{table: "posts", postgres: "CREATE TRIGGER g0 " + when + " ON posts FOR EACH ROW EXECUTE FUNCTION " + call}}
		}
		w.past(`CREATE FUNCTION "count it"() RETURNS void LANGUAGE sql AS $$ ` + stats + ` $$`)
		statement := []trigger{{when: "AFTER UPDATE OR TRUNCATE", table: "posts", statement: true, code: stats}}
		w.run([]kase{
			{what: "a routine whose name needs quotes is not looked for", triggers: call("AFTER", `PERFORM "count it"()`, ""), falls: every, write: update("note", "z")},
			{what: "a function of PostgreSQL's own", triggers: own("BEFORE UPDATE", "tsvector_update_trigger(words, 'pg_catalog.english', title)"), falls: "posts:1", write: update("note", "z")},
			{what: "another", triggers: own("BEFORE UPDATE", "suppress_redundant_updates_trigger()"), falls: "", write: update("note", "")},
			{what: "a trigger for a statement without rows", triggers: statement, falls: "stats", write: func(db *gorm.DB) error {
				return db.Model(&triggers.Post{ID: 9}).Update("note", "z").Error
			}},
			{what: "TRUNCATE", triggers: statement, falls: "posts stats", extra: -1, write: func(db *gorm.DB) error { return db.Exec("TRUNCATE posts, remarks").Error }, on: map[string]string{"postgres": "posts remarks stats"}},
			{what: "a delete that is no TRUNCATE", triggers: statement, falls: gone1[1:], extra: -1, write: func(db *gorm.DB) error { return db.Delete(one()).Error }},
			{what: "a trigger that is disabled", triggers: []trigger{{when: "AFTER UPDATE", table: "posts", code: stats},
				{postgres: "ALTER TABLE posts DISABLE TRIGGER g0\n;\nCREATE FUNCTION g1() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$"}}, falls: "posts:1", write: update("note", "z")},
		})
	})
}

// behaviours 40, 42: a trigger of a partition's is one of its table's, for its rows, and a trigger of the table's one of its partitions'; a
// row that goes to another partition is deleted and inserted.
func TestPartitions(t *testing.T) {
	w := newWorld(t, fixture.Postgres(t))
	w.past("DROP TABLE stats", "DROP TABLE plates", "CREATE TABLE plates (id text PRIMARY KEY, note text) PARTITION BY LIST (id)",
		"CREATE TABLE plates1 PARTITION OF plates FOR VALUES IN ('x')", "CREATE TABLE plates2 PARTITION OF plates DEFAULT",
		"CREATE TABLE stats (id text PRIMARY KEY, n bigint)")
	plate := func(db *gorm.DB) error { return db.Model(&triggers.Plate{ID: "x"}).Update("note", "z").Error }
	w.run([]kase{
		{what: "the partition's", triggers: []trigger{{when: "AFTER UPDATE", table: "plates1", code: stats}}, falls: "plates:x stats", write: plate},
		{what: "the table's, by the partition's name", triggers: []trigger{{when: "AFTER UPDATE", table: "plates", code: stats}}, falls: "plates stats", extra: -1, write: func(db *gorm.DB) error {
			return db.Table("plates1").Where("id = 'x'").Update("note", "z").Error
		}},
		{what: "a row that moves", triggers: []trigger{{when: "AFTER INSERT", table: "plates", code: stats}}, falls: "plates stats", extra: -1, write: func(db *gorm.DB) error {
			return db.Model(&triggers.Plate{}).Where("id = 'x'").Update("id", "z").Error
		}},
		{what: "SQL text", triggers: []trigger{{when: "AFTER UPDATE", table: "plates2", code: stats}}, falls: "plates stats", extra: -1, write: func(db *gorm.DB) error {
			return db.Exec("UPDATE plates SET note = 'z'").Error
		}},
	})
}

// behaviours 40, 58: what SQLite has besides: foreign keys that are not enforced, and code that stops in the middle of its work.
func TestSQLite(t *testing.T) {
	d := fixture.SQLite(t)
	w := newWorld(t, d)
	w.run([]kase{
		{what: "OR REPLACE goes for what triggers write", triggers: []trigger{{when: "AFTER INSERT", table: "stats", code: "INSERT INTO posts (id, author_id) VALUES (1, 1)"}}, falls: "posts remarks stats", extra: -1,
			write: func(db *gorm.DB) error {
				return db.Clauses(clause.Insert{Modifier: "OR REPLACE"}).Create(&triggers.Stat{ID: "z"}).Error
			}},
		{what: "what fails in the middle", triggers: []trigger{{when: "BEFORE UPDATE", table: "posts", code: "SELECT RAISE(FAIL, 'no') WHERE OLD.id = 2"}}, falls: "posts", extra: -1,
			write: func(db *gorm.DB) error {
				return db.Transaction(func(tx *gorm.DB) error {
					if err := tx.Model(&triggers.Post{}).Where("id > 0").Update("note", "z").Error; err == nil {
						t.Error("it has not failed")
					}
					return nil
				})
			}},
	})
	w.past("PRAGMA foreign_keys = OFF")
	bare, err := w.db.DB()
	w.must(err)
	bare.SetMaxOpenConns(1)
	w.past("PRAGMA foreign_keys = OFF")
	w.run([]kase{
		{what: "a child that stays", triggers: []trigger{{when: "AFTER DELETE", table: "remarks", code: stats}}, falls: "posts.ListByAuthorID(1) posts.ListBySlug(s) posts:1", extra: -1,
			write: func(db *gorm.DB) error { return db.Delete(one()).Error }},
		{what: "SQL text", triggers: []trigger{{when: "AFTER DELETE", table: "remarks", code: stats}}, falls: "posts", extra: -1,
			write: func(db *gorm.DB) error { return db.Exec("DELETE FROM posts WHERE id = 1").Error }},
	})
}

// behaviour 43: MariaDB shows what triggers do to those who have the privilege TRIGGER, and to others that there are some.
func TestPrivileges(t *testing.T) {
	d := fixture.MariaDB(t)
	w := newWorld(t, d)
	w.fill()
	w.make(trigger{when: "AFTER UPDATE", table: "posts", code: stats})
	at := strings.Index(d.DSN(), "/")
	name := d.DSN()[at+1 : at+strings.Index(d.DSN()[at:], "?")]
	for _, c := range []struct{ user, more, falls string }{
		{"trigger_reader", ", TRIGGER", "posts:1 stats"},
		{"trigger_clerk", "", every},
		{"trigger_caller", ", TRIGGER", every}, // which may not know of the routine
	} {
		if c.user == "trigger_caller" {
			w.fill()
			w.past("CREATE PROCEDURE count_it() " + stats)
			w.make(trigger{when: "AFTER UPDATE", table: "posts", code: "CALL count_it()"})
		}
		w.past("CREATE USER "+c.user+"@'%'", "GRANT SELECT, INSERT, UPDATE, DELETE"+c.more+" ON "+name+".* TO "+c.user+"@'%'")
		t.Cleanup(func() { w.past("DROP USER " + c.user + "@'%'") })
		o := &world{t: t, d: d, sql: &fixture.Statements{}, heard: &fixture.Fallen{}}
		o.db = d.As(func(gorm.Dialector) gorm.Dialector { return mysql.Open(c.user + strings.TrimPrefix(d.DSN(), "root")) }).Open(t, &gorm.Config{Logger: o.sql})
		o.open()
		if err := update("note", c.user)(o.db); err != nil {
			t.Fatal(err)
		}
		if got, reasons := o.heard.Take(); got != c.falls {
			t.Errorf("%s: fell\n\t%s (%s), want\n\t%s", c.user, got, reasons, c.falls)
		}
	}
}

// behaviour 43: a routine of another schema is not asked for, and may write any table.
func TestRoutinesElsewhere(t *testing.T) {
	w := newWorld(t, fixture.MariaDB(t))
	var name string
	w.must(w.db.Raw("SELECT DATABASE()").Row().Scan(&name))
	other := name + "_other"
	w.past("CREATE DATABASE "+other, "CREATE PROCEDURE "+other+".count_it() UPDATE "+name+".stats SET n = n + 1 WHERE id = 'x'",
		"CREATE PROCEDURE count_it() UPDATE stats SET n = n + 1 WHERE id = 'x'")
	t.Cleanup(func() { w.past("DROP DATABASE " + other) })
	w.run([]kase{
		{what: "another schema's", triggers: []trigger{{when: "AFTER UPDATE", table: "posts", code: "CALL " + other + ".count_it()"}}, falls: every, write: update("note", "z")},
		{what: "this one's, by its name", triggers: []trigger{{when: "AFTER UPDATE", table: "posts", code: "CALL `" + name + "`.count_it()"}}, falls: "posts:1 stats", write: update("note", "z")},
	})
}
