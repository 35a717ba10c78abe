package tiered

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/without"
)

// intent is one write's tokens. It satisfies flushlist.Intent.
type intent struct {
	store  *Store
	mode   flushlist.Mode
	cells  []cellAt
	tokens []uint64
	held   []bool        // by cell: its server may not have the token, and the cell is on hold
	begun  time.Duration // when the last tokens went out, on the store's clock
	ended  bool
}

// Prepare leaves a token in the cell of each list, at every server that keeps one, and drops
// what this process knows of them. It returns when all servers have acknowledged.
//
// Where a server does not, mode Strict takes the tokens out again and returns an error
// matching [flushlist.ErrFlush] that names the server and the list. Mode Available takes those
// lists out of service in this process until they are flushed, reports each, and returns an
// Intent. A name that memcached would not take is an error in both modes.
func (s *Store) Prepare(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
	for _, l := range lists {
		if !legalKey(l.Name) || len(l.Name) > 200 {
			return nil, fmt.Errorf("tiered: flush list %q: the name must have 1 to 200 bytes without blanks and "+
				"control bytes; build it with the functions of flushlist", l.Name)
		}
	}
	in := &intent{store: s, mode: mode, cells: s.cellsOf(lists)}
	in.held = make([]bool, len(in.cells))
	if s.closed.Load() {
		if mode == flushlist.Strict {
			return nil, fmt.Errorf("%w: the store is closed", flushlist.ErrFlush)
		}
		// Nothing is served here any more, and nobody is left to try again: other processes
		// may serve what they have until its ttl.
		for _, c := range in.cells {
			s.report(flushlist.Event{
				Kind: flushlist.FlushUndelivered, Server: s.places[c.place].name(), Name: c.list.Name, Err: errClosed,
			})
		}
		in.cells, in.held = nil, nil
		return in, nil
	}
	if err := in.leave(ctx); err != nil {
		in.Abort(ctx)
		return nil, err
	}
	return in, nil
}

var errClosed = errors.New("the store is closed")

// cellsOf returns the cells of lists, each once: an `all` list has one at every place, and another list one on
// each ring.
func (s *Store) cellsOf(lists []flushlist.List) []cellAt {
	cells := make([]cellAt, 0, len(lists))
	have := make(map[uint64]bool, len(lists))
	add := func(c cellAt) {
		if !have[c.id] {
			have[c.id] = true
			cells = append(cells, c)
		}
	}
	for _, l := range lists {
		if l.All {
			for p := range s.places {
				add(cellOf(l, p))
			}
			continue
		}
		first := s.ring.server(l.ID)
		add(cellOf(l, first))
		if also := s.also.at(l.ID); also >= 0 && also != first && !without.BothRings {
			add(alsoCellOf(l, also))
		}
	}
	return cells
}

// leave puts a fresh token into every cell, and then a record into the journal.
func (in *intent) leave(ctx context.Context) error {
	s := in.store
	if err := s.watch.outside(); err != nil && in.mode == flushlist.Strict {
		// Others may read where this process does not flush.
		return fmt.Errorf("%w: %w", flushlist.ErrFlush, err)
	}
	token := newToken()
	in.tokens = append(in.tokens, token)
	in.begun = s.now()
	errs := make([]error, len(in.cells))
	var number uint64
	var untaken error
	if without.TokenFirst {
		number, untaken = s.journal.take(ctx)
		_ = in.enter(ctx, number, in.begun, untaken)
	}
	var taking sync.WaitGroup
	if s.journal != nil && !without.TokenFirst && !without.EarlyRecord { // a number may be taken before, the record is put after every token
		taking.Go(func() { number, untaken = s.journal.take(ctx) })
	}
	s.eachCell(in.cells, func(i int) {
		c := in.cells[i]
		if errs[i] = s.leaveToken(ctx, c, token); errs[i] == nil {
			// 1. Only now: a reader that learned the stamp before the token was in is undone.
			// 2. A reader that asks from here on finds the token.
			s.known.drop(c.id)
		}
	})
	taking.Wait()
	if in.mode == flushlist.Strict {
		if err := in.refusal(errs); err != nil {
			s.journal.void(ctx, number)
			return err
		}
	}
	for i, err := range errs {
		if err != nil && !in.held[i] {
			in.hold(i, err)
		}
	}
	if without.EarlyRecord || without.TokenFirst {
		return nil
	}
	return in.enter(ctx, number, in.begun, untaken)
}

// enter puts the record of the write into the journal.
func (in *intent) enter(ctx context.Context, number uint64, taken time.Duration, err error) error {
	g := in.store.journal
	if g == nil {
		return nil
	}
	if err == nil {
		err = g.put(ctx, number, taken, recordOf(in.cells))
	}
	switch {
	case err == nil:
	case in.mode == flushlist.Strict:
		return fmt.Errorf("%w: %w", flushlist.ErrFlush, err)
	default:
		g.owe(in.cells, err)
	}
	return nil
}

// hold takes a cell out of service in this process, since its server does not know of the
// write.
func (in *intent) hold(i int, err error) {
	s, c := in.store, in.cells[i]
	in.held[i] = true
	s.known.hold(c.id)
	s.report(flushlist.Event{
		Kind: flushlist.FlushUndelivered, Server: s.places[c.place].name(), Name: c.list.Name, Err: err,
	})
}

// refusal is the error of a write that cannot be made known, or nil.
func (in *intent) refusal(errs []error) error {
	var servers []string
	var first error
	for i, err := range errs {
		if err == nil {
			continue
		}
		name := in.store.places[in.cells[i].place].name()
		if first == nil {
			first = fmt.Errorf("list %s: %w", in.cells[i].list.Name, err)
		}
		if !slices.Contains(servers, name) {
			servers = append(servers, name)
		}
	}
	if first == nil {
		return nil
	}
	return fmt.Errorf("%w: no token could be left at %s: %w", flushlist.ErrFlush, strings.Join(servers, ", "), first)
}

// leaveTokens appends tokens to a cell, or adds a cell with them where there is none.
func (s *Store) leaveTokens(ctx context.Context, c cellAt, tokens ...uint64) error {
	p := s.places[c.place]
	at := c.addr(p.name())
	t := make([]byte, 0, tokenSize*len(tokens))
	for _, token := range tokens {
		t = append(t, tokenBytes(token, s.opts.IntentTTL)...)
	}
	if without.Intent {
		return nil
	}
	if without.OtherTokens {
		return s.leaveOnlyToken(ctx, c, t)
	}
	// A cell may be made or evicted between the two; that it happens again and again is a
	// server without memory.
	for range 4 {
		if err := p.append(ctx, at, t); !errors.Is(err, errNotStored) {
			return err
		}
		fresh := freshCell()
		fresh.tokens = t
		if err := p.add(ctx, at, fresh.bytes(), 0); !errors.Is(err, errNotStored) {
			return err
		}
	}
	return errNoRoom
}

// leaveOnlyToken is leaveTokens without.OtherTokens.
func (s *Store) leaveOnlyToken(ctx context.Context, c cellAt, t []byte) error {
	p := s.places[c.place]
	for range backgroundTries {
		it := s.readCell(ctx, c)
		put, ok := parseCell(it.value)
		if it.state != present || !ok {
			put = freshCell()
		}
		put.tokens = t
		var err error
		if it.state == present {
			err = p.swap(ctx, c.addr(p.name()), put.bytes(), it.seen, 0)
		} else {
			err = p.add(ctx, c.addr(p.name()), put.bytes(), 0)
		}
		if !errors.Is(err, errGone) && !errors.Is(err, errConflict) && !errors.Is(err, errNotStored) {
			return err
		}
	}
	return errContested
}

var errNoRoom = errors.New("the server takes no token; give it more memory")

// Late reports that half of IntentTTL has passed since the tokens were left.
func (in *intent) Late() bool {
	return !without.Renewal && in.store.now()-in.begun >= in.store.opts.IntentTTL/2
}

// Renew leaves fresh tokens beside the first ones. In mode Strict it returns an error as
// Prepare does; the intent is still to be ended then.
func (in *intent) Renew(ctx context.Context) error { return in.leave(ctx) }

// Finish gives every list a new stamp and takes the tokens out. It goes on when ctx is done.
func (in *intent) Finish(ctx context.Context) {
	if in.end() {
		return
	}
	s := in.store
	ctx = context.WithoutCancel(ctx)
	ends := make([]*ending, len(in.cells))
	var mine []cellAt // cells with no round under way
	var of []int
	for i, c := range in.cells {
		ends[i] = newEnding(in.tokens, in.held[i])
		if s.rounds.enter(c.id, nil, ends[i]) {
			mine, of = append(mine, c), append(of, i)
		}
	}
	s.onCells(ctx, mine, func(n int, it item) {
		s.finishRound(ctx, mine[n], []*ending{ends[of[n]]}, it)
		s.nextRound(ctx, mine[n])
	})
	var lost []cellAt
	for i, c := range in.cells {
		err := <-ends[i].done
		if ends[i].lost || in.held[i] && err == nil { // what is owed has a record when it is delivered
			lost = append(lost, c)
		}
		in.finished(i, err)
	}
	// Where a token was gone, or could not be left, other processes may have learned a stamp from before this
	// write after they had read its record.
	if !without.LostRecord {
		s.journal.write(ctx, lost...)
	}
	if without.EarlyRecord {
		s.journal.write(ctx, in.cells...)
	}
}

// finished takes in how the finish of one cell went.
func (in *intent) finished(i int, err error) {
	s, c := in.store, in.cells[i]
	if err != nil {
		if !in.held[i] {
			in.hold(i, err)
		}
		s.owe(c, in.tokens)
		return
	}
	// The second drop is for a token that was lost: without it, a stamp from between could have
	// been learned, and be served until MaxStale.
	if !without.SecondDrop {
		s.known.drop(c.id)
	}
	if in.held[i] {
		s.known.release(c.id)
		s.reportDelivered(c)
	}
}

// Abort takes the tokens out and leaves the stamps. It goes on when ctx is done.
func (in *intent) Abort(ctx context.Context) {
	if in.end() {
		return
	}
	s := in.store
	ctx = context.WithoutCancel(ctx)
	s.onCells(ctx, in.cells, func(i int, it item) {
		s.abort(ctx, in.cells[i], in.tokens, it)
		if in.held[i] {
			s.known.release(in.cells[i].id) // nothing was written
		}
	})
}

// Leave lets the tokens stand. While the process lives, the lists are flushed again after 1,
// 2, 4 and so on IntentTTL, until an hour has passed. Where the tokens may have been taken for a
// dead writer's already, it leaves fresh ones first:
//
//  1. writer: leaves its token; the COMMIT takes longer than IntentTTL
//  2. reader: takes the token for a dead writer's, puts a new stamp, loads the old row, stores it
//  3. writer: the COMMIT takes effect, and its answer is lost; it calls Leave
//  4. without a fresh token, a reader is served the old row from here on
func (in *intent) Leave() {
	if in.end() {
		return
	}
	if in.Late() {
		in.mode = flushlist.Available // nothing can be refused any more
		_ = in.leave(context.Background())
	}
	in.store.left(in)
}

// end reports whether the intent was ended before, or has nothing to end.
func (in *intent) end() bool {
	ended := in.ended
	in.ended = true
	return ended || len(in.cells) == 0
}

// readCell reads one cell. It is unknown where its place does not answer.
func (s *Store) readCell(ctx context.Context, c cellAt) item {
	p := s.places[c.place]
	items, _, _ := p.read(ctx, []addr{c.addr(p.name())})
	return items[0]
}

// onCells reads cells, in one multi-get a place, and calls f for each with what was found, at each place for as many at a
// time as there are connections to it. A place that does not answer keeps no other waiting. It waits for all.
func (s *Store) onCells(ctx context.Context, cells []cellAt, f func(i int, it item)) {
	s.eachPlace(cells, func(p place, of []int) {
		at := make([]addr, len(of))
		for n, i := range of {
			at[n] = cells[i].addr(p.name())
		}
		items, _, _ := p.read(ctx, at) // an error leaves items unknown
		inParallel(len(of), s.opts.MaxIdleConns, func(n int) { f(of[n], items[n]) })
	})
}
