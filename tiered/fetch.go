package tiered

import (
	"context"
	"errors"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/without"
)

// Fetch looks entries up in the second tier, each with the cells of its lists, in one
// multi-get a server, and answers in the order of refs. Cells that are absent are made, the
// bytes of broken ones replaced, and tokens of dead writers taken out before it returns. An
// entry found is put in the first tier.
//
// The tickets say what may be stored; hits carry one too, for a caller who finds that the
// value does not do. A context that ends, and a closed store, make the rest Unreachable.
func (s *Store) Fetch(ctx context.Context, refs []flushlist.Ref) []flushlist.Found {
	found := make([]flushlist.Found, len(refs))
	if s.off.Load() {
		for i := range found {
			found[i].Outcome = s.offOutcome()
		}
		return found
	}
	lookups := make([]*lookup, len(s.places))
	var asked []*lookup
	for i, ref := range refs {
		place := s.ring.server(ref.List.ID)
		list, all := cellOf(ref.List, place), cellOf(ref.All, place)
		switch {
		case !legalKey(ref.Key):
			// It would spoil the requests of others. Keys are built so that there are none.
			found[i].Outcome = flushlist.BadEntry
		case !s.known.serves(list) || !s.known.serves(all):
			found[i].Outcome = flushlist.Undelivered
		default:
			if lookups[place] == nil {
				lookups[place] = newLookup(s, place)
				asked = append(asked, lookups[place])
			}
			lookups[place].want(i, ref.Key, list, all)
		}
	}
	inParallel(len(asked), len(asked), func(i int) { asked[i].run(ctx, found) })
	return found
}

// offOutcome says why nothing is served now.
func (s *Store) offOutcome() flushlist.Outcome {
	if s.watch.outside() != nil {
		return flushlist.Outside
	}
	return flushlist.Unreachable
}

// lookup is the part of one Fetch that one place answers.
type lookup struct {
	store *Store
	place place
	index int // of the place
	reads []entryRead
	cells []cellRead
	byID  map[uint64]int // into cells; nil while they are few
}

// fewCells are searched faster than a map is made. Most lookups have two.
const fewCells = 8

type entryRead struct {
	ref       int // into refs and found
	key       string
	list, all int // into cells
}

// cellRead is one cell of a lookup. Its outcome is Unread where the cell is sound and no write
// is under way; its stamp is set then, and where a fresh one was put in.
type cellRead struct {
	at      cellAt
	noted   uint64 // the stripe's counter, from before the request
	outcome flushlist.Outcome
	stamp   flushlist.Stamp
	learned bool
}

func newLookup(s *Store, place int) *lookup {
	return &lookup{store: s, place: s.places[place], index: place}
}

func (l *lookup) want(ref int, key string, list, all cellAt) {
	l.reads = append(l.reads, entryRead{ref, key, l.cell(list), l.cell(all)})
}

// cell returns the index of a cell, each of which is asked for once.
func (l *lookup) cell(c cellAt) int {
	if l.byID == nil {
		for i := range l.cells {
			if l.cells[i].at.id == c.id {
				return i
			}
		}
		if len(l.cells) == fewCells {
			l.byID = make(map[uint64]int)
			for i := range l.cells {
				l.byID[l.cells[i].at.id] = i
			}
		}
	} else if i, ok := l.byID[c.id]; ok {
		return i
	}
	if l.byID != nil {
		l.byID[c.id] = len(l.cells)
	}
	l.cells = append(l.cells, cellRead{at: c, noted: l.store.known.note(c.id)})
	return len(l.cells) - 1
}

// run asks the place and judges its answer.
func (l *lookup) run(ctx context.Context, found []flushlist.Found) {
	// Entries come before cells, and memcached answers in order. Otherwise the ticket could
	// hold stamps from before an entry that it lets a fill replace.
	at := make([]addr, 0, len(l.reads)+len(l.cells))
	for _, r := range l.reads {
		at = append(at, addr{key: r.key})
	}
	for _, c := range l.cells {
		at = append(at, c.at.addr(l.place.name()))
	}
	// A look at the ring records comes after the entries it is for.
	due := l.store.watch.due(l.index)
	for _, key := range due {
		at = append(at, addr{key: key})
	}
	items, sent, err := l.place.read(ctx, at)
	answered := l.store.now()
	rest, heard := len(items)-len(due), true
	if len(due) > 0 {
		heard = l.store.watch.hear(l.index, items[rest:], sent)
	}
	// Also where somebody else looked: the process may have been found outside since this lookup began.
	if !heard || l.store.off.Load() {
		for _, r := range l.reads {
			found[r.ref].Outcome = l.store.offOutcome()
		}
		return
	}
	items = items[:rest]
	cells := items[len(l.reads):]
	var mend []int
	for i := range l.cells {
		if l.judge(i, cells[i], sent, answered) {
			mend = append(mend, i)
		}
	}
	if err == nil && len(mend) > 0 {
		inParallel(len(mend), l.store.opts.MaxIdleConns, func(n int) {
			i := mend[n]
			l.mend(ctx, i, at[len(l.reads)+i], cells[i], sent, answered)
		})
	} else {
		for _, i := range mend { // some cells are unknown: the server is in trouble
			l.cells[i].outcome = flushlist.Unreachable
		}
	}
	now := time.Now().UnixMilli()
	for i, r := range l.reads {
		found[r.ref] = l.answer(r, items[i], now)
	}
}

// judge says what the bytes of a cell mean, and reports whether the cell is to be mended.
func (l *lookup) judge(i int, it item, sent, answered time.Duration) (mend bool) {
	r := &l.cells[i]
	switch it.state {
	case unknown:
		r.outcome = flushlist.Unreachable
		return false
	case absent:
		r.outcome = flushlist.NoCell
		return true
	}
	c, ok := parseCell(it.value)
	if !ok {
		r.outcome = flushlist.BadCell
		return true
	}
	if c.count() > 0 {
		r.outcome = flushlist.UnderWrite
		_, dead := c.without(l.dead(r.at.id, sent, answered))
		return dead > 0
	}
	r.stamp = c.stamp
	r.learned = l.store.known.learn(r.at, c.stamp, sent, r.noted)
	return false
}

// dead returns the test for tokens of dead writers in one cell.
func (l *lookup) dead(cell uint64, sent, answered time.Duration) func(uint64, time.Duration) bool {
	return func(token uint64, ttl time.Duration) bool {
		return l.store.seen.dead(cell, token, ttl, sent, answered)
	}
}

// mend puts a cell in order, before any load begins.
func (l *lookup) mend(ctx context.Context, i int, at addr, it item, sent, answered time.Duration) {
	r := &l.cells[i]
	var put cell
	var err error
	switch r.outcome {
	case flushlist.NoCell:
		put = freshCell()
		err = l.place.add(ctx, at, put.bytes(), 0)
	case flushlist.BadCell:
		// What the bytes were is not known, so the tokens in them are lost: each of their
		// writers finds its own gone when it finishes, and flushes again. Until then a reader
		// may store the row from before its COMMIT, which that flush makes fall; it stays
		// until its ttl only where the writer is dead too.
		put = freshCell()
		err = l.place.swap(ctx, at, put.bytes(), it.seen, 0)
		l.store.report(flushlist.Event{
			Kind: flushlist.EntryBad, Server: l.place.name(), Name: r.at.list.Name, Err: errBadCell,
		})
	case flushlist.UnderWrite:
		c, _ := parseCell(it.value)
		var taken []uint64
		dead := l.dead(r.at.id, sent, answered)
		put, _ = c.without(func(token uint64, ttl time.Duration) bool {
			if !dead(token, ttl) {
				return false
			}
			taken = append(taken, token)
			return true
		})
		// The dead writer may have committed, so its list is flushed.
		if !without.DeadStamp {
			put = put.flushed()
		}
		err = l.place.swap(ctx, at, put.bytes(), it.seen, 0)
		if err == nil {
			for _, t := range taken {
				l.store.seen.forget(r.at.id, t)
			}
		}
	}
	switch {
	case err == nil && r.outcome == flushlist.BadCell:
		// Nothing is stored under the first stamp: a writer may be about to commit.
	case err == nil && put.count() == 0:
		r.stamp = put.stamp
		r.learned = l.store.known.learn(r.at, put.stamp, sent, r.noted)
		if r.outcome == flushlist.UnderWrite {
			r.outcome = flushlist.ListFlushed
			if r.at.list.All {
				r.outcome = flushlist.AllFlushed
			}
		}
	case err == nil, errors.Is(err, errNotStored), errors.Is(err, errConflict), errors.Is(err, errGone):
		// Somebody else was first, or a living writer is left: load, store nothing.
	default:
		r.outcome = flushlist.Unreachable
	}
}

var errBadCell = errors.New("the cell of a flush list holds foreign or corrupt bytes")

// answer is the outcome for one entry.
func (l *lookup) answer(r entryRead, it item, now int64) flushlist.Found {
	list, all := &l.cells[r.list], &l.cells[r.all]
	f := flushlist.Found{Ticket: flushlist.Ticket{Stripes: [2]uint64{list.noted, all.noted}}}
	if it.state == unknown {
		f.Outcome = flushlist.Unreachable
		return f
	}
	if it.state == present {
		f.Ticket.Seen, f.Ticket.Entry = true, it.seen
	}
	if list.stamp != 0 && all.stamp != 0 {
		f.Ticket.Storable, f.Ticket.List, f.Ticket.All = true, list.stamp, all.stamp
	}
	if o := worse(list.outcome, all.outcome); o != flushlist.Unread {
		f.Outcome = o
		return f
	}
	if it.state == absent {
		f.Outcome = flushlist.NoEntry
		return f
	}
	e, ok := openChecked(it.value, r.key)
	switch {
	case !ok:
		f.Outcome = flushlist.BadEntry
		l.store.report(flushlist.Event{Kind: flushlist.EntryBad, Server: l.place.name(), Name: r.key})
	case e.expired(now):
		f.Outcome = flushlist.Expired
	case e.list != list.stamp:
		f.Outcome = flushlist.ListFlushed
	case e.all != all.stamp:
		f.Outcome = flushlist.AllFlushed
	case !l.store.watch.serves(e.step, list.at.list.ID, l.index):
		f.Outcome = flushlist.Moved
	default:
		f.Outcome = flushlist.HitSecond
		if l.store.memory != nil {
			f.Outcome = flushlist.HitFirst // there is no second tier
		} else if l.store.first != nil && list.learned && all.learned {
			l.store.first.keep(r.key, it.value)
		}
		f.Value = e.value()
	}
	return f
}

// worse returns the outcome of two cells that says more about why nothing was served.
func worse(list, all flushlist.Outcome) flushlist.Outcome {
	order := [...]flushlist.Outcome{
		flushlist.Unreachable, flushlist.BadCell, flushlist.UnderWrite, flushlist.NoCell,
		flushlist.ListFlushed, flushlist.AllFlushed,
	}
	for _, o := range order {
		if list == o || all == o {
			return o
		}
	}
	return flushlist.Unread
}
