package tiered

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/cachegen/cachegen/flushlist"
)

// registry is a store's part in what programs with different tags tell each other: which lists of a
// table each of them flushes. A list is cached only where all do; a program that some may not know of yet
// flushes `all` with every write.
//
// For each table there is a directory without expiry, of the sets that programs flush, and an item with
// one for each set, which every process that has the set renews. They lie beside the journal.
//
//  1. writer: enters its set; from here on each of its writes flushes `all`
//  2. reader: goes on with a poll from before that, which is good for registryPatience
//  3. writer: registryPatience has passed, and each reader who looks a list up knows of the set: it is
//     settled, and the writer flushes its own lists alone
//  4. writer: ends; nobody renews the set, and whoever notices marks it
//  5. reader: has seen the mark for registryPatience, in which a writer who still goes by a poll from before the
//     mark may begin to write, and the set's IntentTTL, in which that takes effect: it takes the set out, and what the set
//     did not flush has a new term, under which there is no entry yet
//
// Everything that changes a directory is a cas, so that a writer who is back takes its mark away or enters
// anew. A directory that was lost is made anew with a ghost, a marked set that flushes nothing, in the
// place of those that it may have held. While servers are changed there are two homes, and a registry at each.
// docs/model/release.pml checks this.
type registry struct {
	store *Store
	home  *server

	mu      sync.Mutex // of what follows
	tables  map[uint64]*registered
	follows bool
	failed  time.Duration // when a poll last failed, on the store's clock, plus one; 0 after one that did not
	wake    chan struct{}
}

const (
	// registryPatience is how long a poll is gone by. All releases of all programs keep to it.
	registryPatience = 3 * time.Second
	registryPolls    = 6 // in that time
	// registryTTL is how long a set is believed to be in use by a process that has renewed it.
	registryTTL = 30 * time.Second
	// registryTries bounds the tries at a directory that others change at the same time.
	registryTries = 8
)

func newRegistry(s *Store, home *server) *registry {
	return &registry{store: s, home: home, tables: make(map[uint64]*registered), wake: make(chan struct{}, 1)}
}

// newRegistries returns the store's part at each of its homes. A process a step away has the same homes in the other
// order, or one of them.
func newRegistries(s *Store) []*registry {
	var rs []*registry
	for _, home := range s.homes() {
		rs = append(rs, newRegistry(s, home))
	}
	return rs
}

// atHomes is the registration of a table in a process that flushes on two rings. It reads what its own ring's home says,
// and writes as processes at either may know.
type atHomes []*registered

func (a atHomes) Flushed(identity uint64) (term uint64, ok bool) { return a[0].Flushed(identity) }

func (a atHomes) Confirmed() uint64 {
	var all uint64
	for _, t := range a {
		one := t.Confirmed()
		if one == 0 {
			return 0
		}
		all = bits.RotateLeft64(all, 1) ^ one
	}
	return max(all, 1)
}

// Register says which flush lists of a table this program flushes, by their identities, in place of what it
// said before, and asks what the others do: where the server answers, that is known when Register returns. A
// program with the same identities as one that lives is confirmed at once, and so is one that is alone.
// Where the server does not answer (until it does), and where the table has more than 512 accessors, nothing
// counts as flushed by everybody, and nothing is confirmed. Without servers there are no other programs.
func (s *Store) Register(ctx context.Context, table flushlist.List, identities []uint64) flushlist.Registration {
	if s.memory != nil {
		return flushlist.Alone{}
	}
	has := slices.Compact(slices.Sorted(slices.Values(identities)))
	if len(has) > mostIdentities {
		s.report(flushlist.Event{Kind: flushlist.Fault, Name: table.Name, Err: fmt.Errorf(
			"table %s has %d accessors, more than the %d that can be registered: its lists are not cached; declare fewer", table.Name, len(has), mostIdentities)})
		return &registered{registry: s.registries[0]}
	}
	homes := make(atHomes, len(s.registries))
	inParallel(len(homes), len(homes), func(i int) {
		t, fresh, ask := s.registries[i].register(ctx, table, has)
		if fresh && ask && !s.closed.Load() {
			s.registries[i].poll(ctx, []*registered{t})
		}
		homes[i] = t
	})
	if len(homes) == 1 {
		return homes[0]
	}
	return homes
}

// register makes the table's part, or returns the one that is there. ask says that the server is not known to
// be out of reach.
func (r *registry) register(ctx context.Context, table flushlist.List, has []uint64) (t *registered, fresh, ask bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.tables[table.ID]
	own := listSet{name: nameOfSet(has), ttl: r.store.opts.IntentTTL, has: has}
	if old != nil && old.own.name == own.name {
		return old, false, false
	}
	t = &registered{registry: r, key: "@registry:" + string(appendRoute(nil, table.ID)), own: own, sent: -1, marks: map[uint64]markSeen{}}
	if old != nil {
		t.seen = old.retire(ctx)
	}
	r.tables[table.ID] = t
	if !r.follows {
		r.follows = r.store.spawn(r.follow)
	}
	return t, true, r.failed == 0 || r.store.now()-r.failed >= registryPatience
}

// follow polls until the store is closed.
func (r *registry) follow() {
	timer := time.NewTimer(registryPatience / registryPolls)
	defer timer.Stop()
	for {
		select {
		case <-r.store.ctx.Done():
			return
		case <-r.wake:
		case <-timer.C:
		}
		r.mu.Lock()
		tables := make([]*registered, 0, len(r.tables))
		for _, t := range r.tables {
			tables = append(tables, t)
		}
		r.mu.Unlock()
		r.poll(r.store.ctx, tables)
		timer.Reset(registryPatience / registryPolls)
	}
}

// doubt makes nothing of what was polled, since the server seems to have lost it, and polls anew.
func (r *registry) doubt() {
	r.mu.Lock()
	for _, t := range r.tables {
		t.standing.Store(nil)
	}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// poll asks for the directories of tables, in one multi-get, and does to them what is to be done.
func (r *registry) poll(ctx context.Context, tables []*registered) {
	var at []addr
	ask := func(key string) { at = append(at, addr{key: key}) }
	sets := make([][]uint64, len(tables)) // that are asked for
	for i, t := range tables {
		sets[i] = t.known()
		ask(t.key)
		ask(t.key + aliveSuffix)
		for _, name := range sets[i] {
			ask(t.setKey(name))
		}
	}
	items, sent, err := r.home.read(ctx, at)
	for i, t := range tables {
		if err != nil {
			break
		}
		p := polled{dir: items[0], alive: items[1].state == present, sent: sent, missing: map[uint64]bool{}}
		for n, name := range sets[i] {
			p.missing[name] = items[2+n].state == absent
		}
		items = items[2+len(sets[i]):]
		if err = t.take(ctx, p); refusedByServer(err) {
			err = nil // of this table: the others have their own
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = 0
	if err != nil && ctx.Err() == nil { // a caller who does not wait says nothing of the server
		r.failed = r.store.now() + 1
	}
}

// set puts an item, whatever is there.
func (r *registry) set(ctx context.Context, key string, ttl time.Duration) error {
	return r.home.do(ctx, func(c *memcache.Client) error {
		return c.Set(&memcache.Item{Key: key, Expiration: expiration(ttl, time.Now())})
	})
}

// change puts a directory in the place of the one that was read.
func (r *registry) change(ctx context.Context, key string, d directory, was item) error {
	if was.state == absent {
		return r.home.add(ctx, addr{key: key}, d.bytes(), 0)
	}
	return r.home.swap(ctx, addr{key: key}, d.bytes(), was.seen, 0)
}

// changedMeanwhile reports whether a change came too late.
func changedMeanwhile(err error) bool {
	return errors.Is(err, errNotStored) || errors.Is(err, errConflict) || errors.Is(err, errGone)
}

// refusedByServer reports whether a server has answered, and did not do what it was asked for.
func refusedByServer(err error) bool {
	return errors.Is(err, errContested) || errors.Is(err, errTooLarge) ||
		err != nil && strings.Contains(err.Error(), "SERVER_ERROR")
}
