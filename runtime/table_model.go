package cacheruntime

import (
	"context"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// What the GORM plugin asks of a Table; see the model interface.

func (t *Table[T, K]) modelName() string          { return t.spec.Model }
func (t *Table[T, K]) gormSchema() *schema.Schema { return t.schema }
func (t *Table[T, K]) indexed() bool              { return len(t.indexes) > 0 }
func (t *Table[T, K]) columns() []string          { return t.watched }
func (t *Table[T, K]) all() flushlist.List        { return t.names.all }

func (t *Table[T, K]) touches(column string) bool {
	for _, w := range t.watched {
		if w == column {
			return true
		}
	}
	return false
}

func (t *Table[T, K]) read(tx *gorm.DB) ([]any, error) {
	var rows []*T
	if err := tx.Select(t.watched).Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]any, len(rows))
	for i, row := range rows {
		out[i] = row
	}
	return out, nil
}

func (t *Table[T, K]) keyRow(ctx context.Context, value func(column string) (any, bool)) (any, bool, error) {
	row := new(T)
	rv := reflectValue(row)
	for _, f := range t.primary {
		v, ok := value(f.DBName)
		if !ok {
			return nil, false, nil
		}
		if err := f.Set(ctx, rv, v); err != nil {
			return nil, false, err
		}
	}
	return row, true, nil
}

func (t *Table[T, K]) identity(row any) string { return t.identityOf(t.spec.Key(row.(*T))) }

func (t *Table[T, K]) rowList(row any) flushlist.List {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	return t.keys.listOf(s, t.spec.KeyArgs(nil, t.spec.Key(row.(*T))))
}

func (t *Table[T, K]) lists(add func(flushlist.List), old, new any) {
	before, after := t.alive(old), t.alive(new)
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	for _, ix := range t.indexes {
		ix.falls(s, add, before, after)
	}
}

// alive is a row as accessors see it: nil where there is none, or where it is soft-deleted.
func (t *Table[T, K]) alive(row any) *T {
	r, _ := row.(*T)
	if r != nil && t.spec.Deleted != nil && t.spec.Deleted(r) {
		return nil
	}
	return r
}
