package cacheruntime

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"gorm.io/gorm/schema"
)

// FollowSpec describes a relation whose rows can be read with the model's. It is for generated code.
type FollowSpec struct {
	// Relation is the relation's field.
	Relation string
	// Order is the order of several rows, before the primary key that ends every order; Field is a Go path in the related model.
	Order []Order
	// Limit is the most rows of which an entry is kept; 0 is Options.ListWindow. More are read from the database each time.
	Limit int
	// Package is the import path of the related model's package, whose NewModels must have been called.
	Package string
}

// With is a relation that comes with the rows of a model when those come with other rows themselves: the
// authors of the reviews of a croupon. P is the pointer to the model. Generated functions such as
// ReviewWithAuthor make it; the zero With stands for nothing.
type With[P any] struct{ w *along }

// along is a relation that is asked for, and what is asked for with it. It is never changed.
type along struct {
	relation string
	then     []*along
}

// Along returns a relation of a model P, with what comes with its rows. It is for generated code.
//
//go:noinline
func Along[P, Q any](relation string, its []With[Q]) With[P] {
	return With[P]{&along{relation: relation, then: inner(its)}}
}

// Follow returns a Source whose rows come with the rows of a relation. It is for generated code.
//
//go:noinline
func Follow[Q any](src Source, relation string, its []With[Q]) Source {
	src.with = alsoWith(src.with, &along{relation: relation, then: inner(its)})
	return src
}

func inner[Q any](its []With[Q]) (ws []*along) {
	for _, w := range its {
		if w.w != nil {
			ws = alsoWith(ws, w.w)
		}
	}
	return ws
}

// alsoWith adds a relation to others. One that is asked for twice is read once, with what is asked for with either.
func alsoWith(ws []*along, w *along) []*along {
	for i, other := range ws {
		if other.relation != w.relation {
			continue
		}
		both := &along{relation: w.relation, then: other.then}
		for _, t := range w.then {
			both.then = alsoWith(both.then, t)
		}
		ws = slices.Clone(ws)
		ws[i] = both
		return ws
	}
	return append(ws[:len(ws):len(ws)], w)
}

// follow is a relation of a model. What it leads to is known when both models are registered.
//
//	belongs to, by the primary key   the related row's own entry
//	belongs to, by another column    a list of the related rows that have the value
//	has one, has many                a list of the related rows that have the owner's key
//	many to many                     a list of the join table's rows that have the owner's key, and the related rows' own entries
//	many to many, by other columns   such a list, and for each value on it a list of the related rows that have it
type follow struct {
	t     *Table // the owner's
	spec  FollowSpec
	rel   *schema.Relationship
	own   []ownColumn     // what a related row, or one of the join table, is found by: of the owner
	there []*schema.Field // the columns of the related model, or of the join table, which are compared with it
	to    atomic.Pointer[followed]

	// Of many to many: what leads from the join table to the related rows' keys, and the join table's list.
	other, keys []*schema.Field
	via         *index         // written while models are registered, and read there
	table       *schema.Schema // the join table as GORM saw it when the model was registered
}

// ownColumn is a column, or a value that stands for one.
type ownColumn struct {
	field *schema.Field // nil: the value
	value Arg
}

// followed is what a relation leads to.
type followed struct {
	t   *Table
	via *index // of many to many: the join table's list
	ix  *index // of the related rows; nil: they are found by primary key
	// at is the place that each column of the primary key has among the relation's, where they are found by it.
	at []int
}

// resolveFollows finds the model's relations in GORM's reading of it.
func (t *Table) resolveFollows() error {
	t.follows = make(map[string]*follow, len(t.spec.Follows))
	for _, spec := range t.spec.Follows {
		f := &follow{t: t, spec: spec, rel: t.schema.Relationships.Relations[spec.Relation]}
		if f.rel == nil {
			return t.differ(spec.Relation, "a relation", "none")
		}
		if err := f.resolve(); err != nil {
			return err
		}
		t.follows[spec.Relation] = f
	}
	return nil
}

// resolve finds the columns by which the relation goes. Constants come first.
func (f *follow) resolve() error {
	if f.rel.Type == schema.Many2Many {
		if err := f.resolveJoin(); err != nil {
			return err
		}
	}
	for _, ref := range f.rel.References {
		switch {
		case f.rel.Type == schema.Many2Many: // done
		case ref.PrimaryValue != "":
			f.own = slices.Insert(f.own, 0, ownColumn{value: Text(ref.PrimaryValue)})
			f.there = slices.Insert(f.there, 0, ref.ForeignKey)
		case ref.OwnPrimaryKey:
			f.own, f.there = append(f.own, ownColumn{field: ref.PrimaryKey}), append(f.there, ref.ForeignKey)
		default:
			f.own, f.there = append(f.own, ownColumn{field: ref.ForeignKey}), append(f.there, ref.PrimaryKey)
		}
	}
	for i, c := range f.own {
		if c.field == nil {
			continue
		}
		if a, b := relationKind(c.field), relationKind(f.there[i]); a != b || a == argBad {
			return f.unlike(c.field, f.there[i])
		}
	}
	return nil
}

// unlike is the error of two columns that are compared and do not go together.
func (f *follow) unlike(a, b *schema.Field) error {
	return f.errorf("%s.%s is compared with %s.%s, of another type or of one that relations are not followed by; make both integers, text or the same Valuer",
		a.Schema.Name, a.Name, b.Schema.Name, b.Name)
}

func (f *follow) errorf(format string, args ...any) error {
	return fmt.Errorf("%w: %s.%s: "+format, append([]any{ErrModel, f.t.spec.Model, f.spec.Relation}, args...)...)
}

// relationKind is the kind of a column by which a relation may go, signed and unsigned integers alike; argBad for others.
func relationKind(f *schema.Field) argKind {
	switch k := kindOf(f); k {
	case argInt, argUint:
		return argUint
	case argText, argBytes, argAny, argBool:
		return k
	}
	return argBad
}

// related is what the relation leads to.
func (f *follow) related() (*followed, error) {
	if f.rel.JoinTable != f.table {
		return nil, f.errorf("SetupJoinTable was called after NewModels, which knows other columns of %s: call it before NewModels", f.rel.JoinTable.Table)
	}
	if to := f.to.Load(); to != nil {
		return to, nil
	}
	return nil, fmt.Errorf("%w: %s.%s leads to %s, of which no model is registered: call NewModels of %s too, with the same Runtime",
		ErrNoModel, f.t.spec.Model, f.spec.Relation, f.rel.FieldSchema.Name, f.spec.Package)
}

// relations are those of all models of a runtime.
type relations struct {
	mu  sync.Mutex // held while models are registered
	all []*follow
}

// add joins the model's relations with the models that they lead to, and those of others with it.
func (r *relations) add(t *Table) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = slices.DeleteFunc(r.all, func(f *follow) bool {
		return f.t.schema.ModelType == t.schema.ModelType && f.t.schema.Table == t.schema.Table
	})
	for _, spec := range t.spec.Follows {
		r.all = append(r.all, t.follows[spec.Relation])
	}
	for _, f := range r.all {
		if join := f.rel.JoinTable; join != nil {
			var err error
			switch {
			case f.t == t:
				err = f.joinTable(t.rt, nil)
			case join.ModelType == t.schema.ModelType && join.Table == t.schema.Table:
				err = f.joinTable(t.rt, t)
				if to := f.to.Load(); to != nil && err == nil {
					err = f.join(to.t)
				}
			}
			if err != nil {
				return err
			}
		}
		leads := func(to *Table) bool { return to.schema.ModelType == f.rel.FieldSchema.ModelType }
		switch {
		case leads(t):
			if err := f.join(t); err != nil {
				return err
			}
		case f.t == t:
			for _, m := range t.rt.registry.every() {
				if to, ok := m.(*Table); ok && leads(to) {
					if err := f.join(to); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// join makes a model the one that the relation leads to.
func (f *follow) join(to *Table) error {
	columns, own := f.there, f.own
	if f.via != nil { // and on from the join table
		columns, own = f.keys, make([]ownColumn, len(f.keys))
		for i, column := range f.other {
			own[i].field = column
		}
	}
	there := make([]*schema.Field, len(columns))
	for i, column := range columns {
		if there[i] = to.schema.FieldsByDBName[column.DBName]; there[i] == nil {
			return f.errorf("GORM compares it with the column %s, which %s has not", column.DBName, to.spec.Model)
		}
	}
	if at, ok := keyAmong(to, there); ok && (f.rel.Type == schema.BelongsTo || f.via != nil) {
		f.to.Store(&followed{t: to, via: f.via, at: at})
		return nil
	}
	name := f.spec.Relation
	if f.via != nil {
		name += "Of" // beside the join table's list, croupons.Tags(42)
	}
	ix, err := f.index(to, name, there, own, nil)
	if err != nil {
		return err
	}
	if err := to.addFollowed(ix); err != nil {
		return f.errorf("how the columns of table %s compare cannot be read: %w", to.schema.Table, err)
	}
	f.to.Store(&followed{t: to, via: f.via, ix: ix})
	return nil
}

// keyAmong finds the columns of a model's primary key among those of a relation, which must be just these.
func keyAmong(to *Table, columns []*schema.Field) (at []int, ok bool) {
	if len(columns) != len(to.primary) {
		return nil, false
	}
	for _, key := range to.primary {
		i := slices.IndexFunc(columns, func(c *schema.Field) bool { return c.DBName == key.DBName })
		if i < 0 {
			return nil, false
		}
		at = append(at, i)
	}
	return at, true
}

// key is the related model's primary key, of what a row or one of the join table leads to.
func (to *followed) key(k []Arg) []Arg {
	key := make([]Arg, len(to.at))
	for j, at := range to.at {
		key[j] = k[at].as(to.t.keyParts[j].kind)
	}
	return key
}

// index is the list of the related rows that have the values of own in the columns there, or of what the join table's rows that have
// them have in the columns others.
func (f *follow) index(to *Table, name string, there []*schema.Field, own []ownColumn, others []*schema.Field) (*index, error) {
	ix := &index{
		t: to, accessor: f.t.spec.Model + ".With" + f.spec.Relation, window: f.spec.Limit,
		spec: IndexSpec{Name: f.t.schema.Table + "." + name, Order: f.spec.Order, TTL: to.spec.TTL},
	}
	kinds := make([]argKind, len(there))
	for i, c := range there {
		ix.spec.By = append(ix.spec.By, pathOf(c))
		kinds[i] = relationKind(c)
		if own[i].field == nil {
			ix.fixed++
			ix.spec.Name += "(" + own[i].value.s + ")" // it is part of what the list is; see release.go
		}
	}
	ix.spec.Args = func(args []Arg, row any) []Arg {
		v := reflect.ValueOf(row).Elem()
		for i, c := range there {
			args = append(args, argOf(c, v).as(kinds[i]))
		}
		return args
	}
	if others != nil {
		ix.entry, ix.parts, ix.spec.Order = others, keyPartsOf(others), nil
		for _, c := range others { // a row that leads elsewhere is elsewhere on the list
			ix.spec.Order = append(ix.spec.Order, Order{Field: pathOf(c)})
		}
	}
	if err := ix.resolve(to.layout()); err != nil {
		return nil, err
	}
	for _, c := range others {
		if !slices.Contains(ix.selects, c.DBName) {
			ix.selects = append(ix.selects, c.DBName)
		}
	}
	ix.spec.Holds = owned(there, own)
	ix.spec.Same = ix.sameColumns()
	// It has the owner's name, as in croupons.Reviews(42), and falls with the related rows' table.
	s := &ix.spec
	owner := newTableNames(to.rt.opts, f.t.schema.Table)
	ix.keys = owner.accessor(name, fingerprint(fmt.Sprintf("%s\n%s %s %v %v", to.layout(), f.t.schema.Table, s.Name, s.By, s.Order)))
	ix.keys.allHead, ix.keys.all = to.keys.allHead, to.keys.all
	return ix, nil
}

// owned reports of a related row whether it may have an owner of the relation's kind: whoever leads to nobody is on nobody's list.
func owned(there []*schema.Field, own []ownColumn) func(row any) bool {
	return func(row any) bool {
		v := reflect.ValueOf(row).Elem()
		found := false
		for i, c := range there {
			if fixed := own[i]; fixed.field == nil {
				if !SameText(argOf(c, v).s, fixed.value.s) {
					return false
				}
				continue
			}
			_, zero := c.ValueOf(context.Background(), v)
			found = found || !zero
		}
		return found
	}
}

// addFollowed adds the list of a relation that leads to the model, which may be in use.
func (t *Table) addFollowed(ix *index) error {
	t.undecided.mu.Lock()
	defer t.undecided.mu.Unlock()
	if !t.undecided.is.Load() { // else it is compared with the others
		if err := t.compareIndex(ix); err != nil {
			return err
		}
		ix.identity = ix.identify()
	}
	t.alsoJudge(ix, func(old *index) bool {
		return old.accessor == ix.accessor && string(old.keys.listHead) == string(ix.keys.listHead)
	})
	ix.watchStatements()
	if t.release != nil {
		t.release.anew() // others are told of the list
	}
	return nil
}

// pathOf is a column's Go path.
func pathOf(f *schema.Field) string { return strings.Join(f.BindNames, ".") }
