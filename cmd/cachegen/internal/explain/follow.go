package explain

import (
	"slices"
	"strings"

	"github.com/cachegen/cachegen/templates"
)

// followed adds the lists of relations to the models whose rows are on them: of has-one and has-many to the related model, where
// the report has it; of many to many to the join table, which is no model and stands with those of the package that leads through it.
func (r *Report) followed(packages []templates.Package) {
	for _, p := range packages {
		for _, m := range p.Models {
			for _, k := range m.Followed() {
				on := r.find(k.Follow.Path, k.Follow.Model)
				if k.Follow.Link.Via == templates.ByJoin {
					on = r.joinTable(p, m, k)
				}
				if on != nil {
					on.follow(p, m, k)
				}
			}
		}
	}
}

// find returns a model of the report.
func (r *Report) find(path, name string) *Model {
	for i := range r.Packages {
		if models := r.Packages[i].Models; r.Packages[i].Path == path {
			if j := slices.IndexFunc(models, func(m Model) bool { return m.Name == name }); j >= 0 {
				return &models[j]
			}
		}
	}
	return nil
}

// joinTable returns what stands for a relation's join table in the report: a model of it, or one that is made of the columns
// that GORM gives it.
func (r *Report) joinTable(p templates.Package, m templates.Model, k templates.Key) *Model {
	link := k.Follow.Link
	columns := slices.Concat(link.There, link.Others)
	has := func(m *Model) bool {
		return !slices.ContainsFunc(columns, func(c templates.Column) bool {
			return !slices.ContainsFunc(m.Columns, func(own Column) bool { return own.Name == c.Select })
		})
	}
	i := slices.IndexFunc(r.Packages, func(out Package) bool { return out.Path == p.Path })
	models := r.Packages[i].Models
	for j := range models {
		if models[j].Table == link.Join && has(&models[j]) {
			return &models[j]
		}
	}
	out := Model{Name: link.Join, Source: m.Source, Table: link.Join, All: link.Join, JoinTable: true}
	for _, c := range columns {
		if !slices.Contains(out.Key, c.Select) {
			out.Key = append(out.Key, c.Select)
			out.Columns = append(out.Columns, Column{Name: c.Select, Column: c.DBName, Type: c.Type.Shown})
		}
	}
	row := link.Join + ":" + strings.Join(out.Key, ",")
	out.Accessors = []Accessor{{Name: "row", Kind: "row", List: row, Falls: []Fall{{AnyColumn, Cause{Effect: RowWritten}}}}}
	r.Packages[i].Models = append(models, out)
	return &r.Packages[i].Models[len(models)]
}

// follow adds the list of a relation of another model, or of the same.
func (on *Model) follow(p templates.Package, owner templates.Model, k templates.Key) {
	keys := map[string]bool{}
	for _, name := range on.Key {
		keys[name] = true
	}
	a := accessor(owner.Table, k, keys)
	a.Name, a.Kind, a.Methods = owner.Name+"."+k.Follow.Method(), "follow", []string{k.Follow.Method()}
	for slices.ContainsFunc(on.Accessors, func(other Accessor) bool { return other.Name == a.Name }) {
		a.Name = p.Name + "." + a.Name // of another package
	}
	a.Entry = entry(owner.Table, k.Name, a.By)
	if k.Follow.Link.Via == templates.ByJoin {
		a.Kind = "join"
	} else {
		a.TTL = on.TTL
	}
	on.Accessors = append(on.Accessors, a)
}
