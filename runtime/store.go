package cacheruntime

import (
	"context"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// Store is what the runtime asks of a cache. tiered.Store is the implementation. If you write another
// one, run ext/storetest on it: that suite says what every implementation must do, in the orders of
// events that are hard to get right.
//
// All methods are safe for concurrent use.
type Store interface {
	// Claim takes a namespace for one runtime: a second claim of the same one is an error
	// until release is called. report receives the store's events for as long; it must
	// return quickly and may be called from any goroutine.
	Claim(namespace string, report func(flushlist.Event)) (release func(), err error)

	// First serves one entry from the first tier, where that is allowed: its stamps are
	// known in this process and equal, its ttl is not past, and what is known is less than
	// MaxStale old. list and all are the IDs of its lists. It makes no request to a server.
	First(key string, list, all uint64) (flushlist.Value, bool)

	// Fetch looks entries up in the second tier, each with the cells of its lists, in one
	// multi-get a server, and answers in the order of refs. Where a cell is absent it is
	// made, before Fetch returns. An entry found is put in the first tier. Each answer is what
	// a Fetch of that entry alone would give; an entry may be asked for twice.
	// The error of a server is an outcome, not an error, and so is the end of ctx.
	Fetch(ctx context.Context, refs []flushlist.Ref) []flushlist.Found

	// Fill stores loaded values, each under its own ticket and for its own TTL. What cannot be
	// stored is reported and left out, and the others are stored; the values were served all
	// the same.
	Fill(ctx context.Context, fills []flushlist.Fill)

	// Prepare marks lists as being written: it leaves a token in the cell of each and drops
	// what this process knows of them. It returns when every server has acknowledged. The lists
	// of one write come in one Prepare: those of rows and accessors, `all` lists and lists of
	// several tables, in any order, some of them twice. The Intent holds for each of them.
	//
	// When a server does not: in mode Strict it takes its tokens out again and returns an
	// error matching flushlist.ErrFlush, and no Intent. In mode Available it does not serve
	// those lists from this process until a background retry has flushed them,
	// reports each, and returns an Intent for the rest.
	//
	// ctx may end before or during Prepare. A store may go on all the same, since it waits for a
	// server no longer than its own time-out, and the database decides whether the write goes on.
	// Or it may treat that like a server that does not acknowledge. It never returns an Intent
	// for lists that are neither marked nor out of service. The same goes for Intent.Renew. The
	// end of a write takes place whatever became of its context.
	Prepare(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error)

	// Lease asks for the right to make an expensive load: of several processes that miss an entry
	// under the ticket's stamps, one asks the database. The holder calls release after the Fill; one
	// that dies keeps the others waiting for a bounded time. A caller that is not granted it gets no
	// release, and looks the entry up again after a while. A store of one process, and one that
	// cannot ask, always grants it.
	Lease(ctx context.Context, ref flushlist.Ref, t flushlist.Ticket) (release func(), granted bool)

	// Register says which lists of a table this program flushes, by their identities, in place of
	// what it said before. table is the table's `all` list in the empty partition. It may wait for a
	// server, no longer than a few of the store's time-outs; where the servers answer, the answer is
	// there when it returns. It never fails: what cannot be registered is not Flushed and not
	// Confirmed until it is. A store of one process returns flushlist.Alone.
	Register(ctx context.Context, table flushlist.List, identities []uint64) flushlist.Registration

	// IntentTTL is how long readers respect a token that they see stand unchanged.
	IntentTTL() time.Duration

	// Closed reports whether the store has been closed.
	Closed() bool
}
