package cacheruntime

import (
	"slices"

	"gorm.io/gorm/schema"
)

// judging is what the writes of a table are judged by. It is replaced as a whole and never changed, since a relation of
// another package's model may add an accessor while writes are under way. What is watched only grows, so that
// an accessor finds its columns in the same places for ever.
type judging struct {
	indexes []*index
	watched []string // the columns that naming a row's lists needs
	made    bool     // the database makes some of them of other columns
}

// judge replaces what writes are judged by.
func (t *Table) judge(indexes []*index, watched []string) {
	t.judging.Store(&judging{
		indexes: indexes,
		watched: watched,
		made:    slices.ContainsFunc(watched, func(column string) bool { return madeByDatabase(t.schema.FieldsByDBName[column]) }),
	})
}

// alsoJudge adds an accessor, in the place of the one that old is true of. Its own columns come behind those that are watched.
func (t *Table) alsoJudge(ix *index, old func(*index) bool) {
	was := t.judging.Load()
	watched := slices.Clone(was.watched)
	for _, f := range ix.columns() {
		if !slices.Contains(watched, f.DBName) {
			watched = append(watched, f.DBName)
		}
	}
	ix.watch(watched)
	t.judge(append(slices.DeleteFunc(slices.Clone(was.indexes), old), ix), watched)
}

// columns are those that the accessor's definition names.
func (ix *index) columns() []*schema.Field {
	fs := slices.Clone(ix.by)
	for _, term := range ix.spec.Where {
		fs = append(fs, ix.t.fields[term.Field])
	}
	for _, o := range ix.spec.Order {
		fs = append(fs, ix.t.fields[o.Field])
	}
	return fs
}

// readIn reports whether a row, if there is one, was read with all columns that the accessor watches: one that was read just
// before the accessor was added was not, and cannot be judged for it.
func (ix *index) readIn(row *judgedRow) bool {
	return row == nil || len(ix.watched) == 0 || slices.Max(ix.watched) < len(row.nulls)
}

// windowOf is the most keys of an entry of the list.
func (ix *index) windowOf() int {
	if ix.window > 0 {
		return ix.window
	}
	return ix.t.rt.opts.ListWindow
}
