package sqltext

import "slices"

// Conflicts is what SQLite does by itself where a row that is written meets a constraint of its table's own, as its CREATE TABLE
// says with ON CONFLICT. A statement that says OR overrules it.
type Conflicts struct {
	Replaces   bool     // rows that are in the way are deleted
	ReplacedBy []string // the columns of those constraints; none: it is not known which
	Partial    bool     // a statement that fails leaves done what it has done by then
}

// SQLiteConflicts reads the conflict clauses of a CREATE TABLE.
//
//	CREATE TABLE t (a text UNIQUE ON CONFLICT REPLACE, b text NOT NULL ON CONFLICT FAIL, PRIMARY KEY (a, b) ON CONFLICT REPLACE)
//
// Where REPLACE meets a NULL, the column's default takes its place, and no row is deleted.
func SQLiteConflicts(text string) (c Conflicts) {
	t := tokensOf(text, SQLite)
	begin := slices.IndexFunc(t, func(t token) bool { return t.sign("(") })
	if begin < 0 {
		return c
	}
	unknown := false
	for _, def := range partsOf(t[begin+1:]) {
		columns, table := []string(nil), true
		if len(def) > 0 && !def[0].is(tableConstraints...) {
			columns, table = []string{def[0].text}, false
		}
		unique, depth := false, 0
		for i, token := range def {
			switch {
			case token.sign("("):
				if depth++; depth == 1 && table && unique && len(columns) == 0 {
					columns = namesIn(def[i+1:])
				}
			case token.sign(")"):
				depth--
			case depth > 0:
			case token.is("UNIQUE", "PRIMARY"):
				if unique = true; table { // there may be several, without commas between them
					columns = nil
				}
			case token.is("NOT", "CHECK"):
				unique = false
			case token.is("CONFLICT") && i+1 < len(def) && def[i+1].is("FAIL"):
				c.Partial = true
			case token.is("CONFLICT") && i+1 < len(def) && def[i+1].is("REPLACE") && unique:
				c.Replaces = true
				unknown = unknown || len(columns) == 0
				for _, column := range columns {
					c.ReplacedBy = once(c.ReplacedBy, column)
				}
			}
		}
	}
	if unknown {
		c.ReplacedBy = nil
	} else if c.Replaces { // the primary key by its other names
		for _, rowid := range []string{"rowid", "_rowid_", "oid"} {
			c.ReplacedBy = once(c.ReplacedBy, rowid)
		}
	}
	return c
}

// namesIn are the first tokens of the parts up to the parenthesis that ends them: the columns of a constraint.
func namesIn(tokens []token) (names []string) {
	for _, part := range partsOf(tokens) {
		if len(part) > 0 {
			names = append(names, part[0].text)
		}
	}
	return names
}
