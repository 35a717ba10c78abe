package cacheruntime

import (
	"context"
	"errors"
	"slices"

	"github.com/cachegen/cachegen/flushlist"
)

// GetMany is Get for several values of a lookup by one column, in their order: one round trip a tier
// and one statement for what is missing. What is absent is left out; a value given twice gives two
// copies.
func (u *Unique[T, K]) GetMany(ctx context.Context, src Source, values []Arg) ([]*T, error) {
	c, err := u.t.begin(ctx, src, u.accessor)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return []*T{}, nil
	}
	if err := badArg(u.accessor, values); err != nil {
		return nil, err
	}
	exact := make([]string, len(values))
	for i, v := range values {
		exact[i] = exactArg(v)
	}
	_, at := dedupe(exact)
	var distinct []Arg
	for i, d := range at {
		if d == len(distinct) {
			distinct = append(distinct, values[i])
		}
	}
	rows, err := u.each(ctx, &c, distinct)
	if err != nil {
		return nil, err
	}
	return u.t.arrange(ctx, &c, rows, at)
}

// each returns the row of each value, nil where there is none.
func (u *Unique[T, K]) each(ctx context.Context, c *call, values []Arg) ([]*T, error) {
	if c.database || slices.ContainsFunc(values, u.odd) || u.guard.refuses(ctx) {
		return u.find(ctx, c, values, nil)
	}
	keys, err := u.lookups(ctx, c, values)
	if errors.Is(err, errAltered) {
		return u.find(ctx, c, values, nil)
	}
	if err != nil {
		return nil, err
	}
	var ks []K
	for _, l := range keys {
		ks = append(ks, l.keys...)
	}
	distinct, at := dedupe(ks)
	found, err := u.t.rowsOf(ctx, c, distinct)
	if err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	rows := make([]*T, len(values))
	next := 0
	for i, l := range keys {
		if l.kind == keysListed && len(l.keys) == 0 {
			continue
		}
		if l.kind == keysListed {
			rows[i] = found[at[next]]
		}
		next += len(l.keys)
		if u.fits(s, rows[i], u.keys.fit(values[i:i+1])) {
			continue
		}
		// The row has changed since; see index.read.
		rows[i] = nil
		alone, err := u.read(ctx, c.freshly(), values[i:i+1], 0, -1)
		if err != nil {
			return nil, err
		}
		if len(alone) > 0 {
			rows[i] = alone[0]
		}
	}
	return rows, nil
}

// lookups reads the entry of each value.
func (u *Unique[T, K]) lookups(ctx context.Context, c *call, values []Arg) ([]listed[T, K], error) {
	keys := make([]listed[T, K], len(values))
	var want []wanted
	var at []int
	for i := range values {
		w := u.wanted(c, values[i:i+1])
		if v, hit := c.first(ctx, w.guard, w.ref.Key, w.ref.List.ID, w.ref.All.ID); hit {
			if l, ok := u.decodeKeys(ctx, v); ok {
				c.observed(ctx, w.accessor, w.ref.Key, flushlist.HitFirst, false)
				keys[i] = l
				continue
			}
		}
		want, at = append(want, w), append(at, i)
	}
	if len(want) == 0 {
		return keys, nil
	}
	found, err := c.fetch(ctx, want, func(ctx context.Context, c *call, missing []int, _ bool) ([]loaded, error) {
		part := make([]Arg, len(missing))
		for j, i := range missing {
			part[j] = values[at[i]]
		}
		return u.loadEach(ctx, c, part)
	})
	if err != nil {
		return nil, err
	}
	for j, v := range found {
		i := at[j]
		l, ok := u.decodeKeys(ctx, v)
		if !ok {
			if l, err = u.lookup(ctx, c.refreshing(), values[i:i+1]); err != nil {
				return nil, err
			}
		}
		keys[i] = l
	}
	return keys, nil
}

// loadEach loads the primary key of each value.
func (u *Unique[T, K]) loadEach(ctx context.Context, c *call, values []Arg) ([]loaded, error) {
	rows, err := u.find(ctx, c, values, u.selects)
	if err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	results := make([]loaded, len(values))
	for i, row := range rows {
		if row == nil {
			results[i].value = u.encodeKeys(keysListed, nil)
			continue
		}
		if !u.t.keyFits(row) {
			results[i] = loaded{value: flushlist.Value{Payload: []byte{rowsOdd}}, noStore: true}
			continue
		}
		kind := byte(keysListed)
		if !u.fits(s, row, u.keys.fit(values[i:i+1])) {
			kind = keysOdd
		}
		results[i] = loaded{value: u.encodeKeys(kind, []*T{row}), noStore: kind == keysOdd}
	}
	return results, nil
}

// find reads the row of each value from the database: these columns of it, or all.
func (u *Unique[T, K]) find(ctx context.Context, c *call, values []Arg, columns []string) ([]*T, error) {
	out := make([]*T, len(values))
	for start := 0; start < len(values); start += maxKeys {
		part := values[start:min(start+maxKeys, len(values))]
		args := make([][]Arg, len(part))
		for i := range part {
			args[i] = part[i : i+1]
		}
		var rows []*T
		q := u.conditioned(c.statement(ctx), anyOf(u.by, args)).Order(u.order)
		if columns != nil {
			q = q.Select(columns)
		}
		if err := findRows(c, q, &rows); err != nil {
			return nil, err
		}
		if len(part) == 1 {
			if len(rows) > 0 {
				out[start] = rows[0]
			}
			continue
		}
		unclear := match(part, rows, out[start:], exactArg, u.nameOf, u.odd, u.valueOf)
		for _, i := range unclear {
			alone, err := u.find(ctx, c, part[i:i+1], columns)
			if err != nil {
				return nil, err
			}
			out[start+i] = alone[0]
		}
	}
	return out, nil
}

// valueOf is the value by which a row is found.
func (u *Unique[T, K]) valueOf(row *T) Arg { return u.spec.Args(nil, row)[0] }

// nameOf is a value as it stands in its list's name; see Table.nameOf.
func (u *Unique[T, K]) nameOf(a Arg) string {
	if u.t.undecided.is.Load() {
		return ""
	}
	return string(u.keys.appendNames(nil, []Arg{a}))
}

func (u *Unique[T, K]) odd(a Arg) bool {
	return !u.t.undecided.is.Load() && u.keys.columns != nil && u.keys.columns[0].odd(a)
}

func exactArg(a Arg) string { return string(a.appendExact(nil)) }
