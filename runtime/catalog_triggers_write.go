package cacheruntime

import (
	"slices"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// deed is what the write does to its own table, as triggers see it.
func (w *write) deed(e effect) deed {
	d := deed{effect: e, inserted: w.op == opCreate}
	if w.op == opCreate && w.stmt.Name() == "mysql" {
		if _, ok := w.stmt.Clauses["ON CONFLICT"]; ok { // DO NOTHING, too, is an update there
			d.every = true
		}
	}
	return d
}

// mayFire reports whether triggers of tables that the write may write write cached ones.
func (p *plugin) mayFire(db *gorm.DB, w *write) bool {
	models, _ := p.rt.fired(w.facts.refs, w.facts.tables, w.deed(w.facts.does(w.op, w.possible)), someRows, true)
	return len(models) > 0
}

// firedBy returns the lists that have fallen by what triggers did.
func (p *plugin) firedBy(db *gorm.DB, w *write) []fall {
	if w.facts.refs == nil {
		return nil
	}
	done := someRows
	if db.Error == nil && db.RowsAffected == 0 && !w.facts.mute() {
		done = unheardOf
		if len(w.judged) > 0 && !w.held && !slices.ContainsFunc(w.judged, func(t *target) bool { return !t.read }) && w.op != opCreate {
			done = noRows
		}
	}
	d := w.deed(w.effect().with(w.plans))
	models, unknown := p.rt.fired(w.facts.refs, w.facts.tables, d, done, true)
	if len(models) > 0 && db.Name() == "sqlite" { // of which foreign keys are the cause, where it enforces them
		if without, _ := p.rt.fired(w.facts.refs, w.facts.tables, d, done, false); len(without) < len(models) && !p.enforced(db) {
			models = without
		}
	}
	reason := byTrigger
	if unknown {
		reason = notReadCode
	}
	return allFor(reason, models, w.part, columnsOf(w.stmt, w.op))
}

// triggersSet reports whether triggers may set one of these columns of a table's rows when the write sets others.
func (w *write) triggersSet(t *refTable, columns []string) bool {
	if len(t.triggers) == 0 {
		return false
	}
	_, all := w.effect().andMadeIn(t).andTriggers(t)
	set := w.effect().sets
	return slices.ContainsFunc(all.sets, func(c string) bool { return hasColumn(columns, c) && !hasColumn(set, c) })
}

// remakes reports whether triggers may set any column of rows that the write changes.
func (w *write) remakes() bool {
	return slices.ContainsFunc(w.facts.tables, func(t *refTable) bool {
		if len(t.triggers) == 0 {
			return false
		}
		e := w.effect()
		return !e.every && e.onto(t).every
	})
}

// writesInstead reports whether a trigger that is run before a row is written may have changed it by itself, and kept the write from it.
func (w *write) writesInstead() bool {
	if w.facts.refs == nil {
		return false
	}
	d := w.deed(w.effect())
	return slices.ContainsFunc(w.facts.tables, func(t *refTable) bool {
		return slices.ContainsFunc(t.triggers, func(g *trigger) bool { return g.before && len(g.again) > 0 && g.fires(t, d) })
	})
}

// keysLost reports whether triggers may give new rows another primary key than their values have afterwards, or other values in the columns
// of a conflict than theirs. A key that the database makes comes back with RETURNING, except that SQLite's is as it was before its triggers.
func (w *write) keysLost(m model, arbiter []string) bool {
	if w.facts.refs == nil {
		return false
	}
	returned := w.stmt.Name() != "sqlite" && mayReturn(w.stmt) && len(given(w.stmt, m)) == 0
	return slices.ContainsFunc(w.facts.tables, func(t *refTable) bool {
		columns, whole := t.setOnInsert()
		return whole && (!returned || len(arbiter) > 0) || slices.ContainsFunc(columns, func(c string) bool {
			return !returned && hasColumn(m.gormSchema().PrimaryFieldDBNames, c) || hasColumn(arbiter, c)
		})
	})
}

// fireOn finds the models on tables that triggers write when SQL text does this.
func (rt *Runtime) fireOn(db *gorm.DB, part partition, does map[sqltext.Table]deed, keeps bool, to *sqlTargets) {
	d := dialectOf(db.Name())
	for name, done := range does {
		refs, err := rt.referencesOf(db, part, name.Schema, keeps)
		if err != nil {
			*to = rt.notRead()
			return
		}
		tables, _ := refs.named(sqltext.Table{Schema: name.Schema, Name: name.Name}, d, rt.opts.Partition != nil)
		done.erased = done.erased || d == sqltext.SQLite && slices.ContainsFunc(tables, func(t *refTable) bool { return t.conflicts.Replaces })
		fired, unknown := rt.fired(refs, tables, done, someRows, false)
		hung, _ := rt.fired(refs, tables, done, someRows, true)
		if len(fired)+len(hung) > 0 { // MySQL's triggers fire for rows that are left as they were
			to.counts = false
		}
		if unknown {
			to.code = notReadCode
		}
		to.fired = eachOnce(to.fired, fired)
		to.hung = eachOnce(to.hung, hung)
	}
	known := func(m model) bool { return slices.Contains(to.models, m) || slices.Contains(to.fired, m) }
	to.fired = slices.DeleteFunc(to.fired, func(m model) bool { return slices.Contains(to.models, m) })
	to.hung = slices.DeleteFunc(to.hung, known)
}

// eachOnce adds models to others, each once.
func eachOnce(models, more []model) []model {
	for _, m := range more {
		if !slices.Contains(models, m) {
			models = append(models, m)
		}
	}
	return models
}
