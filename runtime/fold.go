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
// trailing blanks. Of a UUID it appends the digits: databases that have a type for it take several
// spellings, and give back one. ASCII, by far the most frequent, is done without tables.
func appendFold(b []byte, s string) []byte {
	s = strings.TrimRightFunc(s, unicode.IsSpace)
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return append(b, foldUnicode(s)...)
		}
	}
	if digits, ok := appendUUID(b, s); ok {
		return digits
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

const uuidURN = "urn:uuid:"

// appendUUID appends the 32 digits of a UUID, in lower case: dashes, braces and the prefix urn:uuid: are
// left out. ok is false for any other text, of which it appends nothing.
func appendUUID(b []byte, s string) (digits []byte, ok bool) {
	if len(s) < 32 || len(s) > len(uuidURN)+32+31+2 {
		return b, false
	}
	if len(s) > len(uuidURN) && strings.EqualFold(s[:len(uuidURN)], uuidURN) {
		s = s[len(uuidURN):]
	}
	if s[0] == '{' && s[len(s)-1] == '}' {
		s = s[1 : len(s)-1]
	}
	from := len(b)
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '-':
			continue
		case 'A' <= c && c <= 'F':
			c += 'a' - 'A'
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return b[:from], false
		}
		b = append(b, c)
	}
	if len(b)-from != 32 {
		return b[:from], false
	}
	return b, true
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
