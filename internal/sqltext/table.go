package sqltext

import "strings"

// NameKey returns a key to look names up by: two names that [SameName] takes for one, in whatever dialect, have the same key, or one
// of them has none. It is the name in small letters; "" where databases compare the name in ways of their own.
func NameKey(name string) string {
	if len(name) >= longestName || !isASCII(name) {
		return ""
	}
	return LowerASCII(name)
}

// LowerASCII makes the capitals among ASCII's letters small, and leaves all others as they are: so PostgreSQL folds names without
// quotes, and so SQLite compares names.
func LowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// Mentions reports whether a text has a name as a whole word, in any case, also in quotes and in comments. The empty name
// is nowhere.
func Mentions(text, name string) bool {
	text, name = strings.ToLower(text), strings.ToLower(name)
	for from := 0; name != ""; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(name)
		if (i == 0 || !wordByte(text[i-1])) && (end == len(text) || !wordByte(text[end])) {
			return true
		}
		from = i + 1
	}
	return false
}
