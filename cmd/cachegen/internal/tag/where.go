package tag

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Term is one condition of a where setting.
type Term struct {
	Text   Text // the whole of it, as written
	Field  Text
	Op     Text   // where the operator stands
	Symbol string // "=", "!=", "<", "<=", ">", ">=", "IN", "IS NULL" or "IS NOT NULL"
	Values []Literal
}

// LiteralKind is the kind of a literal.
type LiteralKind uint8

// The kinds of literals.
const (
	Number LiteralKind = iota
	Quoted
	Boolean
)

// Literal is a constant in a where setting.
type Literal struct {
	Kind  LiteralKind
	Text  Text   // as written
	Value string // for Quoted, without the quotes
}

// Order is one column of an order setting.
type Order struct {
	Field Text
	Desc  bool
}

// Fields reads a by setting: Go field paths joined by commas.
func Fields(t Text) ([]Text, *Error) {
	s := scanner{t: t}
	var out []Text
	for {
		field, err := s.path()
		if err != nil {
			return nil, err
		}
		out = append(out, field)
		if err := s.direction(field); err != nil {
			return nil, err
		}
		if s.next('/') {
			return nil, t.errorAt(s.i-1, "time buckets (/"+strings.TrimSpace(t.S[s.i:])+") are reserved for a later release and not supported yet; take rows by another column")
		}
		if done, err := s.comma("a comma"); done || err != nil {
			return out, err
		}
	}
}

// Orders reads an order setting: Go field paths, each with asc or desc, joined by commas.
func Orders(t Text) ([]Order, *Error) {
	s := scanner{t: t}
	var out []Order
	for {
		start := s.i
		if s.next('-') {
			if field, err := s.path(); err == nil {
				return nil, t.errorAt(start, "an order from high to low is written "+field.S+" desc")
			}
			s.i = start
		}
		field, err := s.path()
		if err != nil {
			return nil, err
		}
		o := Order{Field: field}
		if !s.word("asc") {
			o.Desc = s.word("desc")
		}
		out = append(out, o)
		if done, err := s.comma("asc, desc or a comma"); done || err != nil {
			return out, err
		}
	}
}

// Where reads a where setting: terms joined by commas, all of which must hold.
func Where(t Text) ([]Term, *Error) {
	s := scanner{t: t}
	var out []Term
	for {
		s.blanks()
		first := s.i
		term, err := s.term()
		if err != nil {
			return nil, err
		}
		term.Text = t.Slice(first, s.i)
		out = append(out, term)
		s.blanks()
		start := s.i
		if s.conjunction() {
			return nil, t.errorAt(start, "terms are joined by a comma and all must hold; there is no AND or OR: write a comma, or an accessor for each")
		}
		if done, err := s.comma("a comma before the next term"); done || err != nil {
			return out, err
		}
	}
}

// scanner reads a setting from left to right.
type scanner struct {
	t Text
	i int
}

func (s *scanner) blanks() {
	for s.i < len(s.t.S) {
		r, n := utf8.DecodeRuneInString(s.t.S[s.i:])
		if !unicode.IsSpace(r) {
			return
		}
		s.i += n
	}
}

// found describes what stands at the scanner, for messages.
func (s *scanner) found() string {
	rest := s.t.S[s.i:]
	if rest == "" {
		return "the end"
	}
	if i := strings.IndexFunc(rest, unicode.IsSpace); i > 0 {
		rest = rest[:i]
	}
	return rest
}

func (s *scanner) expected(what string) *Error {
	return s.t.errorAt(s.i, "expected "+what+", found "+s.found())
}

// next takes one byte, if it comes next.
func (s *scanner) next(c byte) bool {
	s.blanks()
	if s.i < len(s.t.S) && s.t.S[s.i] == c {
		s.i++
		return true
	}
	return false
}

// comma reports the end of the setting, or takes the comma before the next element.
func (s *scanner) comma(what string) (done bool, err *Error) {
	s.blanks()
	if s.i == len(s.t.S) {
		return true, nil
	}
	if !s.next(',') {
		return false, s.expected(what)
	}
	return false, nil
}

func isLetter(r rune) bool { return r == '_' || unicode.IsLetter(r) }

// span returns how far runes accepted by ok reach from i.
func (s *scanner) span(ok func(r rune, first bool) bool) int {
	i := s.i
	for i < len(s.t.S) {
		r, n := utf8.DecodeRuneInString(s.t.S[i:])
		if !ok(r, i == s.i) {
			break
		}
		i += n
	}
	return i
}

// path takes a Go field path.
func (s *scanner) path() (Text, *Error) {
	s.blanks()
	end := s.span(func(r rune, first bool) bool {
		return isLetter(r) || !first && (r == '.' || unicode.IsDigit(r))
	})
	if end == s.i {
		return Text{}, s.expected("a field name")
	}
	t := s.t.Slice(s.i, end)
	s.i = end
	return t, nil
}

// word takes a keyword in any case, if it comes next as a whole word.
func (s *scanner) word(w string) bool {
	s.blanks()
	end := s.span(func(r rune, _ bool) bool { return isLetter(r) || unicode.IsDigit(r) })
	if !strings.EqualFold(s.t.S[s.i:end], w) {
		return false
	}
	s.i = end
	return true
}

func (s *scanner) term() (Term, *Error) {
	if err := s.negation(); err != nil {
		return Term{}, err
	}
	s.blanks()
	first := s.i
	if strings.HasPrefix(s.t.S[s.i:], "(") {
		return Term{}, s.t.errorAt(first, "there are no parentheses around terms, since all must hold; leave them out")
	}
	field, err := s.path()
	if err != nil {
		return Term{}, err
	}
	term := Term{Field: field}
	s.blanks()
	start := s.i
	if strings.HasPrefix(s.t.S[s.i:], "(") {
		return Term{}, s.t.errorAt(first, noFunctions)
	}
	switch {
	case s.word("in"):
		term.Symbol = "IN"
		term.Op = s.t.Slice(start, s.i)
		term.Values, err = s.list(field)
		return term, err
	case s.word("is"):
		term.Symbol = "IS NULL"
		if s.word("not") {
			term.Symbol = "IS NOT NULL"
		}
		for _, word := range []string{"true", "false"} {
			if here := s.i; s.word(word) {
				return Term{}, s.t.errorAt(here, "IS is for NULL; write "+field.S+" = "+word)
			}
		}
		if !s.word("null") {
			return Term{}, s.expected("NULL")
		}
		term.Op = s.t.Slice(start, s.i)
		return term, nil
	}
	for _, op := range []string{"!=", "<=", ">=", "<>", "==", "=", "<", ">"} {
		if !strings.HasPrefix(s.t.S[s.i:], op) {
			continue
		}
		switch op {
		case "<>":
			return Term{}, s.t.errorAt(s.i, "unknown operator <>; did you mean !=?")
		case "==":
			return Term{}, s.t.errorAt(s.i, "unknown operator ==; did you mean =?")
		}
		s.i += len(op)
		term.Symbol = op
		term.Op = s.t.Slice(start, s.i)
		value, err := s.literal(field)
		if err != nil {
			return Term{}, err
		}
		term.Values = []Literal{value}
		return term, nil
	}
	if err := s.noOperator(field); err != nil {
		return Term{}, err
	}
	return Term{}, s.expected("=, !=, <, <=, >, >=, IN or IS after " + field.S)
}

// list takes the literals of IN.
func (s *scanner) list(field Text) ([]Literal, *Error) {
	if !s.next('(') {
		return nil, s.expected("( after IN")
	}
	var out []Literal
	if start := s.i; s.next(')') {
		return nil, s.t.errorAt(start, "IN needs a literal at least, as in IN (1, 2)")
	}
	for {
		value, err := s.literal(field)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
		if s.next(')') {
			return out, nil
		}
		if !s.next(',') {
			return nil, s.expected(", or )")
		}
	}
}

// literal takes what a field is compared with.
func (s *scanner) literal(field Text) (Literal, *Error) {
	s.blanks()
	start := s.i
	if s.next('\'') {
		return s.quoted(start)
	}
	for _, word := range []string{"true", "false"} {
		if s.word(word) {
			return Literal{Kind: Boolean, Text: s.t.Slice(start, s.i), Value: word}, nil
		}
	}
	if s.word("null") {
		return Literal{}, s.t.errorAt(start, "nothing compares with NULL; write IS NULL or IS NOT NULL")
	}
	end := s.span(func(r rune, first bool) bool {
		return unicode.IsDigit(r) || r == '.' || r == '-' || r == '+' || !first && (isLetter(r))
	})
	switch rest := s.t.S[start:]; {
	case end > start:
	case strings.IndexAny(rest, "\"`‘’“”«»") == 0:
		return Literal{}, s.t.errorAt(start, "text stands in single quotes, as in 'text'")
	case s.function():
		return Literal{}, s.t.errorAt(start, noFunctions)
	default:
		return Literal{}, s.noLiteral(field)
	}
	s.i = end
	text := s.t.Slice(start, end)
	return Literal{Kind: Number, Text: text, Value: text.S}, nil
}

// quoted takes the rest of a text literal; two quotes inside it are one.
func (s *scanner) quoted(start int) (Literal, *Error) {
	var b strings.Builder
	for s.i < len(s.t.S) {
		c := s.t.S[s.i]
		s.i++
		if c != '\'' {
			b.WriteByte(c)
			continue
		}
		if s.i < len(s.t.S) && s.t.S[s.i] == '\'' {
			b.WriteByte(c)
			s.i++
			continue
		}
		if r, _ := utf8.DecodeRuneInString(s.t.S[s.i:]); isLetter(r) || unicode.IsDigit(r) {
			return Literal{}, s.t.errorAt(s.i-1, "the text ends at this quote; one inside it is written twice, as in 'it''s'")
		}
		return Literal{Kind: Quoted, Text: s.t.Slice(start, s.i), Value: b.String()}, nil
	}
	return Literal{}, s.t.errorAt(start, `the text literal is not closed; a ; inside one is written \\;`)
}
