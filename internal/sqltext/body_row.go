package sqltext

import (
	"slices"
	"strings"
)

// isNew reports whether a token is NEW, the row that a trigger is run for.
func (r *bodyReader) isNew(t token) bool {
	return t.is("NEW") || t.kind == nameToken && (t.text == "new" || r.dialect != Postgres && strings.EqualFold(t.text, "new"))
}

// sets notes that what begins with NEW at a token is assigned to.
func (r *bodyReader) sets(i int) {
	if column := r.peek(i + 2); r.peek(i+1).sign(".") && (column.kind == wordToken || column.kind == nameToken) {
		r.out.Sets = once(r.out.Sets, strings.ToLower(column.text))
		return
	}
	r.out.Whole = true
}

// assigns notes NEW at a token, if it is assigned to there:
//
//	NEW.a := 1; NEW.a = 1; NEW.a[1] := 2; NEW := f(NEW)
//	SET NEW.a = 1, NEW.b = 2
//	GET DIAGNOSTICS NEW.a = ROW_COUNT
//	FOR NEW.a IN 1..3 LOOP
//	FOR n, NEW.a IN SELECT 1, 2 LOOP
//	row ALIAS FOR NEW
//	trigger_function.NEW.a := 1
func (r *bodyReader) assigns(i, depth int) {
	from := i
	if r.peek(i - 1).sign(".") {
		from = i - 2
	}
	before, behind := r.peek(from-1), r.peek(i+1)
	if behind.sign(".") {
		behind = r.peek(i + 3)
	}
	switch {
	case before.is("FOR", "FOREACH"),
		depth == 0 && r.begins(from) && behind.sign(":=[."),
		depth == 0 && before.sign(",") && behind.is("IN"),
		depth == 0 && (before.is("SET", "DIAGNOSTICS") || before.sign(",")) && behind.sign(":="):
		r.sets(i)
	}
}

// into notes what of NEW a query's or a cursor's columns are put into.
func (r *bodyReader) into(i int) {
	if before := r.peek(i - 1); before.is("INSERT", "MERGE") || r.dialect != Postgres && before.is("REPLACE", "IGNORE", "DELAYED", "LOW_PRIORITY", "HIGH_PRIORITY") {
		return
	}
	at := i + 1
	if r.peek(at).is("STRICT") {
		at++
	}
	for ; ; at++ {
		for {
			if r.isNew(r.peek(at)) {
				r.sets(at)
			}
			if at++; !r.peek(at).sign(".") {
				break
			}
			at++
		}
		if !r.peek(at).sign(",") {
			return
		}
	}
}

// returned are the words of a RETURN that returns NEW or OLD, or no row.
var returned = []string{"NEW", "OLD", "NULL", "COALESCE", "CASE", "WHEN", "THEN", "ELSE", "END", "TG_OP", "IN", "IS", "NOT", "AND", "OR"}

// returns reads RETURN: a row that it makes of something else may be any.
func (r *bodyReader) returns(i int) {
	for _, t := range r.extent(i)[1:] {
		switch {
		case t.is("OLD"):
			r.givesOld = true
		case r.isNew(t), t.is(returned...), t.kind == textToken, t.sign("(),=<>"):
		default:
			r.out.Whole = true
		}
	}
}

// setsOld reports whether OLD at a token is assigned to. It then is no row of the table's, if it is returned.
func (r *bodyReader) setsOld(i int) bool {
	before, behind := r.peek(i-1), r.peek(i+1)
	if behind.sign(".") {
		behind = r.peek(i + 3)
	}
	return behind.sign(":[") || behind.sign("=") && r.begins(i) || before.is("INTO", "STRICT", "FOR", "FOREACH")
}

// setsOf returns the columns that the assignments of a statement are to; ok is false where they cannot be told.
func setsOf(tokens []token, d Dialect) (sets []string, ok bool) {
	inserts := d == MySQL && tokens[0].is("INSERT", "REPLACE")
	for i, t := range tokens {
		if t.is("SET") && !inserts || t.is("UPDATE") && i > 0 && tokens[i-1].is("KEY") {
			if sets, ok = assignedFrom(tokens[i+1:], sets); !ok {
				return nil, false
			}
		}
	}
	return sets, true
}

// assignedFrom adds the columns of a list of assignments, which tokens begin with.
//
//	a = 1, t.b = 2, (c, d) = (3, 4)
func assignedFrom(tokens []token, sets []string) ([]string, bool) {
	depth, column := 0, true
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if column {
			group := t.sign("(")
			for ; group && i+1 < len(tokens) && !tokens[i].sign(")"); i++ {
				if next := tokens[i+1]; next.kind == wordToken || next.kind == nameToken {
					sets = once(sets, strings.ToLower(next.text))
				}
			}
			for !group && i+2 < len(tokens) && tokens[i+1].sign(".") {
				i += 2
			}
			if i+1 >= len(tokens) || !tokens[i+1].sign("=:[") || !group && tokens[i].kind != wordToken && tokens[i].kind != nameToken {
				return sets, false
			}
			if !group {
				sets = once(sets, strings.ToLower(tokens[i].text))
			}
			column = false
			continue
		}
		switch {
		case t.sign("("):
			depth++
		case t.sign(")"):
			if depth--; depth < 0 {
				return sets, true
			}
		case depth > 0:
		case t.sign(","):
			column = true
		case t.is("WHERE", "RETURNING"), t.is("FROM") && !tokens[i-1].is("DISTINCT"):
			return sets, true
		}
	}
	return sets, !column
}

// keysOf returns the pairs of a column of the table that an UPDATE writes and a column of NEW or OLD that its WHERE wants to be
// equal: none, where it may find rows without that. at is behind the table's name.
func (r *bodyReader) keysOf(tokens []token, at int, table Table) (keys [][2]string) {
	alias := table.Name
	if at < len(tokens) && tokens[at].is("AS") {
		at++
	}
	if at < len(tokens) && !tokens[at].is("SET") && (tokens[at].kind == wordToken || tokens[at].kind == nameToken) {
		alias = tokens[at].text
	}
	depth, where, others := 0, -1, false
	for i, t := range tokens {
		switch {
		case t.sign("("):
			depth++
		case t.sign(")"):
			depth--
		case depth > 0:
		case t.is("WHERE"):
			where = i
		case where < 0:
			others = others || t.is("FROM") && !tokens[i-1].is("DISTINCT")
		case t.is("OR", "BETWEEN", "CURRENT", "CASE"):
			return nil
		}
	}
	if where < 0 {
		return nil
	}
	for i := where; i < len(tokens); i++ {
		if depth += depthOf(tokens[i]); depth > 0 || !tokens[i].is("WHERE", "AND") {
			continue
		}
		left, next := columnAt(tokens, i+1)
		if next >= len(tokens) || !tokens[next].sign("=") {
			continue
		}
		if next+1 < len(tokens) && tokens[next+1].sign("=") { // SQLite's ==
			next++
		}
		right, end := columnAt(tokens, next+1)
		if end < len(tokens) && !tokens[end].is("AND", "RETURNING") {
			continue
		}
		if r.ofRow(left) {
			left, right = right, left
		}
		own := left[0] == "" && !others || left[0] != "" && strings.EqualFold(left[0], alias)
		if r.ofRow(right) && !r.ofRow(left) && own && left[1] != "" && right[1] != "" {
			keys = append(keys, [2]string{strings.ToLower(left[1]), strings.ToLower(right[1])})
		}
	}
	return slices.Compact(keys)
}

func depthOf(t token) int {
	switch {
	case t.sign("("):
		return 1
	case t.sign(")"):
		return -1
	}
	return 0
}

// columnAt reads a column and what qualifies it, and returns where it ends.
func columnAt(tokens []token, i int) (column [2]string, end int) {
	named := func(i int) bool {
		return i < len(tokens) && (tokens[i].kind == wordToken || tokens[i].kind == nameToken)
	}
	if !named(i) {
		return column, i
	}
	column[1] = tokens[i].text
	for end = i + 1; end+1 < len(tokens) && tokens[end].sign(".") && named(end+1); end += 2 {
		column = [2]string{column[1], tokens[end+1].text}
	}
	return column, end
}

// ofRow reports whether a column is one of NEW or OLD.
func (r *bodyReader) ofRow(column [2]string) bool {
	return strings.EqualFold(column[0], "NEW") || strings.EqualFold(column[0], "OLD")
}
