package cacheruntime

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"
)

// maxKeys is the most keys that one statement asks for: SQL Server takes 2100 parameters, SQLite and
// PostgreSQL more.
const maxKeys = 2000

// statement begins a query of the call's own: on its transaction, or on the database.
//
// A Cache's statements go to the primary database. Its loads run no hooks, since entries hold the row as the database gave
// it; plugin.loaded sees to that.
func (c *call) statement(ctx context.Context) *gorm.DB {
	db, session := c.rt.db, &gorm.Session{NewDB: true, Context: ctx}
	if c.tx != nil {
		db = c.tx
	}
	if c.load != nil && c.load.probe {
		session.DryRun, session.Logger = true, logger.Discard
	} else {
		c.counted(ctx)
	}
	if c.database {
		session.SkipHooks = len(c.with) > 0 // afterFind runs them, when what comes with the rows is there
	}
	q := db.Session(session)
	if c.cached { // also where it bypasses the cache, which must not make it older
		q = onPrimary(q)
	}
	if c.database {
		return q
	}
	return q.Set(loadKey, &expectation{stmt: q.Statement})
}

// counted counts a statement of an accessor.
func (c *call) counted(ctx context.Context) {
	if c.sampling {
		c.rt.stats.sampleStatements.Add(1)
	} else if c.cached {
		c.rt.stats.cacheStatements.Add(1)
	} else {
		c.rt.stats.objectStatements.Add(1)
	}
	if t := optionsOf(ctx).trace; t != nil {
		t.statement()
	}
}

// column is a column of the statement's own table.
func column(f *schema.Field) clause.Column {
	return clause.Column{Table: clause.CurrentTable, Name: f.DBName}
}

// equal compares a column with an argument; NULL is compared by IS NULL.
func equal(f *schema.Field, a Arg) clause.Expression {
	return clause.Eq{Column: column(f), Value: a.sqlValue()}
}

// equalAll compares columns with arguments.
func equalAll(fs []*schema.Field, args []Arg) clause.Expression {
	exprs := make([]clause.Expression, len(fs))
	for i, f := range fs {
		exprs[i] = equal(f, args[i])
	}
	return clause.And(exprs...)
}

// anyOf compares columns with several rows of arguments. Composite keys are spelled out, since SQLite
// has no list of row values.
func anyOf(fs []*schema.Field, rows [][]Arg) clause.Expression {
	if len(fs) == 1 {
		in := clause.IN{Column: column(fs[0])}
		null := false
		for _, args := range rows {
			if v := args[0].sqlValue(); v != nil {
				in.Values = append(in.Values, v)
			} else {
				null = true // which IN does not find
			}
		}
		switch isNull := equal(fs[0], Arg{}); {
		case !null:
			return in
		case len(in.Values) == 0:
			return isNull
		default:
			return either{in, isNull}
		}
	}
	each := make([]clause.Expression, len(rows))
	for i, args := range rows {
		each[i] = equalAll(fs, args)
	}
	return anyExpr(each)
}

// anyExpr is the OR of conditions, at least one. It is halved again and again, since SQLite's expressions
// may not be deeper than 1000.
func anyExpr(exprs []clause.Expression) clause.Expression {
	if len(exprs) == 1 {
		return exprs[0]
	}
	return either{anyExpr(exprs[:len(exprs)/2]), anyExpr(exprs[len(exprs)/2:])}
}

// either is (left OR right). clause.Or stands for the OR before a condition, not around it.
type either struct{ left, right clause.Expression }

// Build writes the condition.
func (e either) Build(builder clause.Builder) {
	_ = builder.WriteByte('(')
	e.left.Build(builder)
	_, _ = builder.WriteString(" OR ")
	e.right.Build(builder)
	_ = builder.WriteByte(')')
}

// condition is a term of a where setting.
func (t Term) condition(f *schema.Field) clause.Expression {
	col := column(f)
	switch t.Op {
	case "=":
		return clause.Eq{Column: col, Value: t.Values[0]}
	case "!=":
		return clause.Neq{Column: col, Value: t.Values[0]}
	case "<":
		return clause.Lt{Column: col, Value: t.Values[0]}
	case "<=":
		return clause.Lte{Column: col, Value: t.Values[0]}
	case ">":
		return clause.Gt{Column: col, Value: t.Values[0]}
	case ">=":
		return clause.Gte{Column: col, Value: t.Values[0]}
	case "IN":
		return clause.IN{Column: col, Values: t.Values}
	case "IS NULL":
		return clause.Eq{Column: col, Value: nil}
	default: // IS NOT NULL; Register lets nothing else through
		return clause.Neq{Column: col, Value: nil}
	}
}
