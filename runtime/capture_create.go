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
	c, upserts := st.Clauses["ON CONFLICT"]
	if !upserts && slices.ContainsFunc(w.judged, func(t *target) bool { return w.keysLost(t.m, nil) }) {
		w.giveUp(keyUnknown)
		return
	}
	w.unsent = len(leftOut(st)) > 0 && len(given(st, w.judged[0].m)) > 0
	if !upserts {
		return
	}
	conflict, ok := c.Expression.(clause.OnConflict)
	if !ok {
		w.giveUp(upsert)
		return
	}
	p.planUpsert(db, w, &conflict, n)
}

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

// judgeCreate names the lists of the rows that an INSERT has made or changed. They are read back where
// there are lists to name, since the database may have made some of their values.
func (p *plugin) judgeCreate(db *gorm.DB, w *write, t *target, h *harvest) {
	st := db.Statement
	if w.conflict != doFail && db.Name() == "mysql" {
		if !w.asPlanned(t.m) || w.unsent && (w.conflict == doNothing || !keysReturned(st)) {
			h.over = upsert
			return
		}
		p.judgeThere(db, w, t, h)
		return
	}
	keys, ok := keyRows(st, t.m, false)
	if w.conflict == doNothing && w.keyless { // only what was made has a key now
		keys = given(st, t.m)
		ok = len(keys) > 0 && int64(len(keys)) == db.RowsAffected
	}
	if !ok || !w.asPlanned(t.m) || w.unsent && (w.conflict == doNothing || !keysReturned(st)) || repeated(t.m, keys) {
		if h.over = keyUnknown; w.conflict != doFail || !w.asPlanned(t.m) {
			h.over = upsert
		}
		return
	}
	by := keysOf(st, t.m, keys)
	elsewhere := len(w.arbiter) > 0 && !w.keyless // a row that was there has another key than its value
	if elsewhere {
		by = t.landed(st, w.arbiter)
	} else if !t.m.indexed() {
		for _, row := range keys {
			h.row(row)
		}
		return
	}
	rows, err := p.readRows(db, t.m, 0, noLock, nil, by)
	if err != nil {
		readError(db, err)
		h.over = notRead
		return
	}
	// Counted, since a database may spell a key in its own way. One that is not there was made under
	// another key, or not made.
	if len(rows) < len(keys) || elsewhere && len(rows) > len(keys) {
		if h.over = notFound; w.conflict != doFail {
			h.over = upsert
		}
		return
	}
	p.judgeMade(db, w, t, h, rows)
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
