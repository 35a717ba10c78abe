package templates

import (
	"slices"
	"strings"
	"time"
)

// Key is what CacheKeys and explain tell of one accessor: how it is read, the flush list that its
// entries hang on, and what makes that list fall.
type Key struct {
	Accessor
	// Args are its parameters as Go writes them, as in "city string".
	Args []string
	// List is the flush list's name without its namespace, with columns in place of their values, as
	// in "croupons.ListPopularInCity(City)".
	List string
	// Falls are the columns whose change makes the list fall, each once. A row's own list has none: it
	// falls with any write of the row.
	Falls []Fall
	// Keeps is how long its entries are kept: its own ttl or the model's, as in Model.TTL.
	Keeps time.Duration
	// Follow is the relation that it is the list of; nil for an accessor.
	Follow *Follow
}

// Fall is what a change of one column means to an accessor.
type Fall struct {
	Column Column
	// By says that the arguments are compared with it: the list of the old value falls, and that of
	// the new one.
	By bool
	// Where says that a term looks at it.
	Where bool
	// Order says that the accessor's rows are ordered by it.
	Order bool
	// SoftDelete says that it tells whether the row is deleted.
	SoftDelete bool
	// Leads says that it is what a row of a join table leads to.
	Leads bool
	// Judge is who judges the terms, or the soft delete.
	Judge Judge
}

// Judge says who judges whether a row is on an accessor's list, and so which changes of a column
// make that list fall.
type Judge uint8

// The judges, by how many changes make a list fall.
const (
	ByGo         Judge = iota // Go, exactly: those that bring the row in or take it out
	ByGoCoarsely              // Go, as coarsely as collations compare: those from or to what may match
	ByDatabase                // the database alone: any
)

// Row is the Key of the model's rows themselves, which Get, GetMany and GetMap read. It has no
// Accessor.
func (m Model) Row() Key {
	keys := m.keys()
	return Key{Args: m.shownArgs(keys), List: m.Table + ":" + strings.Join(selectors(keys), ","), Keeps: m.TTL}
}

// QueryKey is the Key of the model's ad-hoc queries, if it takes any: their entries hang on this list, and on that of each other
// table that they read. It has no Accessor.
func (m Model) QueryKey() Key {
	return Key{Args: []string{"build func(q *gorm.DB) *gorm.DB"}, List: m.Table + ".table()", Keeps: m.TTL}
}

// Keys are the Keys of the model's accessors, in the order of the source.
func (m Model) Keys() []Key {
	out := make([]Key, len(m.Accessors))
	for i, a := range m.Accessors {
		out[i] = Key{
			Accessor: a,
			Args:     m.shownArgs(a.By),
			List:     m.Table + "." + a.Method() + "(" + strings.Join(selectors(a.By), ",") + ")",
			Falls:    m.falls(a),
			Keeps:    m.ttlOf(a),
		}
	}
	return out
}

// falls finds the columns whose change flushes an accessor's list.
func (m Model) falls(a Accessor) []Fall {
	if c, ok := m.softDelete(); ok {
		return falls(a, &c)
	}
	return falls(a, nil)
}

func falls(a Accessor, softDelete *Column) []Fall {
	var out []Fall
	of := func(c Column) *Fall {
		i := slices.IndexFunc(out, func(f Fall) bool { return f.Column.Path == c.Path })
		if i < 0 {
			i, out = len(out), append(out, Fall{Column: c})
		}
		return &out[i]
	}
	for _, c := range a.By {
		of(c).By = true
	}
	for _, t := range a.Where {
		f := of(t.Column)
		f.Where, f.Judge = true, max(f.Judge, t.judge())
	}
	for _, o := range a.Order {
		of(o.Column).Order = true
	}
	if c := softDelete; c != nil {
		f := of(*c)
		f.SoftDelete = true
		if !c.Judged {
			f.Judge = ByDatabase
		}
	}
	return out
}

// judge says who judges the term.
func (t Term) judge() Judge {
	switch atAll, exactly := t.judged(); {
	case exactly:
		return ByGo
	case atAll:
		return ByGoCoarsely
	default:
		return ByDatabase
	}
}

// shownArgs are the parameters that stand for columns, with packages by name.
func (m Model) shownArgs(columns []Column) []string {
	names := m.params(columns)
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = names[i] + " " + c.shownArgument()
	}
	return out
}
