package cacheruntime

import (
	"context"
	"errors"
	"fmt"

	"github.com/cachegen/cachegen/flushlist"
)

// List finds the rows that equal its arguments and meet its where terms, in an order. It is for
// generated code.
type List[T any, K comparable] struct{ ix *index[T, K] }

// List adds a list to the model.
func (t *Table[T, K]) List(spec IndexSpec[T]) *List[T, K] {
	return &List[T, K]{t.index(spec, false)}
}

// Get returns the list, never nil. One longer than Options.ListWindow, where the tag has no limit, is
// read from the database each time.
func (l *List[T, K]) Get(ctx context.Context, src Source, args ...Arg) ([]*T, error) {
	c, err := l.ix.t.begin(ctx, src, l.ix.accessor)
	if err != nil {
		return nil, err
	}
	return l.ix.list(ctx, &c, args, 0, -1)
}

// Flush flushes the accessor's entries of these arguments.
func (l *List[T, K]) Flush(ctx context.Context, args ...Arg) error { return l.ix.Flush(ctx, args...) }

// Page returns at most limit rows of the list from offset on. A negative offset and a limit below 1
// are errors.
func (l *List[T, K]) Page(ctx context.Context, src Source, offset, limit int, args ...Arg) ([]*T, error) {
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
type One[T any, K comparable] struct{ ix *index[T, K] }

// One adds a one to the model.
func (t *Table[T, K]) One(spec IndexSpec[T]) *One[T, K] {
	spec.Limit = 1
	return &One[T, K]{t.index(spec, false)}
}

// Get returns the row, or an error matching gorm.ErrRecordNotFound.
func (o *One[T, K]) Get(ctx context.Context, src Source, args ...Arg) (*T, error) {
	return o.ix.first(ctx, src, args)
}

// Flush flushes the accessor's entries of these arguments.
func (o *One[T, K]) Flush(ctx context.Context, args ...Arg) error { return o.ix.Flush(ctx, args...) }

// Unique finds a row by columns that no two rows have alike. It is for generated code.
type Unique[T any, K comparable] struct{ *index[T, K] }

// Unique adds a unique lookup to the model. It has no where and no order.
func (t *Table[T, K]) Unique(spec IndexSpec[T]) *Unique[T, K] {
	spec.Limit = 1
	return &Unique[T, K]{t.index(spec, true)}
}

// Get returns the row, or an error matching gorm.ErrRecordNotFound.
func (u *Unique[T, K]) Get(ctx context.Context, src Source, args ...Arg) (*T, error) {
	return u.first(ctx, src, args)
}

// Count counts the rows that equal its arguments and meet its where terms. It is for generated code.
type Count[T any, K comparable] struct{ ix *index[T, K] }

// Count adds a count to the model. It has no order and no limit.
func (t *Table[T, K]) Count(spec IndexSpec[T]) *Count[T, K] {
	ix := t.index(spec, false)
	ix.counts = true
	return &Count[T, K]{ix}
}

// Get returns the count.
func (n *Count[T, K]) Get(ctx context.Context, src Source, args ...Arg) (int64, error) {
	c, err := n.ix.t.begin(ctx, src, n.ix.accessor)
	if err != nil {
		return 0, err
	}
	if err := badArg(n.ix.accessor, args); err != nil {
		return 0, err
	}
	if c.database || n.ix.keys.odd(args) || n.ix.guard.refuses(ctx) {
		return n.ix.count(ctx, &c, args)
	}
	count, err := readEntry(ctx, &c, n.ix.wanted(&c, args), decodeCount, func(ctx context.Context, c *call, _ []int, _ bool) ([]loaded, error) {
		count, err := n.ix.count(ctx, c, args)
		return []loaded{{value: flushlist.Value{Payload: AppendInt(nil, count)}}}, err
	})
	if errors.Is(err, errAltered) {
		return n.ix.count(ctx, &c, args)
	}
	return count, err
}

// Flush flushes the accessor's entries of these arguments.
func (n *Count[T, K]) Flush(ctx context.Context, args ...Arg) error { return n.ix.Flush(ctx, args...) }

func (ix *index[T, K]) count(ctx context.Context, c *call, args []Arg) (count int64, err error) {
	err = countRows(c, ix.rows(ctx, c, args).Model(new(T)), &count)
	return count, err
}

func decodeCount(v flushlist.Value) (int64, bool) {
	d := newDecoder(v.Payload)
	count := DecodeInt[int64](&d)
	return count, d.end() == nil
}
