package tiered

import (
	"context"
	"slices"
	"sync"
	"time"
)

// rounds combine what this process does to one cell. Tokens that are to be left and finishes that come
// while something is under way are done together in the next round, since each change of a cell makes
// every cas on it fail that has read it before. A round never waits for another cell's, so that writes
// with lists in common cannot wait for each other in a circle.
type rounds struct {
	mu      sync.Mutex
	waiting map[uint64]turn // by cellAt.id; a key for each cell with a round under way
}

// turn is what one round does, in this order.
type turn struct {
	leaves []*leaving
	ends   []*ending
}

// leaving is a token of one write that is to be left in one cell.
type leaving struct {
	token uint64
	done  chan error // receives the round's result
}

// ending is the end of one committed write on one cell.
type ending struct {
	tokens []uint64
	held   bool       // the server may never have had the token
	lost   bool       // it was gone before the new stamp was in; set before done receives
	done   chan error // receives the round's result
}

func newEnding(tokens []uint64, held bool) *ending {
	return &ending{tokens: tokens, held: held, done: make(chan error, 1)}
}

func (r *rounds) init() { r.waiting = make(map[uint64]turn) }

// enter reports whether the caller is to run a round with what it has come with. Else a later round has
// it, which begins after this call.
func (r *rounds) enter(cell uint64, l *leaving, e *ending) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, running := r.waiting[cell]
	switch {
	case !running:
	case l != nil:
		t.leaves = append(t.leaves, l)
	default:
		t.ends = append(t.ends, e)
	}
	r.waiting[cell] = t
	return !running
}

// withdraw takes a token back that no round has yet.
func (r *rounds) withdraw(cell uint64, l *leaving) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.waiting[cell]
	i := slices.Index(t.leaves, l)
	if i < 0 {
		return false
	}
	t.leaves = slices.Delete(t.leaves, i, i+1)
	r.waiting[cell] = t
	return true
}

// next returns what the next round on a cell does: nothing where the cell is left alone now.
func (r *rounds) next(cell uint64) turn {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.waiting[cell]
	if len(t.leaves)+len(t.ends) == 0 {
		delete(r.waiting, cell)
	} else {
		r.waiting[cell] = turn{}
	}
	return t
}

// leaveToken leaves a token in a cell, with those of other writes of this process.
func (s *Store) leaveToken(ctx context.Context, c cellAt, token uint64) error {
	if s.memory != nil {
		return s.leaveTokens(ctx, c, token) // there is nobody to wait for
	}
	l := &leaving{token: token, done: make(chan error, 1)}
	if s.rounds.enter(c.id, l, nil) {
		err := s.leaveTokens(ctx, c, token)
		s.nextRound(ctx, c)
		return err
	}
	select {
	case err := <-l.done:
		return err
	case <-ctx.Done():
		if s.rounds.withdraw(c.id, l) {
			return ctx.Err()
		}
		return <-l.done // it is on its way
	}
}

// finishRound finishes a cell for several writes. first is what was read of it, after all of them had entered.
func (s *Store) finishRound(ctx context.Context, c cellAt, ends []*ending, first item) {
	err := s.finish(ctx, c, ends, first)
	for _, e := range ends {
		e.done <- err
	}
}

// nextRound sees to the next round on a cell, after each.
func (s *Store) nextRound(ctx context.Context, c cellAt) {
	t := s.rounds.next(c.id)
	if len(t.leaves)+len(t.ends) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx) // it is not the others'
	run := func() {
		if len(t.leaves) > 0 {
			tokens := make([]uint64, len(t.leaves))
			for i, l := range t.leaves {
				tokens[i] = l.token
			}
			err := s.leaveTokens(ctx, c, tokens...)
			for _, l := range t.leaves {
				l.done <- err
			}
		}
		if len(t.ends) > 0 {
			s.finishRound(ctx, c, t.ends, s.readCell(ctx, c))
		}
		s.nextRound(ctx, c)
	}
	if !s.spawn(run) {
		run()
	}
}

// tokensOf returns the tokens of all writes.
func tokensOf(ends []*ending) []uint64 {
	if len(ends) == 1 {
		return ends[0].tokens
	}
	var tokens []uint64
	for _, e := range ends {
		tokens = append(tokens, e.tokens...)
	}
	return tokens
}

// missing returns the number of writes that have left a token and find none of theirs in a
// cell, and marks them.
func missing(c cell, ends []*ending) int {
	n := 0
	for _, e := range ends {
		if !e.held && !slices.ContainsFunc(e.tokens, c.has) {
			e.lost = true
			n++
		}
	}
	return n
}

// has reports whether a token is in the cell.
func (c cell) has(token uint64) bool {
	for i := range c.count() {
		if t, _ := c.token(i); t == token {
			return true
		}
	}
	return false
}

// own returns the test for tokens that are in a list.
func own(tokens []uint64) func(uint64, time.Duration) bool {
	return func(token uint64, _ time.Duration) bool { return slices.Contains(tokens, token) }
}
