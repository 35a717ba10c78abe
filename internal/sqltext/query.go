package sqltext

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Query is what the text of a query says of it.
type Query struct {
	Tables []Table // that it reads, each once, by the names that it has for them
	// Refused says why its result must not be kept: it is another one each time, say. "": it may be.
	Refused string
	// Unclear says why it may read other tables, too. "": it reads no others. Somebody who knows better may vouch that it does not.
	Unclear string
}

// mostTables is how many tables a query whose result is kept may read.
const mostTables = 16

// ReadQuery reads the text of a query. It takes nothing for harmless that it does not know: a result that is not kept
// costs a query, one that is kept too long is stale.
func ReadQuery(query string, d Dialect) *Query {
	out := &Query{}
	r := Read(query, d)
	switch {
	case !r.Known, r.Writes(), r.Rows, r.Shapes, !r.Plain, r.Statements != 1:
		out.Refused = "it is not one query that changes nothing"
		return out
	case d == Unknown:
		out.Unclear = "no rules are known here for the SQL of this database"
		return out
	}
	s := usually(query, d)
	q := &queryReader{out: out, st: statement{dialect: d}, levels: []queryLevel{{query: true}}}
	for t := s.next(); t.kind != endToken; t = s.next() {
		if t.kind != semicolonToken {
			q.st.tokens = append(q.st.tokens, t)
		}
	}
	if len(q.st.tokens) > mostTokens {
		out.Refused = "its text is too long"
		return out
	}
	if s.open || s.odd || s.backslash || s.runnable > 0 {
		out.Unclear = "how its text is read depends on settings of the server"
	}
	for q.st.at < len(q.st.tokens) {
		q.next()
	}
	for _, t := range q.st.tokens {
		if t.kind == textToken || t.kind == nameToken && d == SQLite { // which takes a name that is none for a text
			q.present(t.text)
		}
	}
	if len(q.levels) != 1 {
		q.doubt("its parentheses do not match")
	}
	if len(out.Tables) > mostTables {
		q.refuse("it reads more than %d tables", mostTables)
	}
	return out
}

// queryReader finds what a query reads. Nothing in its text writes.
type queryReader struct {
	out    *Query
	st     statement
	levels []queryLevel // the parentheses that are open, behind the statement itself
	known  []*cte       // common table expressions that may be named here
	called bool         // the parenthesis that comes next holds a function's arguments
	placed bool         // and the function stands in a table's place
	begun  *cte         // whose query stands in the parenthesis that comes next
}

// queryLevel is what stands in one pair of parentheses, or outside of all.
type queryLevel struct {
	query bool // a query; else FROM is a word among a function's arguments
	from  bool // in its FROM clause
	item  bool // a table, or what takes its place, comes next
	with  bool // between WITH and the query itself
	loops bool // behind RECURSIVE

	table bool // it stands in a table's place, so that an alias may follow
	own   *cte // whose query it is
	outer int  // how many common table expressions are known outside
}

// cte is a common table expression. In its own query, its name is another table's, unless it is recursive.
type cte struct {
	name string
	may  bool // be named
}

func (q *queryReader) refuse(format string, args ...any) {
	if q.out.Refused == "" {
		q.out.Refused = fmt.Sprintf(format, args...)
	}
}

func (q *queryReader) doubt(format string, args ...any) {
	if q.out.Unclear == "" {
		q.out.Unclear = fmt.Sprintf(format, args...)
	}
}

func (q *queryReader) level() *queryLevel { return &q.levels[len(q.levels)-1] }

// before returns a token before the one that was read last.
func (q *queryReader) before(n int) token {
	if i := q.st.at - 1 - n; i >= 0 {
		return q.st.tokens[i]
	}
	return token{}
}

// endFrom are the words that end a FROM clause, and that no dialect takes for a name.
var endFrom = []string{"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "FETCH"}

// next reads a token, or several that belong together.
func (q *queryReader) next() {
	s, l := &q.st, q.level()
	t := s.peek(0)
	if l.item && !t.sign("(") {
		if !s.accept("LATERAL", "ONLY") {
			q.table()
		}
		return
	}
	s.at++
	column := q.before(1).sign(".")
	switch {
	case t.sign("("):
		q.open()
	case t.sign(")"):
		q.close()
	case t.sign(","):
		l.item = l.from
		if l.with {
			q.expression()
		}
	case column:
		q.word(t, true)
	case t.is("WITH") && l.query && !l.from && !s.peek(0).is("TIES", "ROLLUP", "TIME", "ORDINALITY"):
		l.with, l.loops = true, s.accept("RECURSIVE")
		q.expression()
	case t.is("SELECT"):
		l.query, l.with, l.from, l.item, q.begun = true, false, false, false, nil
	case t.is("FROM") && l.query:
		if !q.before(1).is("DISTINCT") || !q.before(2).is("IS", "NOT") { // a IS DISTINCT FROM b
			l.from, l.item = true, true
		}
	case t.is("JOIN", "STRAIGHT_JOIN") && l.from:
		l.item = true
	case t.is("WINDOW") && s.peek(1).is("AS"):
		l.from = false
	case t.is(endFrom...):
		if l.from = false; s.peek(0).sign(",") {
			q.doubt("%s is not understood", t.text)
		}
	case t.is("FOR") && q.before(1).is("INDEX", "KEY"): // FORCE INDEX FOR JOIN (i)
		s.skip("JOIN", "ORDER", "GROUP", "BY")
	case t.is("FOR") && l.query, t.is("LOCK") && s.peek(0).is("IN"):
		q.refuse("it locks rows")
	case t.is("INTO", "PROCEDURE"):
		q.refuse("it is not one query that changes nothing")
	case t.is("TABLE", "APPLY"):
		q.doubt("%s is not understood", t.text)
	default:
		q.word(t, false)
	}
}

// open enters a parenthesis.
func (q *queryReader) open() {
	l, first := q.level(), q.st.peek(0)
	inner := queryLevel{table: l.item || q.placed, own: q.begun, outer: len(q.known)}
	inner.query = !q.called && (first.sign("(") || first.is("SELECT", "WITH", "VALUES"))
	if l.item && !first.is("SELECT", "WITH", "VALUES") { // joins in parentheses, or queries
		inner.query, inner.from, inner.item = true, true, true
	}
	l.item, q.called, q.placed, q.begun = false, false, false, nil
	q.levels = append(q.levels, inner)
}

// close leaves a parenthesis, and with it the common table expressions that were made there.
func (q *queryReader) close() {
	l := *q.level()
	if len(q.levels) == 1 {
		q.doubt("its parentheses do not match")
		return
	}
	q.levels = q.levels[:len(q.levels)-1]
	q.known = q.known[:l.outer]
	if l.own != nil {
		l.own.may = true
		q.known = append(q.known, l.own)
	}
	if l.table {
		if s := &q.st; s.peek(1).is("ORDINALITY") {
			s.skip("WITH", "ORDINALITY")
		}
		q.alias()
	}
}

// expression reads the head of a common table expression: its name, and those of its columns.
func (q *queryReader) expression() {
	s := &q.st
	name, ok := s.name()
	if s.peek(0).sign("(") {
		s.skipGroup()
	}
	if !ok || name.Schema != "" || !s.accept("AS") {
		q.doubt("a common table expression is not understood")
		return
	}
	s.skip("NOT", "MATERIALIZED")
	q.begun = &cte{name: name.Name, may: q.level().loops}
}

// table reads what a FROM clause names.
func (q *queryReader) table() {
	s := &q.st
	q.level().item = false
	at := s.at
	t, ok := s.name()
	switch {
	case !ok:
		s.at = at + 1
		q.doubt("what stands behind FROM or JOIN is not understood: %q", q.before(0).text)
		return
	case s.peek(0).sign("("): // a function in a table's place
		q.call(s.tokens[s.at-1], s.at-at > 1)
		q.placed = true
		return
	}
	s.acceptSign("*") // with the tables that inherit from it, as ever
	dual := s.dialect == MySQL && t.Schema == "" && strings.EqualFold(t.Name, "dual")
	if !dual && !q.names(t) && !slices.Contains(q.out.Tables, t) {
		q.out.Tables = append(q.out.Tables, t)
	}
	q.alias()
}

// noAlias are the words that may stand behind a table, and are no alias.
var noAlias = append([]string{
	"JOIN", "CROSS", "FULL", "INNER", "LEFT", "RIGHT", "NATURAL", "OUTER", "ON", "USING", "STRAIGHT_JOIN", "USE", "FORCE", "IGNORE", "INDEXED", "NOT",
	"PARTITION", "TABLESAMPLE", "FOR", "LOCK", "WINDOW", "INTO", "PROCEDURE", "OFFSET", "WITH", "SET",
}, endFrom...)

// alias moves past an alias and its columns. It is no function, whatever stands behind it.
func (q *queryReader) alias() {
	s := &q.st
	if !s.accept("AS") && s.peek(0).is(noAlias...) || !s.isName(s.peek(0)) {
		return
	}
	if s.at++; s.peek(0).sign("(") {
		s.skipGroup()
	}
}

// names reports whether a table's name is a common table expression's here.
func (q *queryReader) names(t Table) bool {
	is := func(c *cte) bool {
		return c != nil && c.may && t.Schema == "" && (c.name == t.Name || q.st.dialect == SQLite && strings.EqualFold(c.name, t.Name))
	}
	return slices.ContainsFunc(q.known, is) || slices.ContainsFunc(q.levels, func(l queryLevel) bool { return is(l.own) })
}

// word looks at what belongs to no clause: whether it is a function, or another one each time.
func (q *queryReader) word(t token, qualified bool) {
	switch {
	case t.sign("@") && q.st.dialect == MySQL:
		q.refuse("it reads a variable of its session")
	case t.kind != wordToken && t.kind != nameToken:
	case q.st.peek(0).sign("("):
		q.call(t, qualified)
	case qualified, t.kind == nameToken:
	case alone[strings.ToUpper(t.text)], q.st.dialect == Postgres && t.is("USER"):
		q.refuse("%s is another one each time", t.text)
	}
}

// call looks at a function, in front of its parenthesis.
func (q *queryReader) call(t token, qualified bool) {
	name := strings.ToUpper(t.text)
	q.called = true
	switch {
	case qualified, t.kind != wordToken:
		q.doubt("the function %s is not known", t.text)
	case otherEachTime[name], alone[name], q.st.dialect == SQLite && q.now(name):
		q.refuse("%s is another one each time", t.text)
	case notFunctions[name] && !functions[name]:
		q.called = false // and a query may stand in it
	case !functions[name]:
		q.doubt("the function %s is not known", t.text)
	}
}

// now reports whether a function of SQLite's is called without a time, and so says which time it is.
func (q *queryReader) now(name string) bool {
	switch name {
	case "DATE", "TIME", "DATETIME", "JULIANDAY", "UNIXEPOCH":
		return q.st.peek(1).sign(")")
	case "STRFTIME":
	default:
		return false
	}
	for i, depth := 0, 0; ; i++ {
		switch t := q.st.peek(i); {
		case t.sign("("):
			depth++
		case t.sign(")"):
			depth--
		case t.sign(",") && depth == 1:
			return false
		}
		if depth == 0 || q.st.at+i >= len(q.st.tokens) {
			return true
		}
	}
}

func (q *queryReader) present(text string) {
	if StandsForPresent(text, q.st.dialect) {
		q.refuse("the text %q may stand for the present", text)
	}
}

// StandsForPresent reports whether a text, bound to a statement or in it, means the present where a time is expected: 'now',
// and PostgreSQL's 'today' and its like.
func StandsForPresent(text string, d Dialect) bool {
	if len(text) > 64 || d == MySQL {
		return false
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if w := (token{wordToken, word}); w.is("now") || d == Postgres && w.is("today", "tomorrow", "yesterday") {
			return true
		}
	}
	return false
}
