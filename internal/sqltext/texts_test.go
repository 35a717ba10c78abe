package sqltext

import (
	"slices"
	"strings"
	"testing"
)

// A textCase is what texts are to be read as by some dialects: s SQLite, p PostgreSQL, m MySQL.
type textCase struct {
	dialects string
	want     string // the tables, sorted; "" is none, "?" is unknown
	texts    []string
}

const anyDialect = "spm"

// readOnlyTexts change no rows.
var readOnlyTexts = []textCase{
	{anyDialect, "", []string{
		"", ";", " ; ;\n", "-- nothing", "-- nothing\n;", "/* nothing */", "SELECT 1", "  select 1;", "-- x\nSELECT 1", "--\nSELECT 1", "--\tx\nSELECT 1",
		"/* x */SELECT 1", "(SELECT 1) UNION (SELECT 2)", "((SELECT 1))", "SELECT 'it''s; DELETE'", `SELECT "a;b" FROM t`, "SELECT 1; SELECT 2;",
		"SELECT 'DELETE FROM a'", `SELECT "DELETE FROM a"`, "SELECT 1 -- ; DELETE FROM a", "SELECT 1 /* ; DELETE FROM a */", "SELECT '/*'; SELECT '*/'",
		"SELECT * FROM t FOR UPDATE", "SELECT * FROM a WHERE id IN (SELECT id FROM b)", "WITH x AS (SELECT 1) SELECT * FROM x",
		"WITH x AS (SELECT 1), y AS (SELECT 2) SELECT * FROM x, y", "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT n FROM x",
		"WITH x AS (SELECT 1 -- DELETE\n) SELECT 2", "WITH x AS (SELECT updated FROM t) SELECT 1", "VALUES (1)", "VALUES (1), (2)", "EXPLAIN UPDATE t SET a = 1",
		"EXPLAIN DELETE FROM t", "EXPLAIN INSERT INTO t VALUES (1)", "EXPLAIN SELECT 1", "SAVEPOINT a", "RELEASE SAVEPOINT a", "ROLLBACK TO a", "ROLLBACK",
		"COMMIT", "BEGIN", "CREATE INDEX i ON a (b)", "CREATE UNIQUE INDEX i ON a (b)", "DROP INDEX i", "SELECT replace(a, 'x', 'y') FROM t",
		"SELECT (replace(a, 'x', 'y')) FROM t", "SELECT a.b.c, a . b FROM a", "SELECT 1.5e3, 0x1F", "\t\r\n\fSELECT\n1", "SELECT é FROM ü",
	}},
	{"s", "", []string{
		"PRAGMA foreign_keys = ON", "PRAGMA table_info('a')", "VACUUM", "VACUUM INTO 'x'", "REINDEX a", "ATTACH 'x' AS y", "DETACH y", "ANALYZE", "ANALYZE a",
		"EXPLAIN QUERY PLAN DELETE FROM t", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE TRANSACTION", "END TRANSACTION", "SELECT [a;b] FROM t", "SELECT [a'b]; SELECT 'x'",
		"SELECT `a;b`", "SELECT 'a\\'; SELECT 'b'", "/* open", "SELECT 1 /* open; DELETE FROM a", "SELECT 1--; DELETE FROM t", "SELECT :a, @b, $c, ?1, #d",
		"SELECT 1 -- x\r; DELETE FROM a",
	}},
	{"p", "", []string{
		"SELECT $$; DELETE FROM t$$", "SELECT $x$; DELETE $$ $x$", "SELECT $1, $2", "SELECT $tag$ $ta$ ; DELETE FROM a $tag$", "SELECT a$b$c FROM t",
		"SELECT E'\\n'", "SELECT E'a\\'; DELETE FROM t; --'", "SELECT e'\\\\'; SELECT 1", "SELECT 'a\\'; SELECT 1", "SELECT /* /* */ 1; DELETE FROM t; */ 1",
		"SELECT /*/* */*/ 1", "SELECT 5--1; DELETE FROM t", "TABLE a", "WITH x AS (SELECT 1) TABLE x", "WITH x AS (SELECT 1) SELECT * FROM x FOR NO KEY UPDATE",
		"SHOW search_path", "SET search_path = x", "SET LOCAL lock_timeout = 5", "RESET ALL", "DISCARD ALL", "LISTEN a", "NOTIFY a, 'DELETE'", "UNLISTEN *",
		"EXPLAIN ANALYZE SELECT 1", "EXPLAIN (ANALYZE, COSTS off) SELECT 1", "EXPLAIN (FORMAT json) DELETE FROM a", "ANALYZE", "ANALYZE a", "ANALYZE (VERBOSE) a (b, c)",
		"ANALYZE a (update)", "VACUUM (FULL, ANALYZE) a", "CLOSE c", "FETCH ALL FROM c", "MOVE 1 FROM c", "DECLARE c CURSOR FOR SELECT 1 FOR UPDATE",
		"DECLARE c INSENSITIVE SCROLL CURSOR WITH HOLD FOR SELECT 1", "LOCK TABLE a IN EXCLUSIVE MODE", "COPY a TO STDOUT", "COPY a (b, c) TO '/x'",
		"COPY (SELECT * FROM a) TO STDOUT", "PREPARE p AS DELETE FROM a", "DEALLOCATE p", "GRANT SELECT ON a TO b", "REVOKE ALL ON a FROM b", "COMMENT ON TABLE a IS 'DELETE'",
		"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", "START TRANSACTION READ WRITE", "COMMIT AND CHAIN", "END", "SELECT ARRAY[1, 2]", "SELECT a[1:2] FROM t",
		"SELECT (update) FROM t", "SELECT (delete), (insert) FROM t", "SELECT a AS into FROM t", "SELECT t.into FROM t", "WITH delete AS (SELECT 1) SELECT * FROM delete",
		"WITH x AS MATERIALIZED (SELECT 1) (SELECT * FROM x)", "WITH x AS (SELECT 1), update AS (SELECT 2) SELECT 3", "SELECT U&'d\\0061t'", "CREATE SEQUENCE s",
		"CREATE INDEX CONCURRENTLY i ON a (b)", "ALTER INDEX i RENAME TO j", "ALTER SEQUENCE s RESTART", "DROP SEQUENCE s", "CREATE TYPE t AS ENUM ('DELETE')",
		"DROP FUNCTION f", "SELECT a # b FROM t", "SELECT a -> 'b' ->> 'c', a @> b FROM t", "SELECT 'a' -- x\r; ", "SELECT a::text, :x FROM t",
	}},
	{"m", "", []string{
		"SELECT `a``;b`", "SELECT 1 # ; DELETE FROM t", "# x\nSELECT 1", "SELECT 5--1",
		"SHOW TABLES", "SHOW CREATE TABLE a", "USE x", "SET a = 1", "SET @a = 1, @@session.b = 2", "SET NAMES utf8mb4", "DESCRIBE a", "DESC a b", "EXPLAIN a",
		"EXPLAIN FORMAT=JSON DELETE FROM a", "EXPLAIN ANALYZE SELECT 1", "ANALYZE TABLE a", "ANALYZE TABLE a UPDATE HISTOGRAM ON b", "ANALYZE SELECT 1",
		"ANALYZE FORMAT=JSON SELECT 1", "LOCK TABLES a WRITE", "UNLOCK TABLES", "START TRANSACTION WITH CONSISTENT SNAPSHOT", "KILL 5", "/*!40101 SET NAMES utf8 */",
		"SELECT /*!40001 SQL_NO_CACHE */ 1", "SELECT /*+ MAX_EXECUTION_TIME(5) */ 1", "SELECT 1 INTO @a", "SELECT a INTO OUTFILE 'x' FROM t", "TABLE a",
		"WITH x AS (SELECT 1) (SELECT * FROM x)", "(WITH x AS (SELECT 1) SELECT * FROM x)", "BEGIN WORK", "SELECT INSERT('abc', 1, 2, 'x')", "SELECT (INSERT('abc', 1, 2, 'x'))",
		"SET STATEMENT max_statement_time = 1 FOR SELECT 1", "DROP PROCEDURE p", "CREATE USER x", "PREPARE p FROM 'DELETE FROM a'", "SELECT 1 /* /* */", "SELECT @`a;b`",
		"SELECT /*! 1 */ /*! + 1 */", "DROP TRIGGER x",
	}},
}

// writingTexts write tables that they name.
var writingTexts = []textCase{
	{anyDialect, "a", []string{
		"INSERT INTO a VALUES (1)", "insert into a (b) values (1)", "INSERT INTO a SELECT * FROM b", "INSERT INTO a (b) SELECT c FROM d WHERE e IN (SELECT f FROM g)",
		"UPDATE a SET b = 1", "update a set b = (SELECT c FROM d)", "UPDATE a SET b = 1 WHERE c = 'x;y'", "DELETE FROM a", "DELETE FROM a WHERE b IN (SELECT c FROM d)",
		"/* x */ DELETE FROM a", "-- x\nDELETE FROM a", "DELETE /* x */ FROM/**/a", "DELETE\nFROM\ta;", ";;DELETE FROM a", "SELECT 1; DELETE FROM a",
		"DELETE FROM a; SELECT 1", "DELETE FROM a; DELETE FROM a", "INSERT INTO a VALUES ('it''s'), ('; DELETE FROM b')", "INSERT INTO a VALUES ('--'); SELECT '/*'",
		"WITH x AS (SELECT 1) INSERT INTO a SELECT * FROM x", "WITH x AS (SELECT 1) UPDATE a SET b = 2", "WITH x AS (SELECT 1) DELETE FROM a",
		"WITH RECURSIVE x(n) AS (SELECT 1), y AS (SELECT 2) DELETE FROM a WHERE b IN (SELECT n FROM x)", "INSERT INTO a VALUES (1) RETURNING id",
		"DELETE FROM a WHERE b = 1 ORDER BY c LIMIT 5", "CREATE TABLE a (b int)", "CREATE TABLE IF NOT EXISTS a (b int)", "DROP TABLE a", "DROP TABLE IF EXISTS a",
		"ALTER TABLE a ADD COLUMN b int", "ALTER TABLE a RENAME COLUMN b TO c", "CREATE TABLE a AS SELECT * FROM b", "CREATE VIEW a AS SELECT * FROM b", "DROP VIEW a",
		"CREATE TEMPORARY TABLE a (b int)", "INSERT INTO a VALUES (?, ?)", "UPDATE a SET b = replace(b, 'x', 'y')", "CREATE TABLE a (b int REFERENCES c (d) ON DELETE CASCADE)",
		"ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES c (d) ON DELETE CASCADE", "UPDATE a SET b = CASE WHEN c = 1 THEN 2 ELSE 3 END",
		"BEGIN; UPDATE a SET b = 1; COMMIT", "SAVEPOINT s; UPDATE a SET b = 1; RELEASE SAVEPOINT s", "INSERT INTO a VALUES ((SELECT max(b) FROM c))",
	}},
	{"sp", "a", []string{
		`INSERT INTO "a" VALUES (1)`, `UPDATE "a" SET "b" = 1`, `DELETE FROM "a"`, "INSERT INTO a VALUES (1) ON CONFLICT (b) DO UPDATE SET c = excluded.c WHERE d",
		"INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING", "INSERT INTO a AS x VALUES (1)", "INSERT INTO a DEFAULT VALUES", "UPDATE a AS x SET b = 1", "UPDATE a SET b = c.d FROM c WHERE a.e = c.e",
		"UPDATE a SET (b, c) = (SELECT d, e FROM f)", "DELETE FROM a AS x WHERE x.b = 1", "ALTER TABLE a RENAME COLUMN b TO d", "INSERT INTO a SELECT * FROM (VALUES (1)) AS x",
		"UPDATE a SET b = 'a\\' WHERE c = 'd'", "UPDATE a SET b = 'C:\\'",
	}},
	{"sp", "a b", []string{"ALTER TABLE a RENAME TO b", "ALTER TABLE a RENAME b TO c"}},
	{"sm", "a", []string{
		"REPLACE INTO a VALUES (1)", "DELETE FROM `a`", "UPDATE `a` SET `b` = 1", "INSERT INTO `a` (`b`) VALUES (1)", "DROP TABLE `a`",
		"WITH x AS (SELECT 1) DELETE FROM a",
	}},
	{"s", "a", []string{
		"INSERT OR REPLACE INTO a VALUES (1)", "INSERT OR IGNORE INTO a VALUES (1)", "INSERT OR FAIL INTO a VALUES (1)", "UPDATE OR ROLLBACK a SET b = 1", "UPDATE OR IGNORE a SET b = 1",
		"UPDATE a INDEXED BY i SET b = 1", "UPDATE a NOT INDEXED SET b = 1", "DELETE FROM [a]", "DELETE FROM 'a'", "INSERT INTO 'a' VALUES (1)", "CREATE VIRTUAL TABLE a USING fts5(b)",
		"CREATE TABLE a (b) WITHOUT ROWID", "INSERT INTO a VALUES (:x, @y, $z, ?1)", "DROP VIEW IF EXISTS a", "UPDATE a SET b = x'00'", "DELETE FROM a -- x", "DELETE FROM a /* x",
	}},
	{"s", "main.a", []string{"DELETE FROM main.a", "INSERT INTO main.a VALUES (1)", "UPDATE main . a SET b = 1", `UPDATE "main"."a" SET b = 1`, "DELETE FROM [main].[a]"}},
	{"s", "A", []string{"DELETE FROM A"}},
	{"p", "a", []string{
		"DELETE FROM A", "UPDATE ONLY a SET b = 1", "UPDATE ONLY (a) SET b = 1", "UPDATE a * SET b = 1", "UPDATE a x SET b = 1", "DELETE FROM ONLY a", "DELETE FROM a USING b WHERE a.c = b.c",
		"DELETE FROM a AS x USING b, c WHERE x.d = b.d", "DELETE FROM a WHERE CURRENT OF cur", "MERGE INTO a USING b ON a.c = b.c WHEN MATCHED THEN UPDATE SET d = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)",
		"MERGE INTO ONLY a AS x USING (SELECT 1) y ON true WHEN MATCHED THEN DELETE", "TRUNCATE a", "TRUNCATE TABLE a", "TRUNCATE ONLY a RESTART IDENTITY", "TRUNCATE a RESTRICT",
		"COPY a FROM STDIN", "COPY a (b, c) FROM '/x' WITH (FORMAT csv)", "COPY a FROM PROGRAM 'x'", "COPY (DELETE FROM a RETURNING *) TO STDOUT", "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x",
		"WITH x AS MATERIALIZED (UPDATE a SET b = 1 RETURNING *) SELECT * FROM x", "WITH x AS (SELECT 1), y AS (INSERT INTO a VALUES (1) RETURNING *) TABLE y",
		"WITH x AS NOT MATERIALIZED (SELECT 1) DELETE FROM a", "WITH delete AS (SELECT 1) DELETE FROM a", "WITH RECURSIVE update(b) AS (SELECT 1) UPDATE a SET b = 1",
		"EXPLAIN ANALYZE DELETE FROM a", "EXPLAIN (ANALYZE, VERBOSE) UPDATE a SET b = 1", "EXPLAIN ANALYZE VERBOSE INSERT INTO a VALUES (1)", "EXPLAIN (ANALYZE) WITH x AS (DELETE FROM a RETURNING *) SELECT 1",
		"SELECT * INTO a FROM b", "SELECT * INTO TEMP TABLE a FROM b", "SELECT 1 INTO UNLOGGED a", "CREATE TABLE a AS TABLE b", "CREATE TABLE a (LIKE b)", "CREATE UNLOGGED TABLE a (b int)",
		"CREATE MATERIALIZED VIEW a AS SELECT 1", "REFRESH MATERIALIZED VIEW CONCURRENTLY a", "REFRESH MATERIALIZED VIEW a", "DROP MATERIALIZED VIEW a", "CREATE OR REPLACE VIEW a AS SELECT 1",
		"ALTER TABLE ONLY a ALTER COLUMN b SET DEFAULT 1", "ALTER TABLE IF EXISTS a DROP COLUMN b", "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c ON UPDATE CASCADE", "INSERT INTO a OVERRIDING SYSTEM VALUE VALUES (1)",
		"DELETE FROM a -- x", "DELETE FROM a /* /* x */ */", "INSERT INTO a VALUES ($1, $2)", "INSERT INTO a VALUES ($$; DELETE FROM b$$)", "INSERT INTO a VALUES ($q$ $$ ; DELETE FROM b $q$)",
		"UPDATE a SET b = E'it\\'s; DELETE FROM b'", "UPDATE a SET b = 'x' || E'\\\\', c = '; DELETE FROM b'", "UPDATE a SET b[1] = 2", "UPDATE a SET b = c::jsonb || '{}'", "SELECT 5--1\n; DELETE FROM a",
		"SELECT /* /* */ 1; */ 1; DELETE FROM a", "DROP TABLE a RESTRICT", "DECLARE c CURSOR FOR WITH x AS (DELETE FROM a RETURNING *) SELECT 1", "SELECT 1 FROM b WHERE c = (update) AND d; DELETE FROM a",
	}},
	{"p", "A", []string{`DELETE FROM "A"`}},
	{"p", "s.a", []string{"DELETE FROM s.a", `UPDATE "s"."a" SET b = 1`, "UPDATE S.A SET b = 1", "INSERT INTO s . a VALUES (1)", "DELETE FROM db.s.a", "TRUNCATE s.a", "COPY s.a FROM STDIN", "DELETE FROM s.\"a\""}},
	{"p", `a"b`, []string{`DELETE FROM "a""b"`}},
	{"p", "a b", []string{
		"TRUNCATE a, b", "TRUNCATE ONLY a, ONLY b RESTART IDENTITY", "WITH x AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM x", "WITH x AS (DELETE FROM a RETURNING *), y AS (UPDATE b SET c = 1) SELECT 1",
		"DELETE FROM a; DELETE FROM b", "DROP TABLE a, b", "ALTER TABLE a ATTACH PARTITION b FOR VALUES IN (1)", "ALTER TABLE a DETACH PARTITION b CONCURRENTLY", "ALTER TABLE a INHERIT b", "ALTER TABLE a NO INHERIT b",
		"UPDATE a SET c = 'x\\'; DELETE FROM b; --'", // with standard_conforming_strings; without it, less
		"UPDATE a SET c = E'x'\n'\\'; DELETE FROM b; --'",
	}},
	{"m", "a", []string{
		"INSERT a VALUES (1)", "INSERT a SET b = 1", "INSERT LOW_PRIORITY IGNORE INTO a VALUES (1)", "INSERT HIGH_PRIORITY a VALUES (1)", "INSERT INTO a PARTITION (p0) VALUES (1)", "INSERT INTO a () VALUES ()",
		"INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE b = VALUES(b)", "INSERT INTO a VALUES (1) AS new ON DUPLICATE KEY UPDATE b = new.b", "REPLACE a VALUES (1)", "REPLACE LOW_PRIORITY INTO a SET b = 1",
		"UPDATE LOW_PRIORITY IGNORE a SET b = 1", "UPDATE a x SET x.b = 1", "UPDATE a AS x SET b = 1 ORDER BY c LIMIT 3", "UPDATE a PARTITION (p0, p1) SET b = 1", "UPDATE a JOIN c ON a.d = c.d SET a.b = c.b",
		"UPDATE a, c SET a.b = 1 WHERE a.d = c.d", "UPDATE a x JOIN c y USING (d) SET x.b = y.b, x.e = 2", "UPDATE c RIGHT OUTER JOIN a ON true SET a.b = 1", "UPDATE (a, c) SET a.b = 1", "UPDATE (a JOIN c ON a.d = c.d) SET a.b = 1",
		"UPDATE a JOIN (SELECT d FROM c) y ON a.d = y.d SET a.b = 1", "UPDATE a STRAIGHT_JOIN c SET a.b = 1", "UPDATE a USE INDEX (i, j) JOIN c SET a.b = f(1, 2), a.d = 3", "UPDATE a NATURAL JOIN c SET a.b = (SELECT max(e) FROM g)",
		"UPDATE a JOIN JSON_TABLE('[]', '$[*]' COLUMNS (x int PATH '$')) AS j SET a.b = j.x", "UPDATE a JOIN LATERAL (SELECT 1) AS l SET a.b = 1", "DELETE LOW_PRIORITY QUICK IGNORE FROM a", "DELETE FROM a PARTITION (p0) WHERE b = 1",
		"DELETE a FROM a JOIN c ON a.d = c.d", "DELETE a.* FROM a, c", "DELETE x FROM a AS x JOIN c AS y ON x.d = y.d", "DELETE FROM x USING a AS x JOIN c ON true", "DELETE FROM a.* USING a, c", "DELETE FROM a USING a JOIN c ON true WHERE a.d = 1",
		"DELETE x FROM a x WHERE x.b = 1", "DELETE FROM a x WHERE x.b = 1", "DELETE HISTORY FROM a", "TRUNCATE a", "TRUNCATE TABLE a", "LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE a FIELDS TERMINATED BY ','",
		"LOAD XML INFILE 'x' INTO TABLE a", "ANALYZE UPDATE a SET b = 1", "ANALYZE FORMAT=JSON DELETE FROM a", "EXPLAIN ANALYZE DELETE FROM a", "SET STATEMENT max_statement_time = 1 FOR DELETE FROM a", "DROP TABLE IF EXISTS a CASCADE",
		"DROP TEMPORARY TABLE a", "ALTER TABLE a RENAME INDEX b TO c", "ALTER IGNORE TABLE a ADD b int", "/*! DELETE FROM a */", "/*!50000 DELETE FROM a */", "/*M!100100 DELETE FROM a */", "DELETE FROM a # x", "DELETE FROM a --\tx",
		"UPDATE a SET b = 'it\\'s', c = 'that\\'s'", `UPDATE a SET b = "it\"s"`, `UPDATE "a" SET b = 1`, "DELETE /*! LOW_PRIORITY */ FROM a", "CREATE OR REPLACE TABLE a (b int)", "CREATE TABLE a LIKE c", "SELECT 1 # x\n; DELETE FROM a",
		"SELECT 5--1; DELETE FROM a", "WITH x AS (SELECT 1 d) UPDATE a JOIN x ON a.d = x.d SET a.b = 1", "UPDATE a JOIN c SET a.b := 1", "UPDATE a JOIN c ON a.x = c.x SET db.a.b = 1", "INSERT INTO a VALUES (1) RETURNING b",
	}},
	{"m", "A", []string{"DELETE FROM A", "DELETE FROM `A`"}},
	{"m", "d.a", []string{"DELETE FROM d.a", "UPDATE `d`.`a` SET b = 1", "INSERT INTO d.a VALUES (1)", "DELETE a FROM d.a JOIN c", "DELETE d.a FROM d.a JOIN c", "TRUNCATE d.a"}},
	{"m", "2020", []string{"DELETE FROM 2020", "UPDATE `2020` SET a = 1"}},
	{"m", "a c", []string{
		"UPDATE a JOIN c ON a.d = c.d SET b = 1", "UPDATE a, c SET a.b = 1, c.b = 2", "UPDATE a JOIN c SET a.b = 1, e = 2", "UPDATE a x JOIN c y SET a.b = 1", "DELETE a, c FROM a JOIN c", "DELETE FROM a, c USING a JOIN c", "DELETE a.*, c.* FROM a, c",
		"RENAME TABLE a TO c", "ALTER TABLE a RENAME c", "ALTER TABLE a RENAME TO c", "ALTER TABLE a EXCHANGE PARTITION p WITH TABLE c", "DROP TABLE a, c", "DELETE z FROM a JOIN c", "DELETE FROM a; /*! DELETE FROM c */",
		"UPDATE a SET b = '\\'; DELETE FROM c; -- '", // with NO_BACKSLASH_ESCAPES; without it, less
		`UPDATE a SET b = "\"; DELETE FROM c; -- "`,  // the same
	}},
	{"m", "a b c d", []string{"RENAME TABLE a TO b, c TO d"}},
	{"m", "a", []string{"SELECT 'x\\'; DELETE FROM a; -- '", `SELECT "x\"; DELETE FROM a; -- "`}}, // with NO_BACKSLASH_ESCAPES
	{"s", "b.a", []string{"DELETE FROM b.a"}},
}

// doubtfulTexts may write anything.
var doubtfulTexts = []textCase{
	{anyDialect, "?", []string{
		"DELETE a WHERE", "INSERT", "UPDATE", "DELETE", "DELETE FROM", "UPDATE SET a = 1", "DELETE FROM (a)", "INSERT INTO (a)", "CALL f()", "EXEC f", "EXECUTE p", "1", "'x'", "$$x$$ y", "@x", "x y z", "(DELETE FROM a)", "WITH x AS (SELECT 1)",
		"DELETE FROM 'open", "DELETE FROM a; x", "CREATE TRIGGER t BEFORE INSERT ON a BEGIN DELETE FROM b; END", "COMMIT PREPARED 'x'", "DELETE FROM \x00", "DELETE FROM a.b.c.d", "CREATE FUNCTION f() RETURNS int", "UPDATE ? SET a = 1",
		"BEGIN NOT ATOMIC UPDATE a SET b = 1; END", "BEGIN CALL f(); END", "DECLARE @x int UPDATE t SET a = 1", "SELECT 'open; DELETE FROM a", "DROP SCHEMA s", "CREATE", "DROP", "ALTER", "ALTER DATABASE d SET x = 1",
	}},
	{"s", "?", []string{"SELECT $a(';DELETE FROM b)", "SELECT :a::b(')", "MERGE INTO a USING b ON 1", "TRUNCATE", "# x\nDELETE FROM a", "COPY a", "/* */ x", "DELETE FROM [a"}},
	{"p", "?", []string{
		"REPLACE INTO a VALUES (1)", "DO $$ BEGIN DELETE FROM a; END $$", "TRUNCATE a CASCADE", "DROP TABLE a CASCADE", "DROP SCHEMA a CASCADE", "ALTER TABLE a DROP COLUMN b CASCADE", "EXPLAIN ANALYZE EXECUTE x", "CREATE RULE r AS ON INSERT TO a DO INSTEAD DELETE FROM b",
		`DELETE FROM U&"d\0061t"`, "/* open", "DELETE FROM a $x$ open", "SELECT 1$a$; DELETE FROM b$a$", "IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y", "CREATE TABLE a AS EXECUTE p", "CLUSTER a", "DROP OWNED BY x", "ALTER TYPE t RENAME VALUE 'a' TO 'b'",
		"CREATE EXTENSION x", "WITH x AS (SELECT 1) SEARCH DEPTH FIRST BY a SET b", "SECURITY LABEL ON TABLE a IS 'x'",
	}},
	{"m", "?", []string{
		"DO f()", "/*! /*! DELETE FROM a */ */", "SELECT 1 AS [a]", "XA COMMIT 'x'", "EXECUTE IMMEDIATE 'DELETE FROM a'", "IF 1 THEN DELETE FROM a; END IF", "UPDATE (SELECT 1) x SET x.a = 1", "UPDATE {OJ a LEFT JOIN b ON 1} SET a.c = 1", "HANDLER a READ FIRST",
		"LOAD INDEX INTO CACHE a", "OPTIMIZE TABLE a", "REPAIR TABLE a", "CREATE PROCEDURE p() BEGIN DELETE FROM a; END", "x: BEGIN DELETE FROM a; END", "COPY a FROM STDIN", "/*!1*/ /*!1*/ /*!1*/ /*!1*/ SELECT 1", "SET STATEMENT x = 1", "DELETE FROM a, b WHERE 1",
		"COMMIT PREPARED 'x'", "/*! DELETE FROM a",
	}},
}

// behaviours 50 and 101
func TestTablesOf(t *testing.T) {
	n := 0
	for _, cases := range [][]textCase{readOnlyTexts, writingTexts, doubtfulTexts} {
		for _, c := range cases {
			for d, letter := range map[Dialect]string{SQLite: "s", Postgres: "p", MySQL: "m"} {
				if !strings.Contains(c.dialects, letter) {
					continue
				}
				for _, q := range c.texts {
					n++
					if got := tablesIn(q, d); got != c.want {
						t.Errorf("%s reads %q as writing %q, want %q", letter, q, got, c.want)
					}
				}
			}
		}
	}
	t.Logf("%d texts", n)
}

// tablesIn is what a text writes, as textCase has it.
func tablesIn(q string, d Dialect) string {
	r := Read(q, d)
	if !r.Known {
		return "?"
	}
	var names []string
	for _, t := range r.Tables {
		names = append(names, t.String())
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

// Text of a dialect that nobody knows is taken for writing wherever it may.
func TestTablesOfOtherDialects(t *testing.T) {
	for _, q := range []string{"SELECT 1", "SELECT * FROM [a]", "SELECT [a b] FROM t", "SELECT 'x' -- y", "SAVE TRANSACTION x", "BEGIN TRANSACTION", "WITH x AS (SELECT 1) SELECT * FROM x", "SELECT $1"} {
		if got := tablesIn(q, Unknown); got != "" {
			t.Errorf("%q: %q", q, got)
		}
	}
	for _, q := range []string{
		"DELETE FROM a", "UPDATE a SET b = 1", "SELECT 1; DELETE FROM a", "EXEC f", "SELECT 'a\\'; DELETE FROM t; -- '", "SELECT 5--1; DELETE FROM t", "SELECT /* /* */ 1; DELETE FROM t; /* */ */ 1", "/*! x */ SELECT 1",
		"SELECT 1 AS [a'b]; UPDATE t SET a = 'x'", "SELECT 1 AS [a--b]; DELETE FROM t", "SELECT 1 # '\n; DELETE FROM a", "SELECT * INTO b FROM a", "WITH x AS (DELETE FROM a) SELECT 1", "DECLARE @x int UPDATE t SET a = 1",
	} {
		if got := tablesIn(q, Unknown); got != "?" {
			t.Errorf("%q: %q", q, got)
		}
	}
}

// What is said of a text besides its tables.
func TestReadFlags(t *testing.T) {
	type flags struct{ plain, counts, rows, shapes bool }
	for q, want := range map[string]flags{
		"DELETE FROM a":                                   {true, true, true, false},
		"SELECT 1":                                        {true, false, false, false},
		"SELECT 1; DELETE FROM a":                         {true, false, true, false},
		"WITH x AS (SELECT 1) DELETE FROM a":              {true, true, true, false},
		"WITH x AS (DELETE FROM a) SELECT 1":              {true, false, true, false},
		"WITH x AS (DELETE FROM b) DELETE FROM a":         {true, false, true, false},
		"DELETE FROM a RETURNING b":                       {true, false, true, false},
		"SET x = 1; DELETE FROM a":                        {false, false, true, false},
		"BEGIN; DELETE FROM a; COMMIT":                    {false, false, true, false},
		"TRUNCATE a":                                      {true, false, true, false},
		"CREATE TABLE a (b int)":                          {false, false, false, true},
		"CALL f()":                                        {false, false, false, true},
		"EXPLAIN ANALYZE DELETE FROM a":                   {true, false, true, false},
		"INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING": {true, true, true, false},
	} {
		r := Read(q, Postgres)
		if got := (flags{r.Plain, r.Counts, r.Rows, r.Shapes}); got != want {
			t.Errorf("%q: %+v, want %+v", q, got, want)
		}
	}
	if r := Read("TRUNCATE a", MySQL); r.Plain {
		t.Error("TRUNCATE in MySQL would commit a transaction of ours")
	}
	if !Read("INSERT OR FAIL INTO a VALUES (1)", SQLite).Partial || Read("INSERT INTO a VALUES (1)", SQLite).Partial {
		t.Error("OR FAIL leaves a part of it done")
	}
}

// A long text is read in one go, and what it hides at its end is seen.
func TestLongSQL(t *testing.T) {
	values := strings.Repeat("(1, 'x'), ", mostTokens)
	for text, want := range map[string]string{
		"INSERT INTO a VALUES " + values + "(2)":                                            "a",
		"INSERT INTO a VALUES " + values + "(2) ON CONFLICT (b) DO UPDATE SET c = 1":        "a",
		"INSERT INTO a VALUES " + values + "(2); DELETE FROM b":                             "a b",
		"WITH x AS (VALUES " + values + "(2)), y AS (DELETE FROM b) INSERT INTO a SELECT 1": "?",
	} {
		if got := tablesIn(text, Postgres); got != want {
			t.Errorf("…%s: %q, want %q", text[len(text)-40:], got, want)
		}
	}
}
