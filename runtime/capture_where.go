package cacheruntime

import (
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// conditions are what an UPDATE or DELETE finds its rows by, as GORM will put it together.
type conditions struct {
	where  []clause.Expression // what the caller said
	given  bool                // there is a WHERE clause, be it empty
	keys   []clause.Expression // what GORM will add for the keys in Model and Dest
	soft   bool                // GORM leaves soft-deleted rows out
	left   bool                // and has said so in where, for an earlier statement of the chain
	or     bool                // where has an OR at its top
	orLead bool                // and begins with it: GORM may change the order
}

// conditionsOf reads a statement's conditions before GORM's main callback has added its own.
func conditionsOf(st *gorm.Statement, op writeOp) conditions {
	var c conditions
	if w, ok := st.Clauses["WHERE"]; ok {
		c.given = true
		if e, ok := w.Expression.(clause.Where); ok {
			c.where = e.Exprs
		}
	}
	for i, e := range c.where {
		if o, ok := e.(clause.OrConditions); ok && len(o.Exprs) == 1 {
			c.or = true
			c.orLead = c.orLead || i == 0
		}
	}
	if st.Schema == nil {
		return c
	}
	if op == opDelete {
		c.soft = len(st.Schema.DeleteClauses) > 0 && !st.Unscoped
		c.keys = deleteKeys(st)
	} else {
		c.soft = len(st.Schema.UpdateClauses) > 0 && !st.Unscoped
		c.keys = updateKeys(st)
	}
	_, c.left = st.Clauses["soft_delete_enabled"]
	c.soft = c.soft || c.left
	return c
}

// refused repeats GORM's check for a write without conditions, which ends in ErrMissingWhereClause.
// Such a statement is neither read for nor pinned: a pin would pass the check and let it through.
func (c *conditions) refused(db *gorm.DB) bool {
	if db.AllowGlobalUpdate || len(c.keys) > 0 {
		return false
	}
	return !c.given || c.left && len(c.where) < 2 || c.soft && len(c.where) == 0
}

// readable reports whether exprs finds the rows that the statement will find. Beside an OR, GORM
// does not put its own conditions in parentheses, and changes the order where the OR is first.
func (c *conditions) readable() bool { return !c.or || !c.orLead && len(c.keys) == 0 }

// exprs are the conditions for a read, the soft-delete one left out.
func (c *conditions) exprs() []clause.Expression {
	if !c.or {
		return slices.Concat(c.where, c.keys)
	}
	return []clause.Expression{c.group()}
}

// group is the caller's WHERE as one condition. The copy is there because building swaps elements.
func (c *conditions) group() clause.Expression {
	return clause.AndConditions{Exprs: slices.Clone(c.where)}
}

// updateKeys are the conditions that gorm:update adds from the statement's value.
func updateKeys(st *gorm.Statement) (exprs []clause.Expression) {
	if _, ok := st.Clauses["SET"]; ok {
		return nil // the caller has said what to set, and GORM then adds no keys
	}
	switch rv := st.ReflectValue; rv.Kind() {
	case reflect.Struct:
		if rv.Type() != st.Schema.ModelType {
			return nil
		}
		for _, f := range st.Schema.PrimaryFields {
			if v, zero := f.ValueOf(st.Context, rv); !zero {
				exprs = append(exprs, clause.Eq{Column: f.DBName, Value: v})
			}
		}
	case reflect.Slice, reflect.Array:
		if !elementsOf(rv, st.Schema) || rv.Len() == 0 {
			return nil
		}
		// GORM asks the last element only.
		zero := true
		for _, f := range st.Schema.PrimaryFields {
			if _, zero = f.ValueOf(st.Context, rv.Index(rv.Len()-1)); !zero {
				break
			}
		}
		if !zero {
			_, values := schema.GetIdentityFieldValuesMap(st.Context, rv, st.Schema.PrimaryFields)
			column, in := schema.ToQueryValues("", st.Schema.PrimaryFieldDBNames, values)
			exprs = append(exprs, clause.IN{Column: column, Values: in})
		}
	}
	return exprs
}

// deleteKeys are the conditions that gorm:delete adds from Dest and from Model.
func deleteKeys(st *gorm.Statement) (exprs []clause.Expression) {
	add := func(rv reflect.Value) {
		_, values := schema.GetIdentityFieldValuesMap(st.Context, rv, st.Schema.PrimaryFields)
		if column, in := schema.ToQueryValues(st.Table, st.Schema.PrimaryFieldDBNames, values); len(in) > 0 {
			exprs = append(exprs, clause.IN{Column: column, Values: in})
		}
	}
	add(st.ReflectValue)
	if st.ReflectValue.CanAddr() && st.Dest != st.Model && st.Model != nil {
		add(reflect.ValueOf(st.Model))
	}
	return exprs
}

// elementsOf reports whether rv's elements are models of sch, or pointers to them.
func elementsOf(rv reflect.Value, sch *schema.Schema) bool {
	t := rv.Type().Elem()
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t == sch.ModelType
}

// pin is the WHERE of a write that was narrowed to the rows seen, and what it was before.
type pin struct {
	st   *gorm.Statement
	had  bool
	was  clause.Clause
	rest []clause.Expression // the caller's conditions, as they go back
	len  int                 // the conditions in their place
}

// pinTo narrows the write to the rows with the keys seen; none seen is none written. So the rows
// that were judged and those that are written cannot differ: not by a row that comes to match in
// between, nor by a condition that is different each time it is asked.
func (w *write) pinTo(c *conditions, seen clause.Expression) {
	st := w.stmt
	w.pin = &pin{st: st, rest: c.where}
	w.pin.was, w.pin.had = st.Clauses["WHERE"]
	if c.or && c.soft {
		w.pin.rest = []clause.Expression{c.group()} // as GORM would leave it
	}
	exprs := []clause.Expression{seen}
	if c.left {
		exprs = append(exprs, everyRow) // GORM takes one of two for its own, and asks for the other
	}
	w.pin.len = len(exprs)
	st.Clauses["WHERE"] = clause.Clause{Name: "WHERE", Expression: clause.Where{Exprs: exprs}}
}

// unpin gives the statement the WHERE that it would have without the plugin: the caller's, and what
// GORM has added behind the pin.
func (w *write) unpin() {
	if w.pin == nil {
		return
	}
	p := w.pin
	w.pin = nil
	now, ok := p.st.Clauses["WHERE"].Expression.(clause.Where)
	if !ok || len(now.Exprs) < p.len {
		return
	}
	added := now.Exprs[p.len:]
	if !p.had && len(added) == 0 {
		delete(p.st.Clauses, "WHERE")
		return
	}
	p.was.Name = "WHERE"
	p.was.Expression = clause.Where{Exprs: slices.Concat(p.rest, added)}
	p.st.Clauses["WHERE"] = p.was
}

// Conditions that no row fulfils, and every row.
var (
	noRow    = clause.Expr{SQL: "1 = 0"}
	everyRow = clause.Expr{SQL: "1 = 1"}
)

// keysOf is a condition on the primary keys of rows of m, in a statement of its table.
func keysOf(st *gorm.Statement, m model, rows []any) clause.Expression {
	return keysBy(st, m, rows, column)
}

// hereIn is keysOf for a query in another table's statement.
func hereIn(st *gorm.Statement, m model, rows []any) clause.Expression {
	return keysBy(st, m, rows, func(f *schema.Field) clause.Column { return clause.Column{Name: f.DBName} })
}

func keysBy(st *gorm.Statement, m model, rows []any, column func(*schema.Field) clause.Column) clause.Expression {
	if len(rows) == 0 {
		return noRow
	}
	fields := m.gormSchema().PrimaryFields
	value := func(f *schema.Field, row any) any {
		v, _ := f.ValueOf(st.Context, m.structOf(row))
		return v
	}
	if len(fields) == 1 {
		in := clause.IN{Column: column(fields[0])}
		for _, row := range rows {
			in.Values = append(in.Values, value(fields[0], row))
		}
		return in
	}
	each := make([]clause.Expression, len(rows))
	for i, row := range rows {
		var all []clause.Expression
		for _, f := range fields {
			all = append(all, clause.Eq{Column: column(f), Value: value(f, row)})
		}
		each[i] = clause.AndConditions{Exprs: all}
	}
	return anyExpr(each)
}
