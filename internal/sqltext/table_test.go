package sqltext

import (
	"strings"
	"testing"
)

func TestTableNamed(t *testing.T) {
	for name, want := range map[string]Table{
		"": {}, "a": {Name: "a"}, "s.a": {Schema: "s", Name: "a"}, "c.s.a": {Schema: "s", Name: "a"}, `"s"."a"`: {Schema: "s", Name: "a"}, "`a`": {Name: "a"},
		"[s].[a b]": {Schema: "s", Name: "a b"}, `"s.a"`: {Name: "s.a"}, `s."a.b"`: {Schema: "s", Name: "a.b"}, `"a`: {Name: `"a`}, `"`: {Name: `"`}, `""`: {},
	} {
		if got := TableNamed(name); got != want {
			t.Errorf("%s: %#v, want %#v", name, got, want)
		}
	}
}

func TestMayBe(t *testing.T) {
	for _, c := range []struct {
		a, b string
		d    Dialect
		want bool
	}{
		{"a", "a", Postgres, true}, {"a", "A", Postgres, false}, {"a", "A", SQLite, true}, {"a", "A", MySQL, true}, {"a", "A", Unknown, true},
		{"s.a", "a", Postgres, true}, {"s.a", "s.a", Postgres, true}, {"s.a", "r.a", Postgres, false}, {"s.a", "S.A", MySQL, true}, {"s.a", "s.b", MySQL, false},
		{"ä", "Ä", Postgres, true}, // which depends on the server's locale
	} {
		a, b := TableNamed(c.a), TableNamed(c.b)
		if a.MayBe(b, c.d) != c.want || b.MayBe(a, c.d) != c.want {
			t.Errorf("%s and %s, in dialect %d: not %v", a, b, c.d, c.want)
		}
	}
}

// Who looks names up by their keys misses none that databases may take for the name.
func FuzzNameKey(f *testing.F) {
	long := strings.Repeat("x", longestName)
	for _, names := range [][2]string{{"words", "WORDS"}, {"kelvin", "\u212Aelvin"}, {long, long + "y"}, {long[1:], long}, {"\xff", "\xfe"}, {"", "\x00"}} {
		f.Add(names[0], names[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, d := range []Dialect{Unknown, SQLite, Postgres, MySQL} {
			if SameName(a, b, d) != SameName(b, a, d) {
				t.Errorf("%d: %q is %q, and not the other way round", d, a, b)
			}
			if ka, kb := NameKey(a), NameKey(b); SameName(a, b, d) && ka != kb && ka != "" && kb != "" {
				t.Errorf("%d: %q and %q may be one name, and are looked up by %q and %q", d, a, b, ka, kb)
			}
		}
	})
}

func TestMentions(t *testing.T) {
	for _, c := range []struct {
		text, name string
		want       bool
	}{
		{"SELECT * FROM a", "a", true}, {"SELECT * FROM A", "a", true}, {`SELECT * FROM "a".b`, "A", true}, {"a", "a", true}, {"ab a_ 1a", "a", false}, {"ab a", "a", true},
		{"FROM aé", "a", false}, {"'a'", "a", true}, {"-- a", "a", true}, {"", "a", false}, {"a", "", false}, {"", "", false}, {"x.s.a y", "s.a", true},
	} {
		if Mentions(c.text, c.name) != c.want {
			t.Errorf("%q, %q: not %v", c.text, c.name, c.want)
		}
	}
}
