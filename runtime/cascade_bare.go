package cacheruntime

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// bare stands for the struct of a statement that no model is cached of, and on whose table cached ones hang: its rows
// are read, and the write is pinned to them, for what becomes of those. It has no lists of its own.
type bare struct {
	model // nil: nothing else is asked of it
	sch   *schema.Schema
}

// bareOf returns the statement's struct; nil where the rows of the table that it writes cannot be told by that.
func bareOf(st *gorm.Statement) model {
	sch := st.Schema
	if sch == nil || len(sch.PrimaryFields) == 0 || baseTable(st.Table) != baseTable(sch.Table) {
		return nil
	}
	if e := st.TableExpr; e != nil && (len(e.Vars) > 0 || e.SQL != st.Quote(sch.Table)) || e == nil && st.Table != sch.Table {
		return nil
	}
	return bare{sch: sch}
}

func isBare(m model) bool { _, ok := m.(bare); return ok }

func (b bare) gormSchema() *schema.Schema { return b.sch }
func (b bare) indexed() bool              { return false }
func (b bare) columns() []string          { return b.sch.PrimaryFieldDBNames }
func (b bare) touches(string) bool        { return false }
func (b bare) derived() bool              { return false }
func (b bare) uniques() [][]string        { return nil }

func (b bare) scan(tx *gorm.DB, rows *sql.Rows, _ int) (found []any, err error) {
	if slices.ContainsFunc(b.columns(), func(column string) bool { return scansOwn(b.sch, column) }) {
		again, end, err := keep(rows)
		if err != nil {
			return nil, err
		}
		defer end()
		rows = again
	}
	for rows.Next() {
		row := reflect.New(b.sch.ModelType)
		if err := tx.ScanRows(rows, row.Interface()); err != nil {
			return nil, err
		}
		found = append(found, row.Interface())
	}
	return found, rows.Err()
}

func (b bare) structOf(row any) reflect.Value { return reflect.ValueOf(row) }

func (b bare) identity(row any) string {
	var id strings.Builder
	for _, f := range b.sch.PrimaryFields {
		v, _ := f.ValueOf(context.Background(), reflect.ValueOf(row))
		fmt.Fprintf(&id, "%q,", fmt.Sprint(v))
	}
	return id.String()
}
