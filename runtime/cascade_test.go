package cacheruntime

import (
	"fmt"
	"strings"
	"testing"
)

// behaviours 40, 93: tables are found by whatever names databases take for theirs.
func TestNamedTables(t *testing.T) {
	long := strings.Repeat("x", 70)
	for _, c := range []struct {
		dialect     sqlDialect
		table, name string
		found       bool
	}{
		{sqliteSQL, "Words", "wORDS", true},
		{mysqlSQL, "words", "Words", true},
		{postgresSQL, "words", "words", true},
		{postgresSQL, "words", "Words", false},
		{postgresSQL, long[:63], long, true},
		{postgresSQL, long[:63], long[:62], false},
		{mysqlSQL, "kelvin", "\u212Aelvin", true}, // the sign for kelvin
		{mysqlSQL, "\u212Aelvin", "kelvin", true},
		{mysqlSQL, "ÄRGER", "ärger", true},
		{sqliteSQL, "words", "word", false},
	} {
		k := &refMaker{dialect: c.dialect}
		for i := range 3 {
			k.table("s", fmt.Sprint("other", i), true)
		}
		k.table("s", c.table, true)
		tables, sure := k.made.named(sqlTable{name: c.name}, c.dialect, false)
		if found := len(tables) == 1 && tables[0].name == c.table; found != c.found || sure != c.found {
			t.Errorf("%q by %q: %v, %v", c.table, c.name, tables, sure)
		}
	}
}
