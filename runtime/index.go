package cacheruntime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// index is what list, one, count and unique accessors share: which rows they find, by what names
// their entries and lists go, and when those fall.
type index struct {
	t        *Table
	spec     IndexSpec
	unique   bool
	counts   bool
	accessor string // "Croupon.ListByCity"
	guard    guard
	fixed    int // how many of the By columns, the first, have one value in all that is asked for
	window   int // the most keys of an entry of a list without a limit; 0 is Options.ListWindow

	// Set by resolve, when the Table is registered.
	keys    keys
	by      []*schema.Field
	where   []clause.Expression
	order   clause.OrderBy
	entry   []*schema.Field // of a join table: the columns whose values an entry holds, instead of primary keys
	parts   []keyPart       // what those may hold
	selects []string        // what a load of keys reads: the primary key, and what fits looks at
	watched []int           // the accessor's columns, by their place among the Table's watched ones

	identity uint64 // set by identities, before the accessor is first read
	doubtful bool   // set by Table.compare: Go cannot tell for which rows the where terms hold
}

func (t *Table) index(spec IndexSpec, unique bool) *index {
	ix := &index{t: t, spec: spec, unique: unique, accessor: t.spec.Model + "." + spec.Name}
	t.indexes = append(t.indexes, ix)
	return ix
}

// resolve finds the columns of the definition.
func (ix *index) resolve(layout string) error {
	t := ix.t
	field := func(path string) (*schema.Field, error) {
		if f := t.fields[path]; f != nil {
			return f, nil
		}
		return nil, fmt.Errorf("%w: %s names the field %s, which GORM has no column for: run go generate", ErrModel, ix.accessor, path)
	}
	var errs []error
	reads := func(f *schema.Field) {
		if !slices.Contains(ix.selects, f.DBName) {
			ix.selects = append(ix.selects, f.DBName)
		}
	}
	for _, f := range t.primary {
		reads(f)
	}
	for _, path := range ix.spec.By {
		f, err := field(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ix.by = append(ix.by, f)
		reads(f)
	}
	for _, term := range ix.spec.Where {
		f, err := field(term.Field)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ix.where = append(ix.where, term.condition(f))
		reads(f)
	}
	for _, o := range ix.spec.Order {
		f, err := field(o.Field)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ix.order.Columns = append(ix.order.Columns, clause.OrderByColumn{Column: column(f), Desc: o.Desc})
	}
	for _, f := range t.primary { // the primary key ends every order
		ix.order.Columns = append(ix.order.Columns, clause.OrderByColumn{Column: column(f)})
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if ix.unique && !ix.spec.Unchecked && !t.uniqueOver(ix.by) {
		return fmt.Errorf("%w: %s is unique in its tag, and GORM has no unique index over just %s: add one, or say unchecked in the tag",
			ErrModel, ix.accessor, strings.Join(ix.spec.By, ", "))
	}
	s := &ix.spec
	ix.keys = t.names.accessor(s.Name, fingerprint(fmt.Sprintf("%s\n%s %v %v %v %d", layout, s.Name, s.By, s.Where, s.Order, s.Limit)))
	return nil
}

// uniqueOver reports whether GORM has a unique index over just these columns; a soft-delete column may
// be one more.
func (t *Table) uniqueOver(by []*schema.Field) bool {
	same := func(fs []*schema.Field) bool {
		n := 0
		for _, f := range fs {
			if slices.Contains(by, f) {
				n++
			} else if !isSoftDelete(f) {
				return false
			}
		}
		return n == len(by)
	}
	if len(by) == 1 && by[0].Unique || same(t.primary) {
		return true
	}
	for _, i := range t.schema.ParseIndexes() {
		if i.Class != "UNIQUE" || i.Where != "" {
			continue
		}
		var fs []*schema.Field
		for _, o := range i.Fields {
			fs = append(fs, o.Field)
		}
		if same(fs) {
			return true
		}
	}
	return false
}

// rows is a statement for the rows that the accessor finds with args.
func (ix *index) rows(ctx context.Context, c *call, args []Arg) *gorm.DB {
	return ix.conditioned(c.statement(ctx), equalAll(ix.by, args))
}

func (ix *index) conditioned(q *gorm.DB, by clause.Expression) *gorm.DB {
	if len(ix.by) > 0 {
		q = q.Where(by)
	}
	for _, e := range ix.where {
		q = q.Where(e)
	}
	return q
}

// holds reports whether a row may meet the where terms; those that only the database can judge count
// as met.
func (ix *index) holds(row any) bool {
	return row != nil && (ix.spec.Holds == nil || ix.spec.Holds(row))
}

// fits reports whether a row may be on the list of these arguments, as keys.fit writes them.
func (ix *index) fits(s *scratch, row any, folded string) bool {
	if !ix.holds(row) {
		return false
	}
	s.args = ix.spec.Args(s.args[:0], row)
	s.list = ix.keys.appendFit(s.list[:0], s.args)
	return string(s.list) == folded
}

// watch notes where the accessor's columns stand among the watched ones.
func (ix *index) watch(columns []string) {
	add := func(path string) {
		ix.watched = append(ix.watched, slices.Index(columns, ix.t.fields[path].DBName))
	}
	for _, path := range ix.spec.By {
		add(path)
	}
	for _, term := range ix.spec.Where {
		add(term.Field)
	}
	for _, o := range ix.spec.Order {
		add(o.Field)
	}
	if ix.t.spec.Deleted == nil { // whether a row is deleted is not judged, so what says it is watched
		for _, f := range ix.t.schema.Fields {
			if f.DBName != "" && isSoftDelete(f) {
				ix.watched = append(ix.watched, slices.Index(columns, f.DBName))
			}
		}
	}
}

// falls adds the lists that fall when a row goes from old to new: those that it enters, leaves, or
// moves within. What touches none of an accessor's columns flushes none of its lists.
func (ix *index) falls(s *scratch, p partition, add func(flushlist.List), old, new *judgedRow) {
	was, is := ix.listOn(s, p, old), ix.listOn(s, p, new)
	// On the `all` list is a row of which it cannot be told which it is on.
	if was == is && (was.Name == "" || !was.All && ix.same(old, new)) {
		return
	}
	if was.Name != "" {
		add(was)
	}
	if is.Name != "" && is != was {
		add(is)
	}
}

// listOn names the list that a row may be on; the zero List where it is on none.
func (ix *index) listOn(s *scratch, p partition, row *judgedRow) flushlist.List {
	if row == nil || !ix.doubtful && !ix.holds(row.v) {
		return flushlist.List{}
	}
	s.args = ix.spec.Args(s.args[:0], row.v)
	for i := range s.args {
		// What a Valuer reads as some value of its own, and the database has as NULL, is found as NULL alone.
		if s.args[i].own && row.nulls[ix.watched[i]] {
			s.args[i] = Arg{}
		}
	}
	return ix.keys.listOf(s, p, s.args)
}

// same reports whether a row that stays on its list is in the same place there: nothing that the
// order, or a term which only the database can judge, looks at has changed, nor what was folded to
// name the list, nor which columns are NULL.
func (ix *index) same(old, new *judgedRow) bool {
	for _, i := range ix.watched {
		if old.nulls[i] != new.nulls[i] {
			return false
		}
	}
	if ix.spec.Same != nil && !ix.spec.Same(old.v, new.v) || ix.doubtful && !ix.sameTerms(old.v, new.v) {
		return false
	}
	return exactArgs(ix.spec.Args(nil, old.v)) == exactArgs(ix.spec.Args(nil, new.v))
}
