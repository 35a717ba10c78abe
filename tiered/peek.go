package tiered

import (
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// MaxStale is how far behind the servers the first tier may be: Options.MaxStale, or 0 where nothing is served that
// is behind, since there are no servers or the first tier is switched off.
func (s *Store) MaxStale() time.Duration {
	if s.first == nil {
		return 0
	}
	return s.opts.MaxStale
}

// Peek is [Store.First] with the stamps that the entry was served under, in the ticket's List and All; its
// outcome is flushlist.HitFirst or flushlist.NoEntry. The ticket is not for a fill. Without servers there is
// nothing in front of what Fetch answers, and Peek finds nothing.
func (s *Store) Peek(r flushlist.Ref) flushlist.Found {
	none := flushlist.Found{Outcome: flushlist.NoEntry}
	if s.first == nil {
		return none
	}
	list, all, ok := s.knownStamps(r)
	if !ok {
		return none
	}
	v, ok := s.First(r.Key, r.List.ID, r.All.ID)
	if !ok {
		return none
	}
	// A stamp is random and does not come back: the ones from before and after are those of the hit.
	if l, a, ok := s.knownStamps(r); !ok || l != list || a != all {
		return none
	}
	return flushlist.Found{Outcome: flushlist.HitFirst, Value: v, Ticket: flushlist.Ticket{List: list, All: all}}
}

// knownStamps are those that the first tier goes by.
func (s *Store) knownStamps(r flushlist.Ref) (list, all flushlist.Stamp, ok bool) {
	now := s.now()
	return s.known.fresh(r.List.ID, allID(r.All.ID, s.ring.server(r.List.ID)), now, s.journal.answersFor(now))
}
