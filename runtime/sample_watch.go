package cacheruntime

import (
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// How long a stale entry is watched, and how often it is looked at.
const (
	firstWatch   = 50 * time.Millisecond
	longestWatch = 5 * time.Second
	watchedFor   = time.Minute
)

// watch looks at stale entries until they are right again, to learn how long that takes.
func (s *sampler) watch() {
	var watched []*staleEntry
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case e := <-s.found:
			e.wait, e.due = firstWatch, time.Now().Add(firstWatch)
			watched = append(watched, e)
		case <-timer.C:
		}
		next := time.Now().Add(time.Hour)
		kept := watched[:0]
		for _, e := range watched {
			if !e.due.After(time.Now()) && s.ctx.Err() == nil {
				if !s.still(e) || time.Since(e.seen) > watchedFor {
					s.mu.Lock()
					delete(s.watched, e.want.ref.Key)
					s.mu.Unlock()
					continue
				}
				e.wait = min(2*e.wait, longestWatch)
				e.due = time.Now().Add(e.wait)
			}
			kept = append(kept, e)
			if e.due.Before(next) {
				next = e.due
			}
		}
		clear(watched[len(kept):])
		watched = kept
		timer.Reset(time.Until(next))
	}
}

// still reports whether a stale entry may be served still, and notes its age where it is.
func (s *sampler) still(e *staleEntry) (may bool) {
	defer func() {
		if recover() != nil {
			may = false
		}
	}()
	var found flushlist.Found
	if e.first {
		found = s.look(e.sample, true)
	}
	if !found.Outcome.Hit() {
		found = s.look(e.sample, false)
	}
	switch found.Outcome {
	case flushlist.HitFirst, flushlist.HitSecond:
	case flushlist.Unreachable, flushlist.Unread:
		return true // it may be there
	default:
		return false
	}
	if !e.want.same(e.ctx, found.Value, e.served) {
		return false
	}
	served := time.Since(e.seen)
	now, ok := s.database(e.sample)
	if !ok {
		return true
	}
	if e.want.same(e.ctx, found.Value, now) {
		return false
	}
	s.aged(e, served)
	return true
}
