package sqltext

import (
	"slices"
	"testing"
)

func TestSQLiteColumns(t *testing.T) {
	for text, want := range map[string][]SQLiteColumn{
		"CREATE TABLE t (a, b text)":                                     {{"a", "", "BINARY"}, {"b", "text", "BINARY"}},
		"create table t(a double precision not null collate NoCase)":     {{"a", "double precision", "NoCase"}},
		"CREATE TABLE t (a decimal(10, 2) DEFAULT (1), b CHECK (b))":     {{"a", "decimal", "BINARY"}, {"b", "", "BINARY"}},
		"CREATE TABLE t (\"check\" int, CHECK (1), CONSTRAINT c UNIQUE)": {{"check", "int", "BINARY"}},
		"CREATE TABLE [t (] ([a,b] 'x y' COLLATE \"z\", `c``d` AS (1))":  {{"a,b", "x y", "z"}, {"c`d", "", "BINARY"}},
		"CREATE TABLE t (a -- , b\n, c /* , d */)":                       {{"a", "", "BINARY"}, {"c", "", "BINARY"}},
		"CREATE TABLE t (a text, a int)":                                 {{"a", "text", "BINARY"}, {"a", "int", "BINARY"}},
		"CREATE TABLE t (a":                                              nil,
	} {
		if got, ok := SQLiteColumns(text); !ok || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "CREATE TABLE t", "CREATE VIRTUAL TABLE t USING fts5(a)", "CREATE TABLE t AS SELECT (1)", "CREATE TABLE t ('", "CREATE TABLE t (,)"} {
		if got, ok := SQLiteColumns(text); ok && len(got) > 0 {
			t.Errorf("%q has columns: %q", text, got)
		}
	}
}

func TestHasWord(t *testing.T) {
	for text, want := range map[string]bool{
		"CREATE TRIGGER x BEGIN SELECT RAISE(fail, 'no'); END": true, "; FAIL": true, "": false, "fails 'FAIL' \"FAIL\" [FAIL] `FAIL` -- FAIL\n/* FAIL */": false,
	} {
		if HasWord(text, SQLite, "IGNORE", "FAIL") != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// Whatever is taken for a CREATE TABLE is read to its end.
func FuzzSQLite(f *testing.F) {
	f.Add("CREATE TABLE t (a text COLLATE NOCASE, [b] /* */ int, 'c' -- \n)")
	f.Add("CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE, UNIQUE (b, c) ON CONFLICT FAIL)")
	f.Fuzz(func(t *testing.T, text string) {
		SQLiteColumns(text)
		SQLiteConflicts(text)
		HasWord(text, SQLite, "FAIL")
	})
}
