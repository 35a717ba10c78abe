package tiered

import (
	"context"
	"slices"
	"sync"
	"time"
)

// rounds combine the finishes of this process on one cell: those that come while one is under
// way are done together in the next, since each cas that succeeds would make all others fail.
// A round never waits for another cell's, so that writes with lists in common cannot wait for
// each other in a circle.
type rounds struct {
	mu      sync.Mutex
	waiting map[uint64][]*ending // by cellAt.id; a key for each cell with a round under way
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

func (r *rounds) init() { r.waiting = make(map[uint64][]*ending) }

// enter reports whether the caller is to run a round with e. Else a later round has it, which
// begins after this call.
func (r *rounds) enter(cell uint64, e *ending) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	waiting, running := r.waiting[cell]
	if running {
		r.waiting[cell] = append(waiting, e)
		return false
	}
	r.waiting[cell] = nil
	return true
}

// next returns the endings of the next round on a cell, none where the cell is left alone now.
func (r *rounds) next(cell uint64) []*ending {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.waiting[cell]
	if len(next) == 0 {
		delete(r.waiting, cell)
	} else {
		r.waiting[cell] = nil
	}
	return next
}

// round finishes a cell for several writes, and sees to the next round. first is what was read
// of the cell, after all of them had entered.
func (s *Store) round(ctx context.Context, c cellAt, ends []*ending, first item) {
	err := s.finish(ctx, c, ends, first)
	for _, e := range ends {
		e.done <- err
	}
	next := s.rounds.next(c.id)
	if len(next) == 0 {
		return
	}
	run := func() { s.round(ctx, c, next, s.readCells(ctx, []cellAt{c})[0]) }
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
