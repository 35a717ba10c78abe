package cacheruntime

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// selection is what the text of a query says of it.
type selection struct {
	tables []sqlTable // that it reads, each once, by the names that it has for them
	// refused says why its result is never kept: it is another one each time, say.
	refused string
	// unclear says why it may read other tables, too. DependsOn vouches that it does not.
	unclear string
}

// mostTables is how many tables a query whose result is kept may read.
const mostTables = 16

// readSelect reads the text of a query. It takes nothing for harmless that it does not know: a result that is not kept
// costs a query, one that is kept too long is stale.
func readSelect(query string, d sqlDialect) *selection {
	out := &selection{}
	r := readSQL(query, d)
	switch {
	case !r.known, r.writes(), r.rows, r.shapes, !r.plain, r.statements != 1:
		out.refused = "it is not one query that changes nothing"
		return out
	case d == anySQL:
		out.unclear = "no rules are known here for the SQL of this database"
		return out
	}
	s := sqlScanner{text: query, dialect: d, single: d == mysqlSQL, double: d == mysqlSQL}
	q := &selectReader{out: out, st: sqlStatement{dialect: d}, levels: []selectLevel{{query: true}}}
	for t := s.next(); t.kind != sqlEnd; t = s.next() {
		if t.kind != sqlSemicolon {
			q.st.tokens = append(q.st.tokens, t)
		}
	}
	if len(q.st.tokens) > mostTokens {
		out.refused = "its text is too long"
		return out
	}
	if s.open || s.odd || s.backslash || s.runnable > 0 {
		out.unclear = "how its text is read depends on settings of the server"
	}
	for q.st.at < len(q.st.tokens) {
		q.next()
	}
	for _, t := range q.st.tokens {
		if t.kind == sqlText || t.kind == sqlName && d == sqliteSQL { // which takes a name that is none for a text
			q.present(t.text)
		}
	}
	if len(q.levels) != 1 {
		q.doubt("its parentheses do not match")
	}
	if len(out.tables) > mostTables {
		q.refuse("it reads more than %d tables", mostTables)
	}
	return out
}

// selectReader finds what a query reads. Nothing in its text writes.
type selectReader struct {
	out    *selection
	st     sqlStatement
	levels []selectLevel // the parentheses that are open, behind the statement itself
	known  []*cte        // common table expressions that may be named here
	called bool          // the parenthesis that comes next holds a function's arguments
	placed bool          // and the function stands in a table's place
	begun  *cte          // whose query stands in the parenthesis that comes next
}

// selectLevel is what stands in one pair of parentheses, or outside of all.
type selectLevel struct {
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

func (q *selectReader) refuse(format string, args ...any) {
	if q.out.refused == "" {
		q.out.refused = fmt.Sprintf(format, args...)
	}
}

func (q *selectReader) doubt(format string, args ...any) {
	if q.out.unclear == "" {
		q.out.unclear = fmt.Sprintf(format, args...)
	}
}

func (q *selectReader) level() *selectLevel { return &q.levels[len(q.levels)-1] }

// before returns a token before the one that was read last.
func (q *selectReader) before(n int) sqlToken {
	if i := q.st.at - 1 - n; i >= 0 {
		return q.st.tokens[i]
	}
	return sqlToken{}
}

// endFrom are the words that end a FROM clause, and that no dialect takes for a name.
var endFrom = []string{"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "FETCH"}

// next reads a token, or several that belong together.
func (q *selectReader) next() {
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
func (q *selectReader) open() {
	l, first := q.level(), q.st.peek(0)
	inner := selectLevel{table: l.item || q.placed, own: q.begun, outer: len(q.known)}
	inner.query = !q.called && (first.sign("(") || first.is("SELECT", "WITH", "VALUES"))
	if l.item && !first.is("SELECT", "WITH", "VALUES") { // joins in parentheses, or queries
		inner.query, inner.from, inner.item = true, true, true
	}
	l.item, q.called, q.placed, q.begun = false, false, false, nil
	q.levels = append(q.levels, inner)
}

// close leaves a parenthesis, and with it the common table expressions that were made there.
func (q *selectReader) close() {
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
func (q *selectReader) expression() {
	s := &q.st
	name, ok := s.name()
	if s.peek(0).sign("(") {
		s.skipGroup()
	}
	if !ok || name.schema != "" || !s.accept("AS") {
		q.doubt("a common table expression is not understood")
		return
	}
	s.skip("NOT", "MATERIALIZED")
	q.begun = &cte{name: name.name, may: q.level().loops}
}

// table reads what a FROM clause names.
func (q *selectReader) table() {
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
	dual := s.dialect == mysqlSQL && t.schema == "" && strings.EqualFold(t.name, "dual")
	if !dual && !q.names(t) && !slices.Contains(q.out.tables, t) {
		q.out.tables = append(q.out.tables, t)
	}
	q.alias()
}

// noAlias are the words that may stand behind a table, and are no alias.
var noAlias = append([]string{
	"JOIN", "CROSS", "FULL", "INNER", "LEFT", "RIGHT", "NATURAL", "OUTER", "ON", "USING", "STRAIGHT_JOIN", "USE", "FORCE", "IGNORE", "INDEXED", "NOT",
	"PARTITION", "TABLESAMPLE", "FOR", "LOCK", "WINDOW", "INTO", "PROCEDURE", "OFFSET", "WITH", "SET",
}, endFrom...)

// alias moves past an alias and its columns. It is no function, whatever stands behind it.
func (q *selectReader) alias() {
	s := &q.st
	if !s.accept("AS") && s.peek(0).is(noAlias...) || !s.isName(s.peek(0)) {
		return
	}
	if s.at++; s.peek(0).sign("(") {
		s.skipGroup()
	}
}

// names reports whether a table's name is a common table expression's here.
func (q *selectReader) names(t sqlTable) bool {
	is := func(c *cte) bool {
		return c != nil && c.may && t.schema == "" && (c.name == t.name || q.st.dialect == sqliteSQL && strings.EqualFold(c.name, t.name))
	}
	return slices.ContainsFunc(q.known, is) || slices.ContainsFunc(q.levels, func(l selectLevel) bool { return is(l.own) })
}

// word looks at what belongs to no clause: whether it is a function, or another one each time.
func (q *selectReader) word(t sqlToken, qualified bool) {
	switch {
	case t.sign("@") && q.st.dialect == mysqlSQL:
		q.refuse("it reads a variable of its session")
	case t.kind != sqlWord && t.kind != sqlName:
	case q.st.peek(0).sign("("):
		q.call(t, qualified)
	case qualified, t.kind == sqlName:
	case alone[strings.ToUpper(t.text)], q.st.dialect == postgresSQL && t.is("USER"):
		q.refuse("%s is another one each time", t.text)
	}
}

// call looks at a function, in front of its parenthesis.
func (q *selectReader) call(t sqlToken, qualified bool) {
	name := strings.ToUpper(t.text)
	q.called = true
	switch {
	case qualified, t.kind != sqlWord:
		q.doubt("the function %s is not known", t.text)
	case otherEachTime[name], alone[name], q.st.dialect == sqliteSQL && q.now(name):
		q.refuse("%s is another one each time", t.text)
	case notFunctions[name] && !functions[name]:
		q.called = false // and a query may stand in it
	case !functions[name]:
		q.doubt("the function %s is not known", t.text)
	}
}

// now reports whether a function of SQLite's is called without a time, and so says which time it is.
func (q *selectReader) now(name string) bool {
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

func (q *selectReader) present(text string) {
	if standsForPresent(text, q.st.dialect) {
		q.refuse("the text %q may stand for the present", text)
	}
}

// standsForPresent reports whether a text, bound to a statement or in it, means the present where a time is expected: 'now',
// and PostgreSQL's 'today' and its like.
func standsForPresent(text string, d sqlDialect) bool {
	if len(text) > 64 || d == mysqlSQL {
		return false
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if w := (sqlToken{sqlWord, word}); w.is("now") || d == postgresSQL && w.is("today", "tomorrow", "yesterday") {
			return true
		}
	}
	return false
}
