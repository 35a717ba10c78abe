package cacheruntime

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// SameText reports whether a database might hold two texts to be equal, under a collation that
// ignores case, accents and trailing blanks. It is for generated code.
func SameText(a, b string) bool {
	if a == b {
		return true
	}
	var fa, fb [64]byte
	return string(appendFold(fa[:0], a)) == string(appendFold(fb[:0], b))
}

// appendFold appends s without what collations ignore: case, accents, compatibility forms,
// trailing blanks. ASCII, by far the most frequent, is done without tables.
func appendFold(b []byte, s string) []byte {
	s = strings.TrimRightFunc(s, unicode.IsSpace)
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return append(b, foldUnicode(s)...)
		}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// foldUnicode folds case before and after taking accents off, since either can make room for the
// other (the Turkish dotted I, for one).
func foldUnicode(s string) string {
	fold := cases.Fold()
	s = fold.String(norm.NFKD.String(s))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimRightFunc(fold.String(norm.NFKD.String(s)), unicode.IsSpace)
}
