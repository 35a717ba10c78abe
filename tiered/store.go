package tiered

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// Store is a cache in two tiers, or in this process alone. It is safe for concurrent use.
// [Open] makes it.
type Store struct {
	opts   Options
	ring   ring     // of the servers that reads go to, the first of places
	also   ringAt   // of those that writes flush on too, in a change of servers
	places []place  // one for each server of either; without servers, the process
	memory *memory  // the one place, without servers; else nil
	first  *entries // the first tier, with servers; nil where it is switched off
	known  *known   // stamps for the first tier; nil without servers
	seen   seen     // tokens of other writers
	rounds rounds   // finishes under way
	owed   owed     // flushes that are to be made later
	// journal tells other processes' first tiers of flushes made here, and this one's of theirs; nil
	// without servers.
	journal *journaling
	// registries are what programs with different tags know of each other, one at each home; none without servers.
	registries []*registry
	// watch tells whether the process follows the procedure for changes of servers; nil without servers.
	watch *ringWatch
	start time.Time // its monotonic part is where the store's clock begins

	claims  sync.Mutex
	told    bool                                             // the runtimes have been told that the process is outside
	reports atomic.Pointer[map[string]func(flushlist.Event)] // by namespace; replaced under claims

	life    sync.Mutex // closed and background together
	closed  atomic.Bool
	off     atomic.Bool // closed, or outside the procedure for changes of servers: nothing is served or stored
	running sync.WaitGroup
	stop    context.CancelFunc // ends what runs in the background
	ctx     context.Context    // done once the store is closed
}

// Open makes a store. It asks the servers for nothing, so a program also starts while one is
// down. Close the store with [Store.Close].
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Store{opts: o, ring: newRing(o.Servers, o.Weights), start: time.Now()}
	s.seen.init()
	s.rounds.init()
	s.owed.init()
	s.reports.Store(&map[string]func(flushlist.Event){})
	s.ctx, s.stop = context.WithCancel(context.Background())
	if len(o.Servers) == 0 {
		m, err := newMemory(o, s.now)
		if err != nil {
			return nil, err
		}
		s.memory, s.places = m, []place{m}
	} else {
		for _, address := range o.allServers() {
			s.places = append(s.places, newServer(s, address))
		}
		s.watch = newRingWatch(s)
		s.also = sharesOf(o.Also, o.AlsoWeights).at(s.watch.places)
		s.known = newKnown(o.Cells, len(s.places), o.MaxStale)
		if o.MaxStale > 0 {
			e, err := newEntries(o.FirstTierMB)
			if err != nil {
				return nil, err
			}
			s.first = e
		}
		s.journal, s.registries = newJournaling(s), newRegistries(s)
		s.spawn(s.journal.follow)
		s.spawn(s.watch.watch)
	}
	s.spawn(s.payOwed)
	return s, nil
}

// ErrUndelivered matches the error of a [Store.Close] that gave up flushes.
var ErrUndelivered = errors.New("tiered: closed with undelivered flushes")

// Close ends the store: nothing is served any more. Flushes that were still to be delivered are given
// up, so other processes may serve what they should have flushed until its ttl. Records that the journal has
// not taken are given up too, after one more try, and other processes' first tiers hear nothing of them.
//
// Its error says how many of both there were, and matches [ErrUndelivered]; the store is closed all the
// same. A job that ends soon after its writes in mode Available should check it and tell somebody, or use
// mode Strict.
//
// Close waits for requests under way, which Options.Timeout bounds. A second Close does nothing.
func (s *Store) Close() error {
	s.life.Lock()
	if s.closed.Swap(true) {
		s.life.Unlock()
		return nil
	}
	s.off.Store(true)
	s.life.Unlock()
	s.stop()
	s.running.Wait()
	s.journal.close()
	for _, p := range s.places {
		p.close()
	}
	if s.first != nil {
		s.first.close()
	}
	return s.undelivered()
}

// undelivered is the error of a store that is closed before all were told of its flushes.
func (s *Store) undelivered() error {
	var what []string
	if n := s.owed.outstanding(); n > 0 {
		what = append(what, fmt.Sprintf("%d flushes did not reach their server: other processes may serve what they were for until its ttl", n))
	}
	if n := s.journal.unrecorded(); n > 0 {
		what = append(what, fmt.Sprintf("the journal has no record of %d writes: the first tiers of other processes may serve what they flushed until its ttl", n))
	}
	if len(what) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s; flush the tables once the servers are back", ErrUndelivered, strings.Join(what, "; "))
}

// Closed reports whether the store has been closed. A closed store misses every lookup and
// stores nothing; Prepare fails in mode Strict, and lets the write proceed in mode Available.
// Intents that were prepared before must still be ended, and reach the servers. A nil Store, such as
// that of an Open whose error was ignored, counts as closed.
func (s *Store) Closed() bool { return s == nil || s.closed.Load() }

// IntentTTL returns Options.IntentTTL.
func (s *Store) IntentTTL() time.Duration { return s.opts.IntentTTL }

// Claim takes a namespace for one runtime until release is called. Two runtimes with one
// namespace would take each other's rows for their own, so a second claim is an error. report
// receives the events of the store, those of other namespaces included; it must return
// quickly and may be called from any goroutine. A nil report receives none.
func (s *Store) Claim(namespace string, report func(flushlist.Event)) (release func(), err error) {
	if namespace == "" {
		return nil, fmt.Errorf("tiered: a namespace is empty; set Options.Namespace of the runtime")
	}
	s.claims.Lock()
	defer s.claims.Unlock()
	if s.Closed() {
		return nil, fmt.Errorf("tiered: namespace %q is claimed on a closed store; open a new one", namespace)
	}
	old := *s.reports.Load()
	if _, taken := old[namespace]; taken {
		return nil, fmt.Errorf("tiered: namespace %q is in use by another runtime on this store; "+
			"use one runtime for each database, or close the other first", namespace)
	}
	s.setReports(old, namespace, report, true)
	if s.told && report != nil {
		err := s.watch.outside()
		s.spawn(func() { report(outsideEvent(err)) }) // who claims may not be ready for it
	}
	var once sync.Once
	return func() {
		once.Do(func() {
			s.claims.Lock()
			defer s.claims.Unlock()
			s.setReports(*s.reports.Load(), namespace, nil, false)
		})
	}, nil
}

// setReports replaces the map of reports by one with a change. claims is held.
func (s *Store) setReports(old map[string]func(flushlist.Event), namespace string, report func(flushlist.Event), in bool) {
	m := make(map[string]func(flushlist.Event), len(old)+1)
	for n, r := range old {
		m[n] = r
	}
	if in {
		m[namespace] = report
	} else {
		delete(m, namespace)
	}
	s.reports.Store(&m)
	s.watch.claim(m)
}

// goOutside takes the store out of service, since the process is outside the procedure for changes of servers. Each
// runtime is told of it once, also one that comes later.
func (s *Store) goOutside(err error) {
	s.off.Store(true)
	s.spawn(func() {
		s.claims.Lock()
		reports := *s.reports.Load()
		s.told = true
		s.claims.Unlock()
		for _, r := range reports {
			if r != nil {
				r(outsideEvent(err))
			}
		}
	})
}

func outsideEvent(err error) flushlist.Event { return flushlist.Event{Kind: flushlist.Fault, Err: err} }

// report tells the runtimes of an event. No lock is held.
func (s *Store) report(e flushlist.Event) {
	for _, r := range *s.reports.Load() {
		if r != nil {
			r(e)
		}
	}
}

// now is the store's clock, which is monotonic.
func (s *Store) now() time.Duration { return time.Since(s.start) }

// spawn runs f in a goroutine that Close waits for. Once the store is closed it does nothing
// and returns false.
func (s *Store) spawn(f func()) bool {
	if !s.enter() {
		return false
	}
	go func() {
		defer s.running.Done()
		f()
	}()
	return true
}

// enter begins what Close waits for, until running.Done. Once the store is closed it returns false.
func (s *Store) enter() bool {
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed.Load() {
		return false
	}
	s.running.Add(1)
	return true
}

// First serves one entry from the first tier, where that is allowed: the stamps of both lists
// are known here, equal to the entry's and less than MaxStale behind by the journal, and its ttl
// is not past. Without servers the stamps are the lists' own. The value belongs to the caller.
func (s *Store) First(key string, list, all uint64) (flushlist.Value, bool) {
	if s.off.Load() {
		return flushlist.Value{}, false
	}
	place := s.ring.server(list)
	all = allID(all, place)
	if s.memory != nil {
		return s.memory.first(key, list, all)
	}
	if s.first == nil {
		return flushlist.Value{}, false
	}
	// A flush that is made here in between drops the stamps, and is concurrent with this read.
	now := time.Now()
	mono := now.Sub(s.start)
	l, a, ok := s.known.fresh(list, all, mono, s.journal.answersFor(mono))
	if !ok {
		return flushlist.Value{}, false
	}
	e, ok := open(s.first.get(key), key)
	if !ok || l != e.list || a != e.all || e.expired(now.UnixMilli()) || !s.watch.serves(e.step, list, place) {
		return flushlist.Value{}, false
	}
	return e.value(), true
}
