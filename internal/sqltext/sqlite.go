package sqltext

import "strings"

// SQLite keeps the text of each CREATE TABLE, with what ALTER TABLE has changed worked in. There is no other place that tells a column's
// collation, or what a constraint does with rows that are in the way.

// SQLiteColumn is a column as CREATE TABLE defines it.
type SQLiteColumn struct {
	Name      string
	Type      string // as declared, what stands in parentheses left out; "" where there is none
	Collation string // as it is named; BINARY where none is
}

// SQLiteColumns finds the columns of a CREATE TABLE, in their order; ok is false where it cannot be read, and for virtual tables and
// tables made AS a query's result.
func SQLiteColumns(text string) (columns []SQLiteColumn, ok bool) {
	t := tokensOf(text, SQLite)
	i := 0
	for ; i < len(t) && !t[i].sign("("); i++ {
		if t[i].is("VIRTUAL", "AS") {
			return nil, false
		}
	}
	if i == len(t) {
		return nil, false
	}
	for _, def := range partsOf(t[i+1:]) {
		if len(def) == 0 {
			return nil, false
		}
		if def[0].is(tableConstraints...) {
			continue
		}
		c := SQLiteColumn{Name: def[0].text}
		c.Type, c.Collation = definition(def[1:])
		columns = append(columns, c)
	}
	return columns, true
}

// tableConstraints are the words that a part of a CREATE TABLE which is no column's begins with.
var tableConstraints = []string{"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}

// typeEnds are the words that end a column's type, besides COLLATE.
var typeEnds = []string{"CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "REFERENCES", "GENERATED", "AS", "ON"}

// definition finds the type and the collation in what follows a column's name.
func definition(def []token) (typ, collation string) {
	collation = "BINARY"
	depth, typed := 0, true
	for i, t := range def {
		switch {
		case t.sign("("):
			depth++
		case t.sign(")"):
			depth--
		case depth > 0:
		case t.is("COLLATE") && i+1 < len(def):
			typed, collation = false, def[i+1].text
		case t.is(typeEnds...):
			typed = false
		case typed:
			typ += " " + t.text
		}
	}
	return strings.TrimSpace(typ), collation
}

// partsOf cuts tokens at the commas of their outermost level, up to the parenthesis that ends it.
func partsOf(tokens []token) (parts [][]token) {
	depth, start := 0, 0
	for i, t := range tokens {
		switch {
		case t.sign("("):
			depth++
		case t.sign(",") && depth == 0:
			parts = append(parts, tokens[start:i])
			start = i + 1
		case t.sign(")"):
			if depth == 0 {
				return append(parts, tokens[start:i])
			}
			depth--
		}
	}
	return parts
}
