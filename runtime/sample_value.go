package cacheruntime

import (
	"bytes"
	"context"
	"database/sql/driver"
	"reflect"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// load loads the entry as a miss of it would.
func (w *wanted) load(ctx context.Context, c *call, _ []int, _ bool) ([]loaded, error) {
	switch {
	case w.index == nil:
		return w.table.loader(func(int) []Arg { return w.args }, make([]any, 1))(ctx, c, []int{0}, true)
	case w.index.counts:
		return w.index.loadCount(ctx, c, w.args)
	}
	l, err := w.index.load(ctx, c, w.args, true)
	return []loaded{l}, err
}

// loadedValue returns a loaded value as an entry would hold it, unless there is nothing to compare.
func (w *wanted) loadedValue(v flushlist.Value) (flushlist.Value, bool) {
	switch {
	case v.Absent:
	case w.index == nil:
		return v, !w.table.isUnfit(v)
	case w.index.counts:
	case v.Payload[0] == rowsOdd:
		return v, false
	case v.Payload[0] == keysOdd: // the same keys, which now belong to rows that are spelt otherwise
		v.Payload = append([]byte{keysListed}, v.Payload[1:]...)
	}
	return v, true
}

// same reports whether two values of the entry say the same.
func (w *wanted) same(ctx context.Context, a, b flushlist.Value) bool {
	if a.Absent || b.Absent {
		return a.Absent == b.Absent
	}
	return bytes.Equal(a.Payload, b.Payload) || w.index == nil && w.table.sameRow(ctx, a, b)
}

// sameRow reports whether two entries hold the same row in different bytes: written by programs in two time zones, or
// by a serializer that writes a map in any order.
func (t *Table) sameRow(ctx context.Context, a, b flushlist.Value) bool {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	x, ok := t.decode(ctx, s, a)
	y, good := t.decode(ctx, s, b)
	if !ok || !good {
		return false
	}
	row, other := reflect.ValueOf(x).Elem(), reflect.ValueOf(y).Elem()
	for _, f := range t.spec.Fields {
		if f.Class == Unread {
			continue
		}
		column := carried{field: t.fields[f.Path], class: f.Class}
		v, ok := fieldAt(row, column.field)
		w, good := fieldAt(other, column.field)
		if ok != good {
			return false
		}
		if ok && !column.same(ctx, row, other, v, w) {
			return false
		}
	}
	return true
}

// same reports whether two rows have a column alike, whose values are v and w.
func (c carried) same(ctx context.Context, row, other, v, w reflect.Value) bool {
	if same, _ := alike(v, w); same {
		return true
	}
	if _, ok := v.Interface().(driver.Valuer); !ok && c.class == Plain {
		return false
	}
	a, err := c.value(ctx, row, v)
	b, failed := c.value(ctx, other, w)
	if err != nil || failed != nil {
		return false
	}
	if t, ok := a.(time.Time); ok {
		u, ok := b.(time.Time)
		return ok && t.Equal(u)
	}
	return bytes.Equal(appendDriverValue(nil, a), appendDriverValue(nil, b))
}
