package tiered

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/without"
)

// known is what this process knows of the stamps on the servers: a first-tier entry is served
// only under stamps that are here. It forgets at will, since an unknown stamp is only a miss.
//
// Cells are known by cellAt.id and lie in stripes. A stripe's counter of flushes closes the
// gap between a lookup and its answer:
//
//  1. reader: notes the counter
//  2. reader: asks the server, which answers with the old stamp
//  3. writer in this process: leaves its token; raises the counter and drops the stamp,
//     in one step under the stripe's lock
//  4. reader: has the answer, finds the counter moved, learns nothing
//
// A nil *known, that of a store without servers, knows and does nothing.
type known struct {
	stripes  [stripeCount]stripe
	maxStale time.Duration
	capacity int           // stamps in one stripe
	refused  []atomic.Bool // by place: nothing of it may be known any more
}

const stripeCount = 256

type stripe struct {
	mu      sync.RWMutex
	flushes uint64                // raised by every flush made here
	stamps  map[uint64]knownStamp // by cellAt.id
	held    map[uint64]int        // flushes under way to each cell, of which the server may not know
	all     atomic.Pointer[allStamp]
	_       [8]byte // a cache line of its own
}

// allStamp is the stamp of one `all` cell of a stripe, as it is in stamps. Every hit in a table asks for it, and
// does so without the lock, for whose line all processors would fight. It is set under the lock,
// read or write, and taken away under the write lock by every change of the stripe.
type allStamp struct {
	id uint64
	knownStamp
}

// knownStamp is a stamp, and when the request that read it was sent, on the store's clock.
type knownStamp struct {
	stamp flushlist.Stamp
	sent  time.Duration
}

func newKnown(cells, places int, maxStale time.Duration) *known {
	k := &known{maxStale: maxStale, capacity: max(cells/stripeCount, 1), refused: make([]atomic.Bool, places)}
	for i := range k.stripes {
		k.stripes[i].stamps = make(map[uint64]knownStamp)
		k.stripes[i].held = make(map[uint64]int)
	}
	return k
}

// stripe returns the stripe of a cell. The upper bits of an ID choose the server, so lower
// ones choose here.
func (k *known) stripe(id uint64) *stripe { return &k.stripes[id%stripeCount] }

// note returns the counter to be noted before a cell is asked for.
func (k *known) note(id uint64) uint64 {
	if k == nil {
		return 0
	}
	s := k.stripe(id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.flushes
}

// learn takes in a stamp read by a request sent at sent, unless a flush was made here since
// noted. It reports whether none was.
func (k *known) learn(c cellAt, stamp flushlist.Stamp, sent time.Duration, noted uint64) bool {
	if k == nil {
		return true
	}
	s := k.stripe(c.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flushes != noted && !without.Stripe || s.held[c.id] > 0 || k.refused[c.place].Load() {
		return false
	}
	old, ok := s.stamps[c.id]
	if ok && old.sent >= sent {
		// The answer of a slow request must not take the place of a later one's. The entries
		// under it may go in all the same: they are compared when they are served.
		return true
	}
	if !ok && len(s.stamps) >= k.capacity {
		for id := range s.stamps { // any one: the order of a map is random
			delete(s.stamps, id)
			break
		}
	}
	s.stamps[c.id] = knownStamp{stamp, sent}
	s.all.Store(nil)
	return true
}

// unmoved reports whether no flush was made here since noted.
func (k *known) unmoved(c cellAt, noted uint64) bool {
	if k == nil {
		return true
	}
	s := k.stripe(c.id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return (s.flushes == noted || without.Stripe) && s.held[c.id] == 0 && !k.refused[c.place].Load()
}

// drop forgets the stamp of a cell that is being flushed.
func (k *known) drop(id uint64) {
	if k == nil {
		return
	}
	s := k.stripe(id)
	s.mu.Lock()
	s.forget(id)
	s.mu.Unlock()
}

// forget forgets the stamp of a cell, and what is on its way. s.mu is held.
func (s *stripe) forget(id uint64) {
	s.flushes++
	delete(s.stamps, id)
	s.all.Store(nil)
}

// fresh reports whether both cells' stamps are known and less than MaxStale behind at now, and
// what they are: each was asked for since then, or since the journal answers for it.
func (k *known) fresh(list, all uint64, now, journal time.Duration) (l, a flushlist.Stamp, ok bool) {
	x, ok := k.stamp(list)
	if !ok || now-x.sent >= k.maxStale && x.sent < journal {
		return 0, 0, false
	}
	y, ok := k.stampOfAll(all)
	if !ok || now-y.sent >= k.maxStale && y.sent < journal {
		return 0, 0, false
	}
	return x.stamp, y.stamp, true
}

func (k *known) stamp(id uint64) (knownStamp, bool) {
	s := k.stripe(id)
	s.mu.RLock()
	x, ok := s.stamps[id]
	s.mu.RUnlock()
	return x, ok
}

// stampOfAll is stamp for an `all` cell.
func (k *known) stampOfAll(id uint64) (knownStamp, bool) {
	s := k.stripe(id)
	if a := s.all.Load(); a != nil && a.id == id {
		return a.knownStamp, true
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	x, ok := s.stamps[id]
	if ok {
		s.all.Store(&allStamp{id, x})
	}
	return x, ok
}

// hold keeps a cell out of service in this process, since its server may not know of a flush.
// Each hold needs a release.
func (k *known) hold(id uint64) {
	if k == nil || without.Hold {
		return
	}
	s := k.stripe(id)
	s.mu.Lock()
	s.held[id]++
	s.forget(id)
	s.mu.Unlock()
}

// release takes one hold back.
func (k *known) release(id uint64) {
	if k == nil || without.Hold {
		return
	}
	s := k.stripe(id)
	s.mu.Lock()
	if s.held[id]--; s.held[id] <= 0 {
		delete(s.held, id)
	}
	// What was asked for under the hold is not to be believed after it.
	s.forget(id)
	s.mu.Unlock()
}

// serves reports whether a cell is in service in this process.
func (k *known) serves(c cellAt) bool {
	if k == nil {
		return true
	}
	if k.refused[c.place].Load() {
		return false
	}
	s := k.stripe(c.id)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.held[c.id] == 0
}

// refuse takes a whole place out of service in this process, for good. It reports whether the
// place was in service.
func (k *known) refuse(place int) bool {
	if k == nil || k.refused[place].Swap(true) {
		return false
	}
	// The flag is up before anything is forgotten: whoever learns after this sees it.
	for i := range k.stripes {
		s := &k.stripes[i]
		s.mu.Lock()
		s.flushes++
		clear(s.stamps)
		s.all.Store(nil)
		s.mu.Unlock()
	}
	return true
}
