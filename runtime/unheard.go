package cacheruntime

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm/logger"

	"github.com/cachegen/cachegen/flushlist"
)

// unheardPause is the least time between two lines of one kind: a fault may come with every read.
const unheardPause = time.Second

// unheard logs the events that need a person where no observer listens to events.
type unheard struct {
	mu   sync.Mutex
	last [flushlist.EventKinds]time.Time
	left [flushlist.EventKinds]int // not logged since
}

// log gives an event to a logger, if it is of a kind that nothing mends by itself.
func (u *unheard) log(l logger.Interface, e flushlist.Event) {
	if e.Kind != flushlist.Fault && e.Kind != flushlist.StaleHit || l == nil {
		return
	}
	left, due := u.due(e.Kind, time.Now())
	if !due {
		return
	}
	what := e.Kind.String()
	for _, word := range []string{e.Server, e.Name} {
		if word != "" {
			what += " " + word
		}
	}
	if left > 0 {
		what += fmt.Sprintf(" (and %d more)", left)
	}
	l.Error(context.Background(), "%s: %v", what, e.Err)
}

// due reports whether a line of a kind may be written, and how many have been left out since the last.
func (u *unheard) due(kind flushlist.EventKind, now time.Time) (left int, due bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if at := u.last[kind]; !at.IsZero() && now.Sub(at) < unheardPause {
		u.left[kind]++
		return 0, false
	}
	left, u.left[kind], u.last[kind] = u.left[kind], 0, now
	return left, true
}
