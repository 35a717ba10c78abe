package sqltext

import (
	"slices"
	"strings"
)

// verbs begin the statements that change rows.
var verbs = []string{"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"}

// statement is one statement of SQL text. Its methods note in out what it writes.
type statement struct {
	dialect Dialect
	tokens  []token
	at      int // the token to be read next
	out     *Reading
	long    bool // there were more tokens
	hides   bool // among them such as a statement in a statement begins with
	erases  bool // the tables that are noted now lose rows
	inserts bool // they get rows
	empties bool // they are emptied
}

// peek returns a token without moving on.
func (s *statement) peek(ahead int) token {
	if i := s.at + ahead; i < len(s.tokens) {
		return s.tokens[i]
	}
	return token{}
}

// accept moves past the next token if it is one of the words.
func (s *statement) accept(words ...string) bool {
	if s.peek(0).is(words...) {
		s.at++
		return true
	}
	return false
}

func (s *statement) acceptSign(sign string) bool {
	if s.peek(0).sign(sign) {
		s.at++
		return true
	}
	return false
}

// skip moves past all of these words that stand here, in any order.
func (s *statement) skip(words ...string) {
	for s.accept(words...) {
	}
}

// skipGroup moves past what is in the parentheses that begin here.
func (s *statement) skipGroup() {
	for depth := 0; s.at < len(s.tokens); {
		switch t := s.peek(0); {
		case t.sign("("):
			depth++
		case t.sign(")"):
			depth--
		}
		if s.at++; depth == 0 {
			return
		}
	}
}

// read reads the statement.
func (s *statement) read() {
	if len(s.tokens) == 0 {
		return
	}
	s.out.Statements++
	if s.out.Statements > 1 || s.long {
		s.out.Counts = false
	}
	if s.hides {
		s.out.unknown()
	}
	s.out.Ends = s.out.Ends || s.ends()
	s.body()
	s.assigned()
}

// body reads the statement from here on, in front of which there may be what runs or explains it.
func (s *statement) body() {
	for s.acceptSign("(") { // a query's
		if !s.peek(0).sign("(") && !s.peek(0).is("SELECT", "VALUES", "TABLE", "WITH") {
			s.out.unknown()
			return
		}
	}
	switch t := s.peek(0); {
	case t.is("WITH"):
		s.with()
	case t.is("SELECT", "VALUES", "TABLE"):
		s.out.Counts = false
		s.rest()
	case t.is(verbs...):
		s.at++
		s.change(t)
		s.rest()
	default:
		s.out.Counts = false
		s.command()
	}
}

// with reads a statement behind its common table expressions.
func (s *statement) with() {
	depth, from := 0, s.at
	for ; s.at < len(s.tokens); s.at++ {
		t, before := s.peek(0), s.peek(-min(1, s.at))
		switch {
		case t.sign("("):
			if depth == 0 && before.sign(")") { // WITH a AS (…) (SELECT …)
				s.queries(from)
				return
			}
			depth++
		case t.sign(")"):
			depth--
		case depth > 0, before.is("WITH", "RECURSIVE"), before.sign(","):
		case t.is("SELECT", "VALUES", "TABLE"):
			s.queries(from)
			return
		case t.is(verbs...):
			s.at++
			s.change(t)
			s.at = from
			s.rest()
			return
		}
	}
	s.out.unknown()
}

// queries reads what is in a query from a token on.
func (s *statement) queries(from int) {
	s.out.Counts = false
	s.at = from
	s.rest()
}

// rest looks through the rest of a statement for what else it writes: PostgreSQL takes statements that change
// rows in a WITH, and makes a table for SELECT … INTO.
func (s *statement) rest() {
	for ; s.at < len(s.tokens); s.at++ {
		t := s.peek(0)
		if t.is("RETURNING") {
			s.out.Counts = false // drivers differ
		}
		if t.is("FAIL") {
			s.out.Partial = true
		}
		if s.dialect != Postgres && s.dialect != Unknown {
			continue
		}
		switch verb := s.peek(1); {
		case t.sign("(") && verb.is(verbs...):
			if next := s.peek(2); next.kind == signToken || next.kind == endToken { // a function's name, or a column's
				continue
			}
			s.out.Counts = false
			at := s.at
			s.at += 2
			s.change(verb)
			s.at = at
		case t.is("INTO") && s.at > 0 && !s.peek(-1).is("AS", "INSERT", "MERGE", "OR") && !s.peek(-1).sign("."):
			at := s.at
			s.at++
			s.skip("TEMPORARY", "TEMP", "LOCAL", "GLOBAL", "UNLOGGED", "TABLE")
			s.out.Plain = false
			s.target(true)
			s.at = at
		}
	}
}

// change reads the target of a statement that changes rows, behind its verb.
func (s *statement) change(verb token) {
	s.out.Rows = true
	s.erases = verb.is("DELETE", "REPLACE") || verb.is("MERGE") && s.has("DELETE")
	s.inserts = verb.is("INSERT", "REPLACE") || verb.is("MERGE") && s.has("INSERT")
	defer func() { s.erases, s.inserts = false, false }()
	if s.accept("OR") { // SQLite: what to do on a conflict
		s.out.Partial = s.out.Partial || s.peek(0).is("FAIL")
		s.erases = s.erases || s.peek(0).is("REPLACE")
		s.at++
	}
	mysql := s.dialect == MySQL
	switch {
	case verb.is("INSERT"), verb.is("REPLACE") && s.dialect != Postgres:
		if mysql {
			s.skip("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE")
		}
		if !s.accept("INTO") && !mysql {
			s.out.unknown()
			return
		}
		s.target(false)
	case verb.is("MERGE") && s.dialect != MySQL && s.dialect != SQLite:
		if !s.accept("INTO") {
			s.out.unknown()
			return
		}
		s.target(false)
	case verb.is("UPDATE") && mysql:
		s.updateJoined()
	case verb.is("UPDATE"):
		s.target(false)
	case verb.is("DELETE") && mysql:
		s.deleteJoined()
	case verb.is("DELETE") && s.accept("FROM"):
		s.target(false)
	default:
		s.out.unknown()
	}
}

// add notes a table that is written.
func (s *statement) add(t Table) {
	s.out.add(t)
	if s.erases {
		s.out.erase(t)
	}
	if s.inserts {
		s.out.Inserted = once(s.out.Inserted, t)
	}
	if s.empties {
		s.out.Truncated = once(s.out.Truncated, t)
	}
}

// has reports whether a word is in the statement.
func (s *statement) has(word string) bool {
	return s.long || slices.ContainsFunc(s.tokens, func(t token) bool { return t.is(word) })
}

// assigned notes what may be the columns that are set: all names from SET on, up to the WHERE that follows.
func (s *statement) assigned() {
	if !s.out.Rows {
		return
	}
	s.out.Every = s.out.Every || s.long
	inserts := s.dialect == MySQL && s.tokens[0].is("INSERT", "REPLACE") // whose SET is one of new rows
	depth, from := 0, -1                                                 // where SET stands
	for i, t := range s.tokens {
		switch {
		case t.sign("("):
			depth++
		case t.sign(")"):
			depth--
			if depth < from {
				from = -1
			}
		case from < 0:
			if t.is("SET") && !inserts || t.is("UPDATE") && i > 0 && s.tokens[i-1].is("KEY") {
				from = depth
			}
		case depth == from && t.is("WHERE", "RETURNING"):
			from = -1
		case t.kind == wordToken || t.kind == nameToken:
			s.out.set(t.text)
		}
	}
}

// target notes the table that is named here, ONLY or not.
func (s *statement) target(defined bool) {
	only := s.accept("ONLY") && s.acceptSign("(")
	t, ok := s.name()
	if !ok || only && !s.acceptSign(")") {
		s.out.unknown()
		return
	}
	t.Defined = defined
	s.add(t)
	s.acceptSign("*")
}

// notNames are the words that a name without quotes cannot be; where one stands in a name's place, the
// statement is another than it was taken for.
var notNames = []string{
	"ALL", "AND", "AS", "CASE", "CROSS", "DELETE", "EXISTS", "FROM", "FULL", "GROUP", "HAVING", "IN", "INNER", "INSERT", "INTO", "JOIN",
	"LATERAL", "LEFT", "LIKE", "LIMIT", "NATURAL", "NOT", "NULL", "ON", "ONLY", "OR", "ORDER", "RIGHT", "SELECT", "SET", "TABLE", "UNION",
	"UPDATE", "USING", "VALUES", "WHERE", "WITH",
}

// isName reports whether a token may be a part of a name.
func (s *statement) isName(t token) bool {
	switch t.kind {
	case wordToken:
		return !t.is(notNames...) && !strings.ContainsAny(t.text[:1], "$@:#")
	case nameToken:
		return t.text != ""
	case textToken:
		return s.dialect == SQLite && t.text != ""
	}
	return false
}

// name reads a name, qualified or not. One that ends in .* is read with that.
func (s *statement) name() (t Table, ok bool) {
	var parts []string
	for {
		token := s.peek(0)
		if len(parts) > 0 && token.sign("*") {
			s.at++
			break
		}
		// Behind a dot, any word is a name.
		if !s.isName(token) && (len(parts) == 0 || token.kind != wordToken) {
			return t, false
		}
		part := token.text
		if token.kind == wordToken && s.dialect == Postgres {
			part = LowerASCII(part)
		}
		parts = append(parts, part)
		s.at++
		if !s.acceptSign(".") {
			break
		}
	}
	return tableOf(parts), len(parts) <= 3
}
