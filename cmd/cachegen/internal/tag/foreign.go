package tag

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What SQL and Go have and where has not. Each gets its own answer, since its writer knows what it means
// and asks how it is said here.

const noFunctions = "there are no functions and no now, only literals such as 5, 'text' or '2024-01-31T00:00:00Z'"

// function reports whether what comes next would be a function in SQL: a word with a parenthesis, or
// one of those for the current time.
func (s *scanner) function() bool {
	end := s.span(func(r rune, _ bool) bool { return isLetter(r) || unicode.IsDigit(r) })
	if end == s.i {
		return false
	}
	switch strings.ToLower(s.t.S[s.i:end]) {
	case "now", "today", "current_date", "current_time", "current_timestamp":
		return true
	}
	return strings.HasPrefix(strings.TrimLeftFunc(s.t.S[end:], unicode.IsSpace), "(")
}

// conjunction takes what joins conditions elsewhere.
func (s *scanner) conjunction() bool {
	s.blanks()
	for _, op := range []string{"&&", "||"} {
		if strings.HasPrefix(s.t.S[s.i:], op) {
			return true
		}
	}
	return s.word("and") || s.word("or")
}

// bare reports whether nothing follows a field that it could be compared with.
func (s *scanner) bare() bool {
	s.blanks()
	here := s.i
	defer func() { s.i = here }()
	return s.i == len(s.t.S) || s.t.S[s.i] == ',' || s.conjunction()
}

// peek is the next word, in small letters; "" if something else comes next.
func (s *scanner) peek() string {
	s.blanks()
	return strings.ToLower(s.t.S[s.i:s.span(func(r rune, _ bool) bool { return isLetter(r) || unicode.IsDigit(r) })])
}

// negation refuses NOT and ! in front of a term. A field may be called Not, and then an operator follows.
func (s *scanner) negation() *Error {
	s.blanks()
	start := s.i
	if !s.next('!') {
		if !s.word("not") {
			return nil
		}
		s.blanks()
		switch r, _ := utf8.DecodeRuneInString(s.t.S[s.i:]); {
		case r != '(' && !isLetter(r), s.peek() == "in", s.peek() == "is", s.peek() == "not", s.noOperator(Text{}) != nil:
			s.i = start
			return nil
		}
	}
	if field, err := s.path(); err == nil && s.bare() {
		return s.t.errorAt(start, "there is no NOT; write "+field.S+" = false")
	}
	return s.t.errorAt(start, "there is no NOT; write the opposite operator, as in != for = and IS NOT NULL for IS NULL")
}

// noOperator refuses the operators of SQL that where has not, after a field, and a field alone; nil if
// neither comes next.
func (s *scanner) noOperator(field Text) *Error {
	start := s.i
	if s.bare() {
		return s.t.errorAt(start, field.S+" is compared with nothing; where it is a bool, write "+field.S+" = true")
	}
	defer func() { s.i = start }()
	not := ""
	if s.word("not") {
		not = "NOT "
	}
	switch word := s.peek(); word {
	case "like", "ilike", "rlike", "regexp", "glob", "similar":
		return s.t.errorAt(start, "there is no "+not+strings.ToUpper(word)+"; keep what it looks for in a column of its own, and compare that")
	case "between":
		if not != "" {
			return s.t.errorAt(start, "there is no NOT BETWEEN; write an accessor for each side, with < and with >")
		}
		return s.t.errorAt(start, "there is no BETWEEN; write two terms, as in "+s.ends(field))
	case "in":
		if not != "" {
			return s.t.errorAt(start, "there is no NOT IN; write a term for each, as in "+s.others(field))
		}
	}
	return nil
}

// ends writes what follows BETWEEN as two terms.
func (s *scanner) ends(field Text) string {
	low, high := "1", "5"
	s.word("between")
	if from, err := s.literal(field); err == nil && s.word("and") {
		if to, err := s.literal(field); err == nil {
			low, high = from.Text.S, to.Text.S
		}
	}
	return field.S + " >= " + low + ", " + field.S + " <= " + high
}

// others writes the list that follows NOT IN as terms.
func (s *scanner) others(field Text) string {
	s.word("in")
	values, err := s.list(field)
	if err != nil {
		return field.S + " != 1, " + field.S + " != 2"
	}
	var terms []string
	for _, v := range values {
		terms = append(terms, field.S+" != "+v.Text.S)
	}
	return strings.Join(terms, ", ")
}

// noLiteral says what stands where a literal should.
func (s *scanner) noLiteral(field Text) *Error {
	err := s.expected("true, false, a number or 'text'")
	switch r, _ := utf8.DecodeRuneInString(s.t.S[s.i:]); {
	case strings.ContainsRune("?$:@", r):
		err.Message += "; an argument has no place in where: name its column in by, as in by:" + field.S
	case isLetter(r):
		err.Message += "; Go's constants and other columns are not looked up: write the value, text in single quotes"
	}
	return err
}

// direction refuses asc and desc after a field of by.
func (s *scanner) direction(field Text) *Error {
	s.blanks()
	start := s.i
	for _, word := range []string{"asc", "desc"} {
		if s.word(word) {
			return s.t.errorAt(start, "a direction belongs in order, as in order:"+field.S+" "+word)
		}
	}
	return nil
}
