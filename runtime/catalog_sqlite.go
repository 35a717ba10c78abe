package cacheruntime

import (
	"context"
	"strings"

	"github.com/cachegen/cachegen/internal/fold"
)

// sqliteCatalog reads the text of CREATE TABLE as SQLite keeps it, ALTER TABLE worked in: there is no other
// place that tells a column's collation.
type sqliteCatalog struct{}

func (sqliteCatalog) read(ctx context.Context, q asker, table string) (map[string]comparer, error) {
	schemas := []string{"temp", "main"} // as SQLite looks for a name
	if before, after, qualified := strings.Cut(table, "."); qualified {
		schemas, table = []string{before}, after
	} else if err := q.ask(ctx, "SELECT name FROM pragma_database_list WHERE name NOT IN ('temp', 'main') ORDER BY seq", nil, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		schemas = append(schemas, name)
		return err
	}); err != nil {
		return nil, err
	}
	for _, schema := range schemas {
		var typ, text string
		err := q.ask(ctx, "SELECT type, COALESCE(sql, '') FROM "+sqliteMaster(schema)+" WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE",
			[]any{strings.Trim(table, "`\"")}, func(scan func(...any) error) error { return scan(&typ, &text) })
		if err != nil {
			return nil, err
		}
		if typ == "" {
			continue
		}
		columns := sqliteColumns(text)
		if typ == "view" || columns == nil { // a view, a virtual table: nobody knows what its columns stand for
			return q.unknownColumns(ctx, schema, table)
		}
		return columns, nil
	}
	return nil, errNoTable
}

func sqliteMaster(schema string) string {
	if strings.EqualFold(schema, "temp") {
		return "sqlite_temp_master"
	}
	return `"` + strings.ReplaceAll(schema, `"`, `""`) + `".sqlite_master`
}

// unknownColumns are the columns of a table that has no text of its own.
func (q asker) unknownColumns(ctx context.Context, schema, table string) (map[string]comparer, error) {
	columns := map[string]comparer{}
	return columns, q.ask(ctx, "SELECT name FROM pragma_table_xinfo(?, ?)", []any{table, schema}, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		columns[name] = sqliteColumn("", "?")
		return err
	})
}

// sqliteColumns finds the columns of a CREATE TABLE; nil where it cannot be read.
func sqliteColumns(text string) map[string]comparer {
	t := sqliteTokens(text)
	i := 0
	for ; i < len(t) && (t[i].quoted || t[i].text != "("); i++ {
		if t[i].is("VIRTUAL") || t[i].is("AS") {
			return nil
		}
	}
	if i == len(t) {
		return nil
	}
	columns := map[string]comparer{}
	for _, def := range sqliteParts(t[i+1:]) {
		if len(def) == 0 {
			return nil
		}
		if !def[0].quoted && isTableConstraint(def[0].text) {
			continue
		}
		typ, collation := sqliteDefinition(def[1:])
		columns[def[0].text] = sqliteColumn(typ, collation)
	}
	return columns
}

// sqliteDefinition finds the type and the collation in what follows a column's name.
func sqliteDefinition(def []sqliteToken) (typ, collation string) {
	collation = "BINARY"
	depth, typed := 0, true
	for i, t := range def {
		switch {
		case t.text == "(" && !t.quoted:
			depth++
		case t.text == ")" && !t.quoted:
			depth--
		case depth > 0:
		case t.is("COLLATE") && i+1 < len(def):
			typed, collation = false, def[i+1].text
		case t.is("CONSTRAINT"), t.is("PRIMARY"), t.is("NOT"), t.is("NULL"), t.is("UNIQUE"), t.is("CHECK"), t.is("DEFAULT"),
			t.is("REFERENCES"), t.is("GENERATED"), t.is("AS"), t.is("ON"):
			typed = false
		case typed:
			typ += " " + t.text
		}
	}
	return typ, collation
}

// sqliteColumn is a column of a declared type.
func sqliteColumn(typ, collation string) comparer {
	var f fold.Folding
	switch strings.ToUpper(collation) {
	case "BINARY", "RTRIM":
	case "NOCASE":
		f.Stops = true
	default:
		return func(k argKind) comparison {
			switch k {
			case argUint, argInt, argBool, argBytes:
				if collation == "?" { // a view: what its column stands for may be text
					return unknown(k)
				}
				return comparison{}
			}
			return unknown(k)
		}
	}
	typ = strings.ToUpper(typ)
	contains := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(typ, p) {
				return true
			}
		}
		return false
	}
	numeric := true // SQLite's own rules, in its own order
	switch {
	case contains("INT"):
	case contains("CHAR", "CLOB", "TEXT", "BLOB"), strings.TrimSpace(typ) == "":
		numeric = false
	}
	return func(k argKind) comparison {
		switch k {
		case argUint, argInt, argBool, argBytes, argTime:
			return comparison{folding: f}
		case argFloat:
			if numeric {
				return comparison{}
			}
		case argText:
			if numeric { // text that is a number is converted to one
				return comparison{as: asNumber, words: true, folding: f}
			}
			return comparison{folding: f}
		case argAny:
			if numeric {
				return comparison{as: asNumber, words: true, folding: f, only: kindsOf(argUint, argInt, argBool, argFloat, argText)}
			}
			return comparison{folding: f, only: kindsOf(argText, argBytes)}
		}
		return unknown(k)
	}
}

// sqliteToken is a word, a quoted name or text, or one other character.
type sqliteToken struct {
	text   string // without its quotes
	quoted bool
}

// is reports whether the token is a keyword.
func (t sqliteToken) is(keyword string) bool { return !t.quoted && strings.EqualFold(t.text, keyword) }

// sqliteTokens cuts SQL into tokens; blanks and comments are left out.
func sqliteTokens(s string) (tokens []sqliteToken) {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case strings.IndexByte(numberBlanks, c) >= 0:
			i++
		case strings.HasPrefix(s[i:], "--"):
			end := strings.IndexByte(s[i:], '\n')
			if end < 0 {
				return tokens
			}
			i += end + 1
		case strings.HasPrefix(s[i:], "/*"):
			end := strings.Index(s[i+2:], "*/")
			if end < 0 {
				return tokens
			}
			i += end + 4
		case c == '\'' || c == '"' || c == '`' || c == '[':
			text, n := sqliteQuoted(s[i:])
			tokens = append(tokens, sqliteToken{text, true})
			i += n
		case wordByte(c) || c == '$':
			start := i
			for i < len(s) && (wordByte(s[i]) || s[i] == '$') {
				i++
			}
			tokens = append(tokens, sqliteToken{text: s[start:i]})
		default:
			tokens = append(tokens, sqliteToken{text: s[i : i+1]})
			i++
		}
	}
	return tokens
}

// sqliteQuoted reads what begins with a quote, and returns how many bytes it took. Two quotes stand for one.
func sqliteQuoted(s string) (text string, n int) {
	end := s[0]
	if end == '[' {
		end = ']'
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != end {
			b.WriteByte(s[i])
			continue
		}
		if end == ']' || i+1 == len(s) || s[i+1] != end {
			return b.String(), i + 1
		}
		b.WriteByte(end)
		i++
	}
	return b.String(), len(s)
}

// sqliteParts cuts tokens at the commas of their outermost level, up to the parenthesis that ends it.
func sqliteParts(tokens []sqliteToken) (parts [][]sqliteToken) {
	depth, start := 0, 0
	for i, t := range tokens {
		if t.quoted {
			continue
		}
		switch t.text {
		case "(":
			depth++
		case ",":
			if depth == 0 {
				parts = append(parts, tokens[start:i])
				start = i + 1
			}
		case ")":
			if depth == 0 {
				return append(parts, tokens[start:i])
			}
			depth--
		}
	}
	return parts
}
