package cacheruntime

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// Table reads the rows of one model by primary key, and holds the model's other accessors. It is for
// generated code: NewTable begins it, its methods List, One, Count and Unique add accessors, and
// Register ends the making. After that it is safe for concurrent use.
type Table[T any, K comparable] struct {
	rt       *Runtime
	spec     TableSpec[T, K]
	accessor string // "Croupon.Get"
	guard    guard
	indexes  []*index[T, K]

	// Set by Register, and not changed after it.
	schema  *schema.Schema
	names   tableNames
	keys    keys
	fields  map[string]*schema.Field // by Go path
	primary []*schema.Field
	watched []string // the columns that naming a row's lists needs
	made    bool     // the database makes some of them of other columns

	undecided undecided

	carried    []carried       // the columns that are not plain
	serialized []*schema.Field // those of them that have a serializer
	ownKey     bool            // one of them is part of the primary key
}

// NewTable begins a model.
func NewTable[T any, K comparable](rt *Runtime, spec TableSpec[T, K]) *Table[T, K] {
	return &Table[T, K]{rt: rt, spec: spec, accessor: spec.Model + ".Get"}
}

// Get returns the row with primary key k, or an error matching gorm.ErrRecordNotFound.
func (t *Table[T, K]) Get(ctx context.Context, src Source, k K) (*T, error) {
	c, err := t.begin(ctx, src, t.accessor)
	if err != nil {
		return nil, err
	}
	if c.database || t.oddKey(k) {
		c := c
		c.database = true
		rows, err := t.find(ctx, &c, []K{k})
		return one(rows, err)
	}
	if t.guard.refuses(ctx) {
		return t.getDirect(ctx, c, k)
	}
	s := scratches.Get().(*scratch)
	s.args = t.spec.KeyArgs(s.args[:0], k)
	if err := badArg(t.accessor, s.args); err != nil {
		scratches.Put(s)
		return nil, err
	}
	key, list := t.keys.entry(s, c.part, s.args)
	v, hit := c.first(ctx, &t.guard, key, list, t.keys.allID(c.part))
	if hit {
		row, ok := t.decode(ctx, s, v)
		if ok {
			scratches.Put(s)
			c.observed(ctx, t.accessor, key, flushlist.HitFirst, false)
			return t.handOut(ctx, &c, row)
		}
	}
	w := t.wanted(s, c.part, key, list)
	scratches.Put(s)
	return t.getFetched(ctx, c, w, k)
}

// getFetched is Get past the first tier. It takes the call by value, so that the call of a hit stays
// off the heap.
func (t *Table[T, K]) getFetched(ctx context.Context, c call, w wanted, k K) (*T, error) {
	rows := []*T{nil}
	if err := t.fetch(ctx, &c, []wanted{w}, []K{k}, rows, []int{0}); err != nil {
		return nil, err
	}
	return t.handOut(ctx, &c, rows[0])
}

// getDirect is Get from the database, as a load would ask it.
func (t *Table[T, K]) getDirect(ctx context.Context, c call, k K) (*T, error) {
	rows, err := t.find(ctx, &c, []K{k})
	if err != nil {
		return nil, err
	}
	return t.handOut(ctx, &c, rows[0])
}

// GetMany returns the rows with primary keys ks in their order. What is absent is left out; a key
// given twice gives two copies.
func (t *Table[T, K]) GetMany(ctx context.Context, src Source, ks []K) ([]*T, error) {
	c, err := t.begin(ctx, src, t.accessor)
	if err != nil {
		return nil, err
	}
	return t.many(ctx, &c, ks)
}

// GetMap returns the rows with primary keys ks by key. What is absent is left out.
func (t *Table[T, K]) GetMap(ctx context.Context, src Source, ks []K) (map[K]*T, error) {
	c, err := t.begin(ctx, src, t.accessor)
	if err != nil {
		return nil, err
	}
	distinct, _ := dedupe(ks)
	rows, err := t.rowsOf(ctx, &c, distinct)
	if err != nil {
		return nil, err
	}
	byKey := make(map[K]*T, len(rows))
	found := rows[:0:0]
	for i, row := range rows {
		if row != nil {
			byKey[distinct[i]] = row
			found = append(found, row)
		}
	}
	return byKey, t.afterFind(ctx, &c, found)
}

// Flush flushes the entries of the rows with primary keys ks, as a write of them would.
func (t *Table[T, K]) Flush(ctx context.Context, ks []K) error {
	if ctx == nil {
		return ErrNilContext
	}
	p, err := t.rt.partition(ctx)
	if err != nil || len(ks) == 0 {
		return err
	}
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	lists := make([]flushlist.List, len(ks))
	for i, k := range ks {
		s.args = t.spec.KeyArgs(s.args[:0], k)
		lists[i] = t.listOf(s, p, s.args)
	}
	return t.rt.flushNow(ctx, t.rt.flushOf(fallsOf(t.keys.allIn(p), nil, lists...)))
}

// FlushAll flushes every entry of the table, whichever model reads it.
func (t *Table[T, K]) FlushAll(ctx context.Context) error {
	if ctx == nil {
		return ErrNilContext
	}
	p, err := t.rt.partition(ctx)
	if err != nil {
		return err
	}
	return t.rt.flushNow(ctx, t.rt.flushOf(allOf([]model{t}, p, nil)))
}

// many is GetMany within a call.
func (t *Table[T, K]) many(ctx context.Context, c *call, ks []K) ([]*T, error) {
	if len(ks) == 0 {
		return []*T{}, nil
	}
	distinct, at := dedupe(ks)
	rows, err := t.rowsOf(ctx, c, distinct)
	if err != nil {
		return nil, err
	}
	return t.arrange(ctx, c, rows, at)
}

// arrange gives out rows[at[0]], rows[at[1]], …: what is nil is left out, what comes again is a copy. Two
// of rows may be one struct, where the database holds two values to be equal.
func (t *Table[T, K]) arrange(ctx context.Context, c *call, rows []*T, at []int) ([]*T, error) {
	out := make([]*T, 0, len(at))
	given := make(map[*T]bool, len(rows))
	for _, i := range at {
		row := rows[i]
		if row == nil {
			continue
		}
		if given[row] {
			var err error
			if row, err = t.clone(ctx, c, row); err != nil {
				return nil, err
			}
			if row == nil {
				continue
			}
		}
		given[row] = true
		out = append(out, row)
	}
	return out, t.afterFind(ctx, c, out)
}

// rowsOf returns the row of each key, or nil where there is none. The keys are distinct. Hooks have
// not run on rows from the cache.
func (t *Table[T, K]) rowsOf(ctx context.Context, c *call, ks []K) ([]*T, error) {
	if len(ks) == 0 {
		return []*T{}, nil
	}
	if c.database || slices.ContainsFunc(ks, t.oddKey) || t.guard.refuses(ctx) {
		return t.find(ctx, c, ks)
	}
	c.clock()
	rows := make([]*T, len(ks))
	var want []wanted
	var at []int
	s := scratches.Get().(*scratch)
	for i, k := range ks {
		s.args = t.spec.KeyArgs(s.args[:0], k)
		if err := badArg(t.accessor, s.args); err != nil {
			scratches.Put(s)
			return nil, err
		}
		key, list := t.keys.entry(s, c.part, s.args)
		if v, hit := c.first(ctx, &t.guard, key, list, t.keys.allID(c.part)); hit {
			if row, ok := t.decode(ctx, s, v); ok {
				c.observed(ctx, t.accessor, key, flushlist.HitFirst, false)
				rows[i] = row
				continue
			}
		}
		want = append(want, t.wanted(s, c.part, key, list))
		at = append(at, i)
	}
	scratches.Put(s)
	if len(want) == 0 {
		return rows, nil
	}
	return rows, t.fetch(ctx, c, want, ks, rows, at)
}

// wanted is the row whose key was last made in s.
func (t *Table[T, K]) wanted(s *scratch, p partition, key string, list uint64) wanted {
	return wanted{
		accessor: t.accessor,
		guard:    &t.guard,
		ttl:      t.spec.TTL,
		ref:      flushlist.Ref{Key: key, List: flushlist.List{Name: string(s.list), ID: list}, All: t.keys.allIn(p)},
	}
}

// fetch brings the wanted rows, those of ks[at[0]], ks[at[1]], …, into their places in rows.
func (t *Table[T, K]) fetch(ctx context.Context, c *call, want []wanted, ks []K, rows []*T, at []int) error {
	unfit := make([]*T, len(want)) // what this caller has loaded and could not put into an entry
	values, err := c.fetch(ctx, want, t.loader(func(i int) K { return ks[at[i]] }, unfit))
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
			unfit := make([]*T, 1)
			v, err := again.fetch(ctx, want[j:j+1], t.loader(func(int) K { return key }, unfit))
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
func (t *Table[T, K]) fetchDirect(ctx context.Context, c *call, ks []K, rows []*T, at []int) error {
	wanted := make([]K, len(at))
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
func (t *Table[T, K]) isUnfit(v flushlist.Value) bool {
	return len(t.carried) > 0 && !v.Absent && len(v.Payload) == 0
}

// unfitRow is such a row: the caller's own where it has loaded it, else read for this caller alone, since
// rows are not shared.
func (t *Table[T, K]) unfitRow(ctx context.Context, c *call, own *T, k K) (*T, error) {
	if own != nil {
		return own, nil
	}
	rows, err := t.find(ctx, c, []K{k})
	if err != nil {
		return nil, err
	}
	return rows[0], nil // nil where it has gone since
}

// loader loads rows by key and encodes them. Those that no entry can hold are left in unfit.
func (t *Table[T, K]) loader(key func(i int) K, unfit []*T) loader {
	return func(ctx context.Context, c *call, missing []int, _ bool) ([]loaded, error) {
		ks := make([]K, len(missing))
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
			results[j].noStore = t.keys.fit(t.spec.KeyArgs(nil, t.spec.Key(row))) != t.keys.fit(t.spec.KeyArgs(nil, ks[j]))
		}
		return results, nil
	}
}

// find reads rows from the database: the row of each key, nil where there is none.
func (t *Table[T, K]) find(ctx context.Context, c *call, ks []K) ([]*T, error) {
	out := make([]*T, len(ks))
	for start := 0; start < len(ks); start += maxKeys {
		part := ks[start:min(start+maxKeys, len(ks))]
		args := make([][]Arg, len(part))
		for i, k := range part {
			args[i] = t.spec.KeyArgs(nil, k)
			if err := badArg(t.accessor, args[i]); err != nil {
				return nil, err
			}
		}
		var rows []*T
		q := c.statement(ctx)
		if len(part) == 1 {
			q = q.Limit(1)
		}
		if err := findRows(c, q.Where(anyOf(t.primary, args)), &rows); err != nil {
			return nil, err
		}
		if len(part) == 1 {
			if len(rows) > 0 {
				out[start] = rows[0]
			}
			continue
		}
		if err := t.match(ctx, c, part, rows, out[start:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// match puts each row in the place of its key.
func (t *Table[T, K]) match(ctx context.Context, c *call, ks []K, rows []*T, out []*T) error {
	unclear := match(ks, rows, out, t.identityOf, t.nameOf, t.oddKey, t.spec.Key)
	for _, i := range unclear {
		alone, err := t.find(ctx, c, ks[i:i+1])
		if err != nil {
			return err
		}
		out[i] = alone[0]
	}
	return nil
}

// match puts each row in the place of the key that it has, the first where several have it. It
// returns the places of the keys that no row has exactly, but some row but for what collations
// ignore, and of those of which nobody but the database knows what is equal to them: whether the two are equal, only the database knows, asked for that key alone.
func match[T, K any](ks []K, rows []*T, out []*T, exact, name func(K) string, odd func(K) bool, key func(*T) K) (unclear []int) {
	byKey := make(map[string]*T, len(rows))
	near := make(map[string]bool, len(rows))
	for _, row := range rows {
		k := key(row)
		if e := exact(k); byKey[e] == nil {
			byKey[e] = row
		}
		near[name(k)] = true
	}
	for i, k := range ks {
		if row := byKey[exact(k)]; row != nil {
			out[i] = row
		} else if near[name(k)] || odd(k) {
			unclear = append(unclear, i)
		}
	}
	return unclear
}

// identityOf is a key as it stands in its entry's.
func (t *Table[T, K]) identityOf(k K) string { return exactArgs(t.spec.KeyArgs(nil, k)) }

// nameOf is a key as it stands in its list's name; all are one while nobody knows which are equal.
func (t *Table[T, K]) nameOf(k K) string {
	if t.undecided.is.Load() {
		return ""
	}
	return string(t.keys.appendNames(nil, t.spec.KeyArgs(nil, k)))
}

// oddKey reports whether nobody but the database knows which keys are equal to k.
func (t *Table[T, K]) oddKey(k K) bool {
	return !t.undecided.is.Load() && t.keys.columns != nil && t.keys.odd(t.spec.KeyArgs(nil, k))
}

// decode makes a private copy of a row from its entry: nil where the entry says it is absent.
func (t *Table[T, K]) decode(ctx context.Context, s *scratch, v flushlist.Value) (row *T, ok bool) {
	if v.Absent {
		return nil, true
	}
	row = new(T)
	s.decoder = newDecoder(v.Payload)
	t.decodeRow(ctx, &s.decoder, row)
	ok = s.decoder.end() == nil
	s.decoder = Decoder{}
	return row, ok
}

// clone makes another copy of a row, with columns in memory of their own.
func (t *Table[T, K]) clone(ctx context.Context, c *call, row *T) (*T, error) {
	b, err := t.encode(ctx, nil, row)
	if err != nil {
		return t.unfitRow(ctx, c, nil, t.spec.Key(row))
	}
	another := *row
	d := newDecoder(b)
	t.decodeRow(ctx, &d, &another)
	return &another, d.end()
}

// afterFind runs the model's hook on rows that were read within c and are handed out now. GORM has run
// it on rows that come straight from the database.
func (t *Table[T, K]) afterFind(ctx context.Context, c *call, rows []*T) error {
	if t.spec.AfterFind == nil || c.database {
		return nil
	}
	for _, row := range rows {
		if err := t.spec.AfterFind(row, t.rt.db.Session(&gorm.Session{NewDB: true, Context: ctx}).Model(row)); err != nil {
			return err
		}
	}
	return nil
}

// handOut gives the row of a Get to its caller.
func (t *Table[T, K]) handOut(ctx context.Context, c *call, row *T) (*T, error) {
	if row == nil {
		return nil, gorm.ErrRecordNotFound
	}
	if t.spec.AfterFind != nil {
		if err := t.afterFind(ctx, c, []*T{row}); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// one is the only row of a result that has at most one.
func one[T any](rows []*T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || rows[0] == nil {
		return nil, gorm.ErrRecordNotFound
	}
	return rows[0], nil
}

// dedupe returns the distinct keys in order of appearance, and for each key its place among them.
func dedupe[K comparable](ks []K) (distinct []K, at []int) {
	at = make([]int, len(ks))
	seen := make(map[K]int, len(ks))
	for i, k := range ks {
		d, ok := seen[k]
		if !ok {
			d = len(distinct)
			seen[k] = d
			distinct = append(distinct, k)
		}
		at[i] = d
	}
	return distinct, at
}
