package explain

import (
	"fmt"
	"testing"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"", 5, "[]"},
		{"short", 5, `["short"]`},
		{"by words, then", 9, `["by words," "then"]`},
		{"after,commas,too", 8, `["after," "commas," "too"]`},
		{"long.paths.last", 11, `["long.paths." "last"]`},
		{"unbroken", 3, `["unb" "rok" "en"]`},
		{"都市名称", 4, `["都市" "名称"]`},
		{"都", 1, `["都"]`},
		{"a\nb", 9, `["a b"]`},
		{"bad\xff", 9, `["bad�"]`},
	} {
		if got := fmt.Sprintf("%q", wrap(c.text, c.most)); got != c.want {
			t.Errorf("wrap(%q, %d) = %s, want %s", c.text, c.most, got, c.want)
		}
	}
}

func TestShortType(t *testing.T) {
	for in, want := range map[string]string{
		"uint64": "uint64", "*time.Time": "*time.Time",
		"sql.Null[example.com/shop/models.Color]": "sql.Null[models.Color]",
		"map[example.com/a.K]*example.com/b/c.V":  "map[a.K]*c.V",
	} {
		if got := shortType(in); got != want {
			t.Errorf("shortType(%q) = %q, want %q", in, got, want)
		}
	}
}
