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
	n := valuesIn(st)
	if n == 0 || n > p.rt.opts.BulkRows {
		reason := overRows
		if n == 0 {
			reason = fromMaps
		}
		w.giveUp(reason)
		return
	}
	w.unsent = len(leftOut(st)) > 0 && len(given(st, w.judged[0].m)) > 0
	c, ok := st.Clauses["ON CONFLICT"]
	if !ok {
		return
	}
	conflict, ok := c.Expression.(clause.OnConflict)
	// MySQL takes any unique key for the conflict's, whatever the statement says.
	if !ok || db.Name() == "mysql" {
		w.giveUp(upsert)
		return
	}
	if conflict.DoNothing {
		w.conflict = doNothing
		// Of a batch with keys and without, GORM gives one row's new key to another's struct.
		if keyed := len(given(st, w.judged[0].m)); keyed != 0 && keyed != n {
			w.giveUp(upsert)
		}
		return
	}
	w.conflict = doUpdate
	for _, t := range w.judged {
		if !byKey(&conflict, t.m) {
			w.giveUp(upsert)
			return
		}
	}
	for _, t := range w.judged {
		if !p.readConflicts(db, w, t, &conflict) {
			w.giveUp(upsert)
			return
		}
	}
}

// onConflict is what an INSERT does where a row is there already.
type onConflict uint8

const (
	doFail onConflict = iota
	doNothing
	doUpdate
)

// given returns rows with the keys of those values of a create that have one; a value without is a
// new row.
func given(st *gorm.Statement, m model) (rows []any) {
	for _, v := range elements(st.ReflectValue) {
		one := gorm.Statement{DB: st.DB, Schema: st.Schema, Context: st.Context, ReflectValue: v}
		if row, ok := keyRows(&one, m, false); ok {
			rows = append(rows, row[0])
		}
	}
	return rows
}

// leftOut returns the key's columns that Select, Omit or a permission keeps out of a create: what the
// values have there is not what their rows get.
func leftOut(st *gorm.Statement) (columns []string) {
	selected, restricted := st.SelectAndOmitColumns(true, false)
	for _, column := range st.Schema.PrimaryFieldDBNames {
		if on, named := selected[column]; named && !on || !named && restricted {
			columns = append(columns, column)
		}
	}
	return columns
}

// keysReturned reports whether RETURNING brings the key's columns that were left out.
func keysReturned(st *gorm.Statement) bool {
	r, ok := st.Clauses["RETURNING"].Expression.(clause.Returning)
	if !ok || !slices.Contains(st.BuildClauses, "RETURNING") {
		return false
	}
	for _, column := range leftOut(st) {
		if len(r.Columns) > 0 && !slices.ContainsFunc(r.Columns, func(c clause.Column) bool { return c.Name == "*" || c.Name == column }) {
			return false
		}
	}
	return true
}

// asPlanned reports whether the create still does what was planned for, where rows are there already:
// a callback behind the plugin's may have made it an upsert.
func (w *write) asPlanned(m model) bool {
	c, ok := w.stmt.Clauses["ON CONFLICT"]
	if !ok {
		return w.conflict == doFail
	}
	now, ok := c.Expression.(clause.OnConflict)
	switch w.conflict {
	case doNothing:
		return ok && now.DoNothing
	case doUpdate:
		return ok && byKey(&now, m)
	}
	return false
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
// judged: on databases without SQLite's one write lock, a row that was not there may come in between,
// and a key that the database makes may be taken, by a row that was made with its key given.
func (p *plugin) readConflicts(db *gorm.DB, w *write, t *target, c *clause.OnConflict) bool {
	st := db.Statement
	keys := given(st, t.m)
	locks := db.Name() == "sqlite"
	if !locks && len(keys) < valuesIn(st) && t.m.indexed() && mayMove(c, t.m) {
		return false
	}
	if len(keys) == 0 {
		return true
	}
	if err := p.holdWriteLock(db, t.m); err != nil {
		_ = db.AddError(err) // the write itself would have failed so
		return true
	}
	rows, err := p.readRows(db, t.m, 0, w.strength(), nil, keysOf(st, t.m, keys))
	if err != nil {
		readError(db, err)
		return false
	}
	t.old, t.read = rows, true
	return locks || len(rows) >= len(keys)
}

// mayMove reports whether an upsert may change which lists a row of m is on.
func mayMove(c *clause.OnConflict, m model) bool {
	return c.UpdateAll || m.derived() || slices.ContainsFunc(c.DoUpdates, func(a clause.Assignment) bool { return m.touches(a.Column.Name) })
}

// judgeCreate names the lists of the rows that an INSERT has made or changed. They are read back where
// there are lists to name, since the database may have made some of their values.
func (p *plugin) judgeCreate(db *gorm.DB, w *write, t *target, h *harvest) {
	st := db.Statement
	keys, ok := keyRows(st, t.m, false)
	if !ok || !w.asPlanned(t.m) || w.unsent && (w.conflict == doNothing || !keysReturned(st)) || repeated(t.m, keys) {
		if h.over = keyUnknown; w.conflict != doFail || !w.asPlanned(t.m) {
			h.over = upsert
		}
		return
	}
	if !t.m.indexed() {
		for _, row := range keys {
			h.row(row)
		}
		return
	}
	rows, err := p.readRows(db, t.m, 0, noLock, nil, keysOf(st, t.m, keys))
	if err != nil {
		readError(db, err)
		h.over = notRead
		return
	}
	// Counted, since a database may spell a key in its own way. One that is not there was made under
	// another key, or not made.
	if len(rows) < len(keys) {
		if h.over = notFound; w.conflict != doFail {
			h.over = upsert
		}
		return
	}
	old := map[string]any{}
	for _, row := range t.old {
		old[t.m.identity(row)] = row
	}
	for _, row := range rows {
		h.change(old[t.m.identity(row)], row)
	}
}

// repeated reports whether two rows have one key: GORM may give the key of one to the struct of
// another.
func repeated(m model, rows []any) bool {
	if len(rows) < 2 {
		return false
	}
	seen := make(map[string]bool, len(rows))
	for _, row := range rows {
		id := m.identity(row)
		if seen[id] {
			return true
		}
		seen[id] = true
	}
	return false
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
