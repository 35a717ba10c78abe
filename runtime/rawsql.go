package cacheruntime

import (
	"slices"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// notRecognised is why everything falls after SQL text of which nobody knows what it writes, in the words of
// FlushEvent.Reason.
const notRecognised = "raw SQL not recognised"

// sqlTargets are the models whose rows SQL text may write.
type sqlTargets struct {
	models []model
	hung   []model // whose rows foreign keys may make it write
	fired  []model // whose rows triggers may write
	reason string
	code   string // why of those
	counts bool   // what the text's statement reports of its rows is what became of them
}

// targetsOf finds the models of the tables that SQL text writes: by the names that it has for them, and by
// those of tables that share rows with them. A name without a schema stands for the tables of that
// name in every schema.
//
// keeps says whether what the catalog answers here may be remembered.
func (rt *Runtime) targetsOf(db *gorm.DB, w *rawWrite, keeps bool) sqlTargets {
	d, r := dialectOf(db.Name()), w.reading
	to := sqlTargets{reason: rawSQL, code: byTrigger, counts: r.Counts}
	names, known := slices.Clone(r.Tables), r.Known
	does := func(t sqltext.Table) effect {
		return effect{erased: slices.Contains(r.Erased, t), every: r.Every, sets: r.Sets}
	}
	hit, fires := map[sqltext.Table]effect{}, map[sqltext.Table]deed{}
	for _, t := range r.Tables {
		// What is made or dropped takes with it what it is a part of; parts there are in PostgreSQL alone.
		hit[t] = hit[t].with(does(t))
		if t.Defined && d != sqltext.Postgres || !known {
			continue
		}
		inserts, empties := slices.Contains(r.Inserted, t), slices.Contains(r.Truncated, t)
		kin, err := rt.kinOf(db, w.part, t, keeps)
		to.counts = to.counts && kin.counts
		names = append(names, kin.tables...)
		for _, k := range kin.tables { // a view has names of its own for columns
			hit[k] = hit[k].with(effect{erased: does(t).erased, sets: r.Sets, every: r.Every || k.Name != t.Name && len(r.Sets) > 0})
			fires[k] = fires[k].with(deed{hit[k], inserts, empties})
		}
		if !t.Defined {
			fires[t] = deed{hit[t], inserts, empties}
		}
		// Text that makes tables, or views, and writes them is not understood: the catalog does not have them yet.
		known = err == nil && !kin.hidden && (t.Defined || !r.Shapes)
	}
	if !known {
		answers, ok := rt.answered(w.query)
		if !ok {
			rt.stats.unrecognisedSQL.Add(1)
			return sqlTargets{models: rt.registry.every(), reason: notRecognised}
		}
		names, to.counts = nil, false
		hit, fires = map[sqltext.Table]effect{}, map[sqltext.Table]deed{}
		for _, a := range answers {
			t := sqltext.TableNamed(a)
			names = append(names, t)
			hit[t] = effect{erased: true, every: true}
			fires[t] = deed{hit[t], true, false}
		}
	}
	to.models = rt.registry.named(names, d)
	rt.hangOn(db, w.part, hit, keeps, &to)
	if r.Rows || !r.Shapes { // DDL changes no rows that a view goes on to show
		rt.showing(db, w.part, names, keeps, &to)
	}
	rt.fireOn(db, w.part, fires, keeps, &to)
	return to
}

// notRead are the targets of text where the catalog does not answer: every model, whatever the text reports.
func (rt *Runtime) notRead() sqlTargets {
	return sqlTargets{models: rt.registry.every(), reason: notReadKeys}
}

// showing finds the models on views that show rows of the tables that SQL text writes.
func (rt *Runtime) showing(db *gorm.DB, part partition, names []sqltext.Table, keeps bool, to *sqlTargets) {
	for _, name := range names {
		refs, err := rt.referencesOf(db, part, name.Schema, keeps)
		if err != nil {
			*to = rt.notRead()
			return
		}
		tables, _ := refs.named(name, dialectOf(db.Name()), rt.opts.Partition != nil)
		for _, m := range rt.over(refs, tables, []string{name.Name}) {
			if !slices.Contains(to.models, m) {
				to.models = append(to.models, m)
			}
		}
	}
}

// hangOn finds the models whose rows foreign keys may make SQL text write, which has these effects.
func (rt *Runtime) hangOn(db *gorm.DB, part partition, hit map[sqltext.Table]effect, keeps bool, to *sqlTargets) {
	for t, e := range hit {
		mayReplace := db.Name() == "sqlite" && !t.Defined
		if e.none() && !mayReplace {
			continue
		}
		for _, m := range rt.registry.named([]sqltext.Table{t}, dialectOf(db.Name())) {
			e = e.andMade(m.gormSchema())
		}
		refs, err := rt.referencesOf(db, part, t.Schema, keeps)
		if err != nil {
			*to = rt.notRead()
			return
		}
		tables, _ := refs.named(sqltext.Table{Schema: t.Schema, Name: t.Name}, dialectOf(db.Name()), rt.opts.Partition != nil)
		e.erased = e.erased || mayReplace && slices.ContainsFunc(tables, func(t *refTable) bool { return t.conflicts.Replaces })
		for _, m := range rt.hung(tables, e) {
			if !slices.Contains(to.models, m) && !slices.Contains(to.hung, m) {
				to.hung = append(to.hung, m)
			}
		}
	}
}

// answered asks Options.RawSQL.
func (rt *Runtime) answered(query string) (tables []string, ok bool) {
	if rt.opts.RawSQL == nil {
		return nil, false
	}
	finished := rt.recovering("Options.RawSQL", func() { tables, ok = rt.opts.RawSQL(query) })
	return tables, ok && finished
}

// named returns the models whose tables these may be.
func (r *registry) named(names []sqltext.Table, d sqltext.Dialect) (models []model) {
	for _, m := range r.every() {
		table := sqltext.TableNamed(m.gormSchema().Table)
		for _, n := range names {
			if n.MayBe(table, d) {
				models = append(models, m)
				break
			}
		}
	}
	return models
}
