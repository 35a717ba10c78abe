package cacheruntime

import (
	"context"
	"encoding/binary"
	"errors"
	"reflect"

	"github.com/cachegen/cachegen/flushlist"
)

// What the entry of a list, a one or a unique lookup begins with.
const (
	keysListed = iota // the primary keys follow
	keysLong          // the list is longer than the window: it is read from the database each time
	// The others are shared by the callers of one load, and never stored.
	keysOdd  // the database holds values to be equal that our folding does not
	rowsRead // the rows follow: where nothing can be stored, one statement brings them with their keys
	rowsOdd  // one of the rows would not come back from bytes: each caller reads them for itself
)

// listed is what such an entry says.
type listed struct {
	kind byte
	keys []Arg // one behind the other
	rows []any // of rowsRead
}

// lookup reads the primary keys that the accessor finds with args, or the rows.
func (ix *index) lookup(ctx context.Context, c *call, args []Arg) (listed, error) {
	decode := func(v flushlist.Value) (listed, bool) { return ix.decodeKeys(ctx, v) }
	return readEntry(ctx, c, ix.wanted(c, args), decode, func(ctx context.Context, c *call, _ []int, store bool) ([]loaded, error) {
		l, err := ix.load(ctx, c, args, store)
		return []loaded{l}, err
	})
}

// wanted addresses the entry of these arguments.
func (ix *index) wanted(c *call, args []Arg) wanted {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	return wanted{accessor: ix.accessor, guard: &ix.guard, ttl: ix.spec.TTL, ref: ix.keys.ref(s, c.part, c.term, args),
		dear: !ix.unique || ix.t.spec.Lease, table: ix.t, index: ix, args: args, term: c.term}
}

// readEntry reads one entry and decodes it. An entry that cannot be decoded is loaded anew.
func readEntry[V any](ctx context.Context, c *call, w wanted, decode func(flushlist.Value) (V, bool), load loader) (V, error) {
	c.clock()
	if v, hit := c.first(ctx, w.guard, w.ref.Key, w.ref.List.ID, w.ref.All.ID); hit {
		if out, ok := decode(v); ok {
			c.observed(ctx, w.accessor, w.ref.Key, flushlist.HitFirst, false)
			if c.rt.sampler.due() {
				c.rt.sampler.take(ctx, w, v, flushlist.HitFirst)
			}
			return out, nil
		}
	}
	want := []wanted{w}
	for _, c := range []*call{c, c.refreshing()} {
		values, err := c.fetch(ctx, want, load)
		if err != nil {
			var none V
			return none, err
		}
		if out, ok := decode(values[0]); ok {
			return out, nil
		}
	}
	var none V
	return none, errCodec
}

// load loads the primary keys of a list, or where nothing can be stored the rows.
func (ix *index) load(ctx context.Context, c *call, args []Arg, store bool) (loaded, error) {
	most := ix.spec.Limit
	if most == 0 {
		most = ix.windowOf() + 1 // one more, to see whether there are more
	}
	q := ix.rows(ctx, c, args).Order(ix.order).Limit(most)
	if store {
		q = q.Select(ix.selects)
	}
	rows, err := ix.t.findRows(c, q)
	if err != nil {
		return loaded{}, err
	}
	switch {
	case ix.spec.Limit == 0 && len(rows) == most:
		return loaded{value: flushlist.Value{Payload: []byte{keysLong}}}, nil
	case !store:
		return loaded{value: ix.encodeRows(ctx, rows), noStore: true}, nil
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	folded := ix.keys.fit(args)
	kind := byte(keysListed)
	for _, row := range rows {
		if !ix.t.keyFits(row) {
			return loaded{value: flushlist.Value{Payload: []byte{rowsOdd}}, noStore: true}, nil
		}
		if !ix.fits(s, row, folded) {
			kind = keysOdd
		}
	}
	return loaded{value: ix.encodeKeys(kind, rows), noStore: kind == keysOdd}, nil
}

// encodeRows makes what the callers of one load share.
func (ix *index) encodeRows(ctx context.Context, rows []any) flushlist.Value {
	b := binary.AppendUvarint([]byte{rowsRead}, uint64(len(rows)))
	for _, row := range rows {
		var err error
		if b, err = ix.t.encode(ctx, b, row); err != nil {
			return flushlist.Value{Payload: []byte{rowsOdd}}
		}
	}
	return flushlist.Value{Payload: b}
}

// encodeKeys makes the entry of a list. That a one or a unique lookup found nothing is an absence, and
// kept as long as one.
func (ix *index) encodeKeys(kind byte, rows []any) flushlist.Value {
	if len(rows) == 0 && ix.spec.Limit == 1 {
		return flushlist.Value{Absent: true}
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	b := binary.AppendUvarint([]byte{kind}, uint64(len(rows)))
	for _, row := range rows {
		s.args = ix.entryArgs(s.args[:0], row)
		for _, a := range s.args {
			b = appendArg(b, a)
		}
	}
	return flushlist.Value{Payload: b}
}

func (ix *index) decodeKeys(ctx context.Context, v flushlist.Value) (l listed, ok bool) {
	if v.Absent {
		return l, true
	}
	d := newDecoder(v.Payload)
	kind := d.take(1)
	if d.bad || kind[0] > rowsOdd {
		return l, false
	}
	l.kind = kind[0]
	if l.kind == keysLong || l.kind == rowsOdd {
		return l, d.end() == nil
	}
	n := d.uvarint()
	// What the number says is not believed before it is there. An empty list is not nil.
	if l.kind == rowsRead {
		l.rows = make([]any, 0, min(n, 1024))
	} else {
		l.keys = make([]Arg, 0, min(n, 1024)*uint64(len(ix.entryParts())))
	}
	for ; n > 0 && !d.bad; n-- {
		if l.kind != rowsRead {
			for _, p := range ix.entryParts() {
				l.keys = append(l.keys, p.decodeArg(&d))
			}
			continue
		}
		row := ix.t.spec.New()
		ix.t.decodeRow(ctx, &d, row)
		l.rows = append(l.rows, row)
	}
	return l, d.end() == nil
}

// list returns the rows that the accessor finds with args, from offset on and at most limit; no limit
// where that is negative.
func (ix *index) list(ctx context.Context, c *call, args []Arg, offset, limit int) ([]any, error) {
	rows, err := ix.read(ctx, c, args, offset, limit)
	if err != nil {
		return nil, err
	}
	if err := ix.t.follow(ctx, *c, rows); err != nil {
		return nil, err
	}
	return rows, ix.t.afterFind(ctx, c, rows)
}

// read is list before the model's hook has run on rows from the cache.
//
// The keys come from one entry and each row from its own, so a row may have changed since the list
// was made, and no longer fit it. Then both are read again past the first tier. The write that changed
// the row had left its intents on the list before anybody could see the row changed, so the list
// is now found as that write leaves it:
//
//  1. R reads the list of Portland: 1, 2
//  2. W moves row 2 to Eugene: intents on row 2, Portland, Eugene; COMMIT
//  3. R reads row 2: Eugene. It does not fit.
//  4. R reads the list again: an intent, or a new stamp: loaded, without row 2
//
// Where writes keep coming in between, the third try is one statement that reads everything.
func (ix *index) read(ctx context.Context, c *call, args []Arg, offset, limit int) ([]any, error) {
	if err := badArg(ix.accessor, args); err != nil {
		return nil, err
	}
	if c.database || ix.keys.odd(args) || ix.guard.refuses(ctx) || !ix.registered(ctx, c) {
		return ix.query(ctx, c, args, offset, limit)
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	folded := ix.keys.fit(args)
	for _, c := range []*call{c, c.freshly()} {
		l, err := ix.lookup(ctx, c, args)
		if errors.Is(err, errAltered) {
			break
		}
		if err != nil {
			return nil, err
		}
		if l.kind == rowsRead {
			return part(l.rows, offset, limit), nil
		}
		if l.kind != keysListed {
			if l.kind == keysLong {
				c.rt.stats.longLists.Add(1)
			}
			break
		}
		rows, err := ix.t.rowsOf(ctx, c, part(ix.t.split(l.keys), offset, limit))
		if err != nil {
			return nil, err
		}
		if ix.allFit(s, rows, folded) {
			return rows, nil
		}
		c.observed(ctx, ix.accessor, "", flushlist.LoadedAgain, false)
	}
	return ix.query(ctx, c, args, offset, limit)
}

func (ix *index) allFit(s *scratch, rows []any, folded string) bool {
	for _, row := range rows {
		if !ix.fits(s, row, folded) {
			return false
		}
	}
	return true
}

// query reads rows from the database in one statement.
func (ix *index) query(ctx context.Context, c *call, args []Arg, offset, limit int) ([]any, error) {
	if most := ix.spec.Limit; most > 0 { // rows past the list's limit do not exist
		if offset >= most {
			return []any{}, nil
		}
		if limit < 0 || limit > most-offset {
			limit = most - offset
		}
	}
	q := ix.rows(ctx, c, args).Order(ix.order)
	if offset > 0 {
		q = q.Offset(offset)
	}
	if limit >= 0 {
		q = q.Limit(limit)
	}
	return ix.t.findRows(c, q)
}

// first returns the only row of a one or a unique lookup.
func (ix *index) first(ctx context.Context, src Source, args []Arg) (any, error) {
	c, err := ix.t.begin(ctx, src, ix.accessor)
	if err != nil {
		return nil, err
	}
	return one(ix.list(ctx, &c, args, 0, -1))
}

// Flush flushes the accessor's entries of these arguments.
func (ix *index) Flush(ctx context.Context, args ...Arg) error {
	if ctx == nil {
		return ErrNilContext
	}
	if ix.t.undecided.is.Load() || ix.keys.odd(args) {
		return ix.t.FlushAll(ctx)
	}
	p, err := ix.t.rt.partition(ctx)
	if err != nil {
		return err
	}
	s := scratches.Get().(*scratch)
	list := ix.keys.listOf(s, p, args)
	scratches.Put(s)
	return ix.t.rt.flushNow(ctx, ix.t.rt.flushOf(fallsOf(ix.keys.allIn(p), nil, list)))
}

// part is the page of a list from offset on, of at most limit; all of it where limit is negative.
func part[S ~[]E, E any](of S, offset, limit int) S {
	of = of[min(offset, len(of)):]
	if limit >= 0 && limit < len(of) {
		of = of[:limit]
	}
	return of
}

// entryArgs appends what an entry holds of a row: its primary key, or what a row of a join table leads to.
func (ix *index) entryArgs(to []Arg, row any) []Arg {
	if ix.entry == nil {
		return ix.t.spec.KeyArgs(to, row)
	}
	v := reflect.ValueOf(row).Elem()
	for _, f := range ix.entry {
		to = append(to, argOf(f, v))
	}
	return to
}

// entryFits reports whether that can be written to an entry: it has a value.
func (ix *index) entryFits(row any) bool {
	return ix.entry == nil && ix.t.keyFits(row) || ix.entry != nil && badArg(ix.accessor, ix.entryArgs(nil, row)) == nil
}

// entryParts say what that may be.
func (ix *index) entryParts() []keyPart {
	if ix.entry == nil {
		return ix.t.keyParts
	}
	return ix.parts
}
