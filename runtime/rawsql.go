package cacheruntime

import (
	"slices"

	"gorm.io/gorm"
)

// notRecognised is why everything falls after SQL text of which nobody knows what it writes, in the words of
// FlushEvent.Reason.
const notRecognised = "raw SQL not recognised"

// sqlTargets are the models whose rows SQL text may write.
type sqlTargets struct {
	models []model
	reason string
	counts bool // what the text's statement reports of its rows is what became of them
}

// targetsOf finds the models of the tables that SQL text writes: by the names that it has for them, and by
// those of tables that share rows with them. A name without a schema stands for the tables of that
// name in every schema.
//
// keeps says whether what the catalog answers here may be remembered.
func (rt *Runtime) targetsOf(db *gorm.DB, w *rawWrite, keeps bool) sqlTargets {
	d, r := sqlDialectOf(db.Name()), w.reading
	to := sqlTargets{reason: rawSQL, counts: r.counts}
	names, known := slices.Clone(r.tables), r.known
	for _, t := range r.tables {
		// What is made or dropped takes with it what it is a part of; parts there are in PostgreSQL alone.
		if t.defined && d != postgresSQL || !known {
			continue
		}
		kin, err := rt.kinOf(db, w.part, t, keeps)
		to.counts = to.counts && kin.counts
		names = append(names, kin.tables...)
		// Text that makes tables, or views, and writes them is not understood: the catalog does not have them yet.
		known = err == nil && !kin.hidden && (t.defined || !r.shapes)
	}
	if !known {
		answers, ok := rt.answered(w.query)
		if !ok {
			rt.stats.unrecognisedSQL.Add(1)
			return sqlTargets{models: rt.registry.every(), reason: notRecognised}
		}
		names, to.counts = nil, false
		for _, a := range answers {
			names = append(names, sqlTableNamed(a))
		}
	}
	to.models = rt.registry.named(names, d)
	return to
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
func (r *registry) named(names []sqlTable, d sqlDialect) (models []model) {
	for _, m := range r.every() {
		table := sqlTableNamed(m.gormSchema().Table)
		for _, n := range names {
			if n.mayBe(table, d) {
				models = append(models, m)
				break
			}
		}
	}
	return models
}
