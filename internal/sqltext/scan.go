package sqltext

import "strings"

type tokenKind uint8

const (
	endToken       tokenKind = iota
	wordToken                // a keyword, a name without quotes, a number, a parameter
	nameToken                // a name in quotes; in MySQL, "…" may be a text instead
	textToken                // a text in quotes
	semicolonToken           // between statements
	signToken                // any other byte
)

// token is one token of SQL text.
type token struct {
	kind tokenKind
	text string // of names, what is in the quotes
}

// is reports whether the token is a word without quotes, in whatever case.
func (t token) is(words ...string) bool {
	if t.kind == wordToken {
		for _, w := range words {
			if len(w) == len(t.text) && strings.EqualFold(t.text, w) {
				return true
			}
		}
	}
	return false
}

// sign reports whether the token is one of the signs.
func (t token) sign(signs string) bool {
	return t.kind == signToken && strings.Contains(signs, t.text)
}

// scanner cuts SQL text into tokens by a dialect's rules. What depends on a server's settings or its
// version is settled by the fields that say so: whoever does not know them reads the text in each way.
type scanner struct {
	text    string
	dialect Dialect

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

const blanks = " \t\r\n\f\v"

// next returns the next token, comments and blanks left out.
func (s *scanner) next() token {
	for {
		s.text = strings.TrimLeft(s.text, blanks)
		switch {
		case s.text == "":
			s.open = s.open || s.running
			return token{}
		case strings.HasPrefix(s.text, "--") && s.dashes(), s.text[0] == '#' && s.dialect == MySQL:
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
func (s *scanner) dashes() bool {
	blank := len(s.text) == 2 || s.text[2] <= ' '
	s.odd = s.odd || !blank && s.dialect == Unknown
	return blank || s.dialect != MySQL
}

func (s *scanner) skipLine() {
	ends := "\n"
	if s.dialect == Postgres {
		ends = "\r\n"
	}
	s.skip(strings.IndexAny(s.text, ends), 1)
}

// skip drops the text up to a place and n bytes more; where there is no such place, all of it.
func (s *scanner) skip(to, n int) {
	if to < 0 {
		s.text = ""
		return
	}
	s.text = s.text[to+n:]
}

// comment skips a comment, or enters one that MySQL runs.
func (s *scanner) comment() {
	body := s.text[2:]
	run := strings.HasPrefix(body, "!") || strings.HasPrefix(body, "M!")
	if run && s.dialect == Unknown {
		s.odd = true
	}
	if run && s.dialect == MySQL {
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
	if s.dialect == Postgres {
		s.nested(body)
		return
	}
	end := strings.Index(body, "*/")
	s.open = s.open || end < 0 && s.dialect != SQLite // which takes the rest for the comment
	s.odd = s.odd || s.dialect == Unknown && (end < 0 || strings.Contains(body[:end], "/*"))
	s.text = body
	s.skip(end, 2)
}

// nested skips the rest of a comment in which there may be others.
func (s *scanner) nested(body string) {
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
func (s *scanner) token() token {
	switch c := s.text[0]; {
	case c == ';':
		return s.cut(semicolonToken, 1)
	case c == '\'':
		return s.quoted(textToken, s.single)
	case c == '"':
		return s.quoted(nameToken, s.double)
	case c == '`' && s.dialect != Postgres:
		return s.quoted(nameToken, false)
	case c == '[' && s.dialect == SQLite:
		return s.bracketed()
	case c == '[' && s.dialect == MySQL, c == '#' && s.dialect == Unknown, c == 0:
		s.odd = true
	case c == '[' && s.dialect == Unknown: // a name's, or an array's
		end := strings.IndexByte(s.text, ']')
		s.odd = s.odd || end < 0 || strings.ContainsAny(s.text[:end], "'\"`;-/$")
	case c == '$' && (s.dialect == Postgres || s.dialect == Unknown):
		return s.dollar()
	case wordByte(c) || c == '$' && s.dialect == MySQL:
		return s.word()
	case s.dialect == SQLite && strings.IndexByte("$@:#", c) >= 0:
		return s.parameter()
	}
	return s.cut(signToken, 1)
}

func (s *scanner) cut(kind tokenKind, n int) token {
	t := token{kind, s.text[:n]}
	s.text = s.text[n:]
	return t
}

func (s *scanner) word() token {
	n := wordLength(s.text)
	t := s.cut(wordToken, n)
	if s.dialect != Postgres {
		return t
	}
	switch {
	case t.text[0] >= '0' && t.text[0] <= '9' && strings.Contains(t.text, "$"):
		s.odd = true // before version 15, a number and then perhaps a quote
	case t.is("e") && strings.HasPrefix(s.text, "'"):
		return s.quoted(textToken, true)
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
func (s *scanner) parameter() token {
	n := 1 + wordLength(s.text[1:])
	t := s.cut(wordToken, n)
	if n > 1 && (strings.HasPrefix(s.text, "(") || strings.HasPrefix(s.text, "::")) {
		s.odd = true
	}
	return t
}

// quoted cuts off what is in quotes, in which a doubled quote stands for one.
func (s *scanner) quoted(kind tokenKind, escapes bool) token {
	quote, doubled := s.text[0], false
	for i := 1; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '\\' && quote != '`':
			s.backslash = true
			s.odd = s.odd || s.dialect == Unknown
			if escapes {
				i++
			}
		case c != quote:
		case i+1 < len(s.text) && s.text[i+1] == quote:
			doubled = true
			i++
		default:
			t := token{kind, s.text[1:i]}
			if doubled {
				t.text = strings.ReplaceAll(t.text, string([]byte{quote, quote}), string([]byte{quote}))
			}
			s.text = s.text[i+1:]
			return t
		}
	}
	s.open = true
	s.text = ""
	return token{kind: kind}
}

// bracketed is a name as SQLite takes it from others.
func (s *scanner) bracketed() token {
	end := strings.IndexByte(s.text, ']')
	if end < 0 {
		s.open, s.text = true, ""
		return token{kind: nameToken}
	}
	t := token{nameToken, s.text[1:end]}
	s.text = s.text[end+1:]
	return t
}

// dollar is PostgreSQL's $1, or its $tag$ … $tag$.
func (s *scanner) dollar() token {
	n := 1
	for n < len(s.text) && wordByte(s.text[n]) {
		n++
	}
	switch {
	case n > 1 && s.text[1] >= '0' && s.text[1] <= '9':
		return s.cut(wordToken, n)
	case n == len(s.text) || s.text[n] != '$':
		return s.cut(signToken, 1)
	}
	tag := s.text[:n+1]
	body := s.text[n+1:]
	end := strings.Index(body, tag)
	if end < 0 {
		s.open, s.text = true, ""
		return token{kind: textToken}
	}
	s.text = body[end+len(tag):]
	return token{textToken, body[:end]}
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// usually returns a scanner that cuts a text as servers of a dialect do if nobody has told them otherwise.
func usually(text string, d Dialect) scanner {
	return scanner{text: text, dialect: d, single: d == MySQL, double: d == MySQL}
}

// tokensOf returns the tokens of a text, semicolons among them, as servers usually cut it.
func tokensOf(text string, d Dialect) (tokens []token) {
	s := usually(text, d)
	for t := s.next(); t.kind != endToken; t = s.next() {
		tokens = append(tokens, t)
	}
	return tokens
}

// HasWord reports whether one of the words, in any case, stands in a text outside of quotes and comments.
func HasWord(text string, d Dialect, words ...string) bool {
	s := usually(text, d)
	for t := s.next(); t.kind != endToken; t = s.next() {
		if t.is(words...) {
			return true
		}
	}
	return false
}
