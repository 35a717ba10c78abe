package cacheruntime

import (
	"slices"

	"gorm.io/gorm"
)

// facts are what the database's catalog says of the tables that a statement may write, and that the statement does not say:
// which columns are set when others are, which rows are deleted to make room. They are asked for together with the
// foreign keys, and remembered as long.
type facts struct {
	unread bool        // the catalog could not be read
	tables []*refTable // of those that do anything by themselves
	sure   bool        // it is one, and which
	others []model     // on other tables, of which a write of these writes rows, and on views that show them
	refs   *references // all that the catalog says, where triggers may come of it; nil otherwise
}

// lookUp finds out what the catalog says of the table that the statement writes, and what hangs on that.
func (p *plugin) lookUp(db *gorm.DB, w *write) {
	w.possible = possibleEffect(db.Statement, w.op)
	w.facts = p.factsOf(db, w.part)
	w.cascade = p.hangs(&w.facts, w.op, w.possible)
}

// factsOf asks for the facts of a statement. part is whose the tables are.
func (p *plugin) factsOf(db *gorm.DB, part partition) (f facts) {
	if len(p.rt.registry.every()) == 0 {
		return f
	}
	refs, err := p.references(db, part)
	if err != nil {
		return facts{unread: true}
	}
	if len(refs.tables) > 0 {
		f.tables, f.sure = refs.writtenBy(db.Statement, dialectOf(db.Name()), p.rt.opts.Partition != nil)
		names := writtenNames(db.Statement)
		models, tables := p.rt.beneath(f.tables)
		for _, t := range tables {
			names = append(names, t.Name)
		}
		f.others = slices.Concat(models, p.rt.over(refs, tables, names))
		if refs.triggers && len(f.tables) > 0 {
			f.refs = refs
		}
	}
	return f
}

// beside adds to the models of which only the table is known those that are beneath, except for those that are judged.
func (f *facts) beside(judged, whole []model) []model {
	for _, m := range f.others {
		if !slices.Contains(judged, m) && !slices.Contains(whole, m) {
			whole = append(whole, m)
		}
	}
	return whole
}

// mute reports whether the tables do something else in a write's place, of which it reports no rows.
func (f *facts) mute() bool {
	return slices.ContainsFunc(f.tables, func(t *refTable) bool { return t.view || len(t.shows) > 0 })
}

// does is what becomes of rows of the tables by an operation that itself does e.
func (f *facts) does(op writeOp, e effect) effect {
	e.erased = e.erased || f.makesRoom(op, e)
	return e
}

// makesRoom reports whether the operation may delete rows that are in its way.
func (f *facts) makesRoom(op writeOp, e effect) bool {
	return slices.ContainsFunc(f.tables, func(t *refTable) bool { return t.makesRoom(op == opCreate, e.onto(t)) })
}

// setsToo reports whether the database may set one of these columns when another is set: always, by a generated column say, or by a trigger
// that fires for what the write does.
func (w *write) setsToo(columns []string) bool {
	return slices.ContainsFunc(w.facts.tables, func(t *refTable) bool {
		return slices.ContainsFunc(t.made, func(c string) bool { return hasColumn(columns, c) }) || w.triggersSet(t, columns)
	})
}

// partial reports whether a statement that has failed may have done a part of it all the same: SQLite keeps what OR FAIL
// has written by then.
func (f *facts) partial(st *gorm.Statement) bool {
	return modifies(st, "INSERT", "FAIL") || modifies(st, "UPDATE", "FAIL") ||
		slices.ContainsFunc(f.tables, func(t *refTable) bool { return t.conflicts.Partial })
}

// derived reports whether an update of any column may change which lists a row of m is on: the model's tag says so, or
// the catalog; of a view's columns, nobody knows what they are made of.
func (w *write) derived(m model) bool {
	return m.derived() || w.facts.mute() || w.setsToo(m.columns()) || w.remakes()
}

// makesRoom reports whether rows that are in the way of those that are written may be deleted.
func (w *write) makesRoom() bool {
	return len(w.facts.tables) > 0 && w.facts.makesRoom(w.op, w.effect())
}

// moving reports whether an update may change which lists a row of m is on.
func (w *write) moving(set *touched, m model) bool {
	return set.any(m) || w.derived(m)
}

// rekeys reports whether an update may change a row's primary key.
func (w *write) rekeys(set *touched, m model) bool { return set.key(m) || w.makesKey(m) }

// makesKey reports whether the database makes the primary key of m of other columns.
func (w *write) makesKey(m model) bool { return w.setsToo(m.gormSchema().PrimaryFieldDBNames) }
