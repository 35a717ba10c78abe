package tiered

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/without"
)

// ringWatch is a store's part in the ring records of its namespaces: it puts its step there, hears of
// the others', and judges whether the process may serve from the servers.
//
// An entry is served only where every process has flushed its list at its server since it was stored:
//
//  1. reader at step 3: stores an entry on server A
//  2. step 4 also names other servers, step 5 reads from them, step 6 has A no more
//  3. writer at step 6: flushes the entry's list, on the other servers
//  4. step 7 to 9: A comes back, with the cell and the entry of then
//  5. reader at step 9: the stamps are equal; but at step 6 the list was not kept on A
//
// What holds while a record has not been read: nothing is served from a server before its record was
// looked at once, for which the first lookups ask along with their entries, and later ones where the last
// look is long ago. After that a process that is outside the procedure, as one that was left
// behind by two steps, finds out some seconds at most after the step was recorded on a server that it
// names. Within the procedure nothing depends on how soon a record is read: an entry of a step not heard
// of is a miss.
//
// A nil *ringWatch, that of a store without servers, does nothing.
type ringWatch struct {
	store  *Store
	own    *step
	places map[string]int // by name: indexes into Store.places

	view atomic.Pointer[history]  // own and heard; replaced under mu
	out  atomic.Pointer[error]    // why the process is outside the procedure, for good; nil while it is not
	keys atomic.Pointer[[]string] // of the records
	// seen is, by place, when the last request that looked at its records was sent, on the store's
	// clock, plus one; 0 before the first.
	seen  []atomic.Int64
	wake  chan struct{}
	every time.Duration // between looks
	looks atomic.Int64  // so far

	mu    sync.Mutex
	heard history // without own, unless a record has it
	known []byte  // the record of view
	bad   []bool  // by place: it holds bytes that are no record, which was reported
	// answered says, by place, that it said what it knows.
	answered []bool
}

const (
	// ringEvery is how often a process looks at the records by itself, in MaxStales, and then from
	// leastRingEvery to mostRingEvery.
	ringEvery      = 5
	leastRingEvery = time.Second
	mostRingEvery  = 30 * time.Second
	// ringPatience is for how many of those a look counts, for a process that was paused or whose
	// servers were out of reach.
	ringPatience = 3
)

// errOutside matches the errors of what a process outside the procedure does not do.
var errOutside = errors.New("tiered: this process is outside the procedure for changes of servers (docs/servers.md), and uses them no more")

func newRingWatch(s *Store) *ringWatch {
	o := s.opts
	w := &ringWatch{store: s, places: make(map[string]int), seen: make([]atomic.Int64, len(s.places)),
		bad: make([]bool, len(s.places)), answered: make([]bool, len(s.places)), wake: make(chan struct{}, 1)}
	w.every = min(max(ringEvery*o.MaxStale, leastRingEvery), mostRingEvery)
	w.own = &step{number: o.Step, first: sharesOf(o.Servers, o.Weights), also: sharesOf(o.Also, o.AlsoWeights)}
	for i, p := range s.places {
		w.places[p.name()] = i
	}
	w.view.Store(&history{w.own})
	w.known = history{w.own}.bytes()
	w.keys.Store(new([]string))
	return w
}

// claim begins to look at a namespace's records. Store.claims is held.
func (w *ringWatch) claim(namespaces map[string]func(flushlist.Event)) {
	if w == nil {
		return
	}
	var keys []string
	for n := range namespaces {
		keys = append(keys, ringKey(n))
	}
	w.mu.Lock()
	clear(w.answered)
	w.mu.Unlock()
	w.keys.Store(&keys)
	for i := range w.seen {
		w.seen[i].Store(0)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// step returns the number of the process's own step.
func (w *ringWatch) step() int {
	if w == nil {
		return 0
	}
	return w.own.number
}

// outside returns why the process is outside the procedure, or nil.
func (w *ringWatch) outside() error {
	if w == nil {
		return nil
	}
	if err := w.out.Load(); err != nil {
		return *err
	}
	return nil
}

// serves reports whether an entry that was stored at a step, on a place that its list's route belongs to
// now, has been flushed there by every write since.
func (w *ringWatch) serves(number int, route uint64, place int) bool {
	if w == nil || number == w.own.number || without.Steps {
		return true // what follows the own step was judged by step.judge
	}
	h := *w.view.Load()
	newest := h[len(h)-1].number
	if number > newest || newest-number >= ringSteps {
		return false
	}
	for n := number; n <= newest; n++ {
		if s := h.at(n); s == nil || !s.keeps(route, place, w.places) {
			return false
		}
	}
	return true
}

// due returns the keys that a lookup at a place is to ask for along with its own.
func (w *ringWatch) due(place int) []string {
	if w == nil {
		return nil
	}
	keys := *w.keys.Load()
	if len(keys) == 0 {
		return nil
	}
	if seen := w.seen[place].Load(); seen > 0 && w.store.now()-time.Duration(seen-1) < ringPatience*w.every {
		return nil
	}
	return keys
}

// hear takes in what a place answered about the keys of records. It reports whether it said anything.
func (w *ringWatch) hear(place int, items []item, sent time.Duration) bool {
	bad := false
	w.mu.Lock()
	for _, it := range items {
		if it.state == unknown {
			w.mu.Unlock()
			return false
		}
		if it.state == present && w.take(place, it.value) {
			bad = true
		}
	}
	w.answered[place] = true
	if err := w.own.judge(w.heard, !slices.Contains(w.answered, false)); err != nil && w.out.CompareAndSwap(nil, &err) {
		w.store.goOutside(err)
	}
	w.mu.Unlock()
	if bad {
		w.store.report(flushlist.Event{Kind: flushlist.EntryBad, Server: w.store.places[place].name(),
			Name: "@ring", Err: errBadRing})
	}
	w.seen[place].Store(int64(sent) + 1) // last, so that who goes by it goes by the judgement too
	return true
}

var errBadRing = errors.New("a ring record holds foreign or corrupt bytes; it is replaced")

// take merges one record into what is known. It reports whether the bytes are none, for the first
// time. mu is held.
func (w *ringWatch) take(place int, b []byte) (bad bool) {
	if bytes.Equal(b, w.known) && !w.bad[place] && w.heard.at(w.own.number) != nil {
		return false
	}
	h, ok := parseHistory(b)
	if !ok {
		bad, w.bad[place] = !w.bad[place], true
		return bad
	}
	w.bad[place] = false
	w.heard = w.heard.merge(h)
	view := w.heard.merge(history{w.own})
	w.view.Store(&view)
	w.known = view.bytes()
	return false
}

// watch looks at the records until the store is closed, or the process is found to be outside.
func (w *ringWatch) watch() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-w.store.ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		for range 4 { // processes that begin together stand in each other's way
			if !w.look(w.store.ctx) {
				break
			}
		}
		w.looks.Add(1)
		if w.outside() != nil {
			return
		}
		timer.Reset(w.every)
	}
}

// look reads the records of all places, and puts there what they lack. It reports whether somebody else
// was faster.
func (w *ringWatch) look(ctx context.Context) (again bool) {
	keys := *w.keys.Load()
	if len(keys) == 0 {
		return false
	}
	at := make([]addr, len(keys))
	for i, k := range keys {
		at[i] = addr{key: k}
	}
	places := w.store.places
	found := make([][]item, len(places))
	inParallel(len(places), len(places), func(p int) {
		items, sent, err := places[p].read(ctx, at)
		if err == nil && w.hear(p, items, sent) {
			found[p] = items
		}
	})
	if w.outside() != nil {
		return false // others decide what is on record
	}
	w.mu.Lock()
	known := w.known
	w.mu.Unlock()
	var lost atomic.Bool
	inParallel(len(places), len(places), func(p int) {
		for i, it := range found[p] {
			var err error
			switch {
			case it.state == absent:
				err = places[p].add(ctx, at[i], known, 0)
			case !bytes.Equal(it.value, known):
				err = places[p].swap(ctx, at[i], known, it.seen, 0)
			}
			if errors.Is(err, errNotStored) || errors.Is(err, errConflict) || errors.Is(err, errGone) {
				lost.Store(true)
			}
		}
	})
	return lost.Load()
}
