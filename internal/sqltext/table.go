package sqltext

import "strings"

// Table is a table as SQL text names it.
type Table struct {
	Schema, Name string // folded as the dialect folds names without quotes; Schema may be empty
	Defined      bool   // by a statement that makes, changes or drops it
}

// String returns the name with its schema in front, if it has one, without quotes.
func (t Table) String() string {
	if t.Schema == "" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

// TableNamed reads a table's name as people and GORM write it: a, s.a, "s"."a". A catalog in front of
// the schema is left out.
func TableNamed(name string) Table {
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
	return tableOf(parts)
}

// tableOf makes a table's name of its parts, of which the last two count.
func tableOf(parts []string) (t Table) {
	if n := len(parts); n > 0 {
		t.Name = parts[n-1]
		if n > 1 {
			t.Schema = parts[n-2]
		}
	}
	return t
}

// MayBe reports whether two names may be one table's: names without a schema may be in any. Where dialects
// or servers differ on the case of letters, it does not matter.
func (t Table) MayBe(o Table, d Dialect) bool {
	return SameName(t.Name, o.Name, d) && (t.Schema == "" || o.Schema == "" || SameName(t.Schema, o.Schema, d))
}

// longestName is how many bytes of a name PostgreSQL keeps, unless it was built otherwise.
const longestName = 63

// SameName reports whether two names, of tables or of schemas, may be one to databases of a dialect.
func SameName(a, b string, d Dialect) bool {
	if d == Postgres {
		if len(a) >= longestName && len(b) >= longestName {
			a, b = a[:longestName], b[:longestName]
		}
		if isASCII(a) && isASCII(b) {
			return a == b
		}
	}
	return strings.EqualFold(a, b)
}

// NameKey returns a key to look names up by: two names that [SameName] takes for one, in whatever dialect, have the same key, or one
// of them has none. It is the name in small letters; "" where databases compare the name in ways of their own.
func NameKey(name string) string {
	if len(name) >= longestName || !isASCII(name) {
		return ""
	}
	return LowerASCII(name)
}

// LowerASCII makes the capitals among ASCII's letters small, and leaves all others as they are: so PostgreSQL folds names without
// quotes, and so SQLite compares names.
func LowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Mentions reports whether a text has a name as a whole word, in any case, also in quotes and in comments. The empty name
// is nowhere.
func Mentions(text, name string) bool {
	text, name = strings.ToLower(text), strings.ToLower(name)
	for from := 0; name != ""; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(name)
		if (i == 0 || !wordByte(text[i-1])) && (end == len(text) || !wordByte(text[end])) {
			return true
		}
		from = i + 1
	}
	return false
}
