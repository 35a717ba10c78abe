// Package tag reads the cache:"…" part of a struct tag: settings, and the small languages of by,
// where and order. It knows the grammar of docs/tags.md and nothing of the models; every piece
// keeps its place in the source, so that an error points at what is wrong.
package tag

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is a piece of a tag, unquoted, that knows where in the source each byte comes from.
type Text struct {
	S   string
	at  []int // the offset of each byte of S in the tag's literal
	end int   // the offset after the last
}

// Error is a mistake in a tag.
type Error struct {
	Offset  int // in the tag's literal, quotes included
	Message string
}

func (e *Error) Error() string { return e.Message }

// Offset returns where byte i of the text is in the tag's literal; len(t.S) is its end.
func (t Text) Offset(i int) int {
	if i < len(t.at) {
		return t.at[i]
	}
	return t.end
}

// Slice is S[i:j] with its places.
func (t Text) Slice(i, j int) Text {
	return Text{S: t.S[i:j], at: t.at[i:j], end: t.Offset(j)}
}

// Trim is the text without blanks around it.
func (t Text) Trim() Text {
	i := len(t.S) - len(strings.TrimLeftFunc(t.S, unicode.IsSpace))
	j := max(i, len(strings.TrimRightFunc(t.S, unicode.IsSpace)))
	return t.Slice(i, j)
}

// errorAt is an error about byte i.
func (t Text) errorAt(i int, message string) *Error {
	return &Error{Offset: t.Offset(i), Message: message}
}

// literal is a tag's literal as it stands in the source, quotes included.
func literal(source string) Text {
	at := make([]int, len(source))
	for i := range at {
		at[i] = i
	}
	return Text{S: source, at: at, end: len(source)}
}

// unquote reads a Go string literal.
func (t Text) unquote() (Text, bool) {
	if len(t.S) < 2 || t.S[0] != t.S[len(t.S)-1] {
		return Text{}, false
	}
	inner := t.Slice(1, len(t.S)-1)
	switch t.S[0] {
	case '`':
		return inner, !strings.Contains(inner.S, "`")
	case '"':
	default:
		return Text{}, false
	}
	out := Text{end: inner.end}
	var b strings.Builder
	for rest := inner.S; rest != ""; {
		place := len(inner.S) - len(rest)
		r, multibyte, tail, err := strconv.UnquoteChar(rest, '"')
		if err != nil {
			return Text{}, false
		}
		n := 1
		if r < utf8.RuneSelf || !multibyte {
			b.WriteByte(byte(r))
		} else {
			n, _ = b.WriteRune(r)
		}
		for i := range n {
			// The bytes of a rune that stands in the source unescaped have a place each.
			if n == len(rest)-len(tail) {
				out.at = append(out.at, inner.Offset(place+i))
			} else {
				out.at = append(out.at, inner.Offset(place))
			}
		}
		rest = tail
	}
	out.S = b.String()
	return out, true
}

// Lookup finds key:"…" in a struct tag's literal, as reflect.StructTag does. An error says that
// the tag mentions the key but is not of that form: what reflect would overlook, or read only as far
// as the first quote.
func Lookup(source, key string) (Text, bool, *Error) {
	malformed := func(t Text) (Text, bool, *Error) {
		i := strings.Index(t.S, key+":")
		switch {
		case i < 0:
			return Text{}, false, nil
		case strings.HasPrefix(t.S[i+len(key)+1:], `"`) && !strings.Contains(t.S[i+len(key)+2:], `"`):
			return Text{}, false, t.errorAt(i, "the tag is not closed; a double quote is missing at its end")
		default:
			return Text{}, false, t.errorAt(i, "the tag is not of the form "+key+`:"…", so that Go does not read it; write it so`)
		}
	}
	t, ok := literal(source).unquote()
	if !ok {
		return Text{}, false, nil
	}
	for {
		t = t.afterBlanks()
		i, j, ok := t.pair()
		if !ok {
			return malformed(t)
		}
		name := t.S[:i]
		if name != key && strings.EqualFold(name, key) {
			return Text{}, false, t.errorAt(0, "the tag's key is "+key+", not "+name+"; keys are written in small letters")
		}
		if name == key {
			if j+1 < len(t.S) && t.S[j+1] != ' ' {
				return Text{}, false, t.errorAt(j, "this quote ends the tag, and a blank must follow; text inside it stands in single quotes, as in 'text'")
			}
			value, ok := t.Slice(i+1, j+1).unquote()
			if !ok {
				return malformed(t)
			}
			rest := t.Slice(j+1, len(t.S))
			if i := strings.Index(rest.S, " "+key+":"); i >= 0 {
				return Text{}, false, rest.errorAt(i+1, "the tag has "+key+": twice, of which Go reads the first; join them with a ;")
			}
			return value, true, nil
		}
		t = t.Slice(j+1, len(t.S))
	}
}

// afterBlanks is the text without the blanks that it begins with.
func (t Text) afterBlanks() Text { return t.Slice(len(t.S)-len(strings.TrimLeft(t.S, " ")), len(t.S)) }

// pair measures the key:"value" that a struct tag begins with, by the rules of reflect: the colon is at i, and
// the last quote at j.
func (t Text) pair() (i, j int, ok bool) {
	for i < len(t.S) && t.S[i] > ' ' && t.S[i] != ':' && t.S[i] != '"' && t.S[i] != 0x7f {
		i++
	}
	if i == 0 || i+1 >= len(t.S) || t.S[i] != ':' || t.S[i+1] != '"' {
		return 0, 0, false
	}
	for j = i + 2; j < len(t.S) && t.S[j] != '"'; j++ {
		if t.S[j] == '\\' {
			j++
		}
	}
	return i, j, j < len(t.S)
}

// Pairs returns the keys of a struct tag's literal with their values, as far as Go reads it.
func Pairs(source string) []Setting {
	t, _ := literal(source).unquote()
	var out []Setting
	for t = t.afterBlanks(); ; t = t.afterBlanks() {
		i, j, ok := t.pair()
		if !ok {
			return out
		}
		value, ok := t.Slice(i+1, j+1).unquote()
		if !ok {
			return out
		}
		out = append(out, Setting{Key: t.Slice(0, i), Value: value, HasValue: true})
		t = t.Slice(j+1, len(t.S))
	}
}

// Setting is one part of a tag: a key, and what follows its colon.
type Setting struct {
	Key      Text
	Value    Text
	HasValue bool
}

// Settings cuts a tag at its semicolons; \; is a semicolon that does not cut. An empty last
// setting is left out, as GORM does.
func Settings(t Text) []Setting {
	var out []Setting
	part := Text{end: t.Offset(0)}
	flush := func(end int) {
		part.end = end
		if i := strings.IndexByte(part.S, ':'); i >= 0 {
			out = append(out, Setting{Key: part.Slice(0, i).Trim(), Value: part.Slice(i+1, len(part.S)).Trim(), HasValue: true})
		} else {
			out = append(out, Setting{Key: part.Trim()})
		}
		part = Text{}
	}
	var b []byte
	for i := 0; i < len(t.S); i++ {
		c := t.S[i]
		if c == '\\' && i+1 < len(t.S) && t.S[i+1] == ';' {
			continue
		}
		if c == ';' && (i == 0 || t.S[i-1] != '\\') {
			part.S, b = string(b), nil
			flush(t.Offset(i))
			continue
		}
		b = append(b, c)
		part.at = append(part.at, t.Offset(i))
	}
	part.S = string(b)
	if strings.TrimSpace(part.S) != "" || len(out) == 0 {
		flush(t.Offset(len(t.S)))
	}
	return out
}
