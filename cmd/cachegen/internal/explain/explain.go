// Package explain says what the cached models of packages hang on: which flush lists there are, and
// what a change of each column flushes. A [Report] is made from what the generator read, and written
// as text, JSON, DOT or SVG.
package explain

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/templates"
)

// Version is the version of the report's form. It grows when a field goes or changes its meaning,
// and not when one is added.
const Version = 1

// Report is what is told. The names of its fields in JSON are documented in docs/explain.md.
type Report struct {
	Version  int       `json:"version"`
	Packages []Package `json:"packages"` // by path; those without models are left out
}

// Package is a package with models.
type Package struct {
	Name   string  `json:"name"`
	Path   string  `json:"path"`
	Models []Model `json:"models"` // by name
}

// Model is one cached struct.
type Model struct {
	Name       string     `json:"name"`
	Source     string     `json:"source"` // base name of the file
	Table      string     `json:"table"`  // by GORM's default rules
	Key        []string   `json:"key"`    // the columns of the primary key
	SoftDelete string     `json:"softDelete,omitempty"`
	TTL        string     `json:"ttl,omitempty"` // none: the runtime's default
	Lease      bool       `json:"lease,omitempty"`
	All        string     `json:"all"`       // the flush list that every entry of the table hangs on
	Columns    []Column   `json:"columns"`   // in the order of the struct
	Accessors  []Accessor `json:"accessors"` // the rows' own first, then in the order of the source, then relations that lead here
	// JoinTable says that it is no struct, but the join table of relations.
	JoinTable bool `json:"joinTable,omitempty"`
}

// Column is one column with what a change of it flushes.
type Column struct {
	Name    string  `json:"name"`   // as Go code selects it
	Column  string  `json:"column"` // in the database, by GORM's default rules
	Type    string  `json:"type"`
	Flushes []Flush `json:"flushes"`
}

// Flush is an accessor whose list falls when a column changes.
type Flush struct {
	Accessor string `json:"accessor"`
	Cause
}

// Accessor is one way to read a model, and the flush list that its entries hang on.
type Accessor struct {
	Name      string   `json:"name"` // its method
	Kind      string   `json:"kind"` // row, list, one, count, unique, query, follow or join
	Methods   []string `json:"methods"`
	Args      []string `json:"args,omitempty"` // as in "city string"
	By        []string `json:"by,omitempty"`
	Where     string   `json:"where,omitempty"` // as written, columns as Go code selects them
	Order     string   `json:"order,omitempty"` // so too
	Limit     int      `json:"limit,omitempty"`
	TTL       string   `json:"ttl,omitempty"` // its own or the model's; none: the runtime's default
	Unchecked bool     `json:"unchecked,omitempty"`
	// List and Entry are how the flush list and the keys of the entries on it look in traces. What
	// stands in <> is the program's, and columns stand for their values.
	List  string `json:"list"`
	Entry string `json:"entry"`
	Falls []Fall `json:"falls"` // in the order of by, where, order
}

// Fall is a column whose change makes an accessor's list fall.
type Fall struct {
	Column string `json:"column"` // AnyColumn for a row's own list
	Cause
}

// AnyColumn stands for every column of a model.
const AnyColumn = "*"

// Cause says why a change of a column makes a list fall, and when.
type Cause struct {
	Effect Effect `json:"effect"`
	// Roles are what the column is to the accessor: by, where, order, softDelete, leads.
	Roles []string `json:"roles,omitempty"`
}

// Effect is the least that a change of a column must do to make a list fall.
type Effect string

// The effects. A list falls only for a row that is on it before or after the write; RowWritten and
// KeyChanged ask for nothing of the kind.
const (
	RowWritten Effect = "row"     // any write of the row
	KeyChanged Effect = "table"   // a changed primary key flushes every entry of the table
	RowMoves   Effect = "moves"   // the list of the old value falls, and that of the new one
	RowMatches Effect = "matches" // it comes to hold, or ceases to, as Go judges exactly
	MayMatch   Effect = "may"     // it changes from or to a value that the database may hold to match
	AnyChange  Effect = "any"     // only the database judges: it changes at all
	RowOrdered Effect = "order"   // it changes at all, and so perhaps the row's place
	RowLeads   Effect = "leads"   // it changes at all, and so what a row of a join table leads to
)

// Of makes the report of packages.
func Of(packages []templates.Package) Report {
	r := Report{Version: Version, Packages: []Package{}}
	for _, p := range packages {
		if len(p.Models) == 0 {
			continue
		}
		out := Package{Name: p.Name, Path: p.Path}
		for _, m := range p.Models {
			out.Models = append(out.Models, model(m))
		}
		slices.SortFunc(out.Models, func(a, b Model) int { return cmp.Compare(a.Name, b.Name) })
		r.Packages = append(r.Packages, out)
	}
	slices.SortStableFunc(r.Packages, func(a, b Package) int { return cmp.Compare(a.Path, b.Path) })
	r.Packages = slices.CompactFunc(r.Packages, func(a, b Package) bool { return a.Path == b.Path })
	r.followed(distinct(packages))
	for _, p := range r.Packages {
		slices.SortStableFunc(p.Models, func(a, b Model) int { return cmp.Compare(a.Name, b.Name) })
		for i := range p.Models {
			p.Models[i].flushes()
		}
	}
	return r
}

// distinct are packages in the order of their paths, each once.
func distinct(packages []templates.Package) []templates.Package {
	packages = slices.Clone(packages)
	slices.SortStableFunc(packages, func(a, b templates.Package) int { return cmp.Compare(a.Path, b.Path) })
	return slices.CompactFunc(packages, func(a, b templates.Package) bool { return a.Path == b.Path })
}

func model(m templates.Model) Model {
	out := Model{Name: m.Name, Source: m.Source, Table: m.Table, TTL: ttl(m.TTL), Lease: m.Lease, All: m.Table}
	keys := map[string]bool{}
	for _, c := range m.Columns {
		if c.PrimaryKey {
			out.Key = append(out.Key, c.Select)
			keys[c.Select] = true
		}
		if c.SoftDelete {
			out.SoftDelete = c.Select
		}
	}
	row := m.Row()
	out.Accessors = append(out.Accessors, Accessor{
		Name: "Get", Kind: "row", Methods: []string{"Get", "GetMany", "GetMap"}, Args: row.Args, By: out.Key, TTL: ttl(row.Keeps),
		List: row.List, Entry: entry(m.Table, "Get", out.Key), Falls: []Fall{{AnyColumn, Cause{Effect: RowWritten}}},
	})
	for _, k := range m.Keys() {
		a := accessor(m.Table, k, keys)
		a.Where, a.Order = selected(m.Columns, a.Where), selected(m.Columns, a.Order)
		out.Accessors = append(out.Accessors, a)
	}
	if m.Query {
		k := m.QueryKey()
		out.Accessors = append(out.Accessors, Accessor{
			Name: templates.QueryMethods[0], Kind: "query", Methods: templates.QueryMethods, Args: k.Args, TTL: ttl(k.Keeps),
			List: k.List, Entry: "<route>:<prefix>:<namespace>:<version>:" + m.Table + ":query:<digest>", Falls: []Fall{{AnyColumn, Cause{Effect: RowWritten}}},
		})
	}
	for _, c := range m.Columns {
		out.Columns = append(out.Columns, Column{Name: c.Select, Column: c.DBName, Type: c.Type.Shown})
	}
	return out
}

func accessor(table string, k templates.Key, keys map[string]bool) Accessor {
	a := Accessor{
		Name: k.Method(), Kind: kinds[k.Kind], Args: k.Args, Where: k.WhereText, Order: k.OrderText, Limit: k.Limit,
		TTL: ttl(k.Keeps), Unchecked: k.Unchecked, List: k.List, Falls: []Fall{},
	}
	for _, name := range k.Methods() {
		if name != "Flush"+a.Name {
			a.Methods = append(a.Methods, name)
		}
	}
	for _, c := range k.By {
		a.By = append(a.By, c.Select)
	}
	a.Entry = entry(table, a.Name, a.By)
	for _, f := range k.Falls {
		a.Falls = append(a.Falls, Fall{f.Column.Select, cause(f, keys[f.Column.Select])})
	}
	return a
}

// names are the field paths of a where or an order setting, and its texts, which hold none.
var names = regexp.MustCompile(`'[^']*'|[\pL_][\pL\pN_.]*`)

// selected writes a setting with its columns as the table of columns has them, whichever of a column's names
// the tag takes.
func selected(columns []templates.Column, setting string) string {
	return names.ReplaceAllStringFunc(setting, func(name string) string {
		if i := slices.IndexFunc(columns, func(c templates.Column) bool { return c.Path == name }); i >= 0 {
			return columns[i].Select
		}
		return name
	})
}

var kinds = [...]string{templates.Unique: "unique", templates.List: "list", templates.One: "one", templates.Count: "count"}

// cause says what a change of a column means to an accessor. Of several effects it is the one with
// the most changes: it holds the others.
func cause(f templates.Fall, key bool) Cause {
	var c Cause
	for _, role := range []struct {
		is     bool
		name   string
		effect Effect
	}{
		{f.By, "by", RowMoves},
		{f.Where, "where", judged[f.Judge]},
		{f.Order, "order", RowOrdered},
		{f.SoftDelete, "softDelete", judged[f.Judge]},
		{f.Leads, "leads", RowLeads},
	} {
		if !role.is {
			continue
		}
		c.Roles = append(c.Roles, role.name)
		if slices.Index(byChanges, role.effect) > slices.Index(byChanges, c.Effect) {
			c.Effect = role.effect
		}
	}
	if key {
		c.Effect = KeyChanged
	}
	return c
}

// byChanges are the effects that a role may have, those with the fewest changes first.
var byChanges = []Effect{RowMatches, MayMatch, AnyChange, RowOrdered, RowLeads, RowMoves}

var judged = [...]Effect{templates.ByGo: RowMatches, templates.ByGoCoarsely: MayMatch, templates.ByDatabase: AnyChange}

// flushes says of each column what falls with it.
func (m *Model) flushes() {
	for i, c := range m.Columns {
		m.Columns[i].Flushes = flushes(c.Name, slices.Contains(m.Key, c.Name), m.Accessors)
	}
}

// flushes turns the falls of accessors round: what falls when this column changes.
func flushes(column string, key bool, accessors []Accessor) []Flush {
	out := []Flush{}
	for _, a := range accessors {
		i := slices.IndexFunc(a.Falls, func(f Fall) bool { return f.Column == column || f.Column == AnyColumn })
		var c Cause
		switch {
		case i >= 0:
			c = a.Falls[i].Cause
		case !key:
			continue
		}
		if key {
			c.Effect = KeyChanged
		}
		out = append(out, Flush{a.Name, c})
	}
	return out
}

// entry is the shape of an accessor's keys.
func entry(table, accessor string, by []string) string {
	return "<route>:<prefix>:<namespace>:<version>:" + table + ".<fingerprint>:" + accessor + ":" + strings.Join(by, ",")
}

// ttl writes a ttl as a tag does, in whole units where it has them.
func ttl(d time.Duration) string {
	switch {
	case d < 0:
		return "forever"
	case d == 0:
		return ""
	}
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d%unit.size == 0 {
			return strconv.FormatInt(int64(d/unit.size), 10) + unit.name
		}
	}
	return d.String()
}
