package cacheruntime

import "strings"

// conflicts is what SQLite does by itself where a row that is written meets a constraint of its table's own, as its CREATE TABLE
// says with ON CONFLICT. A statement that says OR overrules it.
type conflicts struct {
	replaces   bool     // rows that are in the way are deleted
	replacedBy []string // the columns of those constraints; none: it is not known which
	partial    bool     // a statement that fails leaves done what it has done by then
}

// makesRoom reports whether a write may delete rows that are in its way. inserts says that it makes rows; else it sets columns.
func (c *conflicts) makesRoom(inserts bool, e effect) bool {
	if !c.replaces || !inserts && !e.every && len(e.sets) == 0 {
		return false
	}
	if inserts || e.every || len(c.replacedBy) == 0 {
		return true
	}
	for _, column := range c.replacedBy {
		if hasColumn(e.sets, column) {
			return true
		}
	}
	return false
}

// sqliteConflicts reads the conflict clauses of a CREATE TABLE.
//
//	CREATE TABLE t (a text UNIQUE ON CONFLICT REPLACE, b text NOT NULL ON CONFLICT FAIL, PRIMARY KEY (a, b) ON CONFLICT REPLACE)
//
// Where REPLACE meets a NULL, the column's default takes its place, and no row is deleted.
func sqliteConflicts(text string) (c conflicts) {
	t := sqliteTokens(text)
	begin := 0
	for begin < len(t) && (t[begin].quoted || t[begin].text != "(") {
		begin++
	}
	if begin == len(t) {
		return c
	}
	unknown := false
	for _, def := range sqliteParts(t[begin+1:]) {
		columns, table := []string(nil), true
		if len(def) > 0 && (def[0].quoted || !isTableConstraint(def[0].text)) {
			columns, table = []string{def[0].text}, false
		}
		unique, depth := false, 0
		for i, token := range def {
			switch {
			case !token.quoted && token.text == "(":
				if depth++; depth == 1 && table && unique && len(columns) == 0 {
					columns = namesIn(def[i+1:])
				}
			case !token.quoted && token.text == ")":
				depth--
			case depth > 0:
			case token.is("UNIQUE"), token.is("PRIMARY"):
				if unique = true; table { // there may be several, without commas between them
					columns = nil
				}
			case token.is("NOT"), token.is("CHECK"):
				unique = false
			case token.is("CONFLICT") && i+1 < len(def) && def[i+1].is("FAIL"):
				c.partial = true
			case token.is("CONFLICT") && i+1 < len(def) && def[i+1].is("REPLACE") && unique:
				c.replaces = true
				unknown = unknown || len(columns) == 0
				c.replacedBy = union(c.replacedBy, columns)
			}
		}
	}
	if unknown {
		c.replacedBy = nil
	} else if c.replaces { // the primary key by its other names
		c.replacedBy = union(c.replacedBy, []string{"rowid", "_rowid_", "oid"})
	}
	return c
}

// isTableConstraint reports whether a part of a CREATE TABLE that begins with a word is no column's.
func isTableConstraint(word string) bool {
	switch strings.ToUpper(word) {
	case "CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN":
		return true
	}
	return false
}

// namesIn are the first tokens of the parts up to the parenthesis that ends them: the columns of a constraint.
func namesIn(tokens []sqliteToken) (names []string) {
	for _, part := range sqliteParts(tokens) {
		if len(part) > 0 {
			names = append(names, part[0].text)
		}
	}
	return names
}
