package cacheruntime

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/fold"
	"gorm.io/gorm/schema"
)

// A number has one name in whatever type and spelling, and what is odd is not plainly one.
func TestNumbersAsNames(t *testing.T) {
	c := comparison{as: asNumber}
	for _, x := range []struct {
		arg  Arg
		name string
		odd  bool
	}{
		{Text("1.50"), "1.5", false}, {Text("1.5"), "1.5", false}, {Text("+1.5e0"), "1.5", false}, {Float(1.5), "1.5", false}, {Text(" 15E-1\n"), "1.5", false},
		{Text("7"), "7", false}, {Text("007"), "7", false}, {Int(7), "7", false}, {Uint(uint(7)), "7", false}, {Text("7."), "7", false}, {Bool(true), "1", false},
		{Text("-0.0"), "0", false}, {Float(math.Copysign(0, -1)), "0", false}, {Text(".5"), "0.5", false}, {Text("1e3"), "1000", false},
		{Text("999999999999999999"), "1000000000000000000", false}, {Text("9999999999999999999"), "1e+19", true},
		{Text("0.1000000000000000000"), "0.1", false}, {Text("0.1000000000000000001"), "0.1", true}, {Text("1e8"), "100000000", true}, {Text("1e999"), "+Inf", true},
		{Text(""), "~", true}, {Text("."), ".", true}, {Text("x"), "x", true}, {Text("1x"), "1x", true}, {Text("0x10"), "0x10", true}, {Text("1_0"), "1_0", true},
		{Text("NaN"), "nan", true}, {Text("+-1"), "+-1", true}, {Text("1e"), "1e", true}, {Text("1e+"), "1e+", true}, {Arg{}, "~", false},
		{Bytes([]byte("1")), "1", true},
	} {
		if got := string(c.appendName(nil, x.arg)); got != x.name {
			t.Errorf("%+v is called %q, not %q", x.arg, got, x.name)
		}
		if c.odd(x.arg) != x.odd {
			t.Errorf("%+v: odd = %v", x.arg, !x.odd)
		}
	}
	words := comparison{as: asNumber, words: true}
	if words.odd(Text("seven")) || !words.odd(Text("1e99")) || string(words.appendName(nil, Text("Seven"))) != "seven" {
		t.Error("words among numbers")
	}
}

// 32 digits are a UUID, also where they look like a number.
func TestUUIDsAsNames(t *testing.T) {
	c := comparison{as: asUUID}
	for _, pair := range [][2]string{
		{"12345678-9012-3456-7890-123456789012", "12345678901234567890123456789012"},
		{"00000000-0000-0000-0000-0000000001e5", "{000000000000000000000000000001E5}"},
	} {
		a, b := string(c.appendName(nil, Text(pair[0]))), string(c.appendName(nil, Text(pair[1])))
		if a != b || len(a) != 32 || c.odd(Text(pair[0])) {
			t.Errorf("%q is called %q, and %q %q", pair[0], a, pair[1], b)
		}
	}
	if !c.odd(Text("1e5")) || !c.odd(Bytes(make([]byte, 16))) && c.only != 0 {
		t.Error("what is no UUID is odd")
	}
}

func TestTimesAsNames(t *testing.T) {
	at := time.Date(2026, 1, 2, 23, 4, 5, 600, time.FixedZone("", 3600))
	for _, x := range []struct {
		c    comparison
		name string
	}{
		{comparison{}, fmt.Sprint(at.Unix())}, {comparison{as: asClock}, "2026-01-02T23:04:05"}, {comparison{as: asDate}, "2026-01-02"},
		{comparison{as: asClock, zone: time.FixedZone("", 2*3600)}, "2026-01-03T00:04:05"}, {comparison{as: asAnything}, "~"},
	} {
		if got := string(x.c.appendName(nil, Time(at))); got != x.name {
			t.Errorf("%+v: %q", x.c, got)
		}
	}
	if c := (comparison{micros: true}); !c.odd(Time(at)) || c.odd(Time(at.Add(400))) {
		t.Error("nanoseconds are odd")
	}
}

// SQLite's rules of affinity, and COLLATE wherever it may stand.
func TestSQLiteColumns(t *testing.T) {
	nocase := comparison{folding: fold.Folding{Stops: true}}
	number := comparison{as: asNumber, words: true}
	for _, x := range []struct {
		ddl, column string
		kind        argKind
		want        comparison
	}{
		{"CREATE TABLE t (a text)", "a", argText, comparison{}},
		{"create table t(a)", "a", argText, comparison{}},
		{"CREATE TABLE t (a, b TEXT COLLATE NoCase NOT NULL, c int)", "b", argText, nocase},
		{"CREATE TABLE t (b COLLATE NOCASE)", "b", argText, nocase},
		{"CREATE TABLE `t` (`b` varchar(10) DEFAULT 'x, COLLATE RTRIM)' CHECK (b <> ')' COLLATE BINARY) COLLATE \"nocase\")", "b", argText, nocase},
		{"CREATE TABLE \"a(b\" (/* ( */ [b c] text -- COLLATE x, )\n COLLATE nocase, PRIMARY KEY ([b c]))", "b c", argText, nocase},
		{"CREATE TABLE t (\"a\"\"b\" text)", `a"b`, argText, comparison{}},
		{"CREATE TABLE t (a text COLLATE german)", "a", argText, comparison{as: asAnything}},
		{"CREATE TABLE t (a text COLLATE german)", "a", argTime, comparison{as: asAnything}},
		{"CREATE TABLE t (a int COLLATE german)", "a", argInt, comparison{}},
		{"CREATE TABLE t (a decimal(10, 2), b text)", "a", argText, number},
		{"CREATE TABLE t (a POINT)", "a", argText, number}, // contains INT
		{"CREATE TABLE t (a CHARINT)", "a", argText, number},
		{"CREATE TABLE t (a string)", "a", argText, number},
		{"CREATE TABLE t (a DOUBLE PRECISION)", "a", argFloat, comparison{}},
		{"CREATE TABLE t (a text)", "a", argFloat, comparison{as: asAnything}},
		{"CREATE TABLE t (a text AS (b COLLATE nocase))", "a", argText, comparison{}},
	} {
		columns := sqliteColumns(x.ddl)
		if columns[x.column] == nil {
			t.Errorf("%s: no column %s among %d", x.ddl, x.column, len(columns))
			continue
		}
		if got := columns[x.column](x.kind); got != x.want {
			t.Errorf("%s: %s compares as %+v, not as %+v", x.ddl, x.column, got, x.want)
		}
	}
	for _, ddl := range []string{"", "CREATE VIRTUAL TABLE t USING fts5(a)", "CREATE TABLE t AS SELECT 1", "CREATE TABLE t", "CREATE TABLE t ('", "CREATE TABLE t (,)"} {
		if c := sqliteColumns(ddl); c != nil && c["t"] != nil {
			t.Errorf("%q has columns: %v", ddl, c)
		}
	}
}

type money string

func (money) Value() (driver.Value, error) { return nil, nil }

func TestKindOf(t *testing.T) {
	type model struct {
		ID    uint64
		Text  *string
		Null  sql.NullString
		At    *time.Time
		NullT sql.Null[time.Time]
		NullI sql.Null[int8]
		Flag  sql.NullBool
		Raw   []byte
		Rate  float32
		Money money
	}
	s, err := schema.Parse(&model{}, &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]argKind{"ID": argUint, "Text": argText, "Null": argText, "At": argTime, "NullT": argTime, "NullI": argInt,
		"Flag": argBool, "Raw": argBytes, "Rate": argFloat, "Money": argAny} {
		if got := kindOf(s.FieldsByName[name]); got != want {
			t.Errorf("%s is of kind %d, not %d", name, got, want)
		}
	}
}

func BenchmarkListName(b *testing.B) {
	for _, x := range []struct {
		name string
		arg  Arg
	}{{"int", Uint(uint64(123456))}, {"word", Text("half-price-pizza")}, {"UUID", Text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")}, {"accents", Text("Zürich Hönggerberg")}} {
		b.Run(x.name, func(b *testing.B) {
			k, s := testKeys(), &scratch{}
			args := []Arg{x.arg}
			b.ReportAllocs()
			for b.Loop() {
				s.list = k.appendList(s.list[:0], "", args)
			}
		})
	}
}
