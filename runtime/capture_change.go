package cacheruntime

import (
	"context"
	"errors"
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
		w.judged = nil // GORM refuses it
		return
	}
	var set touched
	if w.op == opUpdate {
		set = touchedBy(st)
	}
	seen := clause.Expression(nil)
	for _, t := range w.judged {
		if !c.or && len(c.keys) > 0 && (w.op == opDelete && !t.m.indexed() || w.op == opUpdate && !set.any(t.m) && !set.key(t.m)) {
			if keys, ok := keyRows(st, t.m, true); ok && len(keys) <= p.rt.opts.BulkRows {
				t.keys = keys
				continue
			}
		}
		if !c.readable() || !sameKeys(st, t.m) || w.op == opUpdate && (set.unknown || set.key(t.m)) {
			// With a key that may change, the new row could not be found again.
			w.giveUp()
			return
		}
		if !p.readOld(db, w, t, &c, &seen) {
			return
		}
	}
	if seen != nil {
		w.pinTo(&c, seen)
	}
}

// readOld reads the rows that the write will find into t, and into seen a condition on their keys. It
// returns false where there is nothing more to plan.
func (p *plugin) readOld(db *gorm.DB, w *write, t *target, c *conditions, seen *clause.Expression) bool {
	if err := p.holdWriteLock(db, t.m); err != nil {
		_ = db.AddError(err) // the write itself would have failed so
		return false
	}
	tx := p.session(db)
	exprs := c.exprs()
	if *seen != nil {
		exprs = []clause.Expression{*seen} // another model on the table has found them
	} else if c.soft {
		for _, q := range w.stmt.Schema.QueryClauses {
			tx = tx.Clauses(q)
		}
	}
	rows, err := p.readRows(tx, t.m, p.rt.opts.BulkRows+1, true, exprs...)
	switch {
	case err != nil && fromDatabase(err):
		_ = db.AddError(err) // PostgreSQL's transaction is lost with it, and this error says why
		return false
	case err != nil, len(rows) > p.rt.opts.BulkRows:
		w.giveUp()
		*seen = nil
		return false
	}
	t.old, t.read = rows, true
	if *seen == nil {
		*seen = keysOf(w.stmt, t.m, rows)
	}
	return true
}

// fromDatabase reports whether the error of a read is the server's answer, after which the
// transaction may be of no use, or the context's.
func fromDatabase(err error) bool {
	var state interface{ SQLState() string }
	return errors.As(err, &state) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// judgeChange names the lists of the rows that an UPDATE or DELETE has changed.
func (p *plugin) judgeChange(db *gorm.DB, w *write, t *target, h *harvest) {
	st := db.Statement
	if !t.read {
		// A callback that ran after ours may have set more.
		if w.op == opUpdate {
			if set := touchedBy(st); set.any(t.m) || set.key(t.m) {
				h.over = true
				return
			}
		}
		for _, row := range t.keys {
			h.row(row)
		}
		return
	}
	now := map[string]any{}
	if w.op == opUpdate || st.Schema != nil && len(st.Schema.DeleteClauses) > 0 && !st.Unscoped {
		rows, err := p.readRows(p.session(db), t.m, 0, false, keysOf(st, t.m, t.old))
		if err != nil {
			h.over = true
			return
		}
		for _, row := range rows {
			now[t.m.identity(row)] = row
		}
	}
	for _, old := range t.old {
		h.change(old, now[t.m.identity(old)])
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
