package tiered

import (
	"slices"
	"sync"
	"time"

	"github.com/cachegen/cachegen/internal/without"
)

// batches gathers the gets of one server: those that come while enough batches are out form
// the next one. A get joins only a batch that was not sent when it began, so that its answer
// is never older than its question.
type batches struct {
	mu      sync.Mutex
	senders int      // goroutines that send, each with at most one batch out
	waiting []*batch // not sent yet; only the last takes more keys
	sent    *batch   // the last that was sent, without.NextBatch; else nil
}

const (
	// batchSenders is 2, so that a get seldom waits for a whole round trip of others, and
	// batches are still large under load.
	batchSenders = 2
	// batchKeys is when a batch takes no more gets. One get may have more keys alone.
	batchKeys = 1024
)

// batch is one multi-get. Until it is sent its fields are guarded by batches.mu; then only
// the sender writes, and once done is closed nobody does.
type batch struct {
	keys    []string
	index   map[string]int // into keys, once there are many
	wanted  []int          // by how many
	readers int            // that still wait
	sent    time.Duration
	items   []item
	err     error
	done    chan struct{}
}

// join adds a get to the batch that goes out next, and returns where its items will be. send
// says that the caller must see to it that batches are sent.
func (bs *batches) join(at []addr) (b *batch, place []int, send bool) {
	place = make([]int, len(at))
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if without.NextBatch && bs.joinSent(at, place) {
		return bs.sent, place, false
	}
	if n := len(bs.waiting); n > 0 && len(bs.waiting[n-1].keys)+len(at) <= batchKeys {
		b = bs.waiting[n-1]
	} else {
		b = &batch{keys: make([]string, 0, len(at)), wanted: make([]int, 0, len(at)), done: make(chan struct{})}
		bs.waiting = append(bs.waiting, b)
	}
	b.readers++
	for i, a := range at {
		p := b.find(a.key)
		if p < 0 {
			p = b.add(a.key)
		}
		b.wanted[p]++
		place[i] = p
	}
	if bs.senders < batchSenders {
		bs.senders++
		send = true
	}
	return b, place, send
}

// joinSent is join without.NextBatch, where the last batch is out and has all keys.
func (bs *batches) joinSent(at []addr, place []int) bool {
	if bs.sent == nil {
		return false
	}
	select {
	case <-bs.sent.done:
		return false
	default:
	}
	for i, a := range at {
		if place[i] = bs.sent.find(a.key); place[i] < 0 {
			return false
		}
	}
	bs.sent.readers++
	return true
}

// find returns the place of a key, -1 where it is not asked for yet.
func (b *batch) find(key string) int {
	if b.index == nil {
		return slices.Index(b.keys, key)
	}
	if p, ok := b.index[key]; ok {
		return p
	}
	return -1
}

// add appends a key.
func (b *batch) add(key string) int {
	const few = 8 // up to which a search costs less than a map
	p := len(b.keys)
	b.keys = append(b.keys, key)
	b.wanted = append(b.wanted, 0)
	switch {
	case b.index != nil:
		b.index[key] = p
	case len(b.keys) > few:
		b.index = make(map[string]int, 4*few)
		for i, k := range b.keys {
			b.index[k] = i
		}
	}
	return p
}

// leave takes a reader out who does not wait any longer. A batch that nobody waits for is not
// sent, so that nothing piles up in front of a server that hangs.
func (bs *batches) leave(b *batch) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if b.readers--; b.readers > 0 {
		return
	}
	if i := slices.Index(bs.waiting, b); i >= 0 {
		bs.waiting = slices.Delete(bs.waiting, i, i+1)
		b.err = errNoAnswer
		close(b.done)
	}
}

// next takes the batch that goes out now, or ends its sender's work.
func (bs *batches) next(now func() time.Duration) *batch {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if len(bs.waiting) == 0 {
		bs.senders--
		return nil
	}
	b := bs.waiting[0]
	bs.waiting = slices.Delete(bs.waiting, 0, 1)
	if without.NextBatch {
		bs.sent = b
	}
	b.sent = now()
	b.items = make([]item, len(b.keys))
	return b
}

// answer copies the items of one get out of a batch that is done. A value that several gets
// asked for is copied for each, since values belong to whoever receives them.
func (b *batch) answer(at []addr, place []int, items []item) {
	if b.items == nil {
		return
	}
	for i, p := range place {
		items[i] = b.items[p]
		if b.wanted[p] > 1 && !at[i].cell {
			items[i].value = slices.Clone(items[i].value)
		}
	}
}
