package cacheruntime

import (
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// planChange prepares for an UPDATE or DELETE. Of rows whose keys are known, and whose lists cannot
// change, only their own lists fall, and nothing is read. Otherwise the rows are read under a lock,
// and the write is pinned to them.
func (p *plugin) planChange(db *gorm.DB, w *write) {
	st := db.Statement
	c := conditionsOf(st, w.op)
	if c.refused(db) {
		// GORM refuses it, unless a callback behind this one adds a condition.
		w.giveUp(noCondition)
		return
	}
	var set touched
	if w.op == opUpdate {
		set = touchedBy(st)
	}
	seen := clause.Expression(nil)
	for _, t := range w.judged {
		if w.op == opUpdate && w.rekeys(&set, t.m) || w.op == opDelete && softly(st) && w.makesKey(t.m) {
			// The new row could not be found again.
			w.giveUp(keyChanged)
			return
		}
		if !w.follows() && !c.or && len(c.keys) > 0 && (w.op == opDelete && !t.m.indexed() || w.op == opUpdate && !w.moving(&set, t.m)) {
			if keys, ok := keyRows(st, t.m, true); ok && len(keys) <= p.rt.opts.BulkRows {
				t.keys = keys
				continue
			}
		}
		if !c.readable() || !sameKeys(st, t.m) || w.op == opUpdate && set.unknown {
			w.giveUp(w.beyond(&set, t.m, otherSQL))
			return
		}
		if !p.readOld(db, w, t, &c, &seen) {
			return
		}
	}
	if seen != nil {
		w.pinTo(&c, seen)
		p.follow(db, w, w.judged[0])
	}
}

// readOld reads the rows that the write will find into t, and into seen a condition on their keys. It
// returns false where there is nothing more to plan.
func (p *plugin) readOld(db *gorm.DB, w *write, t *target, c *conditions, seen *clause.Expression) bool {
	if err := p.holdWriteLock(db, t.m); err != nil {
		_ = db.AddError(err) // the write itself would have failed so
		return false
	}
	exprs := c.exprs()
	var scopes []clause.Interface
	if *seen != nil {
		exprs = []clause.Expression{*seen} // another model on the table has found them
	} else if c.soft {
		scopes = softScopes(w.stmt, w.op)
	}
	rows, err := p.readRows(db, t.m, p.rt.opts.BulkRows+1, w.strength(), scopes, exprs...)
	w.held = w.held || len(rows) > 0
	switch {
	case err != nil && readError(db, err):
		return false
	case err != nil, len(rows) > p.rt.opts.BulkRows:
		reason := overRows
		if err != nil {
			reason = notRead
		}
		w.giveUp(reason)
		*seen = nil
		return false
	}
	t.old, t.read = rows, true
	if *seen == nil {
		*seen = keysOf(w.stmt, t.m, rows)
	}
	return true
}

// judgeChange names the lists of the rows that an UPDATE or DELETE has changed.
func (p *plugin) judgeChange(db *gorm.DB, w *write, t *target, h *harvest) {
	st := db.Statement
	if w.op == opUpdate {
		// A callback that ran after ours may have set more.
		if set := touchedBy(st); w.rekeys(&set, t.m) || set.unknown || !t.read && w.moving(&set, t.m) {
			h.over = w.beyond(&set, t.m, byCallback)
			return
		}
	}
	if !t.read {
		for _, row := range t.keys {
			h.row(row)
		}
		return
	}
	now := map[string]any{}
	// Where fewer rows were deleted than were seen, a rule or a trigger has done something else.
	if w.op == opUpdate || softly(st) || db.RowsAffected != int64(len(t.old)) {
		rows, err := p.readRows(db, t.m, 0, noLock, nil, keysOf(st, t.m, t.old))
		if err != nil {
			readError(db, err)
			h.over = notRead
			return
		}
		for _, row := range rows {
			now[t.m.identity(row)] = row
		}
	}
	for _, old := range t.old {
		h.change(old, now[t.m.identity(old)])
	}
	if w.op == opUpdate && len(now) < len(t.old) && w.remakes() { // a trigger may have given a row another key
		h.over = keyChanged
	}
}

// keyRows returns a row of m, with its key alone, for each value that the statement was given. ok is
// false where one has no key. complete asks for every column of it; else, in a composite key,
// one that is not zero is enough.
func keyRows(st *gorm.Statement, m model, complete bool) (rows []any, ok bool) {
	if st.Schema == nil {
		return nil, false
	}
	add := func(v reflect.Value) bool {
		zeros := 0
		row, ok, err := m.keyRow(st.Context, func(column string) (any, bool) {
			f := st.Schema.FieldsByDBName[column]
			if f == nil {
				return nil, false
			}
			value, zero := f.ValueOf(st.Context, v)
			if zero {
				zeros++
			}
			return value, !zero || !complete
		})
		if err != nil || !ok || zeros == len(m.gormSchema().PrimaryFields) {
			return false
		}
		rows = append(rows, row)
		return true
	}
	switch rv := st.ReflectValue; rv.Kind() {
	case reflect.Struct:
		return rows, rv.Type() == st.Schema.ModelType && add(rv)
	case reflect.Slice, reflect.Array:
		if !elementsOf(rv, st.Schema) {
			return nil, false
		}
		for i := range rv.Len() {
			if v := reflect.Indirect(rv.Index(i)); !v.IsValid() || !add(v) {
				return nil, false
			}
		}
		return rows, rv.Len() > 0
	}
	return nil, false
}

// sameKeys reports whether the statement's own struct, where it has one, takes the same columns for
// the primary key as m does: conditions on "the primary key" are resolved by m in a read.
func sameKeys(st *gorm.Statement, m model) bool {
	if st.Schema == nil || st.Schema.ModelType == m.gormSchema().ModelType {
		return true
	}
	a, b := st.Schema.PrioritizedPrimaryField, m.gormSchema().PrioritizedPrimaryField
	return a == nil || b != nil && a.DBName == b.DBName
}
