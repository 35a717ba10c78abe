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
func (u *Unique) GetMany(ctx context.Context, src Source, values []Arg) ([]any, error) {
	c, err := u.t.begin(ctx, src, u.accessor)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return []any{}, nil
	}
	if err := badArg(u.accessor, values); err != nil {
		return nil, err
	}
	_, at := dedupe(split(values, 1))
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
	return u.t.arrange(ctx, &c, rows, at, false)
}

// each returns the row of each value, nil where there is none.
func (u *Unique) each(ctx context.Context, c *call, values []Arg) ([]any, error) {
	if c.database || slices.ContainsFunc(values, func(v Arg) bool { return u.odd([]Arg{v}) }) || u.guard.refuses(ctx) || !u.registered(ctx, c) {
		return u.find(ctx, c, values, nil)
	}
	keys, err := u.lookups(ctx, c, values)
	if errors.Is(err, errAltered) {
		return u.find(ctx, c, values, nil)
	}
	if err != nil {
		return nil, err
	}
	var ks [][]Arg // one of each value that has a row
	for _, l := range keys {
		if len(l.keys) > 0 {
			ks = append(ks, l.keys[:len(u.t.keyParts)])
		}
	}
	distinct, at := dedupe(ks)
	found, err := u.t.rowsOf(ctx, c, distinct)
	if err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	rows := make([]any, len(values))
	next := 0
	for i, l := range keys {
		if l.kind == keysListed && len(l.keys) == 0 {
			continue
		}
		if l.kind == keysListed {
			rows[i] = found[at[next]]
		}
		if len(l.keys) > 0 {
			next++
		}
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
func (u *Unique) lookups(ctx context.Context, c *call, values []Arg) ([]listed, error) {
	keys := make([]listed, len(values))
	var want []wanted
	var at []int
	for i := range values {
		w := u.wanted(c, values[i:i+1])
		if v, hit := c.first(ctx, w.guard, w.ref.Key, w.ref.List.ID, w.ref.All.ID); hit {
			if l, ok := u.decodeKeys(ctx, v); ok {
				c.observed(ctx, w.accessor, w.ref.Key, flushlist.HitFirst, false)
				if c.rt.sampler.due() {
					c.rt.sampler.take(ctx, w, v, flushlist.HitFirst)
				}
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
func (u *Unique) loadEach(ctx context.Context, c *call, values []Arg) ([]loaded, error) {
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
		results[i] = loaded{value: u.encodeKeys(kind, []any{row}), noStore: kind == keysOdd}
	}
	return results, nil
}

// find reads the row of each value from the database: these columns of it, or all.
func (u *Unique) find(ctx context.Context, c *call, values []Arg, columns []string) ([]any, error) {
	out := make([]any, len(values))
	for start := 0; start < len(values); start += maxKeys {
		part := values[start:min(start+maxKeys, len(values))]
		args := split(part, 1)
		q := u.conditioned(c.statement(ctx), anyOf(u.by, args)).Order(u.order)
		if columns != nil {
			q = q.Select(columns)
		}
		rows, err := u.t.findRows(c, q)
		if err != nil {
			return nil, err
		}
		if len(part) == 1 {
			if len(rows) > 0 {
				out[start] = rows[0]
			}
			continue
		}
		unclear := match(args, rows, out[start:], u.spec.Args, u.nameOf, u.odd)
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

// nameOf is a value as it stands in its list's name; see Table.nameOf.
func (u *Unique) nameOf(value []Arg) string {
	if u.t.undecided.is.Load() {
		return ""
	}
	return string(u.keys.appendNames(nil, value))
}

func (u *Unique) odd(value []Arg) bool {
	return !u.t.undecided.is.Load() && u.keys.odd(value)
}
