package cacheruntime

import (
	"context"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// The first and the longest wait of a load that another process makes, before the entry is looked up again.
// Each is twice the one before.
const (
	firstLook   = 5 * time.Millisecond
	longestLook = 100 * time.Millisecond
	// mostLeases is how many leases a load asks for, where writes keep coming in between.
	mostLeases = 3
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
//
// Who is granted it looks once more, too: between the miss and the lease another may have had it and be done.
// Where a look finds other stamps, a write has come between, and the load is made under those.
func (c *call) leased(ctx context.Context, w *wanted, t flushlist.Ticket) (v flushlist.Value, found bool, _ flushlist.Ticket, release func()) {
	nothing := func() {}
	leases := 0
	for wait, waited := firstLook, false; ; wait = min(2*wait, longestLook) {
		release, granted := c.rt.store.Lease(ctx, w.ref, t)
		if granted {
			leases++
		} else {
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
		switch {
		case f.Outcome.Hit() && w.guard.clear(ctx):
			release()
			return f.Value, true, f.Ticket, nothing
		case f.Outcome.Hit(), !f.Ticket.Storable, granted && (same || leases >= mostLeases):
			// Altered for this caller; or nothing can be stored, so that nobody is to wait; or its own to load.
			return v, false, f.Ticket, release
		}
		release()
		t = f.Ticket
	}
}
