package tiered

import (
	"context"
	"sync"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// owed are the flushes that are still to be made: those that did not reach their server, each
// with a hold on its cell, and those of writes whose outcome is not known. One goroutine makes
// them.
type owed struct {
	mu          sync.Mutex
	undelivered map[uint64]*undelivered // by cellAt.id
	left        []*leftWrite
	leftCells   int
	most        int // undelivered flushes that are remembered
	forgotten   int // those that were too many
	wake        chan struct{}
}

// undelivered is one flush that did not reach its server. It owns one hold on its cell.
type undelivered struct {
	cell   cellAt
	tokens []uint64
	writes int // that it stands for; one more while it is on its way means once again
	due    time.Duration
}

// leftWrite is a write whose outcome is not known.
type leftWrite struct {
	intent *intent
	wait   time.Duration // from begun to the next flush: 1, 2, 4 … IntentTTL
}

const (
	maxUndelivered = 1 << 14   // cells; so many are delivered within a second
	maxLeft        = 1 << 14   // cells
	maxTokens      = 16        // remembered for one cell; others go by their IntentTTL
	leftFor        = time.Hour // how long a write of unknown outcome is cared for
)

func (o *owed) init() {
	o.undelivered = make(map[uint64]*undelivered)
	o.most = maxUndelivered
	o.wake = make(chan struct{}, 1)
}

// owe takes over the flush of a cell that is on hold, with the hold.
func (s *Store) owe(c cellAt, tokens []uint64) {
	o := &s.owed
	o.mu.Lock()
	u, again := o.undelivered[c.id]
	if table, ok := o.undelivered[tableOf(c).id]; !again && ok {
		u, again = table, true // its flush is this one's too
	}
	switch {
	case again:
		// A flush that is on its way may have reached the server before this write's COMMIT.
		u.writes++
		if len(u.tokens) < maxTokens && u.cell.id == c.id {
			u.tokens = append(u.tokens, tokens...)
		}
	case len(o.undelivered) < o.most:
		o.undelivered[c.id] = &undelivered{cell: c, tokens: append([]uint64(nil), tokens...), writes: 1,
			due: s.now() + s.opts.BreakerPause}
	default:
		o.mu.Unlock()
		s.oweTable(c)
		return
	}
	o.mu.Unlock()
	if again {
		s.known.release(c.id) // one hold is enough
	}
	o.poke()
}

// outstanding is how many flushes did not reach their server so far.
func (o *owed) outstanding() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.undelivered) + o.forgotten
}

func (o *owed) poke() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// left takes over a write whose outcome is not known.
func (s *Store) left(in *intent) {
	o := &s.owed
	o.mu.Lock()
	full := o.leftCells+len(in.cells) > maxLeft
	if !full {
		o.leftCells += len(in.cells)
		o.left = append(o.left, &leftWrite{intent: in, wait: s.opts.IntentTTL})
	}
	o.mu.Unlock()
	if !full {
		o.poke()
		return
	}
	// Too many to care for: one flush each, which the outcome may come after.
	for i, c := range in.cells {
		if !in.held[i] {
			s.known.hold(c.id)
		}
		s.owe(c, in.tokens)
	}
}

// payOwed makes owed flushes when they are due, until the store is closed.
func (s *Store) payOwed() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(max(s.nextDue()-s.now(), 0))
		select {
		case <-s.ctx.Done():
			return
		case <-s.owed.wake:
		case <-timer.C:
			s.deliverDue()
			s.flushLeft()
		}
	}
}

// nextDue returns when the next flush is due.
func (s *Store) nextDue() time.Duration {
	o := &s.owed
	o.mu.Lock()
	defer o.mu.Unlock()
	next := s.now() + time.Hour
	for _, u := range o.undelivered {
		next = min(next, u.due)
	}
	for _, l := range o.left {
		next = min(next, l.intent.begun+l.wait)
	}
	return next
}

// leftAlone reports whether a place's breaker would refuse a request now.
func (s *Store) leftAlone(place int) bool {
	sv, ok := s.places[place].(*server)
	if !ok {
		return false
	}
	open, willTry := sv.breaker.isOpen()
	return open && !willTry
}

// flushLeft flushes the lists of writes of unknown outcome that are due.
func (s *Store) flushLeft() {
	o := &s.owed
	var due []*leftWrite
	var kept []*leftWrite
	o.mu.Lock()
	now := s.now()
	for _, l := range o.left {
		if l.intent.begun+l.wait > now {
			kept = append(kept, l)
			continue
		}
		due = append(due, l)
		if l.wait *= 2; l.wait <= leftFor {
			kept = append(kept, l)
		} else {
			o.leftCells -= len(l.intent.cells)
		}
	}
	o.left = kept
	o.mu.Unlock()
	for _, l := range due {
		if s.ctx.Err() != nil {
			return
		}
		in := l.intent
		ctx := context.WithoutCancel(s.ctx)
		s.onCells(ctx, in.cells, func(i int, it item) {
			c := in.cells[i]
			// A token that readers took out is no loss here.
			err := s.flush(ctx, c, in.tokens, it)
			s.known.drop(c.id)
			switch {
			case err == nil && in.held[i]:
				in.held[i] = false
				s.known.release(c.id)
				s.reportDelivered(c)
			case err != nil:
				if !in.held[i] {
					in.hold(i, err)
				}
				in.held[i] = false
				s.owe(c, in.tokens)
			}
		})
		s.journal.write(ctx, in.cells...)
	}
}

func (s *Store) reportDelivered(c cellAt) {
	s.report(flushlist.Event{Kind: flushlist.FlushDelivered, Server: s.places[c.place].name(), Name: c.list.Name})
}
