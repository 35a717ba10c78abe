package tiered

import (
	"sync"
	"time"
)

// breaker leaves a failing server alone, so that nobody waits for it and nothing grows: it
// opens after a number of failures in a row, lets one request through after each pause, and
// closes when one succeeds.
type breaker struct {
	failures int           // that open it; less than 1 is never
	pause    time.Duration // before a request is let through
	now      func() time.Duration

	mu      sync.Mutex
	inARow  int
	open    bool
	nextTry time.Duration // while open: when the next request may go through
}

// allow reports whether a request may go out. While the breaker is open, one may for each
// pause.
func (b *breaker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return true
	}
	if now := b.now(); now >= b.nextTry {
		b.nextTry = now + b.pause
		return true
	}
	return false
}

// isOpen reports whether the breaker is open, and whether a request would go through now.
func (b *breaker) isOpen() (open, willTry bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open, !b.open || b.now() >= b.nextTry
}

// record takes in how a request ended, and reports whether that opened or closed the breaker.
func (b *breaker) record(ok bool) (opened, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		closed = b.open
		b.inARow, b.open = 0, false
		return false, closed
	}
	b.inARow++
	if b.failures < 1 || b.inARow < b.failures {
		return false, false
	}
	opened = !b.open
	b.open, b.nextTry = true, b.now()+b.pause
	return opened, false
}
