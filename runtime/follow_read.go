package cacheruntime

import (
	"context"
	"reflect"
	"slices"

	"gorm.io/gorm/schema"
)

// follow reads what is asked for with rows that were read within c, a level at a time: what several rows of a level lead to is
// looked up together. The rows may be nil.
//
// It takes the call by value, so that the call of a hit stays off the heap.
func (t *Table) follow(ctx context.Context, c call, rows []any) error {
	if len(c.with) == 0 {
		return nil
	}
	return t.followAll(ctx, &c, rows)
}

func (t *Table) followAll(ctx context.Context, c *call, rows []any) error {
	l, err := t.beside(ctx, c, c.with, rows)
	if l == nil || err != nil {
		return err
	}
	l.read()
	return l.finish()
}

// callWithin is a call for the rows of another model of the same read.
func (t *Table) callWithin(ctx context.Context, c *call) call {
	inner := *c
	if !c.database && t.undecided.is.Load() && !t.decidedWithin(ctx, c) {
		inner.bypassed(ctx, t.accessor)
	}
	return inner
}

// decidedWithin is decided, which asks the database.
func (t *Table) decidedWithin(ctx context.Context, c *call) bool {
	sent, err := c.sends(ctx)
	if err != nil {
		return false
	}
	defer sent()
	return t.decided(ctx)
}

// arguments are what the owners lead to, each once, and the place among them of what each leads to; -1 where all
// its columns are NULL or zero, which to GORM is nowhere.
func (f *follow) arguments(owners []any) (args [][]Arg, of []int) {
	of = make([]int, len(owners))
	all := make([][]Arg, 0, len(owners))
	values := make([]Arg, len(owners)*len(f.own))
	for i, owner := range owners {
		v := reflect.ValueOf(owner).Elem()
		k := values[:len(f.own):len(f.own)]
		values = values[len(f.own):]
		of[i] = -1
		for j, c := range f.own {
			if c.field == nil {
				k[j] = c.value
				continue
			}
			k[j] = argOf(c.field, v).as(relationKind(c.field))
			if _, zero := c.field.ValueOf(context.Background(), v); !zero {
				of[i] = len(all)
			}
		}
		if of[i] >= 0 {
			all = append(all, k)
		}
	}
	if len(all) < 2 {
		return all, of
	}
	args, at := dedupe(all)
	for i, place := range of {
		if place >= 0 {
			of[i] = at[place]
		}
	}
	return args, of
}

// rows are the related rows of each of args.
func (f *follow) rows(ctx context.Context, c *call, to *followed, args [][]Arg) ([][]any, error) {
	if to.via != nil {
		return f.joined(ctx, c, to, args)
	}
	return to.rows(ctx, c, args)
}

// rows are the related rows that have each of args.
func (to *followed) rows(ctx context.Context, c *call, args [][]Arg) ([][]any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	if to.ix != nil {
		return to.ix.readMany(ctx, c, args)
	}
	keys := make([][]Arg, len(args))
	for i, k := range args {
		keys[i] = to.key(k)
	}
	found, err := to.t.rowsByKeys(ctx, c, keys)
	if err != nil {
		return nil, err
	}
	rows := make([][]any, len(args))
	for i, row := range found {
		if row != nil {
			rows[i] = found[i : i+1 : i+1]
		}
	}
	return rows, nil
}

// rowsByKeys is rowsOf for keys that a relation gives: those that no row's primary key can be are not asked for, since the
// database might refuse the whole statement for one.
func (t *Table) rowsByKeys(ctx context.Context, c *call, keys [][]Arg) ([]any, error) {
	never := func(k []Arg) bool {
		return slices.ContainsFunc(k, func(a Arg) bool { return a.kind == argNull }) || !t.takes(k)
	}
	if !slices.ContainsFunc(keys, never) {
		return t.rowsOf(ctx, c, keys)
	}
	rows := make([]any, len(keys))
	var ask [][]Arg
	var at []int
	for i, k := range keys {
		if !never(k) {
			ask, at = append(ask, k), append(at, i)
		}
	}
	found, err := t.rowsOf(ctx, c, ask)
	for j, row := range found {
		rows[at[j]] = row
	}
	return rows, err
}

// takes reports whether the primary key's columns may hold a key.
func (t *Table) takes(k []Arg) bool {
	for i, a := range k {
		if !t.keyParts[i].takes(a) {
			return false
		}
	}
	return true
}

// once are the rows of several lists, each once.
func once(lists [][]any) []any {
	n := 0
	for _, rows := range lists {
		n += len(rows)
	}
	all := make([]any, 0, n)
	var seen map[any]bool
	const few = 16 // up to which a search costs less than a map
	if n > few {
		seen = make(map[any]bool, n)
	}
	for _, rows := range lists {
		for _, row := range rows {
			switch {
			case seen == nil && slices.Contains(all, row), seen[row]:
				continue
			case seen != nil:
				seen[row] = true
			}
			all = append(all, row)
		}
	}
	return all
}

// assign puts the related rows into the owners, as GORM's Preload does: where no owner leads anywhere, their fields stay as they are.
func (b *branch) assign() error {
	for i, owner := range b.level.owners {
		var rows []any
		if b.of[i] >= 0 {
			rows = b.related[b.of[i]]
		}
		if err := b.f.assign(b.level.ctx, reflect.ValueOf(owner), rows); err != nil {
			return err
		}
	}
	return nil
}

// assign puts related rows into an owner's field, as GORM's Preload does: an empty slice where there are none of many, nil or the
// zero value where there is not the one. Of several rows that may be the one, it is the last.
func (f *follow) assign(ctx context.Context, owner reflect.Value, rows []any) error {
	field := f.rel.Field
	switch f.rel.Type {
	case schema.HasMany, schema.Many2Many:
		all := reflect.MakeSlice(field.IndirectFieldType, len(rows), len(rows))
		pointers := all.Type().Elem().Kind() == reflect.Pointer
		for i, row := range rows {
			v := reflect.ValueOf(row)
			if !pointers {
				v = v.Elem()
			}
			all.Index(i).Set(v)
		}
		return field.Set(ctx, owner, all.Interface())
	}
	if len(rows) == 0 {
		return field.Set(ctx, owner, reflect.New(field.FieldType).Interface())
	}
	return field.Set(ctx, owner, rows[len(rows)-1])
}
