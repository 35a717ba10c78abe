package cacheruntime

import (
	"context"
	"database/sql"
	"reflect"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// What the GORM plugin asks of a Table; see the model interface.

func (t *Table) gormSchema() *schema.Schema     { return t.schema }
func (t *Table) indexed() bool                  { return len(t.judging.Load().indexes) > 0 }
func (t *Table) columns() []string              { return t.judging.Load().watched }
func (t *Table) all(p partition) flushlist.List { return t.keys.allIn(p) }
func (t *Table) derived() bool                  { return t.judging.Load().made }

// madeByDatabase reports whether the database makes the values of a column of others: GORM only reads
// it, or its tag says so.
func madeByDatabase(f *schema.Field) bool {
	if f.PrimaryKey { // an identity, which no update changes
		return false
	}
	if !f.Creatable && !f.Updatable {
		return true
	}
	for _, setting := range f.TagSettings {
		setting = strings.ToUpper(setting)
		if strings.Contains(setting, "GENERATED") || strings.Contains(setting, "ON UPDATE") || strings.Contains(setting, " AS (") {
			return true
		}
	}
	return false
}

func (t *Table) touches(column string) bool {
	for _, w := range t.judging.Load().watched {
		if w == column {
			return true
		}
	}
	return false
}

func (t *Table) uniques() [][]string { return t.unique }

// uniquesOf returns the columns of the unique keys in a schema's tags.
func uniquesOf(sch *schema.Schema) (keys [][]string) {
	for _, f := range sch.Fields {
		if f.Unique && f.DBName != "" {
			keys = append(keys, []string{f.DBName})
		}
	}
	for _, i := range sch.ParseIndexes() {
		if i.Class != "UNIQUE" || slices.ContainsFunc(i.Fields, func(o schema.IndexOption) bool { return o.Field == nil || o.Expression != "" || o.Length > 0 }) {
			continue
		}
		var key []string
		for _, o := range i.Fields {
			key = append(key, o.DBName)
		}
		keys = append(keys, key)
	}
	return keys
}

// judgedRow is a row as the plugin reads it.
type judgedRow struct {
	v any
	// nulls says which of the watched columns, as they were when the row was read, are NULL. A Go type without NULL reads it as zero, but
	// to the database the two are different: a change from one to the other may move the row.
	// Nil where only the key is known.
	nulls []bool
	more  []any // what else was asked for, as the driver has it
}

func (t *Table) scan(tx *gorm.DB, rows *sql.Rows, more int) (found []any, err error) {
	columns, err := rows.Columns() // of the statement: what is watched may be more by now
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(columns, func(column string) bool { return scansOwn(t.schema, column) }) {
		again, end, err := keep(rows)
		if err != nil {
			return nil, err
		}
		defer end()
		rows = again
	}
	raw := make([]any, len(columns))
	into := make([]any, len(raw))
	for i := range raw {
		into[i] = &raw[i]
	}
	for rows.Next() {
		row := &judgedRow{v: t.spec.New(), nulls: make([]bool, len(raw)-more)}
		if err := tx.ScanRows(rows, row.v); err != nil {
			return nil, err
		}
		if err := rows.Scan(into...); err != nil { // the same row once more, as the driver has it
			return nil, err
		}
		for i := range row.nulls {
			row.nulls[i] = raw[i] == nil
		}
		row.more = slices.Clone(raw[len(row.nulls):])
		found = append(found, row)
	}
	return found, rows.Err()
}

func (t *Table) keyRow(ctx context.Context, value func(column string) (any, bool)) (any, bool, error) {
	row := t.spec.New()
	rv := reflect.ValueOf(row).Elem()
	for _, f := range t.primary {
		v, ok := value(f.DBName)
		if !ok {
			return nil, false, nil
		}
		if err := f.Set(ctx, rv, v); err != nil {
			return nil, false, err
		}
	}
	return &judgedRow{v: row}, true, nil
}

func (t *Table) structOf(row any) reflect.Value { return reflect.ValueOf(row.(*judgedRow).v) }

func (t *Table) identity(row any) string {
	return exactArgs(t.spec.KeyArgs(nil, row.(*judgedRow).v))
}

func (t *Table) rowList(p partition, row any) flushlist.List {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	return t.listOf(s, p, t.spec.KeyArgs(nil, row.(*judgedRow).v))
}

// listOf is the flush list of the row with these values in its primary key: `all`, where nobody but the
// database knows which row that is.
func (t *Table) listOf(s *scratch, p partition, args []Arg) flushlist.List {
	if t.undecided.is.Load() {
		t.askBehind()
		return t.keys.allIn(p)
	}
	if t.keys.odd(args) {
		return t.keys.allIn(p)
	}
	return t.keys.listOf(s, p, args)
}

func (t *Table) lists(p partition, add func(flushlist.List), old, new any) {
	if t.undecided.is.Load() {
		t.askBehind()
		add(t.keys.allIn(p))
		return
	}
	before, after := t.alive(old), t.alive(new)
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	for _, ix := range t.judging.Load().indexes {
		if !ix.readIn(before) || !ix.readIn(after) {
			add(t.keys.allIn(p))
			return
		}
		ix.falls(s, p, add, before, after)
	}
}

// alive is a row as accessors see it: nil where there is none, or where it is soft-deleted.
func (t *Table) alive(row any) *judgedRow {
	r, _ := row.(*judgedRow)
	if r != nil && t.spec.Deleted != nil && t.spec.Deleted(r.v) {
		return nil
	}
	return r
}
