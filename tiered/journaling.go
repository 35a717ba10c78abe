package tiered

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/without"
)

// journaling is a store's part in the journal: it writes the records of this process's writes, and
// follows those of the others.
//
// What a first tier serves is at most MaxStale behind, since
//
//  1. writer: its tokens are acknowledged; it puts its record; only then its COMMIT begins
//  2. poller: a poll sent after the write returned finds the record, and drops the stamps
//  3. poller: only then it notes when that poll was sent
//  4. reader: is served only while the poll noted was sent less than MaxStale ago
//
// A poller that begins at the head, or jumps there, passes over records that are yet to come:
//
//  1. writer: takes number 7
//  2. poller: begins at head 7
//  3. reader: asks for a cell, and learns its stamp
//  4. writer: leaves its token in the cell, puts record 7, commits; the poller looks at 8 and on
//
// So a writer puts its record within recordPatience of taking the number, or takes another, and a
// poller does not answer for stamps that were asked for less than that after it began. Until
// then a stamp counts for MaxStale from when it was asked for.
//
// A nil *journaling, that of a store without servers, does nothing.
type journaling struct {
	store   *Store
	journal Journal
	two     *twoJournals  // where records go in a change of servers; else nil
	every   time.Duration // between polls
	owes    chan struct{} // wakes follow where something is owed

	// good is when the last poll that left no number open was sent, on the store's clock, plus one;
	// 0 before the first. since is from when on the journal answers for stamps asked for. Both are
	// written by the poller and read by every first-tier hit.
	good, since atomic.Int64

	mu   sync.Mutex
	own  map[uint64]struct{} // numbers of records from here that the poller has yet to pass
	owed journalRecord       // lists of writes whose record could not be put
	debt int                 // how many writes those are, and those that are being paid for

	forgotten atomic.Uint64 // how often since moved on

	// The poller's own.
	begun  bool
	at     uint64        // every number up to here has been passed
	open   uint64        // every number after at up to here had been taken, and not passed, at opened
	opened time.Duration // when a poll that found no record after at was answered
}

const (
	// farHead is how many numbers are followed one by one.
	farHead = 1000
	// recordPatience bounds the time from taking a number to its record, and is how long a number has been taken
	// before a reader closes it: its writer is dead then, or takes another. Closing one earlier would cost every process
	// all it knows for a writer that was throttled, or a server that was slow. Waiting costs a look at each stamp in use
	// a MaxStale. The records behind it are kept for recordTTL, and must be there still. All releases of all programs
	// keep to it.
	recordPatience = 5 * time.Second
)

func newJournaling(s *Store) *journaling {
	g := &journaling{store: s, journal: s.opts.Journal, own: make(map[uint64]struct{}), owes: make(chan struct{}, 1)}
	if g.journal == nil {
		homes := s.homes()
		if g.journal = (&memcachedJournal{homes[0]}); len(homes) == 2 {
			g.two = newTwoJournals(g.journal, &memcachedJournal{homes[1]})
		}
	} else {
		g.journal = boundedJournal{g.journal, s.opts.Timeout}
	}
	g.since.Store(math.MaxInt64)
	g.every = max(s.opts.MaxStale/4, time.Millisecond)
	if s.first == nil {
		g.every = s.opts.BreakerPause // nothing to poll for, only records that are owed
	}
	return g
}

// puts is the journal as its writers see it.
func (g *journaling) puts() Journal {
	if g.two != nil {
		return g.two
	}
	return g.journal
}

// answersFor returns from when on a stamp must have been asked for, so that the journal would have told
// of every flush up to MaxStale before now.
func (g *journaling) answersFor(now time.Duration) time.Duration {
	if good := g.good.Load(); good > 0 && now-time.Duration(good-1) < g.store.opts.MaxStale {
		return time.Duration(g.since.Load())
	}
	return math.MaxInt64
}

// take takes a number for a record.
func (g *journaling) take(ctx context.Context) (uint64, error) {
	if g == nil {
		return 0, nil
	}
	n, err := g.puts().Take(ctx)
	if err != nil {
		return 0, fmt.Errorf("the journal gives no number: %w", err)
	}
	return n, nil
}

// put puts a record at a number that was taken at taken, or at a later one where that was closed, or
// the record came too late for pollers that began meanwhile.
func (g *journaling) put(ctx context.Context, number uint64, taken time.Duration, r journalRecord) error {
	b := r.bytes()
	for try := 0; ; try++ {
		g.mine(number, true)
		err := g.puts().Put(ctx, number, b)
		if err == nil {
			if g.store.now()-taken < recordPatience || without.NewNumber {
				return nil
			}
			err = errLateRecord
		} else {
			g.mine(number, false)
		}
		if errors.Is(err, errTooLarge) && r.kind != recordEverything { // a server with a small -I
			r = journalRecord{kind: recordEverything}
			b = r.bytes()
			continue
		}
		if !errors.Is(err, ErrRecorded) && err != errLateRecord || try == 3 {
			return fmt.Errorf("the journal takes no record: %w", err)
		}
		taken = g.store.now()
		if number, err = g.take(ctx); err != nil {
			return err
		}
	}
}

var errLateRecord = errors.New("it answers too late")

// mine notes that a record is this process's own, whose lists it has dropped itself.
func (g *journaling) mine(number uint64, mine bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !mine:
		delete(g.own, number)
	case g.store.first != nil && len(g.own) < farHead: // else the poller drops once more than it must
		g.own[number] = struct{}{}
	}
}

// void gives a number back that was taken for nothing, so that nobody waits for it.
func (g *journaling) void(ctx context.Context, number uint64) {
	if g != nil && number != 0 {
		_ = g.puts().Put(context.WithoutCancel(ctx), number, journalRecord{kind: recordVoid}.bytes())
	}
}

// write puts the record of lists that have a new stamp now. One that cannot be put is owed.
func (g *journaling) write(ctx context.Context, cells ...cellAt) {
	if g == nil || len(cells) == 0 {
		return
	}
	taken := g.store.now()
	number, err := g.take(ctx)
	if err == nil {
		err = g.put(ctx, number, taken, recordOf(cells))
	}
	if err != nil {
		g.owe(cells, err)
	}
}

// owe takes over the record of a write that goes on without it.
func (g *journaling) owe(cells []cellAt, err error) {
	g.mu.Lock()
	first := g.owed.empty()
	for _, c := range cells {
		g.owed.add(c)
	}
	g.debt++
	g.mu.Unlock()
	g.owing()
	if first {
		g.store.report(flushlist.Event{Kind: flushlist.JournalUndelivered, Err: err})
	}
}

// owing has what is owed paid before long.
func (g *journaling) owing() {
	select {
	case g.owes <- struct{}{}:
	default:
	}
}

// pay puts what is owed, in one record.
func (g *journaling) pay(ctx context.Context) {
	g.mu.Lock()
	r, debt := g.owed, g.debt
	g.owed = journalRecord{}
	g.mu.Unlock()
	if r.empty() {
		return
	}
	taken := g.store.now()
	number, err := g.take(ctx)
	if err == nil {
		err = g.put(ctx, number, taken, r)
	}
	if err == nil {
		g.mu.Lock()
		g.debt -= debt
		g.mu.Unlock()
		g.store.report(flushlist.Event{Kind: flushlist.JournalDelivered})
		return
	}
	g.owing()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.owed.empty() {
		g.owed = r
	} else {
		g.owed = journalRecord{kind: recordEverything} // more came meanwhile
	}
}

// unrecorded is how many writes have no record yet.
func (g *journaling) unrecorded() int {
	if g == nil {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.debt
}

// close tries once more to put what is owed, and lets go of the journal. Nothing runs beside it.
func (g *journaling) close() {
	if g == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), g.store.opts.Timeout)
	defer cancel()
	g.pay(ctx)
	_ = g.journal.Close()
}

// follow polls the journal until the store is closed, and pays what is owed: with each poll, and each BreakerPause
// where polls are rare.
func (g *journaling) follow() {
	polls, pays := time.NewTimer(0), time.NewTimer(time.Hour)
	defer polls.Stop()
	defer pays.Stop()
	soon := false // pays goes off before long
	for {
		select {
		case <-g.store.ctx.Done():
			return
		case <-g.owes:
			if !soon { // more debts do not put it off
				pays.Reset(g.store.opts.BreakerPause)
				soon = true
			}
			continue
		case <-pays.C:
			soon = false
		case <-polls.C:
			if g.store.first != nil {
				g.poll(g.store.ctx)
			}
			polls.Reset(g.every)
		}
		g.pay(g.store.ctx)
	}
}

// poll follows the journal up to the head that it has when poll is called.
func (g *journaling) poll(ctx context.Context) {
	sent := g.store.now()
	head, records, err := g.journal.Poll(ctx, g.at)
	if err != nil {
		return
	}
	switch {
	case !g.begun:
		g.begun = true
		g.jump(head, nil)
	case head < g.at:
		g.jump(head, errHeadLost)
	case head-g.at > farHead:
		g.jump(head, errHeadFar)
	}
	for g.at < head {
		for _, b := range records {
			if !g.pass(ctx, b, sent, head) {
				return // good stays: nobody knows what the open number is for
			}
		}
		if g.at >= head {
			break
		}
		if _, records, err = g.journal.Poll(ctx, g.at); err != nil || len(records) == 0 {
			return
		}
	}
	g.good.Store(int64(sent) + 1)
}

// pass goes past the next number, if that is not open, by what a poll sent at sent found, with its head.
func (g *journaling) pass(ctx context.Context, b []byte, sent time.Duration, head uint64) bool {
	next := g.at + 1
	if b == nil {
		if next > g.open {
			// All numbers up to the head had been taken when the answer was there. A process that dies leaves open as
			// many as it had writes under way, which are waited for together.
			g.open, g.opened = max(head, next), g.store.now()
			return false
		}
		if sent-g.opened < recordPatience {
			return false
		}
		if !without.Closing && g.journal.Put(ctx, next, journalRecord{kind: recordClosed}.bytes()) != nil {
			return false // there after all, or the journal does not answer
		}
		b = journalRecord{kind: recordClosed}.bytes()
	}
	g.at = next
	g.mu.Lock()
	_, own := g.own[next]
	delete(g.own, next)
	g.mu.Unlock()
	r, ok := parseRecord(b)
	switch {
	case own:
	case !ok:
		g.forget(g.store.now(), errBadRecord)
	case r.kind == recordClosed: // it may have been there, and lost
		g.forget(g.store.now(), errClosedNumber)
	case r.kind == recordEverything:
		g.forget(g.store.now(), errEverything)
	case !without.Drop:
		g.drop(r)
	}
	return true
}

// drop forgets the stamps of lists that another process flushes.
func (g *journaling) drop(r journalRecord) {
	for _, id := range r.lists {
		g.store.known.drop(id)
	}
	for _, id := range r.alls {
		for place := range g.store.places {
			g.store.known.drop(allID(id, place))
		}
	}
}

// jump goes on from head, whatever was before it.
func (g *journaling) jump(head uint64, why error) {
	g.at, g.open = head, 0
	g.mu.Lock()
	for n := range g.own {
		// A journal that began anew below its old numbers will give them again, to others.
		if n <= head || why == errHeadLost {
			delete(g.own, n)
		}
	}
	g.mu.Unlock()
	if without.Wait {
		g.since.Store(0)
		return
	}
	g.forget(g.store.now()+recordPatience, why)
}

// forget makes the journal answer only for stamps asked for since. That is not before the present,
// since a record may have come after its poll was sent, and its tokens too. why is nil where nothing is lost.
func (g *journaling) forget(since time.Duration, why error) {
	if now := time.Duration(g.since.Load()); now != math.MaxInt64 {
		since = max(since, now)
	}
	g.since.Store(int64(since))
	if why == errHeadLost || why == errHeadFar {
		for _, r := range g.store.registries { // it lies on the same server
			r.doubt()
		}
	}
	if why != nil {
		g.forgotten.Add(1)
		g.store.report(flushlist.Event{Kind: flushlist.StampsForgotten, Err: why})
	}
}

// Why stamps are forgotten.
var (
	errHeadLost     = errors.New("the journal was lost")
	errHeadFar      = errors.New("the journal's head is too far ahead to be followed")
	errBadRecord    = errors.New("a record of the journal holds foreign or corrupt bytes")
	errClosedNumber = errors.New("a record of the journal is missing")
	errEverything   = errors.New("another process flushed more lists than a record names")
)
