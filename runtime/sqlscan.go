package cacheruntime

import "strings"

// words returns the words and quoted names of SQL text that consists of nothing else, and is n of them
// at most; nil for any other.
func words(query string, n int) (w []string) {
	s := sqlScanner{text: query}
	ended := false
	for {
		switch kind, text := s.next(); {
		case kind == sqlEnd:
			if s.doubtful {
				return nil
			}
			return w
		case kind == sqlSemicolon:
			ended = true
		case kind == sqlOther && text != "[" && text != "]", ended, len(w) == n:
			return nil
		default:
			w = append(w, text)
		}
	}
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
	case c == '[':
		// SQL Server and SQLite quote names so; elsewhere it is an array's.
		if end := strings.IndexByte(s.text, ']'); end < 0 || strings.ContainsAny(s.text[:end], "'\"`;-/$") {
			s.doubtful = true
		}
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
