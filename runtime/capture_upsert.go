package cacheruntime

import (
	"database/sql/driver"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// Upserts make rows and change others in one statement. Those that are there are read before it, by what
// makes the conflict, under a lock. Of each row that was not there then, it must be proven that the
// statement has made it: another program may have made it in between, and then nobody knows
// which lists it was on.

// onConflict is what an INSERT does where a row is there already.
type onConflict uint8

const (
	doFail onConflict = iota
	doNothing
	doUpdate
)

// planUpsert prepares for an INSERT of n values with ON CONFLICT.
func (p *plugin) planUpsert(db *gorm.DB, w *write, c *clause.OnConflict, n int) {
	m := w.judged[0].m
	keyed := len(given(db.Statement, m))
	w.keyless = keyed == 0
	mysql := db.Name() == "mysql"
	if c.DoNothing {
		w.conflict = doNothing
		switch {
		case !mysql && w.keysLost(m, nil):
			w.giveUp(upsert)
		case !w.keyless && keyed != n: // GORM gives one row's new key to another's struct
			w.giveUp(upsert)
		case mysql:
			p.planThere(db, w, c, n)
		case keyed > 1:
			p.readThere(db, w)
		}
		return
	}
	w.conflict = doUpdate
	for _, t := range w.judged {
		arbiter, ok := arbiterOf(c, t.m, mysql)
		if !ok || w.makesKey(t.m) || !mysql && w.keysLost(t.m, arbiter) || !mysql && len(arbiter) > 0 && t != w.judged[0] {
			w.giveUp(upsert)
			return
		}
		w.arbiter = arbiter
		w.moves = w.moves || w.mayMove(c, t.m)
	}
	if mysql {
		p.planThere(db, w, c, n)
		return
	}
	for _, t := range w.judged {
		p.readConflicts(db, w, t, n)
	}
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
		return ok && (now.DoNothing || leaves(now.DoUpdates))
	case doUpdate:
		arbiter, same := arbiterOf(&now, m, w.stmt.Name() == "mysql")
		return ok && same && slices.Equal(arbiter, w.arbiter) && (w.moves || !w.mayMove(&now, m))
	}
	return false
}

// arbiterOf returns the columns by which an upsert finds the rows that it changes: nil for m's primary key.
// ok is false where that cannot be told, or where it changes the key. MySQL takes any unique key, whatever c says.
func arbiterOf(c *clause.OnConflict, m model, mysql bool) (columns []string, ok bool) {
	keys := m.gormSchema().PrimaryFieldDBNames
	if mysql {
		c = &clause.OnConflict{UpdateAll: true, DoUpdates: c.DoUpdates}
	}
	if c.OnConstraint != "" || len(c.TargetWhere.Exprs) > 0 || len(c.Columns) == 0 && !c.UpdateAll {
		return nil, false
	}
	for _, a := range c.DoUpdates {
		if leaves([]clause.Assignment{a}) {
			continue
		}
		if a.Column.Raw || a.Column.Name == clause.PrimaryKey || slices.Contains(keys, a.Column.Name) {
			return nil, false
		}
	}
	for _, column := range c.Columns {
		if column.Raw || m.gormSchema().FieldsByDBName[column.Name] == nil {
			return nil, false
		}
		columns = append(columns, column.Name)
	}
	if len(columns) == 0 || len(columns) == len(keys) && !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(keys, c) }) {
		return nil, true
	}
	return columns, true
}

// leaves reports whether assignments set columns to what they are, as MySQL's dialect does for DO NOTHING, and id = LAST_INSERT_ID(id), by
// which MySQL returns the key of a row that was there.
func leaves(set []clause.Assignment) bool {
	for _, a := range set {
		same := false
		switch v := a.Value.(type) {
		case clause.Column:
			same = v == a.Column
		case clause.Expr:
			same = len(v.Vars) == 0 && strings.EqualFold(strings.ReplaceAll(v.SQL, "`", ""), "LAST_INSERT_ID("+a.Column.Name+")")
		}
		if !same || a.Column.Raw {
			return false
		}
	}
	return len(set) > 0
}

// mayMove reports whether an upsert may change which lists a row of m is on.
func (w *write) mayMove(c *clause.OnConflict, m model) bool {
	return c.UpdateAll || w.derived(m) || slices.ContainsFunc(c.DoUpdates, func(a clause.Assignment) bool { return m.touches(a.Column.Name) })
}

// readThere reads the rows that DO NOTHING will leave as they are, which keeps them from being deleted and
// made anew.
func (p *plugin) readThere(db *gorm.DB, w *write) {
	for _, t := range w.judged {
		if t.m.indexed() && !p.readBefore(db, w, t, lockKeep, keysOf(db.Statement, t.m, given(db.Statement, t.m))) {
			return
		}
	}
}

// readConflicts reads the rows that an upsert of n values may change.
func (p *plugin) readConflicts(db *gorm.DB, w *write, t *target, n int) {
	if !t.m.indexed() { // the rows' own lists are enough
		return
	}
	keys := given(db.Statement, t.m)
	t.sent = map[string]bool{}
	for _, row := range keys {
		t.sent[t.m.identity(row)] = true
	}
	t.last = db.Name() == "sqlite" && len(keys) < n
	if by := t.conflicting(db.Statement, w.arbiter, keys, t.last); by != nil {
		p.readBefore(db, w, t, w.strength(), by)
	}
}

// readBefore reads rows under a lock before an upsert. It returns false where there is nothing more to plan.
func (p *plugin) readBefore(db *gorm.DB, w *write, t *target, l lock, by clause.Expression) bool {
	if err := p.holdWriteLock(db, t.m); err != nil {
		_ = db.AddError(err) // the write itself would have failed so
		return false
	}
	rows, err := p.readRows(db, t.m, 0, l, nil, by)
	if err != nil {
		if !readError(db, err) {
			w.giveUp(notRead)
		}
		return false
	}
	t.old, t.read = rows, true
	return true
}

// conflicting finds the rows with these keys, and those with the values of an upsert in the conflict's columns; where last, also the
// row with the greatest key, after which SQLite counts on. It is nil where there is nothing to find.
func (t *target) conflicting(st *gorm.Statement, columns []string, keys []any, last bool) clause.Expression {
	var each []clause.Expression
	if len(keys) > 0 {
		each = append(each, keysOf(st, t.m, keys))
	}
	for _, v := range elements(st.ReflectValue) {
		if at := t.at(st, columns, v); at != nil {
			each = append(each, at)
		}
	}
	if f := counted(t.m); last && f != nil && len(columns) > 0 {
		each = append(each, clause.Expr{SQL: "? = (SELECT max(?) FROM ?)", Vars: []any{column(f), clause.Column{Name: f.DBName}, clause.Table{Name: clause.CurrentTable}}})
	}
	if len(each) == 0 {
		return nil
	}
	return anyExpr(each)
}

// landed finds the rows that an upsert has made or changed, whose columns of the conflict are not the primary key: by these, or by the key where
// they are NULL, or not known. What a value has for a key may be another row's, which the upsert leaves alone.
func (t *target) landed(st *gorm.Statement, columns []string) clause.Expression {
	var each []clause.Expression
	for _, v := range elements(st.ReflectValue) {
		at := t.at(st, columns, v)
		if at == nil {
			one := gorm.Statement{DB: st.DB, Schema: st.Schema, Context: st.Context, ReflectValue: v}
			at = keysOf(st, t.m, given(&one, t.m))
		}
		each = append(each, at)
	}
	return anyExpr(each)
}

// at is a condition on the columns of a conflict: that they are what a value has. It is nil where that conflicts with nothing, or where the
// database makes it.
func (t *target) at(st *gorm.Statement, columns []string, v reflect.Value) clause.Expression {
	var all []clause.Expression
	for _, name := range columns {
		f := st.Schema.FieldsByDBName[name]
		if f == nil { // the database makes its value
			return nil
		}
		value, zero := f.ValueOf(st.Context, v)
		if isNull(value) || zero && f.HasDefaultValue && f.DefaultValueInterface == nil {
			return nil
		}
		all = append(all, clause.Eq{Column: column(t.m.gormSchema().FieldsByDBName[name]), Value: value})
	}
	if len(all) == 0 {
		return nil
	}
	return clause.AndConditions{Exprs: all}
}

// isNull reports whether the database gets NULL for a value: in a unique key that is like nothing, and Eq would find every row that has it. (Where
// PostgreSQL's NULLS NOT DISTINCT has it otherwise, a row that was there shows afterwards.)
func isNull(v any) bool {
	rv := reflect.ValueOf(v)
	if !rv.IsValid() || rv.Kind() == reflect.Pointer && rv.IsNil() {
		return true
	}
	if valuer, ok := v.(driver.Valuer); ok {
		value, err := valuer.Value()
		return err == nil && value == nil
	}
	return false
}

// counted returns the primary key that the database counts up; nil where it does not.
func counted(m model) *schema.Field {
	f := m.gormSchema().PrioritizedPrimaryField
	if f == nil || len(m.gormSchema().PrimaryFields) > 1 || !f.AutoIncrement || f.GORMDataType != schema.Int && f.GORMDataType != schema.Uint {
		return nil
	}
	return f
}

// judgeMade names the lists of the rows that a create has left, which are read after it.
func (p *plugin) judgeMade(db *gorm.DB, w *write, t *target, h *harvest, rows []any) {
	old := map[string]any{}
	for _, row := range t.old {
		old[t.m.identity(row)] = row
	}
	var unknown []any
	for _, row := range rows {
		if old[t.m.identity(row)] == nil {
			unknown = append(unknown, row)
		}
	}
	if w.conflict == doUpdate && w.moves && t.m.indexed() && len(unknown) > 0 && !p.made(db, w, t, unknown) {
		h.over = upsert
		return
	}
	for _, row := range rows {
		was := old[t.m.identity(row)]
		if was == nil || w.conflict != doNothing { // which leaves what was there as it was
			h.change(was, row)
		}
	}
}

// made reports whether it is certain that rows, which were not found before an upsert, were made by it.
func (p *plugin) made(db *gorm.DB, w *write, t *target, rows []any) bool {
	switch db.Name() {
	case "sqlite": // its one write lock was held since the rows were read
		return len(w.arbiter) == 0 || t.after(db.Statement, rows)
	case "postgres":
		return p.madeHere(db, t.m, rows)
	}
	return false
}

// after reports whether all rows have keys that were sent, of which none was there before, or keys that are greater than those of the
// rows read before, where one of them is the greatest: an index whose collation is not its column's may have found
// another conflict than the read.
func (t *target) after(st *gorm.Statement, rows []any) bool {
	f := counted(t.m)
	key := func(row any) uint64 {
		v, _ := f.ValueOf(st.Context, t.m.structOf(row))
		if rv := reflect.ValueOf(v); rv.CanInt() {
			return uint64(max(rv.Int(), 0))
		} else if rv.CanUint() {
			return rv.Uint()
		}
		return 0
	}
	var last uint64
	for _, row := range t.old {
		if f != nil {
			last = max(last, key(row))
		}
	}
	return !slices.ContainsFunc(rows, func(row any) bool { return !t.sent[t.m.identity(row)] && (f == nil || !t.last || key(row) <= last) })
}

// PostgreSQL's ON CONFLICT DO UPDATE locks a row before it changes it, and notes the lock in the row; the new version
// of the row has the note still. A row that an INSERT has just made has none. So it is with its own kind of
// table; where it is another's (or, before version 12, where that cannot be told), nothing is proven. A note
// for another reason, as by a row that refers to itself, proves nothing either, and flushes more.
const noted = "NOT (? = 0 AND EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am m ON m.oid = c.relam WHERE c.oid = ? AND m.amname = 'heap'))"

// madeHere asks PostgreSQL whether the statement just sent has made rows. It asks in a savepoint: other servers
// that speak PostgreSQL's protocol do not know the columns, nor does a view.
func (p *plugin) madeHere(db *gorm.DB, m model, rows []any) bool {
	tx := p.statement(db)
	st := tx.Statement
	st.Model = reflect.New(m.gormSchema().ModelType).Interface()
	if err := st.Parse(st.Model); err != nil {
		return false
	}
	sameTable(st, db.Statement)
	of := func(name string) clause.Column { return clause.Column{Table: clause.CurrentTable, Name: name} }
	st.AddClause(clause.Select{Expression: clause.Expr{SQL: "count(*)"}})
	st.AddClause(clause.From{})
	st.AddClause(clause.Where{Exprs: []clause.Expression{
		keysOf(st, m, rows), clause.Expr{SQL: noted, Vars: []any{of("xmax"), of("tableoid")}},
	}})
	st.Build("SELECT", "FROM", "WHERE")
	others := int64(-1)
	ask := asker{db}
	err := ask.apart(st.Context, func() error {
		return ask.ask(st.Context, st.SQL.String(), st.Vars, func(scan func(...any) error) error { return scan(&others) })
	})
	return err == nil && others == 0
}
