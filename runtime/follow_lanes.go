package cacheruntime

import (
	"context"
	"slices"
	"sync"

	"github.com/cachegen/cachegen/flushlist"
)

// lanes are the goroutines that read the relations of one call. They live no longer than it.
type lanes struct {
	mu     sync.Mutex
	busy   int           // how many do not wait
	asking []*ask        // what those who wait want of the second tier, and was not sent
	turn   chan struct{} // held by a statement, where they are sent one by one
}

// ask is what one lane wants.
type ask struct {
	refs  []flushlist.Ref
	found []flushlist.Found
	// told gets what this lane is to send, or nil when found is there.
	told chan []*ask
}

// rest notes that a lane waits. The last one sees to it that what is wanted is sent.
func (ls *lanes) rest() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.busy--
	if ls.busy == 0 && len(ls.asking) > 0 {
		ls.asking[0].told <- ls.asking
		ls.asking = nil
	}
}

// resume notes that a lane goes on, or that there is one more.
func (ls *lanes) resume() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.busy++
}

// fetch is Store.Fetch for a lane, together with others.
func (ls *lanes) fetch(ctx context.Context, store Store, refs []flushlist.Ref) []flushlist.Found {
	a := &ask{refs: refs, told: make(chan []*ask, 1)}
	ls.mu.Lock()
	ls.asking = append(ls.asking, a)
	ls.mu.Unlock()
	ls.rest()
	if together := <-a.told; together != nil {
		ls.send(ctx, store, together)
	}
	return a.found
}

// send fetches what several lanes want; the first of them is the caller.
func (ls *lanes) send(ctx context.Context, store Store, together []*ask) {
	refs := slices.Clip(together[0].refs)
	for _, a := range together[1:] {
		refs = append(refs, a.refs...)
	}
	found := make([]flushlist.Found, len(refs))
	for i := range found {
		found[i].Outcome = flushlist.Unreachable
	}
	defer func() { // also where the store panics: the others must not wait for ever
		ls.mu.Lock()
		ls.busy += len(together)
		ls.mu.Unlock()
		for i, a := range together {
			a.found, found = found[:len(a.refs)], found[len(a.refs):]
			if i > 0 {
				a.told <- nil
			}
		}
	}()
	copy(found, store.Fetch(ctx, refs))
}

// lookUp asks the second tier.
func (c *call) lookUp(ctx context.Context, refs []flushlist.Ref) []flushlist.Found {
	if c.side == nil {
		return c.rt.store.Fetch(ctx, refs)
	}
	c.side.waits()
	return c.side.level.lanes.fetch(ctx, c.rt.store, refs)
}

// rests notes that the call's lane waits until it resumes.
func (c *call) rests() (resume func()) {
	if c.side == nil {
		return func() {}
	}
	ls := c.side.level.lanes
	ls.rest()
	return ls.resume
}

// sends is called before a statement is sent, and returns what is to be called after it. Statements of one call go to an SQLite one by one:
// there is no way to it that could be saved, and where it is in memory, a second connection has another database.
func (c *call) sends(ctx context.Context) (sent func(), err error) {
	if c.side == nil {
		return func() {}, nil
	}
	resume := func() {}
	if c.load == nil { // else it is the load's own goroutine that waits
		c.side.waits()
		resume = c.rests()
	}
	if c.rt.db.Name() != "sqlite" {
		return resume, nil
	}
	turn := c.side.level.lanes.turns()
	select {
	case turn <- struct{}{}:
		return func() { <-turn; resume() }, nil
	case <-ctx.Done():
		resume()
		return nil, ctx.Err()
	}
}

func (ls *lanes) turns() chan struct{} {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.turn == nil {
		ls.turn = make(chan struct{}, 1)
	}
	return ls.turn
}
