// Package fold makes one text of all that a collation holds to be equal. It merges more than any collation does,
// which costs a flush too many at most; what it must never do is keep apart what a database holds to be equal.
package fold

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Same reports whether a database might hold two texts to be equal, under any collation that a Folding is
// known of. One of them holds no zero byte.
func Same(a, b string) bool {
	if a == b {
		return true
	}
	var fa, fb [64]byte
	for i, f := range foldings {
		if i == 1 && isASCII(a) && isASCII(b) { // the others differ in other letters
			break
		}
		if string(f.Append(fa[:0], a)) == string(f.Append(fb[:0], b)) {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Folding is what a collation holds to be equal beyond what every folding merges. The zero value is for those
// that know all of Unicode.
type Folding struct {
	Flat    bool // all characters past U+FFFF are one, and U+FFFD with them
	General bool // as utf8mb4_general_ci has it, ß is s, and not ss, and the iota below a letter is one beside it
	Swedish bool // as latin1_swedish_ci has it, ü is y, which goes with u, æ is ä, which goes with a, and [\] are åäö
	Stops   bool // as SQLite's NOCASE, nothing after a zero byte counts
}

// foldings are those that Same may need, the one that most collations need first.
var foldings = []Folding{{}, {Flat: true}, {Flat: true, General: true}, {Swedish: true}}

// Append appends s without what collations ignore: case, accents, compatibility forms, ignorable
// characters, trailing blanks. Of a UUID it appends the digits: databases that have a type for it take
// several spellings, and give back one. ASCII, by far the most frequent, is done without tables.
func (f Folding) Append(b []byte, s string) []byte {
	from := len(b)
	if f.Swedish {
		return foldUUID(trimBlanks(f.appendRunes(b, s), from), from)
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			b = f.appendRunes(b, s[i:])
			break
		}
		if c == 0 && f.Stops {
			break
		}
		b = appendASCII(b, c)
	}
	return foldUUID(trimBlanks(b, from), from)
}

// appendASCII appends a character of ASCII. Collations ignore control characters, or order them as blanks.
func appendASCII(b []byte, c byte) []byte {
	switch {
	case 'A' <= c && c <= 'Z':
		c += 'a' - 'A'
	case c >= ' ' && c != 0x7f:
	case '\t' <= c && c <= '\r':
		c = ' '
	default:
		return b
	}
	return append(b, c)
}

func trimBlanks(b []byte, from int) []byte {
	for len(b) > from && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// appendRunes is append for any text. It takes it rune by rune and looks at none beside it, so that
// foldings of equal parts are equal.
func (f Folding) appendRunes(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == 0 && f.Stops:
			return b
		case f.General && (r == 'ß' || r == 'ẞ'):
			b = append(b, 's')
		case f.General && r == '\u0345':
			b = append(b, "ι"...)
		case f.Swedish && strings.ContainsRune(`yYýÝÿŸ`, r):
			b = append(b, 'u')
		case f.Swedish && strings.ContainsRune(`æÆ[\{|`, r):
			b = append(b, 'a')
		case f.Swedish && (r == ']' || r == '}'):
			b = append(b, 'o')
		case r < utf8.RuneSelf:
			b = appendASCII(b, byte(r))
		case r > 0xffff && f.Flat:
			b = utf8.AppendRune(b, utf8.RuneError)
		default:
			b = appendRune(b, r)
		}
	}
	return b
}

// appendRune appends the folding of one character: the letters that it is made of, each without case and
// marks, and digits as those of ASCII.
func appendRune(b []byte, r rune) []byte {
	if to, ok := exception(r); ok {
		return append(b, to...)
	}
	var one [utf8.UTFMax]byte
	parts := norm.NFKD.Properties(one[:utf8.EncodeRune(one[:], r)]).Decomposition()
	switch {
	case parts != nil:
	case unicode.Is(unicode.Hangul, r): // whose syllables are taken apart by rule
		parts = norm.NFKD.AppendString(make([]byte, 0, 16), string(r))
	default:
		return appendSimple(b, r)
	}
	for len(parts) > 0 {
		d, n := utf8.DecodeRune(parts)
		b, parts = appendSimple(b, d), parts[n:]
	}
	return b
}

func appendSimple(b []byte, r rune) []byte {
	if to, ok := exception(r); ok {
		return append(b, to...)
	}
	switch {
	case unicode.IsSpace(r):
		return append(b, ' ')
	case unicode.In(r, unicode.M, unicode.Cc, unicode.Cf):
		return b
	case unicode.Is(unicode.Nd, r):
		return append(b, '0'+digit(r))
	}
	least := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		if o < least && !unicode.Is(unicode.M, o) { // the iota below is a letter, and a mark
			least = o
		}
	}
	least = unicode.ToLower(least)
	if to, ok := exception(least); ok {
		return append(b, to...)
	}
	return utf8.AppendRune(b, least)
}

// digit is the value of a decimal digit: each script's ten stand together, from 0 to 9.
func digit(r rune) byte {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10)
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10)
		}
	}
	return 0
}

const uuidURN = "urn:uuid:"

// foldUUID leaves of a UUID at the end of b, from a place on, its 32 digits: dashes, braces and the prefix
// urn:uuid: are taken out. Any other text it leaves as it is. It looks at what is folded already, so
// that what is equal is a UUID in every spelling or in none.
func foldUUID(b []byte, from int) []byte {
	s := b[from:]
	if len(s) < 32 || len(s) > len(uuidURN)+32+31+2 {
		return b
	}
	if len(s) > len(uuidURN) && string(s[:len(uuidURN)]) == uuidURN {
		s = s[len(uuidURN):]
	}
	if s[0] == '{' && s[len(s)-1] == '}' {
		s = s[1 : len(s)-1]
	}
	digits := 0
	for _, c := range s {
		switch {
		case c == '-':
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
			digits++
		default:
			return b
		}
	}
	if digits != 32 {
		return b
	}
	b = b[:from]
	for _, c := range s { // the place written to never passes the one read
		if c != '-' {
			b = append(b, c)
		}
	}
	return b
}
