package cacheruntime

import (
	"context"
	"errors"

	"gorm.io/gorm/schema"
)

// A program with a schema for each tenant has a model's table in all of them, and perhaps none where
// statements look by themselves. Its tables are taken to be alike: those of the first few schemas are
// read, and where they are not, nothing is known of the column.

// elsewhere is a catalog that finds a table in other schemas.
type elsewhere interface {
	// schemas returns the names of the table qualified by its schemas, as many as limit, sorted.
	schemas(ctx context.Context, q asker, table string, limit int) ([]string, error)
}

const likeSchemas = 16 // that are read

// compareElsewhere is compare for a table that is not where the database looks for it.
func (rt *Runtime) compareElsewhere(ctx context.Context, c catalog, table string, columns []*schema.Field) (map[*schema.Field]comparison, error) {
	e, ok := c.(elsewhere)
	if !ok || rt.opts.Partition == nil {
		return nil, errNoTable
	}
	names, err := e.schemas(ctx, asker{rt.primaryOf(ctx, table)}, table, likeSchemas)
	if err != nil {
		return nil, err
	}
	var of map[*schema.Field]comparison
	for _, name := range names {
		here, err := rt.compareIn(ctx, c, name, columns)
		if errors.Is(err, errNoTable) {
			continue // another table of that name
		}
		if err != nil {
			return nil, err
		}
		if of == nil {
			of = here
		}
		for f, is := range here {
			if of[f] != is {
				of[f] = comparison{as: asAnything}
			}
		}
	}
	if of == nil {
		return nil, errNoTable
	}
	return of, nil
}

func (postgresCatalog) schemas(ctx context.Context, q asker, table string, limit int) ([]string, error) {
	return q.names(ctx, `SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1 LIMIT $2`, table, limit)
}

func (mysqlCatalog) schemas(ctx context.Context, q asker, table string, limit int) ([]string, error) {
	return q.names(ctx, `SELECT table_schema FROM information_schema.tables WHERE table_name = ? ORDER BY 1 LIMIT ?`, table, limit)
}

// names returns a table's names, qualified by the schemas that a query finds.
func (q asker) names(ctx context.Context, query, table string, limit int) (names []string, err error) {
	err = q.ask(ctx, query, []any{table, limit}, func(scan func(...any) error) error {
		var schema string
		err := scan(&schema)
		names = append(names, schema+"."+table)
		return err
	})
	return names, err
}
