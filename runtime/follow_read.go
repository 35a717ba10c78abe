package cacheruntime

import (
	"context"
	"fmt"
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
	return t.followAll(ctx, &c, c.with, rows)
}

func (t *Table) followAll(ctx context.Context, c *call, with []*along, rows []any) error {
	owners := make([]any, 0, len(rows))
	for _, row := range rows {
		if row != nil {
			owners = append(owners, row)
		}
	}
	if len(owners) == 0 {
		return nil
	}
	for _, w := range with {
		f := t.follows[w.relation]
		if f == nil {
			return fmt.Errorf("%w: %s has no relation %s that is followed: run go generate again", ErrModel, t.spec.Model, w.relation)
		}
		if err := f.read(ctx, c, w.then, owners); err != nil {
			return err
		}
	}
	return nil
}

// read reads the related rows of owners into them, as GORM's Preload does: where no owner leads anywhere, their fields stay as they are.
func (f *follow) read(ctx context.Context, c *call, then []*along, owners []any) error {
	to, err := f.related()
	if err != nil {
		return err
	}
	args, of := f.arguments(owners)
	if len(args) == 0 {
		return nil
	}
	inner := to.t.callWithin(ctx, c)
	related, err := f.rows(ctx, &inner, to, args)
	if err != nil {
		return err
	}
	all := once(related)
	if err := to.t.followAll(ctx, &inner, then, all); err != nil {
		return err
	}
	if err := to.t.afterFind(ctx, &inner, all); err != nil {
		return err
	}
	for i, owner := range owners {
		var rows []any
		if of[i] >= 0 {
			rows = related[of[i]]
		}
		if err := f.assign(ctx, reflect.ValueOf(owner), rows); err != nil {
			return err
		}
	}
	return nil
}

// callWithin is a call for the rows of another model of the same read.
func (t *Table) callWithin(ctx context.Context, c *call) call {
	inner := *c
	if !c.database && t.undecided.is.Load() && !t.decided(ctx) {
		inner.bypassed(ctx, t.accessor)
	}
	return inner
}

// arguments are what the owners lead to, each once, and the place among them of what each leads to; -1 where all
// its columns are NULL or zero, which to GORM is nowhere.
func (f *follow) arguments(owners []any) (args [][]Arg, of []int) {
	of = make([]int, len(owners))
	var all [][]Arg
	for i, owner := range owners {
		v := reflect.ValueOf(owner).Elem()
		k := make([]Arg, len(f.own))
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
			rows[i] = []any{row}
		}
	}
	return rows, nil
}

// rowsByKeys is rowsOf for keys that a relation gives: those that no row's primary key can be are not asked for, since the
// database might refuse the whole statement for one.
func (t *Table) rowsByKeys(ctx context.Context, c *call, keys [][]Arg) ([]any, error) {
	rows := make([]any, len(keys))
	var ask [][]Arg
	var at []int
	for i, k := range keys {
		if !slices.ContainsFunc(k, func(a Arg) bool { return a.kind == argNull }) && t.takes(k) {
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
	var all []any
	seen := map[any]bool{}
	for _, rows := range lists {
		for _, row := range rows {
			if !seen[row] {
				seen[row] = true
				all = append(all, row)
			}
		}
	}
	return all
}

// assign puts related rows into an owner's field, as GORM's Preload does: an empty slice where there are none of many, nil or the
// zero value where there is not the one. Of several rows that may be the one, it is the last.
func (f *follow) assign(ctx context.Context, owner reflect.Value, rows []any) error {
	field := f.rel.Field
	switch f.rel.Type {
	case schema.HasMany, schema.Many2Many:
		all := reflect.MakeSlice(field.IndirectFieldType, 0, len(rows))
		for _, row := range rows {
			v := reflect.ValueOf(row)
			if all.Type().Elem().Kind() != reflect.Pointer {
				v = v.Elem()
			}
			all = reflect.Append(all, v)
		}
		return field.Set(ctx, owner, all.Interface())
	}
	if len(rows) == 0 {
		return field.Set(ctx, owner, reflect.New(field.FieldType).Interface())
	}
	return field.Set(ctx, owner, rows[len(rows)-1])
}
