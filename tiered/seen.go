package tiered

import (
	"math"
	"sync"
	"time"

	"github.com/cachegen/cachegen/internal/without"
)

// seen remembers when this process first saw each token of a writer, so that it can tell that
// the writer is dead: clocks of two machines are never compared. It forgets at will, which
// only makes a dead writer live longer.
//
// Most tokens are seen once, and are out a moment later by their writer's hand, of which nobody hears here. They must
// not push out those that are looked at again and again, or a dead writer's would be respected for ever where
// others write enough.
type seen struct {
	mu     sync.Mutex
	tokens map[seenToken]sight
}

// sight is when a token was first seen, and when last.
type sight struct{ first, last time.Duration }

// seenToken is one token in one cell: a writer may leave it in several, one after the other.
type seenToken struct {
	cell  uint64 // cellAt.id
	token uint64
}

const maxSeen = 1 << 14

func (s *seen) init() { s.tokens = make(map[seenToken]sight) }

// dead reports whether a token has stood in a cell for its ttl, by this process's own clock.
// asked is when the request that read it was sent, and answered when its answer was there: the
// token stood at least from the first answer to the last question.
func (s *seen) dead(cell, token uint64, ttl, asked, answered time.Duration) bool {
	if without.Observation {
		return true
	}
	k := seenToken{cell, token}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.tokens[k]; ok {
		s.tokens[k] = sight{at.first, answered}
		return asked-at.first >= ttl
	}
	if len(s.tokens) >= maxSeen {
		s.evict()
	}
	s.tokens[k] = sight{answered, answered}
	return false
}

// evict forgets, of a few tokens, the one that was not seen for longest. mu is held.
func (s *seen) evict() {
	const few = 8
	var oldest seenToken
	last, n := time.Duration(math.MaxInt64), 0
	for k, at := range s.tokens { // any few: the order of a map is random
		if at.last < last {
			oldest, last = k, at.last
		}
		if n++; n == few {
			break
		}
	}
	delete(s.tokens, oldest)
}

// forget drops a token that was taken out.
func (s *seen) forget(cell, token uint64) {
	s.mu.Lock()
	delete(s.tokens, seenToken{cell, token})
	s.mu.Unlock()
}
