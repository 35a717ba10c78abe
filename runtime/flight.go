package cacheruntime

import (
	"sync"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/without"
)

// flights shares loads between the callers of one process.
//
// A reader may share a load only if nothing was written between the moment the load's SQL saw the
// database and the reader's own beginning. Two cases are sure:
//
//  1. The load runs under the stamps that the reader has itself just read, with no intent: no write
//     has ended, or come to its COMMIT, since the load's stamps were read.
//  2. The load's SQL has not been sent yet.
//
// What a careless join does:
//
//	1  A reads stamp s, misses, sends its SQL, sees the old row
//	2  a write commits, and returns to its caller
//	3  that caller reads: entry missing, joins A's load, gets the old row: stale
type flights struct {
	mu      sync.Mutex
	stamped map[flightKey]*flight // loads under stamps; case 1
	queues  map[string]*queue     // loads under none, by entry key; case 2
}

type flightKey struct {
	entry     string
	list, all flushlist.Stamp
}

// flight is one load. Its result is written before done is closed, and read after.
type flight struct {
	done   chan struct{}
	result loaded
	err    error
}

// queue is the loads of one entry whose stamps are not known: at most one is under way, and what
// comes meanwhile waits for the next.
type queue struct {
	next *flight
	wake chan struct{} // closed when next may send its SQL
}

// loaded is what a load brought.
type loaded struct {
	value flushlist.Value
	// noStore says that the value may be served to those who share the load, and not stored.
	noStore bool
	// altered says that it is the leader's own: something was added to the statement for its context.
	altered bool
}

// join returns the load of an entry that a reader with this ticket may share, and whether the
// reader is the one to make it. A leader waits for start, where that is not nil, before it sends its
// SQL, and calls end, and then closes done.
func (f *flights) join(entry string, t flushlist.Ticket) (fl *flight, leader bool, start <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if without.StampedJoins {
		t = flushlist.Ticket{Storable: true}
	}
	if t.Storable {
		k := flightKey{entry, t.List, t.All}
		if fl, ok := f.stamped[k]; ok {
			return fl, false, nil
		}
		if f.stamped == nil {
			f.stamped = map[flightKey]*flight{}
		}
		fl = &flight{done: make(chan struct{})}
		f.stamped[k] = fl
		return fl, true, nil
	}
	q, ok := f.queues[entry]
	if !ok {
		if f.queues == nil {
			f.queues = map[string]*queue{}
		}
		f.queues[entry] = &queue{}
		return &flight{done: make(chan struct{})}, true, nil
	}
	if q.next != nil {
		return q.next, false, nil
	}
	q.next, q.wake = &flight{done: make(chan struct{})}, make(chan struct{})
	return q.next, true, q.wake
}

// end takes a load with its result off, so that nobody joins it any more. The caller then closes its done. The
// loads of one batch are all off before anybody hears of one: who hears of a failure and asks again
// must not join another part of it.
func (f *flights) end(entry string, t flushlist.Ticket, fl *flight, result loaded, err error) {
	fl.result, fl.err = result, err
	f.mu.Lock()
	defer f.mu.Unlock()
	if without.StampedJoins {
		t = flushlist.Ticket{Storable: true}
	}
	if t.Storable {
		delete(f.stamped, flightKey{entry, t.List, t.All})
	} else if q := f.queues[entry]; q.next == nil {
		delete(f.queues, entry)
	} else {
		close(q.wake)
		q.next, q.wake = nil, nil
	}
}
