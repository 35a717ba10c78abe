package cacheruntime

import (
	"strings"
	"testing"
)

// behaviour 101
func TestMayWrite(t *testing.T) {
	for _, q := range []string{
		"", ";", "SELECT 1", "  select 1;", "-- x\nSELECT 1", "--\nSELECT 1", "/* x */SELECT 1", "(SELECT 1) UNION (SELECT 2)",
		"SELECT 'it''s; DELETE'", `SELECT "a;b" FROM t`, "SELECT `a;b`", "SELECT $$; DELETE FROM t$$", "SELECT $x$; DELETE $$ $x$", "SELECT $1, $2",
		"SELECT * FROM t FOR UPDATE", "WITH x AS (SELECT 1) SELECT * FROM x FOR NO KEY UPDATE", "WITH x AS (SELECT updated FROM t) TABLE x",
		"WITH x AS (SELECT 1 -- DELETE\n) SELECT 2", "SET search_path = x", "SHOW TABLES", "USE x", "PRAGMA foreign_keys = ON", "VACUUM", "ANALYZE t",
		"EXPLAIN UPDATE t SET a = 1", "EXPLAIN QUERY PLAN DELETE FROM t", "EXPLAIN ANALYZE SELECT 1", "VALUES (1)",
		"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "COMMIT AND CHAIN", "END", "DECLARE c CURSOR FOR SELECT 1 FOR UPDATE", "SAVEPOINT a", "SELECT ARRAY[1, 2]",
		"RELEASE a", "ROLLBACK TO a", "SELECT E'\\n'", "SELECT 1; SELECT 2",
	} {
		if mayWrite(q) {
			t.Errorf("taken for writing: %s", q)
		}
	}
	for _, q := range []string{
		"UPDATE t SET a = 1", "insert into t values (1)", "/* x */ DELETE FROM t", "REPLACE INTO t VALUES (1)", "TRUNCATE t", "MERGE INTO t",
		"CALL f()", "DO $$ BEGIN END $$", "EXEC f", "LOAD DATA INFILE 'x' INTO TABLE t", "COPY t FROM STDIN", "ALTER TABLE t ADD a int", "DROP TABLE t",
		"SELECT 1; DELETE FROM t", "BEGIN; UPDATE t SET a = 1; COMMIT", "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
		"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", "EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN (ANALYZE, VERBOSE) UPDATE t SET a = 1",
		"ANALYZE FORMAT=JSON UPDATE t SET a = 1",
		"/*!40000 UPDATE t SET a = 1 */", "/*M! DELETE FROM t */",
		"SELECT 'a\\'; DELETE FROM t; -- '", // MySQL ends the text later
		"SELECT 5--1; DELETE FROM t",        // MySQL: 5 - -1
		"SELECT /* /* */ 1; DELETE FROM t; /* */ */ 1",
		"BEGIN NOT ATOMIC UPDATE t SET a = 1; END", "BEGIN CALL f(); END", "DECLARE @x int UPDATE t SET a = 1", "COMMIT PREPARED 'x'",
		"SAVEPOINT a; UPDATE t SET a = 1", "EXPLAIN ANALYZE EXECUTE x",
		"SELECT 1 AS [a'b]; UPDATE t SET a = 'x'", "SELECT 1 AS [a--b]; DELETE FROM t",
		"SELECT 'open; DELETE FROM t", "# x\nUPDATE t SET a = 1", "$$x$$", "1", "@x",
	} {
		if !mayWrite(q) {
			t.Errorf("not taken for writing: %s", q)
		}
	}
}

// behaviour 55
func TestParseSavepoint(t *testing.T) {
	for q, want := range map[string]savepoint{
		"SAVEPOINT sp1":                {savepointSet, "sp1"},
		" savepoint \"Sp1\"":           {savepointSet, "sp1"},
		"/* x */ SAVEPOINT `a`;":       {savepointSet, "a"},
		"-- x\nSAVEPOINT a":            {savepointSet, "a"},
		"SAVE TRANSACTION a":           {savepointSet, "a"},
		"ROLLBACK TO a":                {savepointRollback, "a"},
		"ROLLBACK TO SAVEPOINT a":      {savepointRollback, "a"},
		"rollback work to savepoint a": {savepointRollback, "a"},
		"ROLLBACK TRANSACTION TO a":    {savepointRollback, "a"},
		"ROLLBACK TRANSACTION a":       {savepointRollback, "a"},
		"RELEASE a":                    {savepointRelease, "a"},
		"RELEASE SAVEPOINT a":          {savepointRelease, "a"},
	} {
		if got, ok := parseSavepoint(q); !ok || got != want {
			t.Errorf("%s: %v, %v", q, got, ok)
		}
	}
	for _, q := range []string{"", "S", "SELECT 1", "ROLLBACK", "SAVEPOINT a; UPDATE t SET a = 1", "SAVEPOINT a b", "RELEASE a; DELETE FROM t",
		"ROLLBACK TO a; UPDATE t SET a = 1", "SAVEPOINT a /*! ; DELETE FROM t */", "ROLLBACK WORK", "SET a = 1", "SAVEPOINT", "SAVE a", "REPLACE INTO t VALUES (1)"} {
		if s, ok := parseSavepoint(q); ok {
			t.Errorf("%q is taken for a savepoint: %v", q, s)
		}
	}
}

// behaviour 55
func TestHidesSavepoint(t *testing.T) {
	for q, want := range map[string]bool{
		"SAVEPOINT a": false, "SAVEPOINT a;": false, "ROLLBACK TO a": false, "": false, "UPDATE t SET a = 'release'": false, "SELECT 1": false,
		"SAVEPOINT a; UPDATE t SET a = 1": true, "SELECT 1; SAVEPOINT a": true, "UPDATE t SET a = 1; ROLLBACK TO a": true,
		"# x\nSAVEPOINT a": true, "/*! SAVEPOINT a */": true,
	} {
		if hidesSavepoint(q) != want {
			t.Errorf("%q: %v", q, !want)
		}
	}
}

// behaviour 53
func TestMayEnd(t *testing.T) {
	for q, want := range map[string][2]bool{ // on any database, on MySQL
		"": {}, "SELECT 1": {}, "UPDATE t SET a = 1": {}, "SAVEPOINT a": {}, "ROLLBACK TO a": {}, "ROLLBACK WORK TO SAVEPOINT a": {}, "SET a = 1": {},
		"INSERT INTO t VALUES (1); SELECT 1": {}, "CREATE TEMPORARY TABLE t (a int)": {}, "COMMIT PREPARED 'x'": {},
		"COMMIT": {true, true}, "end": {true, true}, "ROLLBACK": {true, true}, "ABORT": {true, true}, "SELECT 1; COMMIT": {true, true},
		"CREATE TABLE t (a int)": {false, true}, "UPDATE t SET a = 1; DROP TABLE t": {false, true}, "BEGIN": {false, true}, "START TRANSACTION": {false, true},
		"LOCK TABLES t WRITE": {false, true}, "SET autocommit = 1": {false, true}, "CALL f()": {false, true}, "TRUNCATE t": {false, true},
		"/*! DROP TABLE t */": {false, true}, "ALTER TABLE t ADD a int": {false, true},
	} {
		if got := [2]bool{mayEnd(q, false), mayEnd(q, true)}; got != want {
			t.Errorf("%s: %v, not %v", q, got, want)
		}
	}
}

func FuzzMayWrite(f *testing.F) {
	for _, q := range []string{"SELECT 1", "WITH x AS (DELETE FROM t) SELECT 1", "/*", "'", "$a$", "--", "SAVEPOINT \"", "é"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		parseSavepoint(q)
		mayEnd(q, true)
		hidesSavepoint(q)
		if len(q) < 1000 && !mayWrite(q+"\n;\nDELETE FROM t") && !swallows(q) {
			t.Errorf("a DELETE behind it is not seen: %q", q)
		}
	})
}

// swallows reports whether text may end inside of a quotation or comment, so that what follows
// belongs to it in every dialect.
func swallows(q string) bool { return strings.Contains(q, "/*") || strings.Contains(q, "$") }

// A program without models is warned of what changes rows, and not of its migrations.
func TestChangesRows(t *testing.T) {
	for q, want := range map[string]bool{
		"INSERT INTO t VALUES (1)": true, "update t set a = 1": true, "CREATE TABLE t (a int); DELETE FROM t": true, "TRUNCATE t": true,
		"": false, "SELECT 1": false, "CREATE TABLE t (a int)": false, "ALTER TABLE t ADD a int": false, "PRAGMA x": false, "-- UPDATE": false,
	} {
		if changesRows(q) != want {
			t.Errorf("%q: %v", q, !want)
		}
	}
}
