package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// catalog reads how a table's columns compare from a database's own description of it.
type catalog interface {
	// read returns the table's columns by name, as the database spells it. A table that is not there is
	// errNoTable.
	read(ctx context.Context, q asker, table string) (map[string]comparer, error)
}

// comparer says how a column compares with arguments of a kind.
type comparer func(argKind) comparison

// errNoTable says that a table is not there, or lacks a column of the model's.
var errNoTable = errors.New("the database has no such table, or not all of its columns")

// unknown goes for what is not known to compare in some way: every value may be equal to every other.
func unknown(argKind) comparison { return comparison{as: asAnything} }

// compare asks the database how columns of a table compare. A database whose catalog nobody knows how to read
// is one of which nothing is known.
func (rt *Runtime) compare(ctx context.Context, table string, columns []*schema.Field) (map[*schema.Field]comparison, error) {
	c := catalogOf(rt.db)
	if c == nil {
		of := map[*schema.Field]comparison{}
		for _, f := range columns {
			of[f] = comparison{as: asAnything}
			switch kindOf(f) {
			case argUint, argInt, argBool: // as numbers compare everywhere
				of[f] = comparison{}
			}
		}
		return of, nil
	}
	of, err := rt.compareIn(ctx, c, table, columns)
	if errors.Is(err, errNoTable) {
		return rt.compareElsewhere(ctx, c, table, columns)
	}
	return of, err
}

// compareIn asks for the columns of a table where it lies.
func (rt *Runtime) compareIn(ctx context.Context, c catalog, table string, columns []*schema.Field) (map[*schema.Field]comparison, error) {
	known, err := c.read(ctx, asker{rt.primaryOf(ctx, table)}, table)
	if err != nil {
		return nil, err
	}
	of := map[*schema.Field]comparison{}
	for _, f := range columns {
		compare := columnOf(known, f.DBName)
		if compare == nil {
			return nil, errNoTable
		}
		of[f] = compare(kindOf(f))
	}
	return of, nil
}

// catalogOf returns the catalog of a database; nil where none is known.
func catalogOf(db *gorm.DB) catalog {
	switch db.Name() {
	case "sqlite":
		return sqliteCatalog{}
	case "postgres":
		return postgresCatalog{}
	case "mysql":
		return mysqlCatalog{}
	}
	return nil
}

// columnOf finds a column by its exact name, or by one that differs in the case of ASCII letters.
func columnOf(known map[string]comparer, name string) comparer {
	if c := known[name]; c != nil {
		return c
	}
	var found comparer
	for k, c := range known {
		if sqltext.LowerASCII(k) == sqltext.LowerASCII(name) {
			if found != nil {
				return unknown
			}
			found = c
		}
	}
	return found
}

// asker sends statements that run none of the application's callbacks, and are told to GORM's logger.
type asker struct{ db *gorm.DB }

// ask calls row for each row of a query; scan reads its columns.
func (q asker) ask(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) (err error) {
	tx := q.db.Session(&gorm.Session{NewDB: true, Context: ctx, Initialized: true})
	st := tx.Statement
	st.SQL.WriteString(query)
	st.Vars = args
	n, begin := int64(0), time.Now()
	defer func() { told(tx, begin, n, err) }()
	var rows *sql.Rows
	if rows, err = st.ConnPool.QueryContext(ctx, query, args...); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		n++
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
