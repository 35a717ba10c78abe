package cacheruntime

import (
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// cascade is what the plugin keeps about a write of a table on which cached ones hang.
type cascade struct {
	unread bool        // the catalog could not be read: everything may hang on it
	tables []*refTable // that the write may write
	sure   bool        // it is one, and which

	planned  effect
	models   []model // whose rows that effect comes to
	asked    bool    // whether foreign keys are enforced
	off      bool    // they are not
	rows     []*hanging
	whole    []model // of which the rows were not followed, for reason
	reason   string
	followed bool // rows and whole have all that the effect planned for comes to
}

// hangs returns what cached tables hang on the table that a statement writes; nil where none does. part is whose
// the tables are.
func (p *plugin) hangs(db *gorm.DB, part partition, op writeOp) *cascade {
	st := db.Statement
	possible := possibleEffect(st, op)
	if possible.none() || len(p.rt.registry.every()) == 0 {
		return nil
	}
	refs, err := p.references(db, part)
	if err != nil {
		return &cascade{unread: true}
	}
	if len(refs.tables) == 0 {
		return nil
	}
	c := &cascade{}
	c.tables, c.sure = refs.writtenBy(st, sqlDialectOf(db.Name()), p.rt.opts.Partition != nil)
	if len(p.rt.hung(c.tables, possible)) == 0 {
		return nil
	}
	return c
}

// possibleEffect is what a statement may do to rows that are there, as far as that is known before the hooks have run.
func possibleEffect(st *gorm.Statement, op writeOp) effect {
	switch op {
	case opUpdate:
		return effect{erased: replaces(st, "UPDATE"), every: true}
	case opDelete:
		return effect{erased: !softly(st)}
	}
	return overwrites(st)
}

// references asks for the references on a write's connection, if they are not known.
func (p *plugin) references(db *gorm.DB, part partition) (*references, error) {
	_, inTx := db.Statement.ConnPool.(gorm.TxCommitter)
	tx := p.txOf(db.Statement.ConnPool)
	schema := writtenName(db.Statement).schema
	keeps := !inTx || tx != nil && !tx.shaped.Load()
	if !keeps || !p.rt.knowsReferences(db, part, schema) {
		if err := p.writeLockBefore(db, tx, inTx); err != nil {
			return nil, err
		}
		p.rt.stats.pluginStatement()
	}
	return p.rt.referencesOf(db, part, schema, keeps)
}

// writeLockBefore is holdWriteLock before the first read of a transaction, on the table that will be written, whatever
// its columns are.
func (p *plugin) writeLockBefore(db *gorm.DB, tx *dbTx, inTx bool) error {
	if db.Name() != "sqlite" || !inTx || tx != nil && tx.writing.Load() || !plainTable(db.Statement) {
		return nil
	}
	own := p.statement(db)
	own.Statement.Table, own.Statement.TableExpr = db.Statement.Table, db.Statement.TableExpr
	clause.Expr{SQL: "DELETE FROM ? WHERE 1 = 0", Vars: []any{clause.Table{Name: clause.CurrentTable}}}.Build(own.Statement)
	err := p.takeWriteLock(own)
	if err == nil && tx != nil {
		tx.writing.Store(true)
	}
	return err
}

// effect is what the write does to rows of its own table.
func (w *write) effect() effect {
	e := effect{}
	switch w.op {
	case opDelete:
		return effect{erased: !softly(w.stmt)}
	case opUpdate:
		set := touchedBy(w.stmt)
		e = effect{erased: replaces(w.stmt, "UPDATE"), every: set.unknown, sets: set.columns}
	default:
		e = overwrites(w.stmt)
	}
	e = e.andMade(w.stmt.Schema)
	for _, t := range w.judged {
		e = e.andMade(t.m.gormSchema())
	}
	for _, m := range w.whole {
		e = e.andMade(m.gormSchema())
	}
	return e
}

// andMade adds the columns that the database makes of others, where columns are set.
func (e effect) andMade(sch *schema.Schema) effect {
	if sch == nil || len(e.sets) == 0 {
		return e
	}
	for _, f := range sch.Fields {
		if f.DBName != "" && madeByDatabase(f) {
			e.sets = union(e.sets, []string{f.DBName})
		}
	}
	return e
}

// overwrites is what a create does to rows that are there.
func overwrites(st *gorm.Statement) (e effect) {
	if replaces(st, "INSERT") {
		return effect{erased: true, every: true}
	}
	on, ok := st.Clauses["ON CONFLICT"]
	if !ok {
		return e
	}
	c, ok := on.Expression.(clause.OnConflict)
	switch {
	case !ok:
		return effect{every: true}
	case c.DoNothing:
		return e
	case c.UpdateAll && st.Schema == nil:
		return effect{every: true}
	case c.UpdateAll:
		for _, f := range st.Schema.FieldsByDBName {
			if !f.PrimaryKey {
				e.sets = append(e.sets, f.DBName)
			}
		}
	}
	var set touched
	for _, a := range c.DoUpdates {
		set.add(st, a.Column)
	}
	e.every, e.sets = set.unknown, union(e.sets, set.columns)
	return e
}

// replaces reports whether a statement deletes the rows that are in the way of those that it writes, as SQLite's OR REPLACE does.
// verb is the clause that says it.
func replaces(st *gorm.Statement, verb string) bool {
	var modifier string
	switch e := st.Clauses[verb].Expression.(type) {
	case clause.Insert:
		modifier = e.Modifier
	case clause.Update:
		modifier = e.Modifier
	}
	return strings.Contains(strings.ToUpper(modifier), "REPLACE")
}

// follows reports whether rows that hang on the write's are to be followed.
func (w *write) follows() bool { return w.cascade != nil && len(w.cascade.models) > 0 }

// foresee finds out which tables the write comes to by way of foreign keys. Of one that no model is cached of, the rows are
// read all the same, where those that hang on them are.
func (p *plugin) foresee(db *gorm.DB, w *write) {
	c := w.cascade
	if c == nil || c.unread || w.op == opCreate {
		return
	}
	c.planned = w.effect()
	c.models = p.comesTo(db, c, c.planned)
	if len(w.judged)+len(w.whole) == 0 && w.follows() && c.sure {
		if m := bareOf(w.stmt); m != nil {
			w.judged = []*target{{m: m}}
		}
	}
}

// comesTo returns the models whose rows an effect comes to, as far as foreign keys are enforced.
func (p *plugin) comesTo(db *gorm.DB, c *cascade, e effect) []model {
	models := p.rt.hung(c.tables, e)
	if len(models) > 0 && !c.asked {
		c.asked, c.off = true, !p.enforced(db)
	}
	if c.off {
		return nil
	}
	return models
}

// cascaded returns the lists that have fallen by way of foreign keys. judged says that the write is what it was
// planned to be.
func (p *plugin) cascaded(db *gorm.DB, w *write, judged bool) (falls []fall) {
	c := w.cascade
	switch {
	case c == nil:
		return nil
	case c.unread:
		if w.op == opUpdate || w.op == opDelete || !w.effect().none() {
			return allFor(notReadKeys, p.rt.registry.every(), w.part, nil)
		}
		return nil
	}
	now := w.effect()
	if judged && c.followed && c.planned.covers(now) {
		for _, h := range c.rows {
			if !slices.Contains(c.whole, h.m) {
				falls = append(falls, p.judgeHanging(db, w, h)...)
			}
		}
		return append(falls, allFor(c.reason, c.whole, w.part, nil)...)
	}
	return allFor(byReference, p.comesTo(db, c, now.with(c.planned)), w.part, nil)
}
