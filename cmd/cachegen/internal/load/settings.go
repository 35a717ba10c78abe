package load

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
)

// unknown reports a word that is none of known, which is what taker takes.
func (r *reader) unknown(at tag.Text, what, taker string, known []string) {
	switch hint := Suggest(at.S, known); {
	case at.S == "":
		r.fail(at, "empty setting; %s takes %s", taker, strings.Join(known, ", "))
	case slices.Contains(later, at.S):
		r.fail(at, "%s is reserved for a later release and not supported yet; remove it", at.S)
	case hint == "":
		r.fail(at, "unknown %s %q; %s takes %s", what, at.S, taker, strings.Join(known, ", "))
	default:
		r.fail(at, "unknown %s %q%s", what, at.S, hint)
	}
}

// misplaced is a comma, or nothing but a blank, where a semicolon should part two settings.
var misplaced = regexp.MustCompile(`[,\s]\s*((?:by|where|order|limit|ttl)\s*:|(?:unchecked|lease|query)$)`)

// separated reports whether a setting ends where it should. A comma is only there inside the values of
// by, where and order, and no field has the name of a setting.
func (r *reader) separated(s tag.Setting) bool {
	if i := strings.IndexByte(s.Key.S, ','); i >= 0 {
		whole := strings.ReplaceAll(s.Key.S, ",", ";")
		if s.HasValue {
			whole += ":" + s.Value.S
		}
		r.fail(s.Key.Slice(i, len(s.Key.S)), "settings are separated by \";\"; did you mean %q?", whole)
		return false
	}
	places := misplaced.FindAllStringSubmatchIndex(unquoted(s.Value.S), -1)
	if places == nil {
		return true
	}
	mended := s.Value.S
	for _, at := range slices.Backward(places) { // from the comma to the name
		mended = mended[:at[0]] + ";" + mended[at[2]:]
	}
	r.fail(s.Value.Slice(places[0][0], len(s.Value.S)), "settings are separated by \";\"; did you mean %q?", s.Key.S+":"+mended)
	return false
}

// unquoted blots out what stands in single quotes.
func unquoted(s string) string {
	b, inside := []byte(s), false
	for i, c := range b {
		if c == '\'' {
			inside = !inside
		}
		if inside {
			b[i] = '\''
		}
	}
	return string(b)
}
