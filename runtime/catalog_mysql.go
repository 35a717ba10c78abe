package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/cachegen/cachegen/internal/fold"
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
		if f, ok := fold.MySQL(collation); ok {
			return likeText(f)
		}
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return likeText(fold.Folding{})
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
