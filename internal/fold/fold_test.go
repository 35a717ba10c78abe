package fold

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Whether the collations really merge what the table says, and no more, generated_test/equality asks the servers.
func TestTable(t *testing.T) {
	for r, to := range exceptions() {
		if r < utf8.RuneSelf {
			t.Errorf("%U is ASCII, which is done without the table", r)
		}
		if got := string(Folding{}.Append(nil, to+"|")); got != to+"|" && !strings.ContainsAny(to, " ·") {
			t.Errorf("%U goes to %q, which is folded further, to %q", r, to, got)
		}
	}
}

func TestFold(t *testing.T) {
	const digits = "a0eebc999c0b4ef8bb6d6bb9bd380a11"
	for _, c := range []struct {
		f          Folding
		text, want string
	}{
		{Folding{}, "Portland  ", "portland"},
		{Folding{}, " Portland\t\n", " portland"},
		{Folding{}, "Straße", "strasse"},
		{Folding{General: true}, "Straße", "strase"},
		{Folding{}, "İstanbul ısı", "istanbul isi"},
		{Folding{}, "ﬁne \u00ad\x00!", "fine !"},
		{Folding{Stops: true}, "a\x00b", "a"},
		{Folding{Stops: true}, "ü\x00b", "u"},
		{Folding{Flat: true}, "🍣", "\ufffd"},
		{Folding{Swedish: true}, "Müller Ynglad", "muller unglad"},
		{Folding{}, "\xff\xfe", "\ufffd\ufffd"},
		{Folding{}, "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11} ", digits},
		{Folding{}, "URN:uuid:a0eebc999c0b4ef8bb6d6bb9bd380a11", digits},
		{Folding{}, "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11", digits},
		{Folding{}, "ａ0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", digits},
		{Folding{}, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1"},
		{Folding{}, "12345678901234567890123456789e10", "12345678901234567890123456789e10"}, // a UUID, and no number
	} {
		if got := string(c.f.Append([]byte("x"), c.text)); got != "x"+c.want {
			t.Errorf("%+v: %q is folded to %q, not to %q", c.f, c.text, got[1:], c.want)
		}
	}
}

// Text is folded character by character, whichever way it is gone through.
func FuzzFold(f *testing.F) {
	f.Add("abc", "Straße")
	f.Add("É ", "\x00\x01\t")
	f.Add("かﾞ", "🍣y")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return
		}
		for _, f := range []Folding{{}, {Flat: true}, {Flat: true, General: true}, {Swedish: true}} {
			whole := string(f.Append(nil, a+b+"|"))
			parts := strings.TrimSuffix(string(f.Append(nil, a+"|")), "|") + strings.TrimSuffix(string(f.Append(nil, b+"|")), "|") + "|"
			if f.Swedish { // to which | is a letter
				continue
			}
			if !strings.Contains(whole, "-") && len(whole) < 32 && whole != parts {
				t.Errorf("%+v: %q is folded to %q, and its parts to %q", f, a+b, whole, parts)
			}
			if again := string(f.Append(nil, whole)); again != whole && f == (Folding{}) && !strings.ContainsAny(whole, "·") {
				t.Errorf("%q is folded to %q, and that to %q", a+b, whole, again)
			}
		}
	})
}
