package sqltext

import (
	"slices"
	"strings"
)

// The code of a trigger or of a routine is statements between words that say when they are run. It is not parsed: statements that write are
// found by the words that they begin with, wherever they stand, so that no way of nesting them hides one.

// Body is what the code of a trigger, or of a routine that one calls, may do, as far as its text says: of all its statements, whether
// or not they are run.
type Body struct {
	Writes  []BodyWrite
	Sets    []string // columns of NEW that it assigns to, in small letters
	Whole   bool     // it may assign to any of NEW's, or puts another row in its place
	Calls   []string // the names that it calls, in small letters and without schemas; among them are functions of the database's own
	Stored  []string // what it calls that is none of MySQL's own functions: by CALL or with a schema, and by that name
	Known   bool     // it writes nothing else, unless what it calls does
	Partial bool     // a failure may leave a part of its work done
}

// BodyWrite is a table that a statement in a body writes.
type BodyWrite struct {
	Table                       Table
	Inserted, Erased, Truncated bool
	Sets                        []string // columns that it sets of rows that are there, in small letters
	Every                       bool     // it may set others
	// Keys are pairs of a column and one of NEW's or OLD's that the statement's WHERE wants it to be equal to, in small letters: where
	// they are a key, it writes no row but the trigger's own.
	Keys [][2]string
}

// ReadBody reads the code of a trigger or a routine as a catalog has it: what stands behind CREATE TRIGGER … FOR EACH ROW in MySQL, and
// between BEGIN and END in SQLite; in PostgreSQL a function's text in PL/pgSQL or SQL.
func ReadBody(text string, d Dialect) *Body { return readBody(text, d, false) }

// readBody is ReadBody; executed says that the text is a statement that code executes, or its beginning.
func readBody(text string, d Dialect, executed bool) *Body {
	b := &Body{Known: true}
	first := usually(text, d)
	end := b.read(first, true, executed)
	if end.runnable > 0 {
		b.Known = false
	}
	if !end.backslash {
		return b
	}
	other := first
	switch d {
	case MySQL: // as in Read
		other.double = false
		b.read(other, false, executed)
		other.single = false
		b.read(other, false, executed)
	case Postgres:
		other.single = true
		b.read(other, false, executed)
	}
	return b
}

// read reads the text in one way, and returns the scanner as it was at the end.
func (b *Body) read(s scanner, usual, executed bool) scanner {
	r := bodyReader{dialect: s.dialect, out: b, executed: executed}
	for t := s.next(); t.kind != endToken; t = s.next() {
		if len(r.tokens) == mostTokens {
			b.Known, b.Whole = false, true
			break
		}
		r.tokens = append(r.tokens, t)
	}
	if s.open && !usual { // nobody reads it so
		return s
	}
	if s.odd || s.open || s.dialect == Unknown {
		b.Known, b.Whole = false, true
	}
	r.read()
	return s
}

// bodyReader looks through the tokens of a body.
type bodyReader struct {
	dialect  Dialect
	executed bool // they are of a statement that code executes, which itself can execute none
	tokens   []token
	looked   int // at how many tokens of statements, one in another counted twice
	out      *Body

	oldSet, givesOld bool // OLD is assigned to; it is returned
}

// mostLooked is how many tokens of statements are looked at: those of statements in statements add up.
const mostLooked = 4 * mostTokens

// peek returns a token; none before the first and behind the last.
func (r *bodyReader) peek(i int) token {
	if i < 0 || i >= len(r.tokens) {
		return token{}
	}
	return r.tokens[i]
}

func (r *bodyReader) read() {
	depth := 0
	for i, t := range r.tokens {
		if r.looked > mostLooked {
			r.out.Known, r.out.Whole = false, true
			return
		}
		before, next := r.peek(i-1), r.peek(i+1)
		depth += depthOf(t)
		if t.kind != wordToken && t.kind != nameToken {
			continue
		}
		if r.isNew(t) {
			r.assigns(i, depth)
			continue
		}
		if before.sign(".") && !next.sign("(") {
			continue
		}
		begins := depth == 0 && r.begins(i)
		if next.sign("(") && !t.is(notNames...) {
			r.out.Calls = once(r.out.Calls, strings.ToLower(t.text))
			if before.sign(".") {
				r.stored(i, r.peek(i-2).text+".")
			}
		}
		switch {
		case before.sign("."):
		case t.is("OLD"):
			r.oldSet = r.oldSet || r.setsOld(i)
		case r.writes(i):
			r.write(i)
		case t.is("TRUNCATE") && !next.sign("(") && r.dialect != SQLite:
			r.write(i)
		case t.is("EXECUTE") && !next.is("FUNCTION", "PROCEDURE"):
			r.executes(i)
		case begins && t.is("DO") && (next.kind == textToken || next.is("LANGUAGE")): // a block of PostgreSQL's
			r.out.Known = false
		case t.is("CALL"):
			r.calls(i)
		case t.is("INTO"):
			r.into(i)
		case t.is("RETURN") && r.dialect == Postgres:
			r.returns(i)
		case t.is("FAIL") && r.dialect == SQLite:
			r.out.Partial = true
		case begins && t.is("CREATE", "ALTER", "DROP", "RENAME", "REFRESH", "COPY", "LOAD", "IMPORT", "HANDLER"):
			r.shapes(i)
		}
	}
	r.out.Whole = r.out.Whole || r.oldSet && r.givesOld
}

// begins reports whether a statement may begin at a token that is in no parentheses.
func (r *bodyReader) begins(i int) bool {
	t := r.peek(i - 1)
	return i == 0 || t.kind == semicolonToken || t.is("BEGIN", "THEN", "ELSE", "LOOP", "DO", "REPEAT", "ATOMIC") ||
		t.sign(">") && r.peek(i-2).sign(">") || t.sign(":") && r.dialect == MySQL // labels
}

// writes reports whether a statement that changes rows begins at a token.
func (r *bodyReader) writes(i int) bool {
	t, before, next := r.peek(i), r.peek(i-1), r.peek(i+1)
	mysql := r.dialect == MySQL
	switch {
	case t.is("INSERT"):
		return next.is("INTO") || next.is("OR") && r.dialect == SQLite || mysql && !next.sign("(")
	case t.is("REPLACE"):
		return !before.is("OR") && r.dialect != Postgres && (next.is("INTO") || mysql && !next.sign("("))
	case t.is("UPDATE"): // not FOR UPDATE, FOR NO KEY UPDATE, ON DUPLICATE KEY UPDATE, DO UPDATE SET
		if before.is("FOR") && mysql { // but SET STATEMENT … FOR UPDATE t SET …
			return next.sign("(") || next.kind == nameToken || next.kind == wordToken && !next.is("OF", "NOWAIT", "WAIT", "SKIP", "INTO")
		}
		named := next.kind != signToken || mysql && next.sign("(") // joined tables
		return named && !next.is("SET") && !before.is("FOR", "KEY", "ON") && next.kind != semicolonToken && next.kind != endToken
	case t.is("DELETE"):
		return next.is("FROM") || mysql && !before.is("ON")
	case t.is("MERGE"):
		return next.is("INTO")
	}
	return false
}

// extent is a statement from a token on: up to the semicolon, or the end of the parentheses that it is in.
func (r *bodyReader) extent(i int) []token {
	depth, end := 0, i
	for ; end < len(r.tokens) && r.tokens[end].kind != semicolonToken; end++ {
		if depth += depthOf(r.tokens[end]); depth < 0 {
			break
		}
	}
	r.looked += end - i
	return r.tokens[i:end]
}

// write reads a statement that changes rows.
func (r *bodyReader) write(i int) {
	st := statement{dialect: r.dialect, tokens: r.extent(i), at: 1, out: &Reading{Known: true}}
	verb := st.tokens[0]
	if verb.is("TRUNCATE") {
		st.truncate()
	} else {
		st.change(verb)
	}
	sets, ok := setsOf(st.tokens, r.dialect)
	st.out.Every = !ok
	var keys [][2]string
	if verb.is("UPDATE") && r.dialect != MySQL && len(st.out.Tables) == 1 {
		keys = r.keysOf(st.tokens, st.at, st.out.Tables[0])
	}
	r.add(st.out, sets, keys)
}

// add notes what a statement writes.
func (r *bodyReader) add(o *Reading, sets []string, keys [][2]string) {
	r.out.Known = r.out.Known && o.Known
	r.out.Partial = r.out.Partial || o.Partial
	for _, t := range o.Tables {
		r.out.Writes = append(r.out.Writes, BodyWrite{
			Table: t, Inserted: slices.Contains(o.Inserted, t), Erased: slices.Contains(o.Erased, t), Truncated: slices.Contains(o.Truncated, t),
			Sets: sets, Every: o.Every, Keys: keys,
		})
	}
}

// shapes reads a statement that makes, changes or drops something.
func (r *bodyReader) shapes(i int) {
	st := statement{dialect: r.dialect, tokens: r.extent(i), out: &Reading{Known: true}}
	if st.read(); !st.out.Known {
		r.out.Known = false
	}
	if st.tokens[0].is("CREATE") && !st.has("REPLACE") { // what was not there before is nobody's
		return
	}
	for _, t := range st.out.Tables {
		r.out.Writes = append(r.out.Writes, BodyWrite{Table: t, Inserted: true, Erased: true, Every: true})
	}
}

// executes reads EXECUTE, in front of a text that is a statement. One that is put together of others may be any, unless it begins as a query.
func (r *bodyReader) executes(i int) {
	at := i + 1
	if r.peek(at).is("IMMEDIATE") {
		at++
	}
	whole := true
	if r.peek(at).is("FORMAT") && r.peek(at+1).sign("(") {
		at, whole = at+2, false
	}
	text := r.peek(at)
	if text.kind != textToken || r.executed {
		r.out.Known = false
		return
	}
	inner := readBody(text.text, r.dialect, true) // as far as it goes
	for _, name := range inner.Calls {
		r.out.Calls = once(r.out.Calls, name)
	}
	if begins := usually(text.text, r.dialect); begins.next().is("SELECT") {
		r.out.Writes = append(r.out.Writes, inner.Writes...)
		return
	}
	next := r.peek(at + 1)
	if whole && (next.kind == semicolonToken || next.is("USING", "INTO")) {
		if o := Read(text.text, r.dialect); o.Known && !o.Shapes {
			r.add(o, o.Sets, nil)
			return
		}
	}
	r.out.Known = false
}

// stored notes that a name is a routine's.
func (r *bodyReader) stored(name int, schema string) {
	if r.dialect == MySQL {
		r.out.Stored = once(r.out.Stored, strings.ToLower(schema+r.peek(name).text))
	}
}

// calls reads CALL: what is given to a procedure may come back changed.
func (r *bodyReader) calls(i int) {
	name := i + 1
	for r.peek(name + 1).sign(".") {
		name += 2
	}
	if t := r.peek(name); t.kind != wordToken && t.kind != nameToken {
		r.out.Known = false
		return
	}
	r.out.Calls = once(r.out.Calls, strings.ToLower(r.peek(name).text))
	if name == i+1 {
		r.stored(name, "")
	} else {
		r.stored(name, r.peek(name-2).text+".")
	}
	for n := range r.extent(i) {
		if t := r.peek(i + n); r.isNew(t) {
			r.sets(i + n)
		}
	}
}
