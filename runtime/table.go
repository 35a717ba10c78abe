package cacheruntime

import (
	"context"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// Table reads the rows of one model by primary key, and holds the model's other accessors. It is for
// generated code: NewTable begins it, its methods List, One, Count and Unique add accessors, and
// Register completes it. After that it is safe for concurrent use.
//
// Nothing here has type parameters, so that it is compiled once and not again for each model. A row travels as an
// any that holds a pointer to the model's struct; an absent row is a nil any, never a nil pointer in an any.
// A primary key is the arguments that its columns are compared with; several keys are given one behind
// the other. Generated accessors give rows their type back with Row, Rows and ByKey. What runs once for each model or
// accessor is not inlined into generated code, for the same reason.
type Table struct {
	rt       *Runtime
	spec     TableSpec
	accessor string       // "Croupon.Get"
	slice    reflect.Type // of the pointers to rows that GORM reads into
	guard    guard
	indexes  []*index

	joins bool // it is a join table without accessors

	// Set by Register, and not changed after it.
	schema   *schema.Schema
	names    tableNames
	keys     keys
	fields   map[string]*schema.Field // by Go path
	primary  []*schema.Field
	keyParts []keyPart               // what they may hold
	judging  atomic.Pointer[judging] // what writes are judged by; relations of other models add to it
	follows  map[string]*follow      // by relation
	read     []string                // the columns that GORM reads
	unique   [][]string              // the columns of unique keys besides the primary one
	release  *release                // of the table

	undecided undecided

	carried    []carried       // the columns that are not plain
	serialized []*schema.Field // those of them that have a serializer
	ownKey     bool            // one of them is part of the primary key
}

// NewTable begins a model.
//
//go:noinline
func NewTable(rt *Runtime, spec TableSpec) *Table {
	return &Table{rt: rt, spec: spec, accessor: spec.Model + ".Get", slice: reflect.SliceOf(reflect.TypeOf(spec.New()))}
}

// Get returns the row with this primary key, or an error matching gorm.ErrRecordNotFound. The key is copied where
// it is kept, so that a hit leaves it on its caller's stack.
func (t *Table) Get(ctx context.Context, src Source, key ...Arg) (any, error) {
	c, err := t.begin(ctx, src, t.accessor)
	if err != nil {
		return nil, err
	}
	if c.database || t.oddKey(key) {
		c := c
		c.database = true
		return t.getDirect(ctx, c, slices.Clone(key))
	}
	if t.guard.refuses(ctx) {
		return t.getDirect(ctx, c, slices.Clone(key))
	}
	if err := badArg(t.accessor, key); err != nil {
		return nil, err
	}
	s := scratches.Get().(*scratch)
	entry, list := t.keys.entry(s, c.part, key)
	v, hit := c.first(ctx, &t.guard, entry, list, t.keys.allID(c.part))
	if hit {
		row, ok := t.decode(ctx, s, v)
		if ok {
			if t.rt.sampler.due() {
				t.sampled(ctx, s, c.part, entry, list, key, v)
			}
			scratches.Put(s)
			c.observed(ctx, t.accessor, entry, flushlist.HitFirst, false)
			return t.handOut(ctx, &c, row)
		}
	}
	own := slices.Clone(key)
	w := t.wanted(s, c.part, entry, list, own)
	scratches.Put(s)
	return t.getFetched(ctx, c, w, own)
}

// sampled has a hit in the first tier compared with the database. It is apart, so that a hit that is not leaves its
// key on its caller's stack.
//
//go:noinline
func (t *Table) sampled(ctx context.Context, s *scratch, p partition, entry string, list uint64, key []Arg, v flushlist.Value) {
	t.rt.sampler.take(ctx, t.wanted(s, p, entry, list, slices.Clone(key)), v, flushlist.HitFirst)
}

// getFetched is Get past the first tier. It takes the call by value, so that the call of a hit stays
// off the heap.
func (t *Table) getFetched(ctx context.Context, c call, w wanted, key []Arg) (any, error) {
	rows := []any{nil}
	if err := t.fetch(ctx, &c, []wanted{w}, [][]Arg{key}, rows, []int{0}); err != nil {
		return nil, err
	}
	return t.handOut(ctx, &c, rows[0])
}

// getDirect is Get from the database, as a load would ask it.
func (t *Table) getDirect(ctx context.Context, c call, key []Arg) (any, error) {
	rows, err := t.find(ctx, &c, [][]Arg{key})
	if err != nil {
		return nil, err
	}
	return t.handOut(ctx, &c, rows[0])
}

// GetMany returns the rows with these primary keys in their order. What is absent is left out; a key
// given twice gives two copies.
func (t *Table) GetMany(ctx context.Context, src Source, keys []Arg) ([]any, error) {
	c, err := t.begin(ctx, src, t.accessor)
	if err != nil {
		return nil, err
	}
	distinct, at := dedupe(t.split(keys))
	rows, err := t.rowsOf(ctx, &c, distinct)
	if err != nil {
		return nil, err
	}
	return t.arrange(ctx, &c, rows, at, false)
}

// GetMap returns the row of each of these primary keys in its place; nil where it is absent.
func (t *Table) GetMap(ctx context.Context, src Source, keys []Arg) ([]any, error) {
	c, err := t.begin(ctx, src, t.accessor)
	if err != nil {
		return nil, err
	}
	distinct, at := dedupe(t.split(keys))
	rows, err := t.rowsOf(ctx, &c, distinct)
	if err != nil {
		return nil, err
	}
	return t.arrange(ctx, &c, rows, at, true)
}

// Flush flushes the entries of the rows with these primary keys, as a write of them would.
func (t *Table) Flush(ctx context.Context, keys []Arg) error {
	if ctx == nil {
		return ErrNilContext
	}
	p, err := t.rt.partition(ctx)
	if err != nil || len(keys) == 0 {
		return err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	ks := t.split(keys)
	lists := make([]flushlist.List, len(ks))
	for i, k := range ks {
		lists[i] = t.listOf(s, p, k)
	}
	if t.rt.queried.of(t.schema.Table) != nil {
		lists = append(lists, tableListOf(t.keys.allIn(p)))
	}
	return t.rt.flushNow(ctx, t.rt.flushOf(fallsOf(t.keys.allIn(p), nil, lists...)))
}

// FlushAll flushes every entry of the table, whichever model reads it.
func (t *Table) FlushAll(ctx context.Context) error {
	if ctx == nil {
		return ErrNilContext
	}
	p, err := t.rt.partition(ctx)
	if err != nil {
		return err
	}
	return t.rt.flushNow(ctx, t.rt.flushOf(allOf([]model{t}, p, nil)))
}

// arrange gives out rows[at[0]], rows[at[1]], …: what is nil is left out, or nil where places are kept, and what
// comes again is a copy. Two of rows may be one struct, where the database holds two values to be equal.
func (t *Table) arrange(ctx context.Context, c *call, rows []any, at []int, places bool) ([]any, error) {
	out := make([]any, 0, len(at))
	given := make(map[any]bool, len(rows))
	for _, i := range at {
		row := rows[i]
		if row != nil && given[row] {
			var err error
			if row, err = t.clone(ctx, c, row); err != nil {
				return nil, err
			}
		}
		if row != nil {
			given[row] = true
		}
		if row != nil || places {
			out = append(out, row)
		}
	}
	if err := t.follow(ctx, *c, out); err != nil {
		return nil, err
	}
	return out, t.afterFind(ctx, c, out)
}

// afterFind runs the model's hook on rows that were read within c and are handed out now. GORM has run
// it on rows that come straight from the database, but where relations are followed, which the hook finds loaded.
func (t *Table) afterFind(ctx context.Context, c *call, rows []any) error {
	if t.spec.AfterFind == nil || c.database && len(c.with) == 0 {
		return nil
	}
	for _, row := range rows {
		if row == nil {
			continue
		}
		if err := t.spec.AfterFind(row, t.rt.db.Session(&gorm.Session{NewDB: true, Context: ctx}).Model(row)); err != nil {
			return err
		}
	}
	return nil
}

// handOut gives the row of a Get to its caller.
func (t *Table) handOut(ctx context.Context, c *call, row any) (any, error) {
	if row == nil {
		return nil, gorm.ErrRecordNotFound
	}
	if len(c.with) > 0 {
		if err := t.follow(ctx, *c, []any{row}); err != nil {
			return nil, err
		}
	}
	if t.spec.AfterFind != nil {
		if err := t.afterFind(ctx, c, []any{row}); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// one is the only row of a result that has at most one.
func one(rows []any, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || rows[0] == nil {
		return nil, gorm.ErrRecordNotFound
	}
	return rows[0], nil
}
