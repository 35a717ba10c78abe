package cacheruntime

import (
	"context"
	"sync"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// The first and the longest wait of a load that another process makes, before the entry is looked up again.
// Each is twice the one before.
const (
	firstLook   = 5 * time.Millisecond
	longestLook = 100 * time.Millisecond
	// mostMoves is how many writes a load waits past: where they come faster than the value is loaded, another process
	// may always be the first to ask under the new stamps.
	mostMoves = 3
)

// leased makes sure that of all processes that miss a dear entry (a list, a count, or a row of a model whose tag says
// lease), one asks the database:
// it returns when the load is this process's to make, under the ticket returned, or with the value that another
// process has loaded. release ends the lease once the value is stored.
//
//  1. A and B miss the entry under the same stamps, and ask for the lease
//  2. A is granted it, and loads; B looks the entry up again, now and then
//  3. A stores the value, and gives the lease back; B finds the value, as fresh as if it had asked now
//  4. or A dies, or its load fails: B is granted the lease, at the latest when its time is over
//  5. or what A has loaded cannot be stored: B is granted the lease, finds nothing, and waits for nobody the next times
//
// Who is granted it looks once more, too: between the miss and the lease another may have had it and be done.
// Where a look finds other stamps, a write has come between, and the load is made under those.
func (c *call) leased(ctx context.Context, w *wanted, t flushlist.Ticket) (v flushlist.Value, found bool, _ flushlist.Ticket, release func()) {
	nothing := func() {}
	moves := 0
	for wait, waited := firstLook, false; ; wait = min(2*wait, longestLook) {
		release, granted := c.rt.store.Lease(ctx, w.ref, t)
		if !granted {
			release = nothing
			if !waited {
				waited = true
				c.rt.stats.awaitedLoads.Add(1)
			}
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done(): // the load's own time-out, which the database is to hear of
				timer.Stop()
				return v, false, t, nothing
			}
		}
		f := c.rt.store.Fetch(ctx, []flushlist.Ref{w.ref})[0]
		same := f.Ticket.List == t.List && f.Ticket.All == t.All
		if !same {
			moves++
		}
		if granted && waited && same && !f.Outcome.Hit() {
			c.rt.unkept.note(w.ref.Key)
		}
		switch {
		case f.Outcome.Hit() && w.guard.clear(ctx):
			release()
			return f.Value, true, f.Ticket, nothing
		case f.Outcome.Hit(), !f.Ticket.Storable, granted && same, moves >= mostMoves:
			// Altered for this caller; or nothing can be stored, so that nobody is to wait; or its own to load; or it
			// has waited enough.
			return v, false, f.Ticket, release
		}
		release()
		t = f.Ticket
	}
}

// unkept are dear entries of which a load left nothing for others: what the database has is too large for an
// entry, say, or spelt otherwise than asked for. Who waited for such a load would have to make it all the same,
// and with many processes each would wait for all others. It is safe for concurrent use.
type unkept struct {
	mu    sync.Mutex
	until map[string]time.Time // by the entry's key
}

const (
	mostUnkept = 1024
	unkeptFor  = 10 * time.Second // then one load is waited for again
)

func (u *unkept) note(key string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.until == nil {
		u.until = map[string]time.Time{}
	}
	if len(u.until) >= mostUnkept {
		clear(u.until)
	}
	u.until[key] = time.Now().Add(unkeptFor)
}

func (u *unkept) has(key string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	until, ok := u.until[key]
	if ok && time.Now().After(until) {
		delete(u.until, key)
		ok = false
	}
	return ok
}
