package sqltext

import "strings"

// MySQL and MariaDB update and delete rows of several tables in one statement.

// reference is a table in a FROM, or in its place.
type reference struct {
	table Table
	alias string
}

// is reports whether a qualifier, or the target of a DELETE, stands for the reference.
func (r reference) is(t Table) bool {
	if t.Schema == "" && r.alias != "" {
		return strings.EqualFold(t.Name, r.alias)
	}
	return r.alias == "" && t.MayBe(r.table, MySQL)
}

// endOfReferences are the words that end the references of a statement.
var endOfReferences = []string{"SET", "WHERE", "ORDER", "LIMIT", "RETURNING"}

// notAliases are the words that may follow a table, besides those that cannot be names.
var notAliases = []string{"USE", "FORCE", "IGNORE", "STRAIGHT_JOIN", "OUTER", "PARTITION", "FOR", "RETURNING"}

// references reads the tables up to the word that ends them; ok is false where it does not understand them.
// What is selected in parentheses is left out: nothing of that can be written.
func (s *statement) references() (refs []reference, ok bool) {
	depth, expected := 0, true
	for {
		t := s.peek(0)
		switch {
		case t.kind == endToken, depth == 0 && !expected && t.is(endOfReferences...):
			return refs, !expected && depth == 0 && !s.long
		case expected && t.sign("("):
			if s.selects(1) {
				s.skipGroup()
				s.alias()
				expected = false
				continue
			}
			s.at++
			depth++
		case expected && t.is("LATERAL"):
			s.at++
		case expected:
			table, named := s.name()
			if !named {
				return nil, false
			}
			if s.peek(0).sign("(") { // a function's rows
				s.skipGroup()
				s.alias()
			} else {
				refs = append(refs, reference{table, s.alias()})
			}
			expected = false
		case t.sign("("):
			s.skipGroup()
		case t.sign(")"):
			depth--
			s.at++
		default:
			expected = t.sign(",") || t.is("JOIN", "STRAIGHT_JOIN")
			s.at++
		}
	}
}

// selects reports whether a query begins here, behind n tokens and parentheses.
func (s *statement) selects(n int) bool {
	for s.peek(n).sign("(") {
		n++
	}
	return s.peek(n).is("SELECT", "WITH", "VALUES", "TABLE")
}

// alias reads the alias of a table, if it has one.
func (s *statement) alias() string {
	if s.accept("PARTITION") {
		s.skipGroup()
	}
	as := s.accept("AS")
	if t := s.peek(0); as || s.isName(t) && !t.is(notAliases...) && !t.is(endOfReferences...) {
		s.at++
		return t.text
	}
	return ""
}

// updateJoined reads UPDATE behind its verb. Of several tables, those are written that a column of which is
// assigned to.
func (s *statement) updateJoined() {
	s.skip("LOW_PRIORITY", "IGNORE")
	refs, ok := s.references()
	if !ok || len(refs) == 0 || !s.accept("SET") {
		s.out.unknown()
		return
	}
	if len(refs) == 1 {
		s.add(refs[0].table)
		return
	}
	from := s.at
	for assigns, depth := true, 0; s.at < len(s.tokens); s.at++ {
		t := s.peek(0)
		if assigns {
			column, ok := s.name()
			if !ok || !s.peek(0).sign("=:") {
				s.out.unknown()
				break
			}
			s.write(refs, Table{Name: column.Schema})
			assigns = false
			continue // at the sign, which is passed over
		}
		switch {
		case t.sign("("):
			depth++
		case t.sign(")"):
			depth--
		case depth > 0:
		case t.sign(","):
			assigns = true
		case t.is("WHERE", "ORDER", "LIMIT", "RETURNING"):
			s.at = len(s.tokens)
		}
	}
	if s.long {
		s.write(refs, Table{})
	}
	s.at = from
}

// deleteJoined reads DELETE behind its verb:
//
//	DELETE FROM t …
//	DELETE a, b FROM references …
//	DELETE FROM a, b USING references …
func (s *statement) deleteJoined() {
	s.skip("LOW_PRIORITY", "QUICK", "IGNORE")
	fromFirst := s.accept("FROM")
	var targets []Table
	for {
		t, ok := s.name()
		if !ok {
			s.out.unknown()
			return
		}
		targets = append(targets, t)
		if !s.acceptSign(",") {
			break
		}
	}
	if fromFirst && !s.peek(0).is("USING") {
		if len(targets) > 1 {
			s.out.unknown()
			return
		}
		s.add(targets[0])
		return
	}
	if !s.accept("FROM", "USING") {
		s.out.unknown()
		return
	}
	refs, ok := s.references()
	if !ok {
		s.out.unknown()
		return
	}
	for _, t := range targets {
		s.write(refs, t)
	}
}

// write notes the references that a qualifier stands for; all of them, where it is none of theirs.
func (s *statement) write(refs []reference, qualifier Table) {
	found := false
	for _, r := range refs {
		if r.is(qualifier) {
			s.add(r.table)
			found = true
		}
	}
	if !found {
		for _, r := range refs {
			s.add(r.table)
		}
	}
}
