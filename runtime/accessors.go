package cacheruntime

import (
	"context"
	"errors"
	"fmt"

	"github.com/cachegen/cachegen/flushlist"
)

// List finds the rows that equal its arguments and meet its where terms, in an order. It is for
// generated code.
type List struct{ ix *index }

// List adds a list to the model.
//
//go:noinline
func (t *Table) List(spec IndexSpec) *List {
	return &List{t.index(spec, false)}
}

// Get returns the list, never nil. Where the tag has no limit, a list longer than Options.ListWindow is
// read from the database each time.
func (l *List) Get(ctx context.Context, src Source, args ...Arg) ([]any, error) {
	c, err := l.ix.t.begin(ctx, src, l.ix.accessor)
	if err != nil {
		return nil, err
	}
	return l.ix.list(ctx, &c, args, 0, -1)
}

// Flush flushes the accessor's entries of these arguments.
func (l *List) Flush(ctx context.Context, args ...Arg) error { return l.ix.Flush(ctx, args...) }

// Page returns at most limit rows of the list from offset on. A negative offset and a limit below 1
// are errors.
func (l *List) Page(ctx context.Context, src Source, offset, limit int, args ...Arg) ([]any, error) {
	c, err := l.ix.t.begin(ctx, src, l.ix.accessor)
	if err != nil {
		return nil, err
	}
	if offset < 0 || limit < 1 {
		return nil, fmt.Errorf("cachegen: %sPage: offset %d, limit %d: the offset is 0 or more, the limit 1 or more", l.ix.accessor, offset, limit)
	}
	return l.ix.list(ctx, &c, args, offset, limit)
}

// One finds the first row of a list. It is for generated code.
type One struct{ ix *index }

// One adds a one to the model.
//
//go:noinline
func (t *Table) One(spec IndexSpec) *One {
	spec.Limit = 1
	return &One{t.index(spec, false)}
}

// Get returns the row, or an error matching gorm.ErrRecordNotFound.
func (o *One) Get(ctx context.Context, src Source, args ...Arg) (any, error) {
	return o.ix.first(ctx, src, args)
}

// Flush flushes the accessor's entries of these arguments.
func (o *One) Flush(ctx context.Context, args ...Arg) error { return o.ix.Flush(ctx, args...) }

// Unique finds a row by columns that no two rows have alike. It is for generated code.
type Unique struct{ *index }

// Unique adds a unique lookup to the model. It has no where and no order.
//
//go:noinline
func (t *Table) Unique(spec IndexSpec) *Unique {
	spec.Limit = 1
	return &Unique{t.index(spec, true)}
}

// Get returns the row, or an error matching gorm.ErrRecordNotFound.
func (u *Unique) Get(ctx context.Context, src Source, args ...Arg) (any, error) {
	return u.first(ctx, src, args)
}

// Count counts the rows that equal its arguments and meet its where terms. It is for generated code.
type Count struct{ ix *index }

// Count adds a count to the model. It has no order and no limit.
//
//go:noinline
func (t *Table) Count(spec IndexSpec) *Count {
	ix := t.index(spec, false)
	ix.counts = true
	return &Count{ix}
}

// Get returns the count.
func (n *Count) Get(ctx context.Context, src Source, args ...Arg) (int64, error) {
	c, err := n.ix.t.begin(ctx, src, n.ix.accessor)
	if err != nil {
		return 0, err
	}
	if err := badArg(n.ix.accessor, args); err != nil {
		return 0, err
	}
	if c.database || n.ix.keys.odd(args) || n.ix.guard.refuses(ctx) || !n.ix.registered(ctx, &c) {
		return n.ix.count(ctx, &c, args)
	}
	count, err := readEntry(ctx, &c, n.ix.wanted(&c, args), decodeCount, func(ctx context.Context, c *call, _ []int, _ bool) ([]loaded, error) {
		return n.ix.loadCount(ctx, c, args)
	})
	if errors.Is(err, errAltered) {
		return n.ix.count(ctx, &c, args)
	}
	return count, err
}

// Flush flushes the accessor's entries of these arguments.
func (n *Count) Flush(ctx context.Context, args ...Arg) error { return n.ix.Flush(ctx, args...) }

func (ix *index) count(ctx context.Context, c *call, args []Arg) (count int64, err error) {
	err = countRows(c, ix.rows(ctx, c, args).Model(ix.t.spec.New()), &count)
	return count, err
}

// loadCount is count as an entry holds it.
func (ix *index) loadCount(ctx context.Context, c *call, args []Arg) ([]loaded, error) {
	count, err := ix.count(ctx, c, args)
	return []loaded{{value: flushlist.Value{Payload: AppendInt(nil, count)}}}, err
}

func decodeCount(v flushlist.Value) (int64, bool) {
	d := newDecoder(v.Payload)
	count := DecodeInt[int64](&d)
	return count, d.end() == nil
}
