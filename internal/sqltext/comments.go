package sqltext

import "strings"

// WithoutComments returns SQL text without its comments, and with one blank wherever there were blanks or comments
// outside of quotes: tracing tools write the request's number into a comment. Text of which that is
// not sure comes back as it is:
//
//   - /*! … */ and /*M! … */ are code to MySQL and MariaDB, and /*+ … */ is a hint to several;
//   - comments nest in PostgreSQL and not elsewhere;
//   - a question mark in a comment takes a value, where a driver puts values into the text;
//   - a backslash may hide where a quoted text ends.
//
// Whatever else begins a comment or a quoted text somewhere (--, #, $$) stays in the text, and shows.
func WithoutComments(s string) string {
	if strings.ContainsRune(s, '\\') {
		return s
	}
	b := make([]byte, 0, len(s))
	blank := func() {
		if n := len(b); n > 0 && b[n-1] != ' ' {
			b = append(b, ' ')
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\n', '\r':
			blank()
		case '\'', '"', '`':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return s
			}
			b = append(b, s[i:i+end+2]...)
			i += end + 1
		case '/':
			if !strings.HasPrefix(s[i:], "/*") {
				b = append(b, c)
				continue
			}
			end := strings.Index(s[i+2:], "*/")
			if end < 0 || !harmless(s[i+2:i+2+end]) {
				return s
			}
			blank()
			i += end + 3
		default:
			b = append(b, c)
		}
	}
	return strings.TrimRight(string(b), " ")
}

// harmless reports whether the text of a comment is nothing but that to every database.
func harmless(text string) bool {
	for _, code := range []string{"!", "M!", "+"} {
		if strings.HasPrefix(text, code) {
			return false
		}
	}
	return !strings.Contains(text, "/*") && !strings.Contains(text, "?")
}
