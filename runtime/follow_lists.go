package cacheruntime

import (
	"context"
	"errors"
	"slices"

	"github.com/cachegen/cachegen/flushlist"

	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// readMany reads the lists of several arguments, which are distinct: one round trip a tier for the lists and one for their
// rows, and as many statements for what is missing. Hooks have not run on rows from the cache.
func (ix *index) readMany(ctx context.Context, c *call, argss [][]Arg) ([][]any, error) {
	if len(argss) == 1 {
		rows, err := ix.read(ctx, c, argss[0], 0, -1)
		return [][]any{rows}, err
	}
	for _, args := range argss {
		if err := badArg(ix.accessor, args); err != nil {
			return nil, err
		}
	}
	if c.database || slices.ContainsFunc(argss, ix.keys.odd) || ix.guard.refuses(ctx) || !ix.registered(ctx, c) {
		return ix.queryMany(ctx, c, argss)
	}
	lists, err := ix.lookupMany(ctx, c, argss)
	if errors.Is(err, errAltered) {
		return ix.queryMany(ctx, c, argss)
	}
	if err != nil {
		return nil, err
	}
	keys := 0
	for _, l := range lists {
		keys += len(l.keys)
	}
	ks := make([][]Arg, 0, keys/len(ix.t.keyParts))
	for _, l := range lists {
		if l.kind == keysListed {
			ks = append(ks, ix.t.split(l.keys)...)
		}
	}
	distinct, at := dedupe(ks)
	found, err := ix.t.rowsOf(ctx, c, distinct)
	if err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	out := make([][]any, len(argss))
	var whole []int // those of which there is no list, or no short one
	for i, l := range lists {
		if l.kind != keysListed {
			if l.kind == keysLong {
				c.rt.stats.longLists.Add(1)
			}
			whole = append(whole, i)
			continue
		}
		n := len(l.keys) / len(ix.t.keyParts)
		out[i] = make([]any, 0, n)
		for _, d := range at[:n] {
			out[i] = append(out[i], found[d])
		}
		at = at[n:]
		if ix.allFit(s, out[i], ix.keys.fit(argss[i])) {
			continue
		}
		// A row has changed since; see index.read.
		c.observed(ctx, ix.accessor, "", flushlist.LoadedAgain, false)
		if out[i], err = ix.read(ctx, c.freshly(), argss[i], 0, -1); err != nil {
			return nil, err
		}
	}
	if len(whole) == 0 {
		return out, nil
	}
	return out, ix.queryInto(ctx, c, argss, whole, out)
}

// lookupMany is lookup for several arguments.
func (ix *index) lookupMany(ctx context.Context, c *call, argss [][]Arg) ([]listed, error) {
	c.clock()
	lists := make([]listed, len(argss))
	var want []wanted
	var at []int
	for i, args := range argss {
		w := ix.wanted(c, args)
		if v, hit := c.first(ctx, w.guard, w.ref.Key, w.ref.List.ID, w.ref.All.ID); hit {
			if l, ok := ix.decodeKeys(ctx, v); ok {
				c.observed(ctx, w.accessor, w.ref.Key, flushlist.HitFirst, false)
				if c.rt.sampler.due() {
					c.rt.sampler.take(ctx, w, v, flushlist.HitFirst)
				}
				lists[i] = l
				continue
			}
		}
		want, at = append(want, w), append(at, i)
	}
	if len(want) == 0 {
		return lists, nil
	}
	found, err := c.fetch(ctx, want, func(ctx context.Context, c *call, missing []int, _ bool) ([]loaded, error) {
		part := make([][]Arg, len(missing))
		for j, i := range missing {
			part[j] = argss[at[i]]
		}
		return ix.loadMany(ctx, c, part)
	})
	if err != nil {
		return nil, err
	}
	for j, v := range found {
		i := at[j]
		l, ok := ix.decodeKeys(ctx, v)
		if !ok {
			if l, err = ix.lookup(ctx, c.refreshing(), argss[i]); err != nil {
				return nil, err
			}
		}
		lists[i] = l
	}
	return lists, nil
}

// loadMany loads the primary keys of several lists.
func (ix *index) loadMany(ctx context.Context, c *call, argss [][]Arg) ([]loaded, error) {
	lists, unclear, err := ix.findMany(ctx, c, argss, ix.selects)
	if err != nil {
		return nil, err
	}
	results := make([]loaded, len(argss))
	for i, rows := range lists {
		kind := byte(keysListed)
		switch {
		case slices.Contains(unclear, i), slices.ContainsFunc(rows, func(row any) bool { return !ix.entryFits(row) }):
			results[i] = loaded{value: flushlist.Value{Payload: []byte{rowsOdd}}, noStore: true}
			continue
		case ix.spec.Limit == 0 && len(rows) > ix.windowOf():
			results[i].value.Payload = []byte{keysLong}
			continue
		}
		results[i].value = ix.encodeKeys(kind, rows)
	}
	return results, nil
}

// queryMany reads the rows of several lists from the database.
func (ix *index) queryMany(ctx context.Context, c *call, argss [][]Arg) ([][]any, error) {
	out := make([][]any, len(argss))
	all := make([]int, len(argss))
	for i := range all {
		all[i] = i
	}
	return out, ix.queryInto(ctx, c, argss, all, out)
}

// queryInto reads the rows of these lists into their places.
func (ix *index) queryInto(ctx context.Context, c *call, argss [][]Arg, these []int, out [][]any) error {
	if len(these) == 1 {
		rows, err := ix.query(ctx, c, argss[these[0]], 0, -1)
		out[these[0]] = rows
		return err
	}
	part := make([][]Arg, len(these))
	for j, i := range these {
		part[j] = argss[i]
	}
	lists, unclear, err := ix.findMany(ctx, c, part, nil)
	if err != nil {
		return err
	}
	for j, i := range these {
		out[i] = lists[j]
	}
	for _, j := range unclear { // the database alone knows which rows are whose
		if out[these[j]], err = ix.query(ctx, c, part[j], 0, -1); err != nil {
			return err
		}
	}
	return nil
}

// findMany reads the rows of several lists in one statement, in the order of each: these columns of them, or all. Whose rows
// only the database can tell, their lists' places are in unclear.
func (ix *index) findMany(ctx context.Context, c *call, argss [][]Arg, columns []string) (lists [][]any, unclear []int, err error) {
	lists = make([][]any, 0, len(argss))
	for part := range slices.Chunk(argss, maxKeys) {
		q := ix.conditioned(c.statement(ctx), ix.among(part)).Order(ix.order)
		if columns != nil {
			q = q.Select(columns)
		}
		rows, err := ix.t.findRows(c, q)
		if err != nil {
			return nil, nil, err
		}
		of, odd := ix.whose(part, rows)
		for _, i := range odd {
			unclear = append(unclear, len(lists)+i)
		}
		lists = append(lists, of...)
	}
	return lists, unclear, nil
}

// among compares the columns with several arguments. What is the same in all of them is compared once.
func (ix *index) among(argss [][]Arg) clause.Expression {
	rest := make([][]Arg, len(argss))
	for i, args := range argss {
		rest[i] = args[ix.fixed:]
	}
	among := anyOf(ix.by[ix.fixed:], rest)
	if ix.fixed == 0 {
		return among
	}
	return clause.And(equalAll(ix.by[:ix.fixed], argss[0][:ix.fixed]), among)
}

// whose puts rows on the lists of the arguments that they have. Where two arguments, or a row's and an argument, differ and
// are not known to differ to the database, the lists are unclear.
func (ix *index) whose(argss [][]Arg, rows []any) (lists [][]any, unclear []int) {
	lists = make([][]any, len(argss))
	exact := make(map[string]int, len(argss))
	near := make(map[string][]int, len(argss))
	bad := map[int]bool{}
	for i, args := range argss {
		exact[exactArgs(args)] = i
		name := ix.nameOf(args)
		near[name] = append(near[name], i)
		if ix.oddArgs(args) {
			bad[i] = true
		}
	}
	for _, those := range near {
		for _, i := range those {
			bad[i] = bad[i] || len(those) > 1 && !ix.plain()
		}
	}
	for _, row := range rows {
		args := ix.spec.Args(nil, row)
		if i, ok := exact[exactArgs(args)]; ok {
			lists[i] = append(lists[i], row)
			continue
		}
		those := near[ix.nameOf(args)]
		if len(those) == 0 { // equal in a way that nobody knows of
			for i := range argss {
				bad[i] = true
			}
		}
		for _, i := range those {
			bad[i] = true
		}
	}
	for i := range argss {
		if bad[i] {
			unclear = append(unclear, i)
		} else if lists[i] == nil {
			lists[i] = []any{}
		}
	}
	return lists, unclear
}

// plain reports whether integers are all that tells the lists apart, of which two are never equal.
func (ix *index) plain() bool {
	return !slices.ContainsFunc(ix.by[ix.fixed:], func(f *schema.Field) bool { return relationKind(f) != argUint })
}

// nameOf is arguments as they stand in the list's name; all are one while nobody knows which are equal.
func (ix *index) nameOf(args []Arg) string {
	if ix.t.undecided.is.Load() {
		return ""
	}
	return ix.keys.fit(args)
}

func (ix *index) oddArgs(args []Arg) bool {
	return !ix.t.undecided.is.Load() && ix.keys.odd(args)
}
