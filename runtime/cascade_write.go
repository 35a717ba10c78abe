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

// hangs returns what cached tables hang on those that an operation writes, which may do e to rows that are there; nil where
// none does.
func (p *plugin) hangs(f *facts, op writeOp, e effect) *cascade {
	if f.unread {
		return &cascade{unread: true}
	}
	if len(f.tables) == 0 || len(p.rt.hung(f.tables, f.does(op, e))) == 0 {
		return nil
	}
	return &cascade{tables: f.tables, sure: f.sure && !f.mute()}
}

// possibleEffect is what a statement may do to rows that are there, as far as that is known before the hooks have run.
func possibleEffect(st *gorm.Statement, op writeOp) effect {
	switch op {
	case opUpdate:
		return effect{erased: modifies(st, "UPDATE", "REPLACE"), every: true}
	case opDelete:
		return effect{erased: !softly(st), every: softly(st)}
	}
	return overwrites(st)
}

// references asks for the references on a write's connection, if they are not known.
func (p *plugin) references(db *gorm.DB, part partition) (*references, error) {
	_, inTx := db.Statement.ConnPool.(gorm.TxCommitter)
	tx := p.txOf(db.Statement.ConnPool)
	schema := writtenName(db.Statement).Schema
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
		if !softly(w.stmt) {
			return effect{erased: true}
		}
		e = effect{sets: deletes(w.stmt)}
	case opUpdate:
		set := touchedBy(w.stmt)
		e = effect{erased: modifies(w.stmt, "UPDATE", "REPLACE"), every: set.unknown, sets: set.columns}
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
	return w.facts.does(w.op, e)
}

// deletes are the columns that say of a row that it is soft-deleted, and whatever else the type of one has set by now.
func deletes(st *gorm.Statement) (columns []string) {
	for _, f := range st.Schema.Fields {
		if f.DBName != "" && isSoftDelete(f) {
			columns = append(columns, f.DBName)
		}
	}
	if set, ok := st.Clauses["SET"].Expression.(clause.Set); ok {
		var t touched
		for _, a := range set {
			t.add(st, a.Column)
		}
		columns = union(columns, t.columns)
	}
	return columns
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
	if modifies(st, "INSERT", "REPLACE") {
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

// modifies reports whether a statement has a modifier: SQLite's OR REPLACE, say, deletes the rows that are in the way of those that
// it writes. verb is the clause that says it.
func modifies(st *gorm.Statement, verb, modifier string) bool {
	var has string
	switch e := st.Clauses[verb].Expression.(type) {
	case clause.Insert:
		has = e.Modifier
	case clause.Update:
		has = e.Modifier
	}
	return strings.Contains(strings.ToUpper(has), modifier)
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
		return allFor(notReadKeys, p.rt.registry.every(), w.part, nil)
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
