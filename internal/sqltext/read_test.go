package sqltext

import (
	"slices"
	"strings"
	"testing"
)

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
		if got := [2]bool{Read(q, Postgres).Ends, Read(q, MySQL).Ends}; got != want {
			t.Errorf("%s: %v, not %v", q, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, cases := range [][]textCase{readOnlyTexts, writingTexts, doubtfulTexts} {
		for _, c := range cases {
			for _, q := range c.texts {
				f.Add(q)
			}
		}
	}
	f.Fuzz(func(t *testing.T, q string) {
		ParseSavepoint(q)
		HidesSavepoint(q)
		for _, d := range []Dialect{Unknown, SQLite, Postgres, MySQL} {
			// What stands before a statement hides it only if it is open.
			r := Read(q+"\n;\nDELETE FROM hidden", d)
			if r.Known && !slices.Contains(r.Tables, Table{Name: "hidden"}) && !(d == SQLite && strings.Contains(q, "/*")) {
				t.Errorf("%d: a DELETE behind it is not seen: %q", d, q)
			}
			first := Read(q, d)
			if first.Known && r.Known {
				for _, table := range first.Tables {
					if !slices.Contains(r.Tables, table) {
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
		if Read(q, Postgres).Rows != want {
			t.Errorf("%q: %v", q, !want)
		}
	}
}

// What reading a text costs, beside the round trip that it is about to make.
func BenchmarkRead(b *testing.B) {
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
				Read(q, Postgres)
			}
		})
	}
}
