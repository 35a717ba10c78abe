package cacheruntime

import (
	"slices"
	"sync"

	"github.com/cachegen/cachegen/internal/sqltext"
)

// Triggers: what the database does besides when a table is written. The catalog has their code, and sqltext reads which tables that may
// write, and which columns of the row itself it sets. The first fall as a whole; the second are as columns that the database
// makes. Conditions in the code, and WHEN, are not judged.

// deed is what a statement, or code of the database's, does to rows of a table.
type deed struct {
	effect
	inserted  bool // there may be new rows
	truncated bool // it may be emptied by TRUNCATE
}

func (d deed) none() bool { return d.effect.none() && !d.inserted && !d.truncated }

func (d deed) with(o deed) deed {
	return deed{d.effect.with(o.effect), d.inserted || o.inserted, d.truncated || o.truncated}
}

func (d deed) covers(o deed) bool {
	return d.effect.covers(o.effect) && (d.inserted || !o.inserted) && (d.truncated || !o.truncated)
}

// trigger is one of a table's.
type trigger struct {
	insert, update, delete, truncate bool     // when it fires
	of                               []string // the columns of UPDATE OF; none: any
	before                           bool     // it is run before rows are written, which may then not be
	row                              bool     // for each row, and not if there is none
	deferred                         bool     // it may be run at the COMMIT
	text                             string   // its CREATE TRIGGER

	writes []triggerWrite // which tables it may write
	sets   []string       // columns of the row that it sets, before it is written
	whole  bool           // it may set others
	again  []string       // columns of the row that it sets by an UPDATE of its own
	known  bool           // there is nothing else that it writes

	once     sync.Once
	answered bool // Options.RawSQL has said what it writes
}

// triggerWrite is what a trigger may do to a table.
type triggerWrite struct {
	table sqltext.Table
	deed
}

// fires reports whether a trigger is run for what a statement does.
func (g *trigger) fires(t *refTable, d deed) bool {
	updates := d.every || len(d.sets) > 0
	switch {
	case d.inserted && g.insert, d.erased && g.delete, d.truncated && g.truncate:
		return true
	case t.splits && g.row && updates && (g.insert || g.delete): // an update may move a row to another partition
		return true
	}
	return updates && g.update && (d.every || len(g.of) == 0 || slices.ContainsFunc(g.of, func(c string) bool { return hasColumn(d.sets, c) }))
}

// andTriggers adds the columns that triggers set of rows of a table, when these are set: by statements of their own, for which
// triggers fire, too; and, but for those, before a row is written.
func (e effect) andTriggers(t *refTable) (stated, all effect) {
	if len(t.triggers) == 0 || e.every || len(e.sets) == 0 {
		return e, e
	}
	for n := -1; n < len(e.sets); {
		n = len(e.sets)
		for _, g := range t.triggers {
			if g.update && g.fires(t, deed{effect: effect{sets: e.sets}}) {
				e.sets = union(e.sets, g.again)
			}
		}
	}
	all = e
	for _, g := range t.triggers {
		if g.update && g.fires(t, deed{effect: effect{sets: e.sets}}) {
			all.sets, all.every = union(all.sets, g.sets), all.every || g.whole
		}
	}
	return e, all
}

// setOnInsert are the columns that triggers set of new rows; whole says that they may set others.
func (t *refTable) setOnInsert() (columns []string, whole bool) {
	for _, g := range t.triggers {
		if g.insert {
			columns, whole = union(union(columns, g.sets), g.again), whole || g.whole
		}
	}
	return columns, whole
}

// rowsDone says what is known of the rows that a statement has written.
type rowsDone uint8

const (
	someRows  rowsDone = iota
	unheardOf          // it has reported none: a trigger before them may have kept them
	noRows             // there were none to write
)

// mayRun reports whether a trigger that fires may have been run for these rows.
func (g *trigger) mayRun(d sqltext.Dialect, done rowsDone) bool {
	switch {
	case done == someRows || !g.row:
		return true
	case done == noRows:
		return false
	}
	return g.before || g.update && d == sqltext.MySQL // which does not report rows that have what they are given
}

// firing is a walk along what triggers do, from tables that are written.
type firing struct {
	rt      *Runtime
	refs    *references
	dialect sqltext.Dialect
	foreign bool // foreign keys are enforced
	done    rowsDone

	seen    map[firingAt]deed
	tables  []*refTable     // that they write
	names   []sqltext.Table // the same by name
	unknown bool            // they may write any
}

// firingAt is how the walk comes to a table.
type firingAt struct {
	t      *refTable
	by     bool // by a trigger: nobody knows to which rows
	silent bool // by one of MySQL's foreign keys, for which no trigger fires
}

// fired returns the models on tables that triggers write when d is done to these, and on views that show rows of them. unknown says
// that it cannot be told, and that these are all.
func (rt *Runtime) fired(refs *references, tables []*refTable, d deed, done rowsDone, foreign bool) (models []model, unknown bool) {
	if refs == nil || !refs.triggers {
		return nil, false
	}
	f := firing{rt: rt, refs: refs, dialect: dialectOf(rt.db.Name()), foreign: foreign, done: done, seen: map[firingAt]deed{}}
	for _, t := range tables {
		f.walk(firingAt{t: t}, d, true)
	}
	if f.unknown {
		return rt.registry.every(), true
	}
	if len(f.tables)+len(f.names) == 0 {
		return nil, false
	}
	models = rt.registry.named(f.names, f.dialect)
	for _, m := range rt.registry.every() {
		for _, t := range f.tables {
			if may, _ := t.isOf(m, f.dialect, rt.opts.Partition != nil); may {
				models = eachOnce(models, []model{m})
			}
		}
	}
	beneath, all := rt.beneath(f.tables)
	models = eachOnce(models, beneath)
	var names []string
	for _, t := range f.names {
		names = append(names, t.Name)
	}
	for _, t := range all {
		names = append(names, t.Name)
	}
	return eachOnce(models, rt.over(refs, all, names)), false
}

// walk goes on from a table to which d is done. first says that the statement itself does it.
func (f *firing) walk(at firingAt, d deed, first bool) {
	t := at.t
	instead := false // a trigger that is run before the row may write it itself, and keep the statement from that
	for _, g := range t.triggers {
		if d.inserted && g.insert || d.erased && g.delete {
			d.sets = union(d.sets, g.again)
		}
		instead = instead || g.before && len(g.again) > 0 && g.fires(t, d)
	}
	var all effect
	d.effect, all = d.effect.andMadeIn(t).andTriggers(t)
	was, again := f.seen[at]
	if f.unknown || d.none() || again && was.covers(d) {
		return
	}
	d = d.with(was)
	f.seen[at] = d
	if at.by && !slices.Contains(f.tables, t) {
		f.tables = append(f.tables, t)
	}
	for _, g := range t.triggers {
		if at.silent || !g.fires(t, d) || first && !g.mayRun(f.dialect, f.done) && (f.done == noRows || !instead) {
			continue
		}
		if !f.rt.knows(g) {
			f.unknown = true
			return
		}
		for _, w := range g.writes {
			does := w.deed
			// What OR REPLACE says of a statement goes for those of its triggers.
			does.erased = does.erased || f.dialect == sqltext.SQLite && d.erased && (d.inserted || d.every || len(d.sets) > 0)
			f.write(w.table, does)
		}
	}
	if f.foreign {
		for _, r := range t.refs {
			f.walk(firingAt{r.child, at.by, f.dialect == sqltext.MySQL}, deed{effect: all.on(r)}, false)
		}
	}
	for _, kin := range t.kin {
		f.walk(firingAt{kin, at.by, at.silent}, d, first)
	}
	for _, shown := range t.shows {
		d := d
		d.effect = d.effect.shown()
		f.walk(firingAt{shown, at.by, at.silent}, d, first)
	}
}

// write goes on from a table that a trigger names.
func (f *firing) write(name sqltext.Table, d deed) {
	f.names = append(f.names, name)
	for _, t := range f.refs.like(name.Name) {
		if t.MayBe(name, f.dialect) {
			f.walk(firingAt{t: t, by: true}, d, false)
		}
	}
}

// knows reports whether it can be told what a trigger writes. Where its code does not tell, Options.RawSQL is asked, once.
func (rt *Runtime) knows(g *trigger) bool {
	g.once.Do(func() {
		if g.known {
			return
		}
		tables, ok := rt.answered(g.text)
		if g.answered = ok; !ok {
			return
		}
		for _, name := range tables {
			g.writes = append(g.writes, triggerWrite{sqltext.TableNamed(name), deed{effect{erased: true, every: true}, true, false}})
		}
	})
	return g.known || g.answered
}
