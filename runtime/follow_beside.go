package cacheruntime

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Relations that are asked for side by side are read side by side, so that they take the round trips of the longest of them.
//
// The caller's goroutine reads one relation after the other, for as long as the first tier has what they want. Before it waits, for the
// second tier or the database, it hands the relations that nobody has begun to another goroutine, a lane, which goes on in the same way:
// where nobody waits there is one goroutine. What the lanes want of the second tier goes out together, when none of them is left that
// may want more:
//
//  1. the caller: merchants miss the first tier; it starts lane 2, asks for them and waits
//  2. lane 2: the list of reviews misses; it starts lane 3, asks and waits
//  3. lane 3: the list of tags misses; it asks, and nobody is left: one Fetch for all three
//  4. merchants are there; lanes 2 and 3 ask for reviews and tags: one Fetch for both
//
// A lane that waits for the database is not waited for: the others ask without it, and it without them when it goes on.
//
// Lanes only read. What runs code of the application's on rows, their hooks and the assignment, is done by the caller's
// goroutine when all lanes have ended, in the order in which the relations were asked for. In a transaction, and wherever the call goes
// past the cache, there are no lanes.

// level is the relations that are asked for with the same rows.
type level struct {
	ctx      context.Context // the call's
	owners   []any
	branches []branch
	next     atomic.Int32   // the first relation that nobody has begun
	failed   atomic.Bool    // no more are begun
	shared   atomic.Bool    // lanes were started for it
	started  sync.WaitGroup // those
	lanes    *lanes         // of the whole call; nil where there are to be none
	own      lanes          // of the first level
}

// branch is one relation of a level. Whoever has begun it has it alone until the level is read.
type branch struct {
	level *level
	i     int // its place in the level
	outer *call
	f     *follow
	to    *followed
	with  []*along // what is asked for with its rows

	args [][]Arg // what the owners lead to, each once
	of   []int   // the place among them of what each owner leads to; -1 is nowhere

	inner   call    // for its rows
	related [][]any // of each of args
	rows    []any   // all of them, each once
	then    *level  // what comes with them
	err     error
	broken  *broken
}

// broken is how a lane ended that did not return from a branch: with a panic, or, where that is nil, by runtime.Goexit.
type broken struct{ panic any }

// beside prepares the reading of relations, within c, with rows that may be nil; nil where there is nothing to read. It is here that
// the rows' own columns are read, by one goroutine.
func (t *Table) beside(ctx context.Context, c *call, with []*along, rows []any) (*level, error) {
	if len(with) == 0 {
		return nil, nil
	}
	owners := make([]any, 0, len(rows))
	for _, row := range rows {
		if row != nil {
			owners = append(owners, row)
		}
	}
	if len(owners) == 0 {
		return nil, nil
	}
	l := &level{ctx: ctx, owners: owners, branches: make([]branch, len(with))}
	switch {
	case c.side != nil:
		l.lanes = c.side.level.lanes
	case !c.database:
		l.lanes, l.own.busy = &l.own, 1
	}
	for i, w := range with {
		f := t.follows[w.relation]
		if f == nil {
			return nil, fmt.Errorf("%w: %s has no relation %s that is followed: run go generate again", ErrModel, t.spec.Model, w.relation)
		}
		to, err := f.related()
		if err != nil {
			return nil, err
		}
		b := &l.branches[i]
		b.level, b.i, b.outer, b.f, b.to, b.with = l, i, c, f, to, w.then
		b.args, b.of = f.arguments(owners)
	}
	return l, nil
}

// read reads the level, and all that comes with it. It returns when no lane is left.
func (l *level) read() {
	defer l.wait()
	for i := l.begin(); i >= 0; i = l.begin() {
		l.branches[i].read()
	}
}

// begin takes the next relation; -1 where none is to be begun.
func (l *level) begin() int {
	if l.failed.Load() {
		return -1
	}
	if i := int(l.next.Add(1)) - 1; i < len(l.branches) {
		return i
	}
	return -1
}

// wait waits for the level's lanes.
func (l *level) wait() {
	if l.shared.Load() {
		l.lanes.rest()
		l.started.Wait()
		l.lanes.resume()
	}
}

// read reads the branch's rows and what comes with them.
func (b *branch) read() {
	if len(b.args) == 0 {
		return
	}
	l := b.level
	if b.err = b.find(); b.err != nil {
		l.failed.Store(true)
		return
	}
	if b.then != nil {
		if b.then.read(); b.then.failed.Load() {
			l.failed.Store(true)
		}
	}
}

func (b *branch) find() (err error) {
	ctx, t := b.level.ctx, b.to.t
	within := *b.outer
	if b.level.lanes != nil {
		within.side = b
	}
	b.inner = t.callWithin(ctx, &within)
	if b.related, err = b.f.rows(ctx, &b.inner, b.to, b.args); err != nil {
		return err
	}
	b.rows = once(b.related)
	b.then, err = t.beside(ctx, &b.inner, b.with, b.rows)
	return err
}

// hand starts a lane for the relations behind this one, where nobody has begun them.
func (b *branch) hand() {
	l, i := b.level, b.i+1
	if i == len(l.branches) || l.failed.Load() || !l.next.CompareAndSwap(int32(i), int32(i+1)) {
		return
	}
	l.shared.Store(true)
	l.lanes.resume()
	l.started.Go(func() { l.lane(i) })
}

// waits hands on, before this lane waits, what is asked for beside this relation and beside those that it comes with.
func (b *branch) waits() {
	for ; b != nil; b = b.outer.side {
		b.hand()
	}
}

// lane reads a relation that was handed on, and then others.
func (l *level) lane(i int) {
	defer l.lanes.rest()
	for ; i >= 0; i = l.begin() {
		l.branches[i].protected()
	}
}

// protected is read on a lane, where nobody could recover.
func (b *branch) protected() {
	returned := false
	defer func() {
		if !returned {
			b.broken = &broken{recover()}
			b.level.failed.Store(true)
		}
	}()
	b.read()
	returned = true
}

// finish gives the owners what was read, and returns the error that comes first in the order of the relations. A relation
// that was not begun is behind one that failed.
func (l *level) finish() error {
	for i := range l.branches {
		if err := l.branches[i].finish(); err != nil {
			return err
		}
	}
	return nil
}

func (b *branch) finish() error {
	switch {
	case b.broken != nil && b.broken.panic != nil:
		panic(b.broken.panic)
	case b.broken != nil:
		runtime.Goexit()
	case b.err != nil || len(b.args) == 0:
		return b.err
	}
	if b.then != nil {
		if err := b.then.finish(); err != nil {
			return err
		}
	}
	ctx := b.level.ctx
	if err := b.to.t.afterFind(ctx, &b.inner, b.rows); err != nil {
		return err
	}
	return b.assign()
}
