package cacheruntime

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// Many to many: the rows of a join table that have an owner's key are a list of the keys that they lead to. The join
// table has no accessors of its own, and mostly no model in Go: it is registered as GORM sees it, so that writes of it are judged.

// resolveJoin finds the columns by which the relation goes through its join table: own and there lead from the owner to the
// join table, other from there to the related model.
func (f *follow) resolveJoin() error {
	f.table = f.rel.JoinTable
	for _, ref := range f.rel.References {
		switch {
		case ref.PrimaryValue != "":
			f.own = slices.Insert(f.own, 0, ownColumn{value: Text(ref.PrimaryValue)})
			f.there = slices.Insert(f.there, 0, ref.ForeignKey)
		case ref.OwnPrimaryKey:
			f.own, f.there = append(f.own, ownColumn{field: ref.PrimaryKey}), append(f.there, ref.ForeignKey)
		default:
			f.other, f.keys = append(f.other, ref.ForeignKey), append(f.keys, ref.PrimaryKey)
		}
	}
	for i, c := range f.other {
		if a, b := relationKind(c), relationKind(f.keys[i]); a != b || a == argBad {
			return f.unlike(c, f.keys[i])
		}
	}
	return nil
}

// joinTable makes the list of the join table's rows of an owner, on t where that is the join table's model.
func (f *follow) joinTable(rt *Runtime, t *Table) error {
	if t == nil {
		var err error
		if t, err = rt.joinTable(f.rel.JoinTable); err != nil {
			return err
		}
	}
	column := func(c *schema.Field) *schema.Field { return t.schema.FieldsByDBName[c.DBName] }
	var there []*schema.Field
	for _, c := range f.there {
		there = append(there, column(c))
	}
	var others []*schema.Field
	for _, c := range f.other {
		others = append(others, column(c))
	}
	if slices.Contains(there, nil) || slices.Contains(others, nil) {
		return f.errorf("%s is not the join table that GORM takes it for: call SetupJoinTable before NewModels", t.schema.Table)
	}
	ix, err := f.index(t, f.spec.Relation, there, f.own, others)
	if err == nil {
		err = t.addFollowed(ix)
	}
	if err == nil {
		f.via = ix
	}
	return err
}

// joinTable returns the model of a join table: one that is registered, or one that is made of GORM's reading of it. GORM makes a
// struct for each side of a relation where SetupJoinTable gave it none, with the same columns.
func (rt *Runtime) joinTable(sch *schema.Schema) (*Table, error) {
	for _, m := range rt.registry.of(sch.Table) {
		t, ok := m.(*Table)
		if ok && (t.schema.ModelType == sch.ModelType || t.joins && t.schema.ModelType.Name() == "" && sch.ModelType.Name() == "") {
			return t, nil
		}
	}
	spec := TableSpec{
		Model:   sch.Name,
		New:     func() any { return reflect.New(sch.ModelType).Interface() },
		KeyArgs: fieldArgs(sch.PrimaryFields),
	}
	for _, f := range sch.Fields {
		if f.DBName == "" {
			continue
		}
		spec.Fields = append(spec.Fields, Field{Path: pathOf(f), Class: classOf(f), PrimaryKey: slices.Contains(sch.PrimaryFields, f)})
		if judgesDeleted(f) {
			spec.Deleted = func(row any) bool {
				v, ok := fieldAt(reflect.ValueOf(row).Elem(), f)
				return ok && v.Interface().(gorm.DeletedAt).Valid
			}
		}
	}
	t := NewTable(rt, spec)
	t.joins, t.schema = true, sch
	t.primary, t.keyParts = sch.PrimaryFields, keyPartsOf(sch.PrimaryFields)
	t.fields = map[string]*schema.Field{}
	for _, f := range sch.Fields {
		if f.DBName != "" {
			t.fields[pathOf(f)] = f
		}
	}
	t.carry()
	return t, t.ready()
}

// fieldArgs is the function that appends a row's own values of columns.
func fieldArgs(fs []*schema.Field) func(to []Arg, row any) []Arg {
	return func(to []Arg, row any) []Arg {
		v := reflect.ValueOf(row).Elem()
		for _, f := range fs {
			to = append(to, argOf(f, v))
		}
		return to
	}
}

// joined are the related rows of each of args, through the join table.
func (f *follow) joined(ctx context.Context, c *call, to *followed, args [][]Arg) ([][]any, error) {
	outer := to.via.t.callWithin(ctx, c)
	lists, err := to.via.keysOfMany(ctx, &outer, args)
	if err != nil {
		return nil, err
	}
	for i, ks := range lists {
		lists[i] = f.leading(ks)
	}
	distinct, at := dedupe(slices.Concat(lists...))
	found, err := to.rows(ctx, c, distinct)
	if err != nil {
		return nil, err
	}
	out := make([][]any, len(args))
	for i, ks := range lists {
		for _, d := range at[:len(ks)] {
			out[i] = append(out[i], found[d]...)
		}
		at = at[len(ks):]
		f.sort(to.t, out[i])
	}
	return out, nil
}

// leading are the values of a join table's rows that lead somewhere, as arguments of the relation.
func (f *follow) leading(ks [][]Arg) [][]Arg {
	out := make([][]Arg, 0, len(ks))
	for _, k := range ks {
		if !slices.ContainsFunc(k, func(a Arg) bool { return !a.zero() }) {
			continue
		}
		args := make([]Arg, len(k))
		for i, a := range k {
			args[i] = a.as(relationKind(f.other[i]))
		}
		out = append(out, args)
	}
	return out
}

// keysOfMany reads the keys on several lists of a join table.
func (ix *index) keysOfMany(ctx context.Context, c *call, argss [][]Arg) ([][][]Arg, error) {
	for _, args := range argss {
		if err := badArg(ix.accessor, args); err != nil {
			return nil, err
		}
	}
	out := make([][][]Arg, len(argss))
	from := func(these []int) error { // the database
		if len(these) == 0 {
			return nil
		}
		rows := make([][]any, len(argss))
		if err := ix.queryInto(ctx, c, argss, these, rows); err != nil {
			return err
		}
		for _, i := range these {
			out[i] = ix.keysOn(rows[i])
		}
		return nil
	}
	every := make([]int, len(argss))
	for i := range every {
		every[i] = i
	}
	if c.database || slices.ContainsFunc(argss, ix.keys.odd) || ix.guard.refuses(ctx) || !ix.registered(ctx, c) {
		return out, from(every)
	}
	lists, err := ix.lookupMany(ctx, c, argss)
	if errors.Is(err, errAltered) {
		return out, from(every)
	}
	if err != nil {
		return nil, err
	}
	var whole []int
	for i, l := range lists {
		if l.kind == keysListed {
			out[i] = split(l.keys, len(ix.entry))
			continue
		}
		if l.kind == keysLong {
			c.rt.stats.longLists.Add(1)
		}
		whole = append(whole, i)
	}
	return out, from(whole)
}

// keysOn are the keys that rows of the join table lead to.
func (ix *index) keysOn(rows []any) [][]Arg {
	var keys [][]Arg
	for _, row := range rows {
		keys = append(keys, ix.entryArgs(nil, row))
	}
	return keys
}

// sort puts related rows in the relation's order, and then by primary key. Go does, since the join table knows nothing of their columns,
// and what it cannot compare as databases do is refused in the tag.
func (f *follow) sort(t *Table, rows []any) {
	if len(rows) < 2 {
		return
	}
	type place struct {
		row any
		by  []reflect.Value // the columns of the order
		key []Arg
	}
	places := make([]place, len(rows))
	values := make([]reflect.Value, 0, len(rows)*len(f.spec.Order))
	keys := make([]Arg, 0, len(rows)*len(t.primary))
	for i, row := range rows {
		v, from, at := reflect.ValueOf(row).Elem(), len(values), len(keys)
		for _, o := range f.spec.Order {
			c, _ := fieldAt(v, t.fields[o.Field])
			values = append(values, c)
		}
		keys = t.spec.KeyArgs(keys, row)
		places[i] = place{row, values[from:], keys[at:]}
	}
	slices.SortStableFunc(places, func(a, b place) int {
		for i, o := range f.spec.Order {
			n := compareValues(a.by[i], b.by[i])
			if o.Desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return slices.CompareFunc(a.key, b.key, compareArgs)
	})
	for i, p := range places {
		rows[i] = p.row
	}
}

// compareArgs puts arguments of one column in order: NULL first, integers and text as Go has them.
func compareArgs(a, b Arg) int {
	if a.kind == argInt && b.kind == argInt {
		return cmp.Compare(int64(a.n), int64(b.n))
	}
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.n, b.n), cmp.Compare(a.s, b.s))
}
