package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// mysqlCatalog reads the information_schema of MySQL and MariaDB.
type mysqlCatalog struct{}

// The server may compare the names of tables without case, as the information_schema always does.
const mysqlColumns = `SELECT table_name, column_name, data_type, collation_name FROM information_schema.columns
WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ?`

func (mysqlCatalog) read(ctx context.Context, q asker, table string) (map[string]comparer, error) {
	var database any
	if before, after, qualified := strings.Cut(strings.ReplaceAll(table, "`", ""), "."); qualified {
		database, table = before, after
	}
	zone, err := mysqlZone(ctx, q)
	if err != nil {
		return nil, err
	}
	tables := map[string]map[string]comparer{}
	err = q.ask(ctx, mysqlColumns, []any{database, table}, func(scan func(...any) error) error {
		var of, name, typ string
		var collation sql.NullString
		if err := scan(&of, &name, &typ, &collation); err != nil {
			return err
		}
		if tables[of] == nil {
			tables[of] = map[string]comparer{}
		}
		tables[of][name] = mysqlColumn(strings.ToLower(typ), strings.ToLower(collation.String), zone)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if columns := tables[table]; columns != nil || len(tables) == 0 {
		if columns == nil {
			return nil, errNoTable
		}
		return columns, nil
	}
	if len(tables) > 1 {
		return nil, errors.New("the database has several tables whose names differ in case alone: name it as the database does")
	}
	for _, columns := range tables {
		return columns, nil
	}
	return nil, errNoTable
}

// mysqlZone is the zone that the driver takes times to before it sends them as text, and in which it reads them;
// nil where it does not read times.
func mysqlZone(ctx context.Context, q asker) (zone *time.Location, err error) {
	err = q.ask(ctx, "SELECT CAST('2001-02-03 04:05:06' AS DATETIME)", nil, func(scan func(...any) error) error {
		var v any
		if err := scan(&v); err != nil {
			return err
		}
		if t, ok := v.(time.Time); ok {
			zone = t.Location()
		}
		return nil
	})
	return zone, err
}

// mysqlColumn is a column of a type, with its collation if it is text.
func mysqlColumn(typ, collation string, zone *time.Location) comparer {
	clock := func(as likeness) comparer {
		if zone == nil {
			return unknown
		}
		return likeTime(comparison{as: as, zone: zone, micros: true})
	}
	switch typ {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		if f, ok := mysqlFolding(collation); ok {
			return likeText(f)
		}
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return likeText(folding{})
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		return likeInteger
	case "decimal":
		return likeInteger
	case "double":
		return likeNumber
	case "uuid":
		return likeUUID
	case "datetime":
		return clock(asClock)
	case "date":
		return clock(asDate)
	}
	// float prints fewer digits than it compares; timestamp goes through the session's time zone, in which an
	// hour may come twice; year takes 26 for 2026; enum, set, bit, time, json and inet6 have rules of their own.
	return unknown
}

// mysqlFolding returns the folding that merges what a collation does. Those of MariaDB are proved by a test that
// asks the server for the weight of every character. MySQL 8 has utf8mb4_0900_ai_ci from the Unicode tables of
// 2016, between those of unicode_520_ci (2009) and uca1400_ai_ci (2021), both of which the folding
// merges: a character would have to have changed its letter twice. Collations of a language are left out:
// each has letters of its own.
func mysqlFolding(collation string) (folding, bool) {
	if collation == "binary" || strings.HasSuffix(collation, "_bin") {
		return folding{}, true
	}
	switch collation {
	case "latin1_swedish_ci", "latin1_swedish_nopad_ci":
		return folding{swedish: true}, true
	case "latin1_general_ci", "latin1_general_nopad_ci", "latin1_general_cs", "ascii_general_ci", "ascii_general_nopad_ci":
		return folding{}, true
	}
	charset, rules, _ := strings.Cut(collation, "_")
	if charset == "uca1400" { // as MariaDB calls those that several character sets have
		charset, rules = "utf8mb4", collation
	}
	if charset != "utf8mb4" && charset != "utf8mb3" && charset != "utf8" {
		return folding{}, false
	}
	switch strings.Replace(rules, "nopad_", "", 1) {
	case "general_ci", "general_mysql500_ci":
		return folding{flat: true, general: true}, true
	case "unicode_ci":
		return folding{flat: true}, true
	case "unicode_520_ci", "uca1400_ai_ci", "uca1400_ai_cs", "uca1400_as_ci", "uca1400_as_cs", "0900_ai_ci", "0900_as_ci", "0900_as_cs":
		return folding{}, true
	}
	return folding{}, false
}
