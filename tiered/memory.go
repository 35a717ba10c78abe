package tiered

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cachegen/cachegen/flushlist"
)

// memory is this process as a place: cells in a sharded map, entries in bigcache. Its cells
// are the authority, so that its entries need no second look and no MaxStale.
type memory struct {
	entries *entries
	now     func() time.Duration
	// locks make add and swap of entries one step each; cells have their shards' locks.
	locks [shardCount]sync.Mutex
	cells [shardCount]cellShard
	most  int // cells in one shard, those under a write excepted
	large int // bytes of the largest entry
}

const shardCount = 64

type cellShard struct {
	mu    sync.RWMutex
	cells map[uint64]memoryCell
	last  uint64 // the last number given to a cell's state
	// all is the stamp of one `all` cell of the shard that has no token, as stripe.all of a store with servers is.
	all atomic.Pointer[memoryStamp]
}

type memoryStamp struct {
	id    uint64
	stamp flushlist.Stamp
}

// memoryCell is one state of a cell. Its bytes are never written to again.
type memoryCell struct {
	bytes    []byte
	stamp    flushlist.Stamp // parsed for first; 0 while a token is in
	seen     uint64
	appended time.Duration // when the last token was left
}

func newMemory(o Options, now func() time.Duration) (*memory, error) {
	e, err := newEntries(o.FirstTierMB)
	if err != nil {
		return nil, err
	}
	m := &memory{entries: e, now: now, most: max(o.Cells/shardCount, 1), large: min(o.ItemLimit, e.most)}
	for i := range m.cells {
		m.cells[i].cells = make(map[uint64]memoryCell)
	}
	return m, nil
}

func (m *memory) name() string { return "" }
func (m *memory) limit() int   { return m.large }
func (m *memory) close()       { m.entries.close() }

func (m *memory) shard(id uint64) *cellShard { return &m.cells[id%shardCount] }

// first serves one entry, if its lists' cells hold its stamps and no token.
func (m *memory) first(key string, list, all uint64) (flushlist.Value, bool) {
	l, a := m.stamp(list), m.stampOfAll(all)
	if l == 0 || a == 0 {
		return flushlist.Value{}, false
	}
	e, ok := open(m.entries.get(key), key)
	if !ok || l != e.list || a != e.all || e.expired(time.Now().UnixMilli()) {
		return flushlist.Value{}, false
	}
	return e.value(), true
}

// stamp returns the stamp of a cell without tokens, else 0.
func (m *memory) stamp(id uint64) flushlist.Stamp {
	s := m.shard(id)
	s.mu.RLock()
	stamp := s.cells[id].stamp
	s.mu.RUnlock()
	return stamp
}

// stampOfAll is stamp for an `all` cell.
func (m *memory) stampOfAll(id uint64) flushlist.Stamp {
	s := m.shard(id)
	if a := s.all.Load(); a != nil && a.id == id {
		return a.stamp
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	stamp := s.cells[id].stamp
	if stamp != 0 {
		s.all.Store(&memoryStamp{id, stamp})
	}
	return stamp
}

func (m *memory) read(_ context.Context, at []addr) ([]item, time.Duration, error) {
	sent := m.now()
	items := make([]item, len(at))
	for i, a := range at {
		items[i].state = absent
		if a.cell {
			s := m.shard(a.id)
			s.mu.RLock()
			if c, ok := s.cells[a.id]; ok {
				items[i] = item{present, c.bytes, c.seen}
			}
			s.mu.RUnlock()
		} else if b := m.entries.get(a.key); b != nil {
			items[i] = item{present, b, uint64(checksum(b))}
		}
	}
	return items, sent, nil
}

func (m *memory) add(_ context.Context, at addr, value []byte, _ time.Duration) error {
	if !at.cell {
		return m.storeEntry(at.key, value, func(there []byte) error {
			if there != nil {
				return errNotStored
			}
			return nil
		})
	}
	s := m.shard(at.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.cells[at.id]; ok {
		return errNotStored
	}
	if len(s.cells) >= m.most {
		m.evict(s)
	}
	s.put(at.id, value, m.now())
	return nil
}

func (m *memory) append(_ context.Context, at addr, value []byte) error {
	s := m.shard(at.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.cells[at.id]
	if !ok {
		return errNotStored
	}
	b := make([]byte, 0, len(c.bytes)+len(value))
	s.put(at.id, append(append(b, c.bytes...), value...), m.now())
	return nil
}

func (m *memory) swap(_ context.Context, at addr, value []byte, seen uint64, _ time.Duration) error {
	if !at.cell {
		// An entry is known by its checksum: the same one again is the same value under the
		// same stamps.
		return m.storeEntry(at.key, value, func(there []byte) error {
			switch {
			case there == nil:
				return errGone
			case uint64(checksum(there)) != seen:
				return errConflict
			}
			return nil
		})
	}
	s := m.shard(at.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c, ok := s.cells[at.id]; {
	case !ok:
		return errGone
	case c.seen != seen:
		return errConflict
	default:
		s.put(at.id, value, c.appended)
		return nil
	}
}

func (m *memory) storeEntry(key string, value []byte, check func(there []byte) error) error {
	if len(value) > m.large {
		return errTooLarge
	}
	lock := &m.locks[xxhash.Sum64String(key)%shardCount]
	lock.Lock()
	defer lock.Unlock()
	if err := check(m.entries.get(key)); err != nil {
		return err
	}
	m.entries.set(key, value)
	return nil
}

// put stores a new state of a cell. The shard's lock is held.
func (s *cellShard) put(id uint64, b []byte, appended time.Duration) {
	s.last++
	put := memoryCell{bytes: b, seen: s.last, appended: appended}
	if c, ok := parseCell(b); ok && len(c.tokens) == 0 {
		put.stamp = c.stamp
	}
	s.cells[id] = put
	s.all.Store(nil)
}

// evict removes one cell that no living writer has a token in. Its list gets a random stamp
// when it is next asked for, so its entries are misses. Where all cells are under a write the
// shard grows by as many as are written at a time. The shard's lock is held.
func (m *memory) evict(s *cellShard) {
	const tries = 16
	n := 0
	for id, c := range s.cells {
		if n++; n > tries {
			return
		}
		if len(c.bytes) <= cellHead || m.now()-c.appended > maxIntentTTL {
			delete(s.cells, id)
			s.all.Store(nil)
			return
		}
	}
}
