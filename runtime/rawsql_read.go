package cacheruntime

import (
	"slices"
	"strings"
)

// sqlReading is what SQL text may do, as far as it can be told from the text.
type sqlReading struct {
	tables []sqlTable // that it may write, each once
	known  bool       // no others; false: nobody knows what it writes
	erased []sqlTable // those of which it may delete rows
	sets   []string   // what may be columns that it sets, in small letters
	every  bool       // it may set others

	statements int  // that are not empty
	rows       bool // a statement changes rows
	plain      bool // queries and changes of rows alone, which may run in a transaction
	counts     bool // one change of one statement's own: the rows that it reports are the rows that it changed
	partial    bool // a conflict may leave a part of it done
	shapes     bool // what tables there are, or how they hang together, may change
	ends       bool // the transaction that it runs in may end, unseen by database/sql
}

// writes reports whether it may change rows, or a table.
func (r *sqlReading) writes() bool { return !r.known || len(r.tables) > 0 }

// tablesOf returns the tables that SQL text may write, by the names that it has for them; known is false
// where it may write others, too. Functions that write when they are selected are beyond it, and so are
// views, triggers and constraints.
func tablesOf(query string, d sqlDialect) (tables []sqlTable, known bool) {
	r := readSQL(query, d)
	return r.tables, r.known
}

// readSQL reads SQL text in each way that the server may, by its settings and its version, and takes all that
// one of them says. What it does not know it takes for writing: an unneeded flush costs a few reads,
// a missed one is a stale entry.
func readSQL(query string, d sqlDialect) *sqlReading {
	first := sqlScanner{text: query, dialect: d, single: d == mysqlSQL, double: d == mysqlSQL}
	r := &sqlReading{known: true, plain: true, counts: true}
	end := r.read(first, true)
	if end.runnable > mostRunnable {
		r.unknown()
		r.ends = true
		return r
	}
	ways := []sqlScanner{first}
	if end.backslash {
		other := first
		switch d {
		case mysqlSQL: // sql_mode ANSI_QUOTES, NO_BACKSLASH_ESCAPES
			other.double = false
			ways = append(ways, other)
			other.single = false
			ways = append(ways, other)
		case postgresSQL: // standard_conforming_strings off
			other.single = true
			ways = append(ways, other)
		}
	}
	// What is run may hide, or show, others that may be.
	for runnable, run := end.runnable, uint(0); run < 1<<runnable; run++ {
		for i, way := range ways {
			if i == 0 && run == 0 {
				continue
			}
			way.run = run
			here := &sqlReading{known: true, plain: true, counts: true}
			end := here.read(way, false)
			if runnable = max(runnable, end.runnable); runnable > mostRunnable {
				r.unknown()
				r.ends = true
				return r
			}
			if end.open && d == postgresSQL { // which refuses the whole text before it runs any of it
				continue
			}
			r.merge(here)
		}
	}
	return r
}

// mostTokens is how many of a statement are kept. What comes behind them is looked at once.
const mostTokens = 1 << 14

// read reads the text in one way, and returns the scanner as it was at the end. usual says that servers read
// it in this way if nobody has told them otherwise.
func (r *sqlReading) read(s sqlScanner, usual bool) sqlScanner {
	var tokens []sqlToken
	for ended := false; !ended; {
		tokens = tokens[:0]
		st := sqlStatement{dialect: s.dialect, out: r}
		for before := (sqlToken{}); ; {
			t := s.next()
			if ended = t.kind == sqlEnd; ended || t.kind == sqlSemicolon {
				break
			}
			if len(tokens) < mostTokens {
				tokens = append(tokens, t)
				continue
			}
			st.long = true
			st.hides = st.hides || s.dialect != mysqlSQL && (before.sign("(") && t.is(sqlVerbs...) || t.is("INTO"))
			before = t
		}
		if ended && s.open && !usual {
			break // a server that reads it so refuses the statement
		}
		st.tokens = tokens
		st.read()
	}
	if s.odd || s.open && usual || s.dialect == anySQL && r.writes() {
		r.unknown()
		r.ends = r.ends || s.dialect == mysqlSQL
	}
	return s
}

// unknown notes that nobody knows what it writes.
func (r *sqlReading) unknown() { r.known, r.plain, r.counts, r.shapes = false, false, false, true }

// add notes a table that is written.
func (r *sqlReading) add(t sqlTable) {
	if !slices.Contains(r.tables, t) {
		r.tables = append(r.tables, t)
	}
}

// erase notes a table of which rows may be deleted.
func (r *sqlReading) erase(t sqlTable) {
	if !slices.Contains(r.erased, t) {
		r.erased = append(r.erased, t)
	}
}

// merge adds what another way of reading the text says.
func (r *sqlReading) merge(o *sqlReading) {
	for _, t := range o.tables {
		r.add(t)
	}
	for _, t := range o.erased {
		r.erase(t)
	}
	r.sets, r.every = union(r.sets, o.sets), r.every || o.every
	r.statements = max(r.statements, o.statements)
	r.known, r.plain, r.counts = r.known && o.known, r.plain && o.plain, r.counts && o.counts
	r.rows, r.partial, r.shapes, r.ends = r.rows || o.rows, r.partial || o.partial, r.shapes || o.shapes, r.ends || o.ends
}

// sqlTable is a table as SQL text names it.
type sqlTable struct {
	schema, name string // folded as the dialect folds names without quotes; schema may be empty
	defined      bool   // by a statement that makes, changes or drops it
}

func (t sqlTable) String() string {
	if t.schema == "" {
		return t.name
	}
	return t.schema + "." + t.name
}

// sqlTableNamed reads a table's name as people and GORM write it: a, s.a, "s"."a". A catalog in front of
// the schema is left out.
func sqlTableNamed(name string) sqlTable {
	var parts []string
	for name != "" {
		quote := strings.IndexByte("\"`[", name[0])
		end := -1
		if quote >= 0 {
			end = strings.IndexByte(name[1:], "\"`]"[quote])
		}
		if end >= 0 {
			parts, name = append(parts, name[1:end+1]), name[end+2:]
			name = strings.TrimPrefix(name, ".")
			continue
		}
		part, rest, _ := strings.Cut(name, ".")
		parts, name = append(parts, part), rest
	}
	return sqlTableOf(parts)
}

// sqlTableOf makes a table's name of its parts, of which the last two count.
func sqlTableOf(parts []string) (t sqlTable) {
	if n := len(parts); n > 0 {
		t.name = parts[n-1]
		if n > 1 {
			t.schema = parts[n-2]
		}
	}
	return t
}

// mayBe reports whether two names may be one table's: names without a schema may be in any. Where dialects
// or servers differ on the case of letters, it does not matter.
func (t sqlTable) mayBe(o sqlTable, d sqlDialect) bool {
	return sameSQLName(t.name, o.name, d) && (t.schema == "" || o.schema == "" || sameSQLName(t.schema, o.schema, d))
}

// longestName is how many bytes of a name PostgreSQL keeps, unless it was built otherwise.
const longestName = 63

func sameSQLName(a, b string, d sqlDialect) bool {
	if d == postgresSQL {
		if len(a) >= longestName && len(b) >= longestName {
			a, b = a[:longestName], b[:longestName]
		}
		if isASCII(a) && isASCII(b) {
			return a == b
		}
	}
	return strings.EqualFold(a, b)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
