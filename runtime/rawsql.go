package cacheruntime

import "strings"

// The statements that change no rows of a table, by their first word. WITH, EXPLAIN and ANALYZE are
// judged by what follows; every other word may write.
var readOnly = map[string]bool{
	"SELECT": true, "VALUES": true, "TABLE": true, "SHOW": true, "SET": true, "RESET": true, "USE": true,
	"PRAGMA": true, "VACUUM": true, "REINDEX": true, "ATTACH": true, "DETACH": true, "CHECKPOINT": true,
	"BEGIN": true, "START": true, "COMMIT": true, "END": true, "ROLLBACK": true, "ABORT": true,
	"SAVEPOINT": true, "SAVE": true, "RELEASE": true, "LOCK": true, "UNLOCK": true,
	"LISTEN": true, "NOTIFY": true, "UNLISTEN": true, "DISCARD": true, "DEALLOCATE": true,
	"DECLARE": true, "FETCH": true, "CLOSE": true, "GRANT": true, "REVOKE": true, "COMMENT": true, "KILL": true,
}

var dataChanging = []string{"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "TRUNCATE"}

// mayWrite reports whether SQL text may change rows. It takes what it does not know for writing, and
// so text that dialects read differently: an unneeded flush costs a few reads, a missed one is a
// stale entry. Functions that write when they are selected are beyond it.
func mayWrite(query string) bool {
	s := sqlScanner{text: query}
	var statement []string // its words, in capitals
	odd := false           // it begins with what is no word
	writes := false
	end := func() {
		writes = writes || odd || statementWrites(statement)
		statement, odd = statement[:0], false
	}
	for {
		kind, text := s.next()
		switch kind {
		case sqlEnd:
			end()
			return writes || s.doubtful && containsAny(strings.ToUpper(query), dataChanging)
		case sqlSemicolon:
			end()
		case sqlWord:
			statement = append(statement, strings.ToUpper(text))
		default:
			odd = odd || len(statement) == 0 && text != "("
		}
		if writes {
			return true
		}
	}
}

// statementWrites judges one statement by its words.
func statementWrites(w []string) bool {
	if len(w) == 0 || readOnly[w[0]] {
		return false
	}
	switch w[0] {
	case "WITH":
		return changesData(w)
	case "EXPLAIN", "DESCRIBE", "DESC", "ANALYZE", "ANALYSE": // some run what they explain
		for _, x := range w {
			if x == "ANALYZE" || x == "ANALYSE" {
				return changesData(w)
			}
		}
		return false
	}
	return true
}

// changesData looks for a verb that changes rows; the UPDATE of a locking clause is none.
func changesData(w []string) bool {
	for i, x := range w {
		if x == "UPDATE" && i > 0 && (w[i-1] == "FOR" || w[i-1] == "KEY") {
			continue
		}
		for _, verb := range dataChanging {
			if x == verb {
				return true
			}
		}
	}
	return false
}

func containsAny(s string, parts []string) bool {
	for _, a := range parts {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}

// words returns the first words and quoted names of SQL text, at most n, up to the first other sign.
func words(query string, n int) (w []string) {
	s := sqlScanner{text: query}
	for len(w) < n {
		kind, text := s.next()
		if kind != sqlWord && kind != sqlQuoted {
			return w
		}
		w = append(w, text)
	}
	return w
}

type sqlKind uint8

const (
	sqlEnd sqlKind = iota
	sqlWord
	sqlQuoted // a name or a text in quotes, with them
	sqlSemicolon
	sqlOther
)

// sqlScanner cuts SQL text into words, without knowing the dialect.
type sqlScanner struct {
	text string
	// doubtful says that dialects differ on where some quoted text or comment ends.
	doubtful bool
}

// next returns the next token, comments and blanks left out.
func (s *sqlScanner) next() (sqlKind, string) {
	for {
		s.text = strings.TrimLeft(s.text, " \t\r\n\f\v")
		switch {
		case s.text == "":
			return sqlEnd, ""
		case strings.HasPrefix(s.text, "--"):
			if len(s.text) > 2 && !strings.ContainsRune(" \t\r\n", rune(s.text[2])) {
				s.doubtful = true // MySQL: two signs
			}
			s.skipPast("\n")
		case strings.HasPrefix(s.text, "/*"):
			body := s.text[2:]
			if end := strings.Index(body, "*/"); end >= 0 {
				body = body[:end]
			}
			// MySQL runs what stands in some comments; PostgreSQL nests them.
			s.doubtful = s.doubtful || strings.HasPrefix(body, "!") || strings.HasPrefix(body, "M!") || strings.Contains(body, "/*")
			s.text = s.text[2:]
			s.skipPast("*/")
		default:
			return s.token()
		}
	}
}

// skipPast drops the text up to and with the next end; all of it where there is none.
func (s *sqlScanner) skipPast(end string) {
	if i := strings.Index(s.text, end); i >= 0 {
		s.text = s.text[i+len(end):]
		return
	}
	s.text = ""
}

// token cuts off the token that the text begins with.
func (s *sqlScanner) token() (sqlKind, string) {
	n, kind := 1, sqlOther
	switch c := s.text[0]; {
	case c == ';':
		kind = sqlSemicolon
	case c == '\'' || c == '"' || c == '`':
		kind, n = sqlQuoted, s.quoted(c)
	case c == '$':
		if end := dollarQuoted(s.text); end > 0 {
			kind, n = sqlQuoted, end
		}
	case wordByte(c):
		kind = sqlWord
		for n < len(s.text) && (wordByte(s.text[n]) || s.text[n] == '$') {
			n++
		}
	}
	text := s.text[:n]
	s.text = s.text[n:]
	return kind, text
}

// quoted returns the length of the text in quotes, in which a doubled quote stands for one.
func (s *sqlScanner) quoted(quote byte) int {
	for i := 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			s.doubtful = true // MySQL: escapes what follows
		case quote:
			if i+1 == len(s.text) || s.text[i+1] != quote {
				return i + 1
			}
			i++
		}
	}
	s.doubtful = true
	return len(s.text)
}

// dollarQuoted returns the length of PostgreSQL's $tag$ … $tag$, or 0.
func dollarQuoted(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] == '$' {
			tag := text[:i+1]
			if end := strings.Index(text[i+1:], tag); end >= 0 {
				return i + 1 + end + len(tag)
			}
			return 0
		}
		if !wordByte(text[i]) || i == 1 && text[i] >= '0' && text[i] <= '9' {
			return 0 // a parameter
		}
	}
	return 0
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
