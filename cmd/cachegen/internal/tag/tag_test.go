package tag

import (
	"reflect"
	"strings"
	"testing"
)

// lookup reads the cache tag of a literal that is known to be good.
func lookup(t *testing.T, source string) Text {
	t.Helper()
	text, ok, err := Lookup(source, "cache")
	if !ok || err != nil {
		t.Fatalf("Lookup(%s): %v, %v", source, ok, err)
	}
	return text
}

// Lookup finds what reflect finds.
func TestLookup(t *testing.T) {
	for _, source := range []string{
		"`cache:\"model\"`",
		"`json:\"a\" gorm:\"primaryKey;column:x\" cache:\"list;count\"`",
		"`json:\"a\"`",
		"``",
		"\"cache:\\\"list:\\u0041\\\\\\\\;x\\\" b:\\\"\\\"\"",
		"`cache:\"a\\\"b\\\\\\\\;\\xff\\u00fcü\"`",
	} {
		whole, ok := literal(source).unquote()
		if !ok {
			t.Fatalf("%s is no literal", source)
		}
		want, wantOK := reflect.StructTag(whole.S).Lookup("cache")
		text, found, err := Lookup(source, "cache")
		if err != nil || found != wantOK || text.S != want {
			t.Errorf("Lookup(%s) = %q, %v, %v; want %q, %v", source, text.S, found, err, want, wantOK)
		}
	}
	for _, source := range []string{"`cache:model`", "`json:\"a\"cache:model`", "`cache: \"model\"`", "`cache:\"model`", "`cache:\"\\q\"`"} {
		if _, ok, err := Lookup(source, "cache"); ok || err == nil || !strings.HasPrefix(source[err.Offset:], "cache:") {
			t.Errorf("Lookup(%s) = %v, %v", source, ok, err)
		}
	}
}

// A setting's text knows where it stands, also behind escapes and in quoted literals.
func TestSettingsPlaces(t *testing.T) {
	for _, source := range []string{
		"`gorm:\"x\" cache:\"list:A ; where : B = 'x\\\\;ü' ; ü : last\"`",
		"\"cache:\\\"list:A ; where : B = 'x\\\\\\\\;\\u00fc' ; \\u00fc : last\\\"\"",
	} {
		settings := Settings(lookup(t, source))
		var got []string
		for _, s := range settings {
			got = append(got, s.Key.S+"="+s.Value.S)
		}
		want := []string{"list=A", "where=B = 'x;ü'", "ü=last"}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: %q, want %q", source, got, want)
		}
		for _, word := range []Text{settings[0].Key, settings[1].Key, settings[1].Value, settings[2].Value} {
			if first := word.S[:1]; !strings.HasPrefix(source[word.Offset(0):], first) {
				t.Errorf("%s: %q stands at %q", source, word.S, source[word.Offset(0):])
			}
		}
		last := settings[2].Value
		if rest := source[last.Offset(len(last.S)):]; strings.Trim(rest, "\\\"`") != "" {
			t.Errorf("%s: the end stands at %q", source, rest)
		}
	}
}

func TestSettings(t *testing.T) {
	for text, want := range map[string][]string{
		"":                {""},
		"a":               {"a"},
		"a;":              {"a"},
		"a;;b":            {"a", "", "b"},
		"a;b:c:d":         {"a", "b=c:d"},
		`a:x\;y;b`:        {"a=x;y", "b"},
		`\;`:              {";"},
		"unchecked;by: X": {"unchecked", "by=X"},
	} {
		var got []string
		for _, s := range Settings(literal(text)) {
			if s.HasValue {
				got = append(got, s.Key.S+"="+s.Value.S)
			} else {
				got = append(got, s.Key.S)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("Settings(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestWhere(t *testing.T) {
	terms, err := Where(literal("Active=true, Address.Zip in ('a', 'it''s'),N >= -1.5e3 ,P IS  not\tNULL,Q is null, R != FALSE"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, term := range terms {
		s := term.Field.S + " " + term.Symbol
		for _, v := range term.Values {
			s += " " + v.Value
		}
		got = append(got, s)
	}
	want := []string{"Active = true", "Address.Zip IN a it's", "N >= -1.5e3", "P IS NOT NULL", "Q IS NULL", "R != false"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzTag feeds any literal to every parser: none may panic, and every place that one points at
// must lie inside the literal.
func FuzzTag(f *testing.F) {
	for _, seed := range []string{
		"`cache:\"model;ttl:24h\"`",
		"`cache:\"list:A;by:City,Address.Zip;where:Active = true,B IN (1, 'x''y'),C IS NOT NULL;order:D desc\"`",
		"\"cache:\\\"list:\\u0041\\\\\\\\;\\\"\"",
		"`cache:\"by:At/1h,ü\\\\;\\xff\"`",
		"`cache:\"where:A = 'open\"`",
		"`cache:\"a=-,B<>1\"`",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		inside := func(offset int) {
			if offset < 0 || offset > len(source) {
				t.Fatalf("offset %d of %d", offset, len(source))
			}
		}
		check := func(err *Error) {
			if err != nil {
				inside(err.Offset)
				if err.Message == "" {
					t.Fatal("an error without a message")
				}
			}
		}
		for _, pair := range Pairs(source) {
			inside(pair.Key.Offset(0))
			inside(pair.Value.Offset(0))
		}
		text, _, err := Lookup(source, "cache")
		check(err)
		for _, s := range append(Settings(text), Setting{Value: literal(source)}) {
			for _, part := range []Text{s.Key, s.Value} {
				inside(part.Offset(0))
				inside(part.Offset(len(part.S)))
				if len(part.at) != len(part.S) {
					t.Fatalf("%d places for %d bytes", len(part.at), len(part.S))
				}
			}
			fields, err := Fields(s.Value)
			check(err)
			for _, field := range fields {
				inside(field.Offset(0))
			}
			_, err = Orders(s.Value)
			check(err)
			terms, err := Where(s.Value)
			check(err)
			for _, term := range terms {
				inside(term.Op.Offset(0))
				inside(term.Text.Offset(len(term.Text.S)))
				for _, v := range term.Values {
					inside(v.Text.Offset(0))
				}
			}
		}
	})
}
