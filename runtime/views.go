package cacheruntime

import (
	"slices"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// A view's rows are those of other tables: who writes it writes them, and who writes them changes what it shows. Of PostgreSQL's views the
// catalog tells what they hang together with; of MySQL's there is a text in which the tables are named, and of SQLite's another one for
// what its triggers write.

// beneath returns the models on other tables, of which a write of these writes rows, and all of those tables: what a view shows, and
// what a table of PostgreSQL's is a part of. Where that cannot be told, it is every model.
func (rt *Runtime) beneath(tables []*refTable) (models []model, all []*refTable) {
	every := rt.registry.every()
	add := func(is func(m model) bool) {
		for _, m := range every {
			if !slices.Contains(models, m) && is(m) {
				models = append(models, m)
			}
		}
	}
	seen := slices.Clone(tables)
	for i := 0; i < len(seen); i++ {
		above := seen[i]
		if above.view && above.text == "" {
			return every, seen
		}
		for _, t := range slices.Concat(above.shows, above.kin) {
			if slices.Contains(seen, t) {
				continue
			}
			seen = append(seen, t)
			add(func(m model) bool {
				may, _ := t.isOf(m, dialectOf(rt.db.Name()), rt.opts.Partition != nil)
				return may
			})
		}
		if above.text != "" {
			add(func(m model) bool { return sqltext.Mentions(above.text, baseTable(m.gormSchema().Table)) })
		}
	}
	return models, seen
}

// over returns the models on views that show rows of tables: of these, or of those with one of these names.
func (rt *Runtime) over(refs *references, tables []*refTable, names []string) (models []model) {
	for _, v := range rt.viewedIn(refs).views {
		if !slices.Contains(models, v.m) && rt.shows(v.view, tables, names) {
			models = append(models, v.m)
		}
	}
	return models
}

// viewed are those of the models that are on views.
type viewed struct {
	models []model // all there were
	views  []viewModel
}

type viewModel struct {
	view *refTable
	m    model
}

// viewedIn finds the models on views, once for as long as there are no others.
func (rt *Runtime) viewedIn(refs *references) *viewed {
	every := rt.registry.every()
	if v := refs.viewed.Load(); v != nil && len(v.models) == len(every) && (len(every) == 0 || &v.models[0] == &every[0]) {
		return v
	}
	v := &viewed{models: every}
	for _, view := range refs.tables {
		if view.ruled || !view.view && len(view.shows) == 0 {
			continue
		}
		for _, m := range every {
			if may, _ := view.isOf(m, dialectOf(rt.db.Name()), rt.opts.Partition != nil); may {
				v.views = append(v.views, viewModel{view, m})
			}
		}
	}
	refs.viewed.Store(v)
	return v
}

// shows reports whether a view may show rows of tables.
func (rt *Runtime) shows(view *refTable, tables []*refTable, names []string) bool {
	seen := []*refTable{view}
	for i := 0; i < len(seen); i++ {
		v := seen[i]
		switch {
		case i > 0 && slices.Contains(tables, v), v.view && v.query == "" && dialectOf(rt.db.Name()) == sqltext.MySQL:
			return true
		case v.query != "" && slices.ContainsFunc(names, func(name string) bool { return name == anyName || sqltext.Mentions(v.query, name) }):
			return true
		}
		for _, t := range slices.Concat(v.shows, v.reads, v.kin) {
			if !slices.Contains(seen, t) {
				seen = append(seen, t)
			}
		}
	}
	return false
}

// anyName stands for tables whose names are not known.
const anyName = ""

// writtenNames are the names of the tables that a statement may write.
func writtenNames(st *gorm.Statement) []string {
	if !plainTable(st) {
		return []string{anyName}
	}
	return []string{writtenName(st).Name}
}
