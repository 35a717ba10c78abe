package sqltext

import (
	"slices"
	"testing"
)

// behaviour 45: which constraints of SQLite's make room for what is written, as CREATE TABLE says it in all its spellings.
func TestSQLiteConflicts(t *testing.T) {
	rowid := []string{"rowid", "_rowid_", "oid"}
	for text, want := range map[string]Conflicts{
		`CREATE TABLE t (a text, b text UNIQUE)`:                                                                {},
		`CREATE TABLE t (a text UNIQUE ON CONFLICT IGNORE)`:                                                     {},
		`CREATE TABLE t (a text NOT NULL ON CONFLICT REPLACE)`:                                                  {},
		`CREATE TABLE t (a text UNIQUE NOT NULL ON CONFLICT REPLACE)`:                                           {},
		`CREATE TABLE t (a text DEFAULT (replace('on conflict', 'n', 'm')))`:                                    {},
		`CREATE TABLE t (a text UNIQUE /* on conflict replace */)`:                                              {},
		`CREATE TABLE t (a text UNIQUE -- on conflict replace` + "\n)":                                          {},
		`CREATE TABLE t (a text UNIQUE CHECK (a <> ')') ON CONFLICT REPLACE)`:                                   {},
		`CREATE VIRTUAL TABLE t USING fts5`:                                                                     {},
		`CREATE TABLE t (a text unique on conflict replace)`:                                                    {Replaces: true, ReplacedBy: []string{"a"}},
		`CREATE TABLE "t (" ("a,b" text NOT NULL CONSTRAINT "UNIQUE" UNIQUE ON /* */ CONFLICT REPLACE, b text)`: {Replaces: true, ReplacedBy: []string{"a,b"}},
		`CREATE TABLE t (a integer PRIMARY KEY DESC ON CONFLICT REPLACE AUTOINCREMENT)`:                         {Replaces: true, ReplacedBy: []string{"a"}},
		`CREATE TABLE t ([a b] text, b text, CONSTRAINT c UNIQUE ([a b] COLLATE nocase DESC, b) ON CONFLICT REPLACE)`: {Replaces: true,
			ReplacedBy: []string{"a b", "b"}},
		`CREATE TABLE t (a text, b text, UNIQUE (a) UNIQUE (b) ON CONFLICT REPLACE CHECK (a > b) ON CONFLICT FAIL)`: {Replaces: true,
			ReplacedBy: []string{"b"}, Partial: true},
		`CREATE TABLE t (a text, b text AS (lower(a)) UNIQUE ON CONFLICT REPLACE, PRIMARY KEY (a) ON CONFLICT FAIL)`: {Replaces: true,
			ReplacedBy: []string{"b"}, Partial: true},
		`CREATE TABLE t (a text NOT NULL ON CONFLICT FAIL)`:              {Partial: true},
		`CREATE TABLE t (a text, UNIQUE () ON CONFLICT REPLACE, b text)`: {Replaces: true}, // no SQL: any column may be meant
	} {
		if want.ReplacedBy != nil {
			want.ReplacedBy = append(want.ReplacedBy, rowid...)
		}
		got := SQLiteConflicts(text)
		if got.Replaces != want.Replaces || got.Partial != want.Partial || !slices.Equal(got.ReplacedBy, want.ReplacedBy) {
			t.Errorf("%s:\n\t%+v, want\n\t%+v", text, got, want)
		}
	}
	for _, text := range []string{"", "(", "CREATE TABLE t (", "CREATE TABLE t (,", "CREATE TABLE t (a UNIQUE (", "CREATE TABLE t ()", "x ) ON CONFLICT REPLACE"} {
		SQLiteConflicts(text) // does not panic
	}
}
