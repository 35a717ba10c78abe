package cacheruntime

import (
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// planCreate prepares for an INSERT. Only an upsert can change rows that exist; those are read by
// their keys before it.
func (p *plugin) planCreate(db *gorm.DB, w *write) {
	st := db.Statement
	if n := valuesIn(st); n == 0 || n > p.rt.opts.BulkRows {
		w.giveUp()
		return
	}
	c, ok := st.Clauses["ON CONFLICT"]
	if !ok {
		return
	}
	conflict, ok := c.Expression.(clause.OnConflict)
	// MySQL takes any unique key for the conflict's, whatever the statement says.
	if !ok || db.Name() == "mysql" {
		w.giveUp()
		return
	}
	if conflict.DoNothing {
		w.orNothing = true
		return
	}
	for _, t := range w.judged {
		if !byKey(&conflict, t.m) {
			w.giveUp()
			return
		}
	}
	for _, t := range w.judged {
		if !p.readConflicts(db, w, t) {
			w.giveUp()
			return
		}
	}
}

// byKey reports whether an upsert finds the rows that it changes by m's primary key, and leaves
// that as it is.
func byKey(c *clause.OnConflict, m model) bool {
	keys := m.gormSchema().PrimaryFieldDBNames
	if c.OnConstraint != "" || len(c.Columns) == 0 && !c.UpdateAll || len(c.Columns) > 0 && len(c.Columns) != len(keys) {
		return false
	}
	for _, column := range c.Columns {
		if !slices.Contains(keys, column.Name) {
			return false
		}
	}
	for _, a := range c.DoUpdates {
		if a.Column.Raw || a.Column.Name == clause.PrimaryKey || slices.Contains(keys, a.Column.Name) {
			return false
		}
	}
	return true
}

// readConflicts reads the rows that an upsert may change. It returns false where that cannot be
// judged: on databases without SQLite's one write lock, a row that was not there may come in between.
func (p *plugin) readConflicts(db *gorm.DB, w *write, t *target) bool {
	st := db.Statement
	var given []any // a value without a key is a new row
	for _, v := range elements(st.ReflectValue) {
		one := gorm.Statement{DB: st.DB, Schema: st.Schema, Context: st.Context, ReflectValue: v}
		if row, ok := keyRows(&one, t.m, false); ok {
			given = append(given, row[0])
		}
	}
	if len(given) == 0 {
		return true
	}
	if err := p.holdWriteLock(db, t.m); err != nil {
		_ = db.AddError(err) // the write itself would have failed so
		return true
	}
	rows, err := p.readRows(p.session(db), t.m, 0, true, keysOf(st, t.m, given))
	if err != nil {
		if fromDatabase(err) {
			_ = db.AddError(err)
		}
		return false
	}
	t.old, t.read = rows, true
	seen := map[string]bool{}
	for _, row := range rows {
		seen[t.m.identity(row)] = true
	}
	if db.Name() != "sqlite" {
		for _, row := range given {
			if !seen[t.m.identity(row)] {
				return false
			}
		}
	}
	return true
}

// judgeCreate names the lists of the rows that an INSERT has made or changed. They are read back where
// there are lists to name, since the database may have made some of their values.
func (p *plugin) judgeCreate(db *gorm.DB, w *write, t *target, h *harvest) {
	st := db.Statement
	keys, ok := keyRows(st, t.m, false)
	if !ok {
		h.over = true
		return
	}
	if !t.m.indexed() {
		for _, row := range keys {
			h.row(row)
		}
		return
	}
	rows, err := p.readRows(p.session(db), t.m, 0, false, keysOf(st, t.m, keys))
	if err != nil {
		h.over = true
		return
	}
	now, old := map[string]any{}, map[string]any{}
	for _, row := range rows {
		now[t.m.identity(row)] = row
	}
	for _, row := range t.old {
		old[t.m.identity(row)] = row
	}
	for _, key := range keys {
		id := t.m.identity(key)
		switch row := now[id]; {
		case row != nil:
			h.change(old[id], row)
		case !w.orNothing:
			h.over = true // it was made under another key
			return
		}
	}
}

// valuesIn returns the number of model values that a create was given; 0 where it was given maps.
func valuesIn(st *gorm.Statement) int {
	if st.Schema == nil {
		return 0
	}
	values := elements(st.ReflectValue)
	for _, v := range values {
		if v.Kind() != reflect.Struct || v.Type() != st.Schema.ModelType {
			return 0
		}
	}
	return len(values)
}

// elements returns the structs of a value that is one, or a slice of them.
func elements(rv reflect.Value) []reflect.Value {
	switch rv.Kind() {
	case reflect.Struct:
		return []reflect.Value{rv}
	case reflect.Slice, reflect.Array:
		values := make([]reflect.Value, rv.Len())
		for i := range values {
			values[i] = reflect.Indirect(rv.Index(i))
		}
		return values
	}
	return nil
}
