package cacheruntime

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/cachegen/cachegen/flushlist"
)

// rowsOf returns the row of each key, or nil where there is none. The keys are distinct. Hooks have
// not run on rows from the cache.
func (t *Table) rowsOf(ctx context.Context, c *call, ks [][]Arg) ([]any, error) {
	if len(ks) == 0 {
		return []any{}, nil
	}
	if c.database || slices.ContainsFunc(ks, t.oddKey) || t.guard.refuses(ctx) {
		return t.find(ctx, c, ks)
	}
	c.clock()
	rows := make([]any, len(ks))
	var want []wanted
	var at []int
	s := scratches.Get().(*scratch)
	for i, k := range ks {
		if err := badArg(t.accessor, k); err != nil {
			scratches.Put(s)
			return nil, err
		}
		key, list := t.keys.entry(s, c.part, k)
		if v, hit := c.first(ctx, &t.guard, key, list, t.keys.allID(c.part)); hit {
			if row, ok := t.decode(ctx, s, v); ok {
				c.observed(ctx, t.accessor, key, flushlist.HitFirst, false)
				if c.rt.sampler.due() {
					c.rt.sampler.take(ctx, t.wanted(s, c.part, key, list, k), v, flushlist.HitFirst)
				}
				rows[i] = row
				continue
			}
		}
		want = append(want, t.wanted(s, c.part, key, list, k))
		at = append(at, i)
	}
	scratches.Put(s)
	if len(want) == 0 {
		return rows, nil
	}
	return rows, t.fetch(ctx, c, want, ks, rows, at)
}

// wanted is the row of the primary key k, whose entry's key was last made in s.
func (t *Table) wanted(s *scratch, p partition, key string, list uint64, k []Arg) wanted {
	return wanted{
		accessor: t.accessor,
		guard:    &t.guard,
		ttl:      t.spec.TTL,
		ref:      flushlist.Ref{Key: key, List: flushlist.List{Name: string(s.list), ID: list}, All: t.keys.allIn(p)},
		dear:     t.spec.Lease,
		table:    t,
		args:     k,
	}
}

// fetch brings the wanted rows, those of ks[at[0]], ks[at[1]], …, into their places in rows.
func (t *Table) fetch(ctx context.Context, c *call, want []wanted, ks [][]Arg, rows []any, at []int) error {
	unfit := make([]any, len(want)) // what this caller has loaded and could not put into an entry
	values, err := c.fetch(ctx, want, t.loader(func(i int) []Arg { return ks[at[i]] }, unfit))
	if errors.Is(err, errAltered) {
		return t.fetchDirect(ctx, c, ks, rows, at)
	}
	if err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	for j, v := range values {
		row, ok := t.decode(ctx, s, v)
		if !ok && t.isUnfit(v) {
			if row, err = t.unfitRow(ctx, c, unfit[j], ks[at[j]]); err != nil {
				return err
			}
		} else if !ok {
			// The envelope was sound, the row in it is not: load it and replace it.
			again, key := c.refreshing(), ks[at[j]]
			unfit := make([]any, 1)
			v, err := again.fetch(ctx, want[j:j+1], t.loader(func(int) []Arg { return key }, unfit))
			if err != nil {
				return err
			}
			if row, ok = t.decode(ctx, s, v[0]); !ok && t.isUnfit(v[0]) {
				if row, err = t.unfitRow(ctx, c, unfit[0], key); err != nil {
					return err
				}
			} else if !ok {
				return fmt.Errorf("%s: %w", t.accessor, errCodec)
			}
		}
		rows[at[j]] = row
	}
	return nil
}

// fetchDirect is fetch from the database, as a load would ask it.
func (t *Table) fetchDirect(ctx context.Context, c *call, ks [][]Arg, rows []any, at []int) error {
	wanted := make([][]Arg, len(at))
	for j, i := range at {
		wanted[j] = ks[i]
	}
	found, err := t.find(ctx, c, wanted)
	for j := range found {
		rows[at[j]] = found[j]
	}
	return err
}

// isUnfit reports whether a value stands for a row that no entry can hold.
func (t *Table) isUnfit(v flushlist.Value) bool {
	return len(t.carried) > 0 && !v.Absent && len(v.Payload) == 0
}

// unfitRow is such a row: the caller's own where it has loaded it, else read for this caller alone, since
// rows are not shared.
func (t *Table) unfitRow(ctx context.Context, c *call, own any, k []Arg) (any, error) {
	if own != nil {
		return own, nil
	}
	rows, err := t.find(ctx, c, [][]Arg{k})
	if err != nil {
		return nil, err
	}
	return rows[0], nil // nil where it has gone since
}

// loader loads rows by key and encodes them. Those that no entry can hold are left in unfit.
func (t *Table) loader(key func(i int) []Arg, unfit []any) loader {
	return func(ctx context.Context, c *call, missing []int, _ bool) ([]loaded, error) {
		ks := make([][]Arg, len(missing))
		for j, i := range missing {
			ks[j] = key(i)
		}
		rows, err := t.find(ctx, c, ks)
		if err != nil {
			return nil, err
		}
		results := make([]loaded, len(rows))
		for j, row := range rows {
			if row == nil {
				results[j].value.Absent = true
				continue
			}
			payload, err := t.encode(ctx, nil, row)
			if err != nil {
				unfit[missing[j]] = row
				results[j] = loaded{noStore: true}
				continue
			}
			results[j].value.Payload = payload
			// The database found it under a key that our folding takes for another: a write of the
			// row would not flush this entry.
			results[j].noStore = t.keys.fit(t.spec.KeyArgs(nil, row)) != t.keys.fit(ks[j])
		}
		return results, nil
	}
}

// decode makes a private copy of a row from its entry: nil where the entry says it is absent.
func (t *Table) decode(ctx context.Context, s *scratch, v flushlist.Value) (row any, ok bool) {
	if v.Absent {
		return nil, true
	}
	row = t.spec.New()
	s.decoder = newDecoder(v.Payload)
	t.decodeRow(ctx, &s.decoder, row)
	ok = s.decoder.end() == nil
	s.decoder = Decoder{}
	return row, ok
}

// clone makes another copy of a row, with columns in memory of their own.
func (t *Table) clone(ctx context.Context, c *call, row any) (any, error) {
	b, err := t.encode(ctx, nil, row)
	if err != nil {
		return t.unfitRow(ctx, c, nil, t.spec.KeyArgs(nil, row))
	}
	another := t.spec.New()
	reflect.ValueOf(another).Elem().Set(reflect.ValueOf(row).Elem())
	d := newDecoder(b)
	t.decodeRow(ctx, &d, another)
	return another, d.end()
}
