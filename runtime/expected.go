package cacheruntime

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
	gormcallbacks "gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
)

// loadKey is where a statement of a Cache's has its expectation.
const loadKey = "cachegen:load"

// expectation is what a load's statement must be for its result to be stored: made of the accessor's
// definition and the call's arguments alone. It is compared with what GORM has built behind all callbacks,
// text and bound values, since two tenants may have the same text.
type expectation struct {
	stmt  *gorm.Statement
	dest  any
	pool  gorm.ConnPool
	probe bool // it is not sent
	set   bool // the fields around are
	sql   string
	vars  []any
	err   error // they could not be built

	judged  bool   // GORM has built the statement
	problem string // how it differs
}

// expect notes what a load's statement must be, just before it is run. It returns nil for a read that is
// not stored.
func (c *call) expect(q *gorm.DB, dest any, counts bool) *expectation {
	if c.load == nil {
		return nil
	}
	v, ok := q.Statement.Settings.Load(loadKey)
	if !ok {
		return nil
	}
	x := v.(*expectation)
	x.dest, x.pool, x.probe, x.set = dest, q.Statement.ConnPool, c.load.probe, true
	if !c.rt.guards.trusted {
		x.sql, x.vars, x.err = build(q, dest, counts)
	}
	c.load.last = x
	return x
}

// build makes the statement that GORM would make of q, if nothing but q's own clauses and the model's fields
// had a say: no callback runs, the context is empty, and of the clause builders only the dialect's two for
// reads are there. What a field's QueryClauses or a builder add by what they find in the context is
// then missing, and shows as a difference.
func build(q *gorm.DB, dest any, counts bool) (sql string, vars []any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	config := *q.Config
	config.ClauseBuilders = map[string]clause.ClauseBuilder{}
	for _, name := range []string{"LIMIT", "FOR"} {
		if b, ok := q.ClauseBuilders[name]; ok {
			config.ClauseBuilders[name] = b
		}
	}
	tx := &gorm.DB{Config: &config}
	from := q.Statement
	st := &gorm.Statement{
		DB: tx, Context: context.Background(), Clauses: maps.Clone(from.Clauses), Selects: from.Selects,
		Model: from.Model, Dest: dest, BuildClauses: q.Callback().Query().Clauses,
		SkipHooks: true, Vars: make([]any, 0, 8),
	}
	tx.Statement = st
	if counts { // as Count does
		st.AddClause(clause.Select{Expression: clause.Expr{SQL: "count(*)"}})
	}
	if st.Model == nil {
		st.Model = dest
	}
	if err := st.Parse(st.Model); err != nil {
		return "", nil, err
	}
	st.ReflectValue = reflect.ValueOf(dest).Elem()
	gormcallbacks.BuildQuerySQL(tx)
	return st.SQL.String(), st.Vars, tx.Error
}

// loaded runs just after gorm:query. It compares the statement of a load with what is expected of it.
func (p *plugin) loaded(db *gorm.DB) {
	v, ok := db.Statement.Settings.Load(loadKey)
	if !ok {
		return
	}
	x, ok := v.(*expectation)
	if !ok || x.stmt != db.Statement {
		return // copied with the settings of another statement, as for Preload
	}
	// The model's hooks run when rows are handed out. Only now, so that the callbacks before found
	// a statement like the application's own.
	db.Statement.SkipHooks = true
	// No text: a callback before it has ended the statement, with an error or by itself.
	if x.set && db.Statement.SQL.Len() > 0 {
		x.judged = true
		x.problem = p.differs(x, db)
	}
}

// differs says how a statement differs from the expected one; "" where it does not.
func (p *plugin) differs(x *expectation, db *gorm.DB) (problem string) {
	defer func() {
		if r := recover(); r != nil { // values that cannot be compared
			problem = fmt.Sprintf("its statement could not be compared with the expected one: %v", r)
		}
	}()
	st := db.Statement
	if _, inTx := st.ConnPool.(gorm.TxCommitter); inTx && st.ConnPool != x.pool {
		return "a callback puts it into a transaction (Options.TxFromContext is for that)"
	}
	if _, primary := st.Settings.Load(resolverWrite); !primary { // no Partition makes a replica current
		return "a callback sends it to a replica"
	}
	if p.rt.guards.trusted {
		return ""
	}
	_, resolved := st.Clauses["gorm:db_resolver:using"]
	switch {
	case x.err != nil:
		return fmt.Sprintf("its statement cannot be built without a context: %v", x.err)
	case resolved, st.ConnPool != x.pool && p.poolOf(st.ConnPool) == nil:
		return "a callback sends it to another database"
	case db.DryRun && !x.probe:
		return "a callback keeps it from being sent"
	case st.Dest != x.dest:
		return "a callback has its rows read into another value"
	}
	sql := st.SQL.String()
	if sql != x.sql && sqltext.WithoutComments(sql) != sqltext.WithoutComments(x.sql) {
		return fmt.Sprintf("the application adds something to its statement\nit is     %s\nits tag:  %s", sql, x.sql)
	}
	if !sameVars(st.Vars, x.vars) {
		return "the application changes the values bound to its statement\nit is     " + sql
	}
	return ""
}

// sameVars reports whether two statements are bound to the same values.
func sameVars(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameVar(a[i], b[i]) {
			return false
		}
	}
	return true
}

func sameVar(a, b any) bool {
	if f, ok := a.(float64); ok { // NaN is not equal to itself
		g, ok := b.(float64)
		return ok && math.Float64bits(f) == math.Float64bits(g)
	}
	return reflect.DeepEqual(a, b)
}
