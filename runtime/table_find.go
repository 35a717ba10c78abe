package cacheruntime

import "context"

// find reads rows from the database: the row of each key, nil where there is none.
func (t *Table) find(ctx context.Context, c *call, ks [][]Arg) ([]any, error) {
	out := make([]any, len(ks))
	for start := 0; start < len(ks); start += maxKeys {
		part := ks[start:min(start+maxKeys, len(ks))]
		for _, k := range part {
			if err := badArg(t.accessor, k); err != nil {
				return nil, err
			}
		}
		q := c.statement(ctx)
		if len(part) == 1 {
			q = q.Limit(1)
		}
		rows, err := t.findRows(c, q.Where(anyOf(t.primary, part)))
		if err != nil {
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
func (t *Table) match(ctx context.Context, c *call, ks [][]Arg, rows, out []any) error {
	unclear := match(ks, rows, out, t.spec.KeyArgs, t.nameOf, t.oddKey)
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
// ignore, and of those of which nobody but the database knows what is equal to them: whether the two are equal, only
// the database knows, asked for that key alone.
func match(ks [][]Arg, rows, out []any, key func(to []Arg, row any) []Arg, name func([]Arg) string, odd func([]Arg) bool) (unclear []int) {
	byKey := make(map[string]any, len(rows))
	near := make(map[string]bool, len(rows))
	for _, row := range rows {
		k := key(nil, row)
		if e := exactArgs(k); byKey[e] == nil {
			byKey[e] = row
		}
		near[name(k)] = true
	}
	for i, k := range ks {
		if row := byKey[exactArgs(k)]; row != nil {
			out[i] = row
		} else if near[name(k)] || odd(k) {
			unclear = append(unclear, i)
		}
	}
	return unclear
}

// nameOf is a key as it stands in its list's name; all are one while nobody knows which are equal.
func (t *Table) nameOf(k []Arg) string {
	if t.undecided.is.Load() {
		return ""
	}
	return string(t.keys.appendNames(nil, k))
}

// oddKey reports whether nobody but the database knows which keys are equal to k.
func (t *Table) oddKey(k []Arg) bool {
	return !t.undecided.is.Load() && t.keys.columns != nil && t.keys.odd(k)
}

// split cuts primary keys that are given one behind the other.
func (t *Table) split(keys []Arg) [][]Arg { return split(keys, len(t.keyParts)) }

// split cuts args into slices of this many.
func split(args []Arg, width int) [][]Arg {
	ks := make([][]Arg, 0, len(args)/width)
	for ; len(args) >= width; args = args[width:] {
		ks = append(ks, args[:width:width])
	}
	return ks
}

// dedupe returns the distinct keys in order of appearance, and for each key its place among them.
func dedupe(ks [][]Arg) (distinct [][]Arg, at []int) {
	at = make([]int, len(ks))
	if len(ks) < 2 {
		return ks, at
	}
	var b []byte
	ends := make([]int, len(ks))
	for i, k := range ks {
		b = appendExactArgs(b, k)
		ends[i] = len(b)
	}
	distinct = make([][]Arg, 0, len(ks))
	exact, start := string(b), 0
	seen := make(map[string]int, len(ks))
	for i, end := range ends {
		name := exact[start:end]
		start = end
		d, ok := seen[name]
		if !ok {
			d = len(distinct)
			seen[name] = d
			distinct = append(distinct, ks[i])
		}
		at[i] = d
	}
	return distinct, at
}
