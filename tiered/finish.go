package tiered

import (
	"context"
	"errors"
	"slices"

	"github.com/cachegen/cachegen/flushlist"
)

// How often a cell is tried before something else is done about it.
const (
	finishTries     = 8   // with the caller waiting, while its token stands
	backgroundTries = 512 // then, without; and with the caller waiting where its token was lost
)

// finish gives a cell a new stamp and takes out the tokens of writes that were committed.
// first is what was read of it already. An error means that its server was not reached.
//
// Writers elsewhere change the same cell, so cas may fail again and again. While the own
// tokens stand, no reader can store anything, and the rest may be done behind the callers'
// backs. Once one was missed they wait until a new stamp is in, and so they do where one may never
// have been there: its hold is released after this, and the old stamp would be served again.
func (s *Store) finish(ctx context.Context, c cellAt, ends []*ending, it item) error {
	tokens := tokensOf(ends)
	held := slices.ContainsFunc(ends, func(e *ending) bool { return e.held })
	lost := 0
	for try := range backgroundTries {
		// A cell that is absent, or not readable, has nobody's token.
		old, _ := parseCell(it.value)
		if n := missing(old, ends); it.state != unknown && n > lost {
			for range n - lost {
				s.report(flushlist.Event{
					Kind: flushlist.IntentLost, Server: s.places[c.place].name(), Name: c.list.Name,
				})
			}
			lost = n
		}
		if try >= finishTries && lost == 0 && !held && s.spawn(func() { s.finishLater(ctx, c, tokens) }) {
			return nil
		}
		if err := s.flushCell(ctx, c, tokens, it); !errors.Is(err, errConflict) {
			return err
		}
		it = s.readCell(ctx, c)
	}
	return errContested
}

// finishLater is the rest of a finish while the tokens stood: no reader has stored anything
// under the stamps from before, nor will until a flush is through.
func (s *Store) finishLater(ctx context.Context, c cellAt, tokens []uint64) {
	err := s.flush(ctx, c, tokens, s.readCell(ctx, c))
	s.known.drop(c.id)
	if err == nil {
		s.journal.write(ctx, c) // a token may have been lost meanwhile
		return
	}
	s.known.hold(c.id)
	s.report(flushlist.Event{
		Kind: flushlist.FlushUndelivered, Server: s.places[c.place].name(), Name: c.list.Name, Err: err,
	})
	s.owe(c, tokens)
}

// flush gives a cell a new stamp, whether the tokens are there or not.
func (s *Store) flush(ctx context.Context, c cellAt, tokens []uint64, it item) error {
	for range backgroundTries {
		if err := s.flushCell(ctx, c, tokens, it); !errors.Is(err, errConflict) {
			return err
		}
		it = s.readCell(ctx, c)
	}
	return errContested
}

var errContested = errors.New("other writers change the cell all the time")

// flushCell makes one try at a new stamp. errConflict asks for another.
func (s *Store) flushCell(ctx context.Context, c cellAt, tokens []uint64, it item) error {
	p := s.places[c.place]
	switch it.state {
	case unknown:
		return errNoAnswer
	case absent:
		// Evicted, or the server was restarted. Whoever makes the cell anew gives it a stamp
		// that nothing was stored under, and loads after that.
		return nil
	}
	put := freshCell()
	if old, ok := parseCell(it.value); ok {
		put, _ = old.without(own(tokens))
		put = put.flushed()
	}
	err := p.swap(ctx, c.addr(p.name()), put.bytes(), it.seen, 0)
	if errors.Is(err, errGone) {
		return nil // evicted meanwhile: as above
	}
	if err == nil {
		for _, t := range tokens {
			s.seen.forget(c.id, t)
		}
	}
	return err
}

// abort takes tokens out of a cell and leaves its stamp. What cannot be done stays until
// readers take the writer for dead.
func (s *Store) abort(ctx context.Context, c cellAt, tokens []uint64, it item) {
	p := s.places[c.place]
	for range finishTries {
		old, ok := parseCell(it.value)
		if it.state != present || !ok {
			return
		}
		put, taken := old.without(own(tokens))
		if taken == 0 {
			return
		}
		if err := p.swap(ctx, c.addr(p.name()), put.bytes(), it.seen, 0); !errors.Is(err, errConflict) {
			return
		}
		it = s.readCell(ctx, c)
	}
}
