package tiered

import (
	"sync"
	"time"

	"github.com/cachegen/cachegen/internal/without"
)

// seen remembers when this process first saw each token of a writer, so that it can tell that
// the writer is dead: clocks of two machines are never compared. It forgets at will, which
// only makes a dead writer live longer.
type seen struct {
	mu    sync.Mutex
	first map[seenToken]time.Duration
}

// seenToken is one token in one cell: a writer may leave it in several, one after the other.
type seenToken struct {
	cell  uint64 // cellAt.id
	token uint64
}

const maxSeen = 1 << 14

func (s *seen) init() { s.first = make(map[seenToken]time.Duration) }

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
	if first, ok := s.first[k]; ok {
		return asked-first >= ttl
	}
	if len(s.first) >= maxSeen {
		for old := range s.first { // any one: the order of a map is random
			delete(s.first, old)
			break
		}
	}
	s.first[k] = answered
	return false
}

// forget drops a token that was taken out.
func (s *seen) forget(cell, token uint64) {
	s.mu.Lock()
	delete(s.first, seenToken{cell, token})
	s.mu.Unlock()
}
