package sqltext_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
)

// A text is run by Exec after others were sent past the plugin; falls are the tables that fall.
type text struct {
	on     string // s SQLite, p PostgreSQL, m MariaDB
	before []string
	query  string
	falls  string
}

const every = "croupons merchants" // that there are models of

var texts = []text{
	// Texts that write what they name.
	{"spm", nil, "UPDATE croupons SET title = 'x'", "croupons"},
	{"spm", nil, "/* not merchants */ UPDATE croupons -- nor others\n SET title = '; DELETE FROM merchants'", "croupons"},
	{"spm", nil, "INSERT INTO merchants (id, name) SELECT id + 10, title FROM croupons", "merchants"},
	{"spm", nil, "DELETE FROM croupons WHERE id IN (SELECT id FROM merchants)", "croupons"},
	{"spm", nil, "UPDATE croupons SET title = 'x'; DELETE FROM merchants WHERE id = 1", "croupons merchants"},
	{"sm", nil, "REPLACE INTO merchants (id, name) VALUES (1, 'z')", "merchants"},
	{"s", nil, "INSERT OR REPLACE INTO merchants (id, name) VALUES (1, 'z')", "merchants"},
	{"s", nil, `UPDATE main.[Croupons] SET title = 'x'`, "croupons"},
	{"sp", nil, "INSERT INTO merchants (id, name) VALUES (1, 'z') ON CONFLICT (id) DO UPDATE SET name = excluded.name", "merchants"},
	{"sp", nil, "UPDATE croupons AS c SET title = m.name FROM merchants m WHERE m.id = c.id", "croupons"},
	{"p", nil, "DELETE FROM croupons c USING merchants m WHERE m.id = c.id", "croupons"},
	{"p", nil, "WITH gone AS (DELETE FROM croupons WHERE id = 1 RETURNING *) INSERT INTO merchants (id, name) SELECT id + 10, title FROM gone", "croupons merchants"},
	{"p", nil, "WITH gone AS (DELETE FROM croupons WHERE id = 1 RETURNING *) SELECT count(*) FROM gone", "croupons"},
	{"p", nil, "MERGE INTO merchants m USING croupons c ON m.id = c.id WHEN MATCHED THEN UPDATE SET name = c.title", "merchants"},
	{"p", nil, "EXPLAIN (ANALYZE) UPDATE croupons SET title = 'x'", "croupons"},
	{"p", nil, `UPDATE ONLY public."croupons" SET title = E'it\'s'`, "croupons"},
	{"p", nil, "TRUNCATE croupons, others", "croupons"},
	{"p", nil, "UPDATE CROUPONS SET title = $$; DELETE FROM merchants$$", "croupons"},
	{"m", nil, "UPDATE croupons c JOIN merchants m ON m.id = c.id SET c.title = m.name", "croupons"},
	{"m", nil, "UPDATE croupons c, merchants m SET c.title = 'z', m.name = 'z' WHERE c.id = m.id", "croupons merchants"},
	{"m", nil, "DELETE c FROM croupons c JOIN merchants m ON m.id = c.id", "croupons"},
	{"m", nil, "DELETE FROM m USING merchants AS m JOIN croupons AS c ON m.id = c.id", "merchants"},
	{"m", nil, "/*!40000 UPDATE croupons SET title = 'x' */", "croupons"},
	{"m", nil, "/*M!100000 UPDATE croupons SET title = 'x' */", "croupons"},
	{"m", nil, "ANALYZE FORMAT=JSON UPDATE croupons SET title = 'x'", "croupons"},
	{"m", nil, "SET STATEMENT max_statement_time = 10 FOR UPDATE croupons SET title = 'x'", "croupons"},
	{"m", nil, `UPDATE LOW_PRIORITY IGNORE croupons SET title = "it\"s; DELETE FROM merchants" # merchants`, "croupons"},
	{"m", nil, "TRUNCATE TABLE croupons", "croupons"},

	// behaviour 101
	{"spm", nil, "SELECT * FROM croupons", ""},
	{"spm", nil, "SELECT 'DELETE FROM croupons'", ""},
	{"spm", nil, "EXPLAIN DELETE FROM croupons", ""},
	{"s", nil, "PRAGMA user_version = 5", ""},
	{"s", nil, "VACUUM", ""},
	{"p", nil, "SET lock_timeout = 5", ""},
	{"p", nil, "VACUUM croupons", ""},
	{"m", nil, "SET @x = 5", ""},
	{"m", nil, "SHOW TABLES", ""},

	// Tables of no model, and no rows.
	{"spm", nil, "UPDATE others SET n = 5", ""},
	{"spm", nil, "CREATE TABLE more (id int)", ""},
	{"spm", nil, "UPDATE croupons SET title = 'x' WHERE id = 99", ""},
	{"spm", nil, "DELETE FROM croupons WHERE id = 99", ""},
	{"spm", nil, "INSERT INTO croupons (id) SELECT id FROM others WHERE n = 99", ""},
	{"spm", nil, "UPDATE nowhere SET n = 5", ""},
	{"spm", nil, "UPDATE croupons SET nothing = 5", ""},
	{"spm", nil, "INSERT INTO croupons (id, slug) VALUES (7, 'g'), (1, 'taken')", ""},
	{"m", nil, "UPDATE croupons SET title = 'A' WHERE id = 1", ""},
	{"p", nil, "UPDATE croupons SET title = 'x' WHERE id = 99; UPDATE merchants SET nothing = 1", ""},
	{"sm", nil, "UPDATE merchants SET name = 'q' WHERE id = 1; UPDATE croupons SET nothing = 1", "croupons merchants"},
	{"s", nil, "INSERT OR FAIL INTO croupons (id, slug) VALUES (7, 'g'), (1, 'taken')", "croupons"},
	{"s", []string{"CREATE TABLE more (id int PRIMARY KEY ON CONFLICT FAIL)"}, "INSERT INTO more VALUES (1), (1)", ""},

	// DDL
	{"spm", nil, "ALTER TABLE croupons ADD COLUMN extra int DEFAULT 5", "croupons"},
	{"spm", nil, "DROP TABLE merchants", "merchants"},
	{"sp", nil, "CREATE INDEX extra ON croupons (title)", ""},
	{"m", nil, "CREATE INDEX extra ON croupons (popularity)", ""},
	{"spm", nil, "ALTER TABLE others RENAME TO others2", ""},
	{"spm", nil, "DROP TABLE IF EXISTS others, merchants", "merchants"},
	{"m", nil, "RENAME TABLE merchants TO m2, m2 TO merchants", "merchants"},

	// Behind names.
	{"p", []string{"CREATE VIEW shown AS SELECT id, title FROM croupons"}, "UPDATE shown SET title = 'x'", "croupons"},
	{"p", []string{"CREATE VIEW shown AS SELECT id, title FROM croupons", "CREATE VIEW twice AS SELECT * FROM shown"}, "DELETE FROM twice", "croupons"},
	{"p", []string{"CREATE VIEW shown AS SELECT id, n FROM others"}, "UPDATE shown SET n = 5", ""},
	{"p", []string{"CREATE TABLE child (extra int) INHERITS (croupons)"}, "INSERT INTO child (id, title) VALUES (9, 'x')", "croupons"},
	{"p", []string{"CREATE TABLE child (extra int) INHERITS (croupons)"}, "DROP TABLE child", "croupons"},
	{"p", []string{"CREATE RULE more AS ON INSERT TO others DO ALSO DELETE FROM merchants"}, "INSERT INTO others VALUES (9, 9)", "merchants"},
	{"p", []string{"CREATE RULE instead AS ON UPDATE TO others DO INSTEAD UPDATE croupons SET title = 'x'"}, "UPDATE others SET n = 5", "croupons"},
	{"p", []string{"CREATE RULE instead AS ON UPDATE TO croupons DO INSTEAD INSERT INTO others VALUES (8, 8)"}, "UPDATE croupons SET title = 'x'", "croupons"},
	{"p", []string{"CREATE SCHEMA s", "CREATE TABLE s.croupons (id int)"}, "INSERT INTO s.croupons VALUES (1)", "croupons"},
	{"s", []string{"CREATE VIEW shown AS SELECT * FROM croupons", "CREATE TRIGGER t INSTEAD OF DELETE ON shown BEGIN DELETE FROM croupons; END"}, "DELETE FROM shown", every},
	{"s", []string{"CREATE TRIGGER t BEFORE UPDATE ON croupons BEGIN UPDATE merchants SET name = 'z'; SELECT RAISE(IGNORE); END"}, "UPDATE croupons SET title = 'x'", "croupons"},
	{"m", []string{"CREATE VIEW shown AS SELECT id, title FROM croupons"}, "UPDATE shown SET title = 'x'", every},
	{"m", nil, "UPDATE `Croupons` SET title = 'x'", ""}, // the server's names are exact: there is no such table

	// What nobody recognises.
	{"p", nil, "DO $$ BEGIN DELETE FROM merchants; END $$", every},
	{"p", nil, "TRUNCATE others CASCADE", every},
	{"p", []string{"CREATE PROCEDURE p() LANGUAGE sql AS 'DELETE FROM merchants'"}, "CALL p()", every},
	{"m", []string{"CREATE PROCEDURE p() DELETE FROM merchants"}, "CALL p()", every},
	{"m", nil, "BEGIN NOT ATOMIC DELETE FROM merchants; END", every},
	{"m", nil, "EXECUTE IMMEDIATE 'DELETE FROM merchants'", every},
	{"s", nil, "CREATE TRIGGER t AFTER INSERT ON others BEGIN DELETE FROM merchants; END", every},
}

// behaviours 50 and 101
func TestWhatFalls(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		letter := map[string]string{"sqlite": "s", "postgres": "p", "mysql": "m"}[d.Name]
		shared := newWorld(t, d)
		for _, c := range texts {
			if !strings.Contains(c.on, letter) {
				continue
			}
			w := shared
			w.t = t
			if len(c.before) > 0 || !leavesTables.MatchString(c.query) {
				w = newWorld(t, another[d.Name](t))
			}
			w.past(c.before...)
			before := w.RT.Stats().UnrecognisedSQL
			reasons := w.falls(c.query, c.falls, func() error { return w.DB.Exec(c.query).Error })
			counted := w.RT.Stats().UnrecognisedSQL - before
			if want := strings.Contains(reasons, "not recognised"); want != (counted == 1) || counted > 1 {
				t.Errorf("%s: counted %d times as not recognised; the reason is %q", c.query, counted, reasons)
			}
			if w == shared {
				w.fill()
			}
		}
	})
}

// leavesTables matches the texts after which the tables are what they were.
var leavesTables = regexp.MustCompile(`^(/\*.*?\*/ ?)?(/\*!.*|UPDATE|INSERT|DELETE|REPLACE|MERGE|SELECT|WITH|EXPLAIN|ANALYZE|SET|SHOW|PRAGMA|VACUUM|TRUNCATE)`)

var another = map[string]func(testing.TB) fixture.Database{"sqlite": fixture.SQLite, "postgres": fixture.Postgres, "mysql": fixture.MariaDB}
