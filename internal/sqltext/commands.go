package sqltext

import "slices"

// changeNothing are the first words of the statements that change no rows of a table, besides queries.
var changeNothing = []string{
	"SHOW", "SET", "RESET", "USE", "PRAGMA", "VACUUM", "REINDEX", "ATTACH", "DETACH", "CHECKPOINT", "START", "ROLLBACK", "ABORT",
	"SAVEPOINT", "SAVE", "RELEASE", "LOCK", "UNLOCK", "LISTEN", "NOTIFY", "UNLISTEN", "DISCARD", "PREPARE", "DEALLOCATE", "FETCH", "MOVE",
	"CLOSE", "GRANT", "REVOKE", "COMMENT", "KILL",
}

// transactionWords are those that may follow BEGIN and END. Where others do, a block of statements begins.
var transactionWords = []string{
	"WORK", "TRANSACTION", "TRAN", "DEFERRED", "IMMEDIATE", "EXCLUSIVE", "CONCURRENT", "ISOLATION", "LEVEL", "READ", "WRITE", "ONLY", "COMMITTED",
	"UNCOMMITTED", "REPEATABLE", "SERIALIZABLE", "NOT", "DEFERRABLE", "AND", "CHAIN", "NO", "RELEASE",
}

// command reads a statement that begins with none of the verbs that change rows, nor with a query's.
func (s *statement) command() {
	t := s.peek(0)
	if t.is("TRUNCATE", "COPY", "LOAD", "EXPLAIN", "DESCRIBE", "DESC", "ANALYZE", "ANALYSE") {
		s.at++
		switch {
		case t.is("TRUNCATE"):
			s.truncate()
		case t.is("COPY") && s.dialect == Postgres:
			s.copies()
		case t.is("LOAD") && s.dialect == MySQL:
			s.loads()
		case t.is("COPY", "LOAD"):
			s.out.unknown()
		default:
			s.explains(!t.is("EXPLAIN", "DESCRIBE", "DESC"))
		}
		return
	}
	s.out.Plain = false
	s.at++
	switch {
	case t.is("CREATE"):
		s.creates()
	case t.is("DROP"):
		s.drops()
	case t.is("ALTER"):
		s.alters()
	case t.is("RENAME"):
		s.renames()
	case t.is("REFRESH"):
		s.skip("MATERIALIZED", "VIEW", "CONCURRENTLY")
		s.target(true)
	case t.is("SET") && s.peek(0).is("STATEMENT"): // MariaDB: settings FOR a statement
		s.seek("FOR")
		s.body()
		s.out.Plain = false
	case t.is("BEGIN", "END"):
		for ; s.at < len(s.tokens); s.at++ {
			if !s.peek(0).is(transactionWords...) && !s.peek(0).sign(",") {
				s.out.unknown()
			}
		}
	case t.is("COMMIT"):
		if s.accept("PREPARED") { // what another transaction has done
			s.out.unknown()
		}
	case t.is("DECLARE"): // a cursor, or a variable of a block
		if s.seek("CURSOR"); s.at == len(s.tokens) {
			s.out.unknown()
		}
		s.rest()
	case !t.is(changeNothing...):
		s.out.unknown()
	}
}

// seek moves behind the next of a word, or to the end.
func (s *statement) seek(word string) {
	for s.at < len(s.tokens) && !s.accept(word) {
		s.at++
	}
}

// cascades reports whether the statement takes with it what hangs on its tables. Of a foreign key's
// definition, CASCADE says something else.
func (s *statement) cascades() bool {
	if s.dialect == MySQL || s.dialect == SQLite { // a word without a meaning
		return false
	}
	for i, t := range s.tokens {
		if t.is("CASCADE") && !s.tokens[max(i, 1)-1].is("DELETE", "UPDATE") {
			return true
		}
	}
	return false
}

// targets notes the tables of a list.
func (s *statement) targets(defined bool) {
	for s.target(defined); s.acceptSign(","); {
		s.target(defined)
	}
	if s.cascades() || s.long {
		s.out.unknown()
	}
}

// truncate reads TRUNCATE: in MySQL it is what DROP and CREATE are.
func (s *statement) truncate() {
	s.out.Rows = true
	s.skip("TABLE")
	if s.dialect == MySQL {
		s.out.Plain = false
	}
	s.empties = true
	s.targets(false)
	s.empties = false
}

// copies reads PostgreSQL's COPY, from or to.
func (s *statement) copies() {
	if s.peek(0).sign("(") {
		s.rest()
		return
	}
	t, ok := s.name()
	if ok && s.peek(0).sign("(") {
		s.skipGroup()
	}
	switch {
	case ok && s.accept("FROM"):
		s.out.Rows = true
		s.out.add(t)
		s.out.Inserted = once(s.out.Inserted, t)
	case !ok || !s.accept("TO"):
		s.out.unknown()
	}
}

// loads reads MySQL's LOAD DATA and LOAD XML.
func (s *statement) loads() {
	s.out.Rows = true
	if s.seek("INTO"); !s.accept("TABLE") {
		s.out.unknown()
		return
	}
	s.erases, s.inserts = s.has("REPLACE"), true
	s.target(false)
	s.erases, s.inserts = false, false
}

// explains reads what is explained, if it is run for that. In MariaDB, ANALYZE alone runs it.
func (s *statement) explains(runs bool) {
	first := s.at
	if runs && s.dialect == MySQL && s.peek(0).is("TABLE", "LOCAL", "NO_WRITE_TO_BINLOG") {
		s.out.Plain = false
		return
	}
	if s.peek(0).sign("(") && !s.selects(0) {
		s.skipGroup()
	}
	for s.at < len(s.tokens) && !s.peek(0).sign("(") && !s.peek(0).is("SELECT", "VALUES", "WITH", "EXECUTE", "CREATE", "DECLARE", "REFRESH") &&
		!s.peek(0).is(verbs...) {
		s.at++
	}
	for _, t := range s.tokens[first:s.at] {
		runs = runs || t.is("ANALYZE", "ANALYSE")
	}
	// A table may be analyzed, and its columns.
	if s.at == len(s.tokens) || s.peek(0).sign("(") && !s.selects(0) || !runs {
		s.out.Plain = false
		return
	}
	s.body()
	s.out.Counts = false
}

// What is made, dropped or altered and is no table.
var (
	apartFromTables = []string{"INDEX", "SEQUENCE", "ROLE", "USER"}
	made            = append([]string{"TYPE", "DOMAIN", "COLLATION", "STATISTICS"}, apartFromTables...)
	dropped         = append([]string{"TRIGGER", "FUNCTION", "PROCEDURE", "EVENT"}, made...)
)

func (s *statement) creates() {
	s.out.Shapes = true
	s.skip("OR", "REPLACE", "GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "UNIQUE", "FULLTEXT", "SPATIAL", "VIRTUAL", "FOREIGN", "RECURSIVE", "MATERIALIZED")
	switch {
	case s.accept("TABLE", "VIEW"):
		s.skip("IF", "NOT", "EXISTS")
		s.target(true)
		for i, t := range s.tokens[s.at:] {
			if t.is("EXECUTE") && s.peek(i-1).is("AS") {
				s.out.unknown()
			}
		}
		s.rest()
	case !s.accept(made...):
		s.out.unknown()
	}
}

func (s *statement) drops() {
	s.out.Shapes = true
	s.skip("TEMPORARY", "FOREIGN", "MATERIALIZED")
	switch {
	case s.accept("TABLE", "TABLES", "VIEW"):
		s.skip("IF", "EXISTS")
		s.erases = s.dialect == SQLite // which deletes its rows first
		s.targets(true)
		s.erases = false
	case !s.accept(dropped...) || s.cascades():
		s.out.unknown()
	}
}

func (s *statement) alters() {
	s.out.Shapes = true
	s.skip("ONLINE", "IGNORE", "FOREIGN", "MATERIALIZED")
	if !s.accept("TABLE", "VIEW") {
		if !s.accept(apartFromTables...) || s.cascades() {
			s.out.unknown()
		}
		return
	}
	s.skip("IF", "EXISTS")
	s.target(true)
	if s.cascades() || s.long {
		s.out.unknown()
	}
	// Other tables that it names are among what follows these words.
	for ; s.at < len(s.tokens); s.at++ {
		switch t := s.peek(0); {
		case t.is("RENAME") && !s.peek(1).is("COLUMN", "INDEX", "KEY", "CONSTRAINT"):
			s.at++
			s.skip("TO", "AS")
			s.also()
		case t.is("PARTITION") && s.peek(-1).is("ATTACH", "DETACH"), t.is("INHERIT"), t.is("TABLE") && s.peek(-1).is("WITH"):
			s.at++
			s.also()
		}
	}
}

// also notes a table that an ALTER may name, and stays at its last token.
func (s *statement) also() {
	if t, ok := s.name(); ok {
		t.Defined = true
		s.out.add(t)
	}
	s.at--
}

// renames reads MySQL's RENAME TABLE a TO b, c TO d.
func (s *statement) renames() {
	s.out.Shapes = true
	if s.accept("USER") {
		return
	}
	if !s.accept("TABLE", "TABLES") {
		s.out.unknown()
		return
	}
	s.skip("IF", "EXISTS")
	for {
		s.target(true)
		for s.accept("WAIT", "NOWAIT") {
			s.skip("0", "1")
		}
		if !s.accept("TO") {
			s.out.unknown()
			return
		}
		s.target(true)
		if !s.acceptSign(",") {
			return
		}
	}
}

// plainInMySQL are the first words of the statements with which MySQL leaves a transaction open.
var plainInMySQL = []string{
	"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "TABLE", "SHOW", "USE", "DO", "EXPLAIN", "DESCRIBE", "DESC",
	"SAVEPOINT", "RELEASE", "HANDLER", "PREPARE", "DEALLOCATE", "KILL", "HELP", "CHECKSUM", "SIGNAL", "RESIGNAL",
}

// ends reports whether the statement may end the transaction that it runs in, unseen by database/sql: COMMIT
// as text and, on MySQL, every statement that commits by the way, DDL above all.
func (s *statement) ends() bool {
	first, second := s.peek(0), s.peek(1)
	has := func(words ...string) bool {
		return slices.ContainsFunc(s.tokens, func(t token) bool { return t.is(words...) })
	}
	switch {
	case first.is("ROLLBACK", "ABORT"):
		return !has("TO")
	case first.is("COMMIT", "END"):
		return !second.is("PREPARED")
	case s.dialect != MySQL:
		return false
	case first.is("SET"):
		return has("AUTOCOMMIT", "PASSWORD", "STATEMENT") || s.long
	case second.is("TEMPORARY"):
		return false
	}
	return !first.sign("(") && !first.is(plainInMySQL...)
}
