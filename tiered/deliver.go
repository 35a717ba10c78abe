package tiered

import (
	"context"
	"errors"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/cachegen/cachegen/flushlist"
)

const (
	// deliverAtOnce is how many flushes are read in one multi-get and told in one record.
	deliverAtOnce = 1024
	// maxTables is how many tables' `all` lists are owed beside maxUndelivered other cells.
	maxTables = 1024
)

var (
	errManyOfTable = errors.New("many undelivered flushes: the whole table is flushed on this server in their place")
	errTooMany     = errors.New("too many undelivered flushes: the server is not used by this process any more; restart it")
)

// tableOf returns the cell of a list's `all` list at its own place; that of no list, where the list does not say.
func tableOf(c cellAt) cellAt {
	name := c.list.Table
	return cellOf(flushlist.List{Name: name, ID: xxhash.Sum64String(name), All: true, Table: name}, c.place)
}

// oweTable takes over the flush of a cell, with its hold, where there are too many to be remembered: the table's
// `all` list at that place stands for all that is owed of the table there. Those were all committed, so that
// whatever was loaded before falls with it. A place that owes even too many tables, or a list that does not say
// which is its own, is out of service in this process from now on, and other processes may serve what was not
// delivered until its ttl.
func (s *Store) oweTable(c cellAt) {
	o := &s.owed
	table := tableOf(c)
	s.known.hold(table.id) // before any other is released
	var replaced []uint64
	o.mu.Lock()
	u, again := o.undelivered[table.id]
	ok := c.list.Table != "" && (again || len(o.undelivered) < o.most+maxTables)
	switch {
	case !ok:
		o.forgotten++
	case again:
		u.writes++
	default:
		for id, u := range o.undelivered {
			if u.cell.place == c.place && u.cell.list.Table == c.list.Table {
				delete(o.undelivered, id)
				replaced = append(replaced, id)
			}
		}
		o.undelivered[table.id] = &undelivered{cell: table, writes: 1, due: s.now() + s.opts.BreakerPause}
	}
	o.mu.Unlock()
	name := s.places[c.place].name()
	switch {
	case !ok && s.known.refuse(c.place):
		s.report(flushlist.Event{Kind: flushlist.FlushUndelivered, Server: name, Err: errTooMany})
	case ok && !again:
		s.report(flushlist.Event{Kind: flushlist.FlushUndelivered, Server: name, Name: table.list.Name, Err: errManyOfTable})
	}
	if !ok || again {
		s.known.release(table.id)
	}
	for _, id := range append(replaced, c.id) {
		s.known.release(id)
	}
	o.poke()
}

// try is a flush that is being delivered.
type try struct {
	u      *undelivered
	writes int
	tokens []uint64
}

// deliverDue tries the undelivered flushes that are due.
func (s *Store) deliverDue() {
	o := &s.owed
	var due []try
	o.mu.Lock()
	now := s.now()
	for _, u := range o.undelivered {
		if u.due <= now {
			u.due = now + s.opts.BreakerPause
			due = append(due, try{u, u.writes, append([]uint64(nil), u.tokens...)})
		}
	}
	o.mu.Unlock()
	// A server that hangs keeps only its own waiting.
	slices.SortFunc(due, func(a, b try) int { return a.u.cell.place - b.u.cell.place })
	for some := range slices.Chunk(due, deliverAtOnce) {
		some = slices.DeleteFunc(some, func(t try) bool { return s.leftAlone(t.u.cell.place) })
		if s.ctx.Err() != nil {
			return
		}
		s.deliver(context.WithoutCancel(s.ctx), some)
	}
}

// deliver tries some flushes together.
func (s *Store) deliver(ctx context.Context, some []try) {
	cells := make([]cellAt, len(some))
	for i, t := range some {
		cells[i] = t.u.cell
	}
	errs := make([]error, len(some))
	s.onCells(ctx, cells, func(i int, it item) { errs[i] = s.flush(ctx, cells[i], some[i].tokens, it) })
	o := &s.owed
	var delivered []cellAt
	o.mu.Lock()
	for i, t := range some {
		// Once again for a write that came meanwhile; and one whose table is owed by now is not
		// owed any more.
		if errs[i] == nil && t.u.writes == t.writes && o.undelivered[cells[i].id] == t.u {
			delete(o.undelivered, cells[i].id)
			delivered = append(delivered, cells[i])
		}
	}
	o.mu.Unlock()
	s.journal.write(ctx, delivered...)
	for _, c := range delivered {
		s.known.release(c.id)
		s.reportDelivered(c)
	}
}
