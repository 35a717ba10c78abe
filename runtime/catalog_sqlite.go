package cacheruntime

import (
	"context"
	"strings"

	"github.com/cachegen/cachegen/internal/fold"
	"github.com/cachegen/cachegen/internal/sqltext"
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

// sqliteColumns are the columns of a CREATE TABLE; nil where it cannot be read.
func sqliteColumns(text string) map[string]comparer {
	defined, ok := sqltext.SQLiteColumns(text)
	if !ok {
		return nil
	}
	columns := make(map[string]comparer, len(defined))
	for _, c := range defined {
		columns[c.Name] = sqliteColumn(c.Type, c.Collation)
	}
	return columns
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
