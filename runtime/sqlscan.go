package cacheruntime

import "strings"

// sqlDialect says by whose rules SQL text is read.
type sqlDialect uint8

const (
	anySQL sqlDialect = iota // nobody's that is known: what dialects read differently is odd
	sqliteSQL
	postgresSQL
	mysqlSQL // MariaDB's, too
)

// sqlDialectOf returns the dialect that GORM's dialector of a name speaks.
func sqlDialectOf(name string) sqlDialect {
	switch name {
	case "sqlite":
		return sqliteSQL
	case "postgres":
		return postgresSQL
	case "mysql":
		return mysqlSQL
	}
	return anySQL
}

type sqlKind uint8

const (
	sqlEnd       sqlKind = iota
	sqlWord              // a keyword, a name without quotes, a number, a parameter
	sqlName              // a name in quotes; in MySQL, "…" may be a text instead
	sqlText              // a text in quotes
	sqlSemicolon         // between statements
	sqlSign              // any other byte
)

// sqlToken is one token of SQL text.
type sqlToken struct {
	kind sqlKind
	text string // of names, what is in the quotes
}

// is reports whether the token is a word without quotes, in whatever case.
func (t sqlToken) is(words ...string) bool {
	if t.kind == sqlWord {
		for _, w := range words {
			if len(w) == len(t.text) && strings.EqualFold(t.text, w) {
				return true
			}
		}
	}
	return false
}

// sign reports whether the token is one of the signs.
func (t sqlToken) sign(signs string) bool {
	return t.kind == sqlSign && strings.Contains(signs, t.text)
}

// sqlScanner cuts SQL text into tokens by a dialect's rules. What depends on a server's settings or its
// version is settled by the fields that say so: whoever does not know them reads the text in each way.
type sqlScanner struct {
	text    string
	dialect sqlDialect

	single, double bool // a backslash escapes in '…' and in "…"
	run            uint // which of MySQL's /*! … */ are run, a bit each

	backslash bool // met: a backslash in quotes
	runnable  int  // met: how many /*! … */
	running   bool // inside one that is run
	open      bool // met: quotes or a comment without an end, which the server refuses
	odd       bool // met: what no rule here explains
}

// mostRunnable is how many /*! … */ a text may have that is read with each of them run, and not run.
const mostRunnable = 3

const sqlBlanks = " \t\r\n\f\v"

// next returns the next token, comments and blanks left out.
func (s *sqlScanner) next() sqlToken {
	for {
		s.text = strings.TrimLeft(s.text, sqlBlanks)
		switch {
		case s.text == "":
			s.open = s.open || s.running
			return sqlToken{}
		case strings.HasPrefix(s.text, "--") && s.dashes(), s.text[0] == '#' && s.dialect == mysqlSQL:
			s.skipLine()
		case strings.HasPrefix(s.text, "/*"):
			s.comment()
		case s.running && strings.HasPrefix(s.text, "*/"):
			s.running = false
			s.text = s.text[2:]
		default:
			return s.token()
		}
	}
}

// dashes reports whether two of them begin a comment: in MySQL only before a blank.
func (s *sqlScanner) dashes() bool {
	blank := len(s.text) == 2 || s.text[2] <= ' '
	s.odd = s.odd || !blank && s.dialect == anySQL
	return blank || s.dialect != mysqlSQL
}

func (s *sqlScanner) skipLine() {
	ends := "\n"
	if s.dialect == postgresSQL {
		ends = "\r\n"
	}
	s.skip(strings.IndexAny(s.text, ends), 1)
}

// skip drops the text up to a place and n bytes more; where there is no such place, all of it.
func (s *sqlScanner) skip(to, n int) {
	if to < 0 {
		s.text = ""
		return
	}
	s.text = s.text[to+n:]
}

// comment skips a comment, or enters one that MySQL runs.
func (s *sqlScanner) comment() {
	body := s.text[2:]
	run := strings.HasPrefix(body, "!") || strings.HasPrefix(body, "M!")
	if run && s.dialect == anySQL {
		s.odd = true
	}
	if run && s.dialect == mysqlSQL {
		s.runnable++
		if s.running {
			s.odd = true
		}
		if s.runnable <= mostRunnable && s.run&(1<<(s.runnable-1)) != 0 {
			s.running = true
			s.text = strings.TrimLeft(strings.TrimPrefix(body, "M")[1:], "0123456789")
			return
		}
		if end := strings.Index(body, "*/"); end >= 0 && strings.Contains(body[:end], "/*") {
			s.odd = true // versions differ on where the outer one ends
		}
	}
	if s.dialect == postgresSQL {
		s.nested(body)
		return
	}
	end := strings.Index(body, "*/")
	s.open = s.open || end < 0 && s.dialect != sqliteSQL // which takes the rest for the comment
	s.odd = s.odd || s.dialect == anySQL && (end < 0 || strings.Contains(body[:end], "/*"))
	s.text = body
	s.skip(end, 2)
}

// nested skips the rest of a comment in which there may be others.
func (s *sqlScanner) nested(body string) {
	depth := 1
	for i := 0; i+1 < len(body); i++ {
		switch body[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			i++
			if depth--; depth == 0 {
				s.text = body[i+1:]
				return
			}
		}
	}
	s.open, s.text = true, ""
}

// token cuts off the token that the text begins with.
func (s *sqlScanner) token() sqlToken {
	switch c := s.text[0]; {
	case c == ';':
		return s.cut(sqlSemicolon, 1)
	case c == '\'':
		return s.quoted(sqlText, s.single)
	case c == '"':
		return s.quoted(sqlName, s.double)
	case c == '`' && s.dialect != postgresSQL:
		return s.quoted(sqlName, false)
	case c == '[' && s.dialect == sqliteSQL:
		return s.bracketed()
	case c == '[' && s.dialect == mysqlSQL, c == '#' && s.dialect == anySQL, c == 0:
		s.odd = true
	case c == '[' && s.dialect == anySQL: // a name's, or an array's
		end := strings.IndexByte(s.text, ']')
		s.odd = s.odd || end < 0 || strings.ContainsAny(s.text[:end], "'\"`;-/$")
	case c == '$' && (s.dialect == postgresSQL || s.dialect == anySQL):
		return s.dollar()
	case wordByte(c) || c == '$' && s.dialect == mysqlSQL:
		return s.word()
	case s.dialect == sqliteSQL && strings.IndexByte("$@:#", c) >= 0:
		return s.parameter()
	}
	return s.cut(sqlSign, 1)
}

func (s *sqlScanner) cut(kind sqlKind, n int) sqlToken {
	t := sqlToken{kind, s.text[:n]}
	s.text = s.text[n:]
	return t
}

func (s *sqlScanner) word() sqlToken {
	n := wordLength(s.text)
	t := s.cut(sqlWord, n)
	if s.dialect != postgresSQL {
		return t
	}
	switch {
	case t.text[0] >= '0' && t.text[0] <= '9' && strings.Contains(t.text, "$"):
		s.odd = true // before version 15, a number and then perhaps a quote
	case t.is("e") && strings.HasPrefix(s.text, "'"):
		return s.quoted(sqlText, true)
	case t.is("u") && strings.HasPrefix(s.text, `&"`):
		s.odd = true // a name in code points
	}
	return t
}

// wordLength is the length of the word that the text begins with.
func wordLength(text string) (n int) {
	for n < len(text) && (wordByte(text[n]) || text[n] == '$') {
		n++
	}
	return n
}

// parameter is one of SQLite's. What may hang on it has rules of its own.
func (s *sqlScanner) parameter() sqlToken {
	n := 1 + wordLength(s.text[1:])
	t := s.cut(sqlWord, n)
	if n > 1 && (strings.HasPrefix(s.text, "(") || strings.HasPrefix(s.text, "::")) {
		s.odd = true
	}
	return t
}

// quoted cuts off what is in quotes, in which a doubled quote stands for one.
func (s *sqlScanner) quoted(kind sqlKind, escapes bool) sqlToken {
	quote, doubled := s.text[0], false
	for i := 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '\\' && quote != '`':
			s.backslash = true
			s.odd = s.odd || s.dialect == anySQL
			if escapes {
				i++
			}
		case c != quote:
		case i+1 < len(s.text) && s.text[i+1] == quote:
			doubled = true
			i++
		default:
			t := sqlToken{kind, s.text[1:i]}
			if doubled {
				t.text = strings.ReplaceAll(t.text, string([]byte{quote, quote}), string([]byte{quote}))
			}
			s.text = s.text[i+1:]
			return t
		}
	}
	s.open = true
	s.text = ""
	return sqlToken{kind: kind}
}

// bracketed is a name as SQLite takes it from others.
func (s *sqlScanner) bracketed() sqlToken {
	end := strings.IndexByte(s.text, ']')
	if end < 0 {
		s.open, s.text = true, ""
		return sqlToken{kind: sqlName}
	}
	t := sqlToken{sqlName, s.text[1:end]}
	s.text = s.text[end+1:]
	return t
}

// dollar is PostgreSQL's $1, or its $tag$ … $tag$.
func (s *sqlScanner) dollar() sqlToken {
	n := 1
	for n < len(s.text) && wordByte(s.text[n]) {
		n++
	}
	switch {
	case n > 1 && s.text[1] >= '0' && s.text[1] <= '9':
		return s.cut(sqlWord, n)
	case n == len(s.text) || s.text[n] != '$':
		return s.cut(sqlSign, 1)
	}
	tag := s.text[:n+1]
	body := s.text[n+1:]
	end := strings.Index(body, tag)
	if end < 0 {
		s.open, s.text = true, ""
		return sqlToken{kind: sqlText}
	}
	s.text = body[end+len(tag):]
	return sqlToken{sqlText, body[:end]}
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// words returns the words and names of SQL text that consists of nothing else, and is n of them at most;
// nil for any other, and for text that dialects read differently.
func words(query string, n int) (w []string) {
	s := sqlScanner{text: query}
	ended := false
	for t := s.next(); t.kind != sqlEnd; t = s.next() {
		switch {
		case t.kind == sqlSemicolon:
			ended = true
		case t.sign("[]") && !ended:
		case t.kind == sqlSign, t.kind == sqlText, ended, len(w) == n:
			return nil
		default:
			w = append(w, t.text)
		}
	}
	if s.open || s.odd {
		return nil
	}
	return w
}

func containsAny(s string, parts []string) bool {
	for _, a := range parts {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}
