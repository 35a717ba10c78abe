package cacheruntime

import (
	"context"
	"database/sql"

	"github.com/cachegen/cachegen/internal/fold"
)

// postgresCatalog reads PostgreSQL's system catalog.
type postgresCatalog struct{}

// Quoted as GORM quotes it, the name is resolved by the search_path, as that of the table is in a statement.
// The base of a domain stands for it. Before version 12 there are no collations under which unlike bytes are
// equal, and no column that tells.
const postgresColumns = `SELECT a.attname, COALESCE(b.typname, t.typname), COALESCE(b.typtype, t.typtype),
	COALESCE(b.typnamespace, t.typnamespace) = 'pg_catalog'::regnamespace,
	COALESCE(to_jsonb(c)->>'collisdeterministic', 'true') = 'true'
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`

func (postgresCatalog) read(ctx context.Context, q asker, table string) (map[string]comparer, error) {
	columns := map[string]comparer{}
	err := q.ask(ctx, postgresColumns, []any{q.db.Statement.Quote(table)}, func(scan func(...any) error) error {
		var name, typ, class string
		var system, deterministic sql.NullBool
		if err := scan(&name, &typ, &class, &system, &deterministic); err != nil {
			return err
		}
		columns[name] = postgresColumn(typ, class, system.Bool, deterministic.Bool)
		return nil
	})
	if err == nil && len(columns) == 0 {
		err = errNoTable
	}
	return columns, err
}

// postgresColumn is a column of a type: its name, its class ("b" base, "e" enum, "d" domain, …), whether it is
// one of PostgreSQL's own; and whether its collation tells all texts apart that differ in a byte.
func postgresColumn(typ, class string, system, deterministic bool) comparer {
	switch {
	case class == "e":
		return likeText(fold.Folding{})
	case !deterministic:
		return unknown
	case typ == "citext" && class == "b" && !system: // it compares by lower(), in whatever locale
		return likeText(fold.Folding{})
	case !system || class != "b":
		return unknown
	}
	switch typ {
	case "text", "varchar", "bpchar":
		return likeText(fold.Folding{})
	case "bytea":
		return func(k argKind) comparison {
			switch k {
			case argBytes:
				return comparison{}
			case argAny:
				return comparison{only: kindsOf(argBytes)}
			}
			return unknown(k)
		}
	case "int2", "int4", "int8", "numeric":
		return likeInteger
	case "float8":
		return likeNumber
	case "bool":
		return func(k argKind) comparison {
			if k == argBool {
				return comparison{}
			}
			return unknown(k)
		}
	case "uuid":
		return likeUUID
	case "timestamptz":
		return likeTime(comparison{micros: true})
	case "timestamp": // the driver leaves the zone out
		return likeTime(comparison{as: asClock, micros: true})
	case "date":
		return likeTime(comparison{as: asDate})
	}
	return unknown
}

// What a column of a usual type compares like.

// likeText is text under a collation of which a folding is known to merge whatever it does.
func likeText(f fold.Folding) comparer {
	return func(k argKind) comparison {
		switch k {
		case argText, argBytes:
			return comparison{folding: f}
		case argAny:
			return comparison{folding: f, only: kindsOf(argText, argBytes)}
		}
		return unknown(k)
	}
}

// likeInteger is whole numbers, to which text is converted.
func likeInteger(k argKind) comparison {
	switch k {
	case argUint, argInt, argBool:
		return comparison{}
	}
	return likeNumber(k)
}

// likeNumber is numbers, to which text is converted.
func likeNumber(k argKind) comparison {
	switch k {
	case argUint, argInt, argBool, argFloat, argText:
		return comparison{as: asNumber}
	case argAny:
		return comparison{as: asNumber, only: kindsOf(argUint, argInt, argBool, argFloat, argText)}
	}
	return unknown(k)
}

// likeUUID is a type for UUIDs, which takes several spellings of one.
func likeUUID(k argKind) comparison {
	switch k {
	case argText:
		return comparison{as: asUUID}
	case argAny:
		return comparison{as: asUUID, only: kindsOf(argText)}
	}
	return unknown(k)
}

// likeTime is points in time.
func likeTime(c comparison) comparer {
	return func(k argKind) comparison {
		switch k {
		case argTime:
			return c
		case argAny:
			c := c
			c.only = kindsOf(argTime)
			return c
		}
		return unknown(k)
	}
}
