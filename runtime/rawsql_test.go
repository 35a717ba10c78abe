package cacheruntime

import (
	"slices"
	"strings"
	"testing"
)

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
func TestEnds(t *testing.T) {
	for q, want := range map[string][2]bool{ // on any database, on MySQL
		"": {}, "SELECT 1": {}, "UPDATE t SET a = 1": {}, "SAVEPOINT a": {}, "ROLLBACK TO a": {}, "ROLLBACK WORK TO SAVEPOINT a": {}, "SET a = 1": {},
		"INSERT INTO t VALUES (1); SELECT 1": {}, "CREATE TEMPORARY TABLE t (a int)": {}, "COMMIT PREPARED 'x'": {},
		"COMMIT": {true, true}, "end": {true, true}, "ROLLBACK": {true, true}, "ABORT": {true, true}, "SELECT 1; COMMIT": {true, true},
		"CREATE TABLE t (a int)": {false, true}, "UPDATE t SET a = 1; DROP TABLE t": {false, true}, "BEGIN": {false, true}, "START TRANSACTION": {false, true},
		"LOCK TABLES t WRITE": {false, true}, "SET autocommit = 1": {false, true}, "CALL f()": {false, true}, "TRUNCATE t": {false, true},
		"/*! DROP TABLE t */": {false, true}, "ALTER TABLE t ADD a int": {false, true},
	} {
		if got := [2]bool{readSQL(q, postgresSQL).ends, readSQL(q, mysqlSQL).ends}; got != want {
			t.Errorf("%s: %v, not %v", q, got, want)
		}
	}
}

func FuzzReadSQL(f *testing.F) {
	for _, cases := range [][]sqlCase{readOnlyTexts, writingTexts, doubtfulTexts} {
		for _, c := range cases {
			for _, q := range c.texts {
				f.Add(q)
			}
		}
	}
	f.Fuzz(func(t *testing.T, q string) {
		parseSavepoint(q)
		hidesSavepoint(q)
		for _, d := range []sqlDialect{anySQL, sqliteSQL, postgresSQL, mysqlSQL} {
			// What stands before a statement hides it only if it is open.
			r := readSQL(q+"\n;\nDELETE FROM hidden", d)
			if r.known && !slices.Contains(r.tables, sqlTable{name: "hidden"}) && !(d == sqliteSQL && strings.Contains(q, "/*")) {
				t.Errorf("%d: a DELETE behind it is not seen: %q", d, q)
			}
			first := readSQL(q, d)
			if first.known && r.known {
				for _, table := range first.tables {
					if !slices.Contains(r.tables, table) {
						t.Errorf("%d: %q writes %s alone, and not with a DELETE behind it", d, q, table)
					}
				}
			}
		}
	})
}

// A program without models is warned of what changes rows, and not of its migrations.
func TestChangesRows(t *testing.T) {
	for q, want := range map[string]bool{
		"INSERT INTO t VALUES (1)": true, "update t set a = 1": true, "CREATE TABLE t (a int); DELETE FROM t": true, "TRUNCATE t": true,
		"": false, "SELECT 1": false, "CREATE TABLE t (a int)": false, "ALTER TABLE t ADD a int": false, "PRAGMA x": false, "-- UPDATE": false,
	} {
		if readSQL(q, postgresSQL).rows != want {
			t.Errorf("%q: %v", q, !want)
		}
	}
}

// What reading a text costs, beside the round trip that it is about to make.
func BenchmarkReadSQL(b *testing.B) {
	for name, q := range map[string]string{
		"select":  "SELECT id, title, city FROM croupons WHERE city = $1 AND active = $2 ORDER BY popularity DESC LIMIT 50",
		"update":  "UPDATE croupons SET title = $1, updated_at = $2 WHERE id IN ($3, $4, $5)",
		"insert":  "INSERT INTO croupons (id, title) VALUES " + strings.Repeat("($1, $2), ", 999) + "($1, $2)",
		"twofold": `UPDATE croupons SET title = 'C:\\x' WHERE id = 1`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(q)))
			for b.Loop() {
				readSQL(q, postgresSQL)
			}
		})
	}
}
