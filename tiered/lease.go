package tiered

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cachegen/cachegen/flushlist"
)

// Lease asks for the right to load an entry, so that of several processes that miss it one asks
// the database. It is granted where no other process has it for this entry under the ticket's stamps,
// and where the server does not answer. The holder calls release after the fill; one that dies keeps
// the others waiting for Options.Lease.
//
// A caller that is not granted it waits, looks the entry up again, and asks again. Without servers it
// is always granted.
func (s *Store) Lease(ctx context.Context, r flushlist.Ref, t flushlist.Ticket) (release func(), granted bool) {
	none := func() {}
	if s.off.Load() || !t.Storable || !legalKey(r.Key) {
		return none, true
	}
	sv, ok := s.places[s.ring.server(r.List.ID)].(*server)
	if !ok {
		return none, true
	}
	at := addr{key: leaseKey(r, t)}
	id, asked := xxhash.Sum64String(at.key), s.now()
	err := sv.add(ctx, at, nil, s.opts.Lease+clockTick)
	switch {
	case errors.Is(err, errNotStored):
		// Memcached ends a lease. One that this process sees for longer than memcached may take over that is none.
		if !s.seen.dead(id, 0, s.opts.Lease+leaseSlack, asked, s.now()) {
			return nil, false
		}
	case err != nil:
		return none, true
	}
	s.seen.forget(id, 0)
	return func() {
		// Its time is over where the load took longer: then the key may be another's by now, whose
		// load is joined by one more at worst.
		_ = sv.remove(context.WithoutCancel(ctx), at)
	}, true
}

const (
	// clockTick is how much sooner than asked for an item may go: memcached counts in whole seconds, of which the first is
	// over at the next tick of its clock. An item of one second lives for anything from 0 to 1.
	clockTick = time.Second
	// leaseSlack is how much longer than Options.Lease one may stay: by clockTick, and what is rounded up.
	leaseSlack = clockTick + 2*time.Second
)

// leaseKey is the key of a lease: of the entry's route, so that it lies on its server, and of its key and stamps,
// so that a flush leaves it behind.
func leaseKey(r flushlist.Ref, t flushlist.Ticket) string {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[:], xxhash.Sum64String(r.Key))
	binary.LittleEndian.PutUint64(b[8:], uint64(t.List))
	binary.LittleEndian.PutUint64(b[16:], uint64(t.All))
	key := make([]byte, 0, 40)
	key = append(appendRoute(key, r.List.ID), ":@lease:"...)
	return string(appendRoute(key, xxhash.Sum64(b[:])))
}
