package cacheruntime

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/internal/sqltext"
)

// behaviours 40, 93: tables are found by whatever names databases take for theirs.
func TestNamedTables(t *testing.T) {
	long := strings.Repeat("x", 70)
	for _, c := range []struct {
		dialect     sqltext.Dialect
		table, name string
		found       bool
	}{
		{sqltext.SQLite, "Words", "wORDS", true},
		{sqltext.MySQL, "words", "Words", true},
		{sqltext.Postgres, "words", "words", true},
		{sqltext.Postgres, "words", "Words", false},
		{sqltext.Postgres, long[:63], long, true},
		{sqltext.Postgres, long[:63], long[:62], false},
		{sqltext.MySQL, "kelvin", "\u212Aelvin", true}, // the sign for kelvin
		{sqltext.MySQL, "\u212Aelvin", "kelvin", true},
		{sqltext.MySQL, "ÄRGER", "ärger", true},
		{sqltext.SQLite, "words", "word", false},
	} {
		k := &refMaker{dialect: c.dialect}
		for i := range 3 {
			k.table("s", fmt.Sprint("other", i), true)
		}
		k.table("s", c.table, true)
		tables, sure := k.made.named(sqltext.Table{Name: c.name}, c.dialect, false)
		if found := len(tables) == 1 && tables[0].Name == c.table; found != c.found || sure != c.found {
			t.Errorf("%q by %q: %v, %v", c.table, c.name, tables, sure)
		}
	}
}
