package cacheruntime

import (
	"context"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// A value that differs from the database's is not stale because of that: a write may have come between the
// two reads. What is stale is seen by three reads, of which the cache's have the same stamps:
//
//  1. the cache serves V under stamps s
//  2. the database has D, which is not V
//  3. the first tier alone: its bound passes
//  4. the cache still serves V under s
//  5. and does so endOfWrite later
//
// Let W be the write that made D; it had committed by 2. It left its tokens in the cells before its COMMIT, put its
// record into the journal before it, and gave them new stamps after it. If W left its tokens after 1, then 4 finds
// the tokens, or the new stamps: not s. (In the first tier: the record was there by 2, so that 4, a
// bound later, has dropped s.) So W left them before 1, and what 1 was served had not heard of it; or W left none,
// since the plugin did not see it. Either way 4 serves a value from before a write that had committed at 2. That D
// may be an older value come back, and that V may be newer than D, is all the same: between 1 and 4
// no write has ended that left tokens.
//
// One write is left that nobody has to answer for: whose tokens are lost between its COMMIT's beginning and its end, since
// memcached evicted the cell, or since the COMMIT took longer than IntentTTL and a reader took the writer for dead. V was
// loaded then, before the COMMIT took effect, and is right as long as the write has not returned. Its end gives the list
// a new stamp, as a rule within milliseconds: 5 waits for it.
//
// Where 1 or 4 serve nothing, the write was flushed, and the sampled hit was concurrent with it, or within the
// bound. Where the stamps differ, another write has come, and all is read again.

// endOfWrite is how long a write is given from its COMMIT to its end.
const endOfWrite = 250 * time.Millisecond

// mostLooks is how often that is done for one sample. Where writes come still faster, nothing can be told.
const mostLooks = 8

// staleEntry is an entry that was found stale.
type staleEntry struct {
	*sample
	served flushlist.Value // what is stale
	tier   flushlist.Outcome
	seen   time.Time     // when the database had something else
	wait   time.Duration // until it is looked at again
	due    time.Time
}

// check compares one sampled hit with the database.
func (s *sampler) check(x *sample) {
	defer func() {
		if recover() != nil { // in an Equal method of a column's type, say
			s.dropped.Add(1)
		}
	}()
	now, ok := s.database(x)
	if !ok {
		s.dropped.Add(1)
		return
	}
	if x.want.same(x.ctx, x.value, now) {
		s.compared.Add(1)
		return
	}
	e, ok := s.judge(x)
	if !ok {
		s.dropped.Add(1)
		return
	}
	s.compared.Add(1)
	if e == nil {
		s.behind.Add(1)
		return
	}
	s.stale.Add(1)
	s.tell(e)
}

// judge says whether the entry of a hit that differed is served stale: nil where it is not. ok is false where the
// database did not say, or the runtime was closed.
func (s *sampler) judge(x *sample) (e *staleEntry, ok bool) {
	first := x.first
	for looks := 0; looks < mostLooks; {
		before := s.look(x, first)
		if !before.Outcome.Hit() && first {
			first = false // what is behind it may be stale too
			continue
		}
		if !before.Outcome.Hit() {
			return nil, true
		}
		now, ok := s.database(x)
		if !ok {
			return nil, false
		}
		if x.want.same(x.ctx, before.Value, now) {
			return nil, true
		}
		seen := time.Now()
		wait := time.Duration(0)
		if first {
			wait = s.first.MaxStale()
		}
		after, still := s.again(x, first, before, wait)
		if still && !s.watches(x.want.ref.Key) {
			after, still = s.again(x, first, before, endOfWrite)
		}
		switch {
		case s.ctx.Err() != nil:
			return nil, false
		case still:
			return &staleEntry{sample: x, served: after.Value, tier: after.Outcome, seen: seen}, true
		case after.Outcome.Hit():
			looks++
		case first:
			first = false
		default:
			return nil, true
		}
	}
	return nil, true
}

// again looks once more, after a while, and reports whether what was there before is still served under the same stamps.
func (s *sampler) again(x *sample, first bool, before flushlist.Found, wait time.Duration) (after flushlist.Found, still bool) {
	if !s.pause(wait) {
		return after, false
	}
	after = s.look(x, first)
	return after, after.Outcome.Hit() && after.Ticket.List == before.Ticket.List && after.Ticket.All == before.Ticket.All &&
		x.want.same(x.ctx, after.Value, before.Value)
}

// watches reports whether an entry has been found stale, and is looked at still.
func (s *sampler) watches(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watched[key]
}

// look reads the entry from the cache, in the tier that is to be judged.
func (s *sampler) look(x *sample, first bool) (found flushlist.Found) {
	defer func() {
		if found.Outcome.Hit() && !x.want.serves() {
			found = flushlist.Found{Outcome: flushlist.Unregistered}
		}
	}()
	if first {
		return s.first.Peek(x.want.ref)
	}
	ctx, cancel := s.rt.detach(x.ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	return s.rt.store.Fetch(ctx, []flushlist.Ref{x.want.ref})[0]
}

// serves reports whether a reader would look the entry up still: every live program flushes its list, and has since
// the sample was taken.
func (w *wanted) serves() bool {
	if w.index == nil {
		return true
	}
	reg := w.table.release.registration()
	if reg == nil {
		return false
	}
	term, ok := reg.Flushed(w.index.identity)
	return ok && term == w.term
}

// tell reports a stale entry, and has it watched until it is right again.
func (s *sampler) tell(e *staleEntry) {
	age := time.Since(e.seen)
	s.aged(e, age)
	s.mu.Lock()
	known := s.watched[e.want.ref.Key]
	if room := len(s.watched) < mostWatched; !known && room {
		s.watched[e.want.ref.Key] = true
		s.found <- e
	}
	s.mu.Unlock()
	if known {
		return // it was told of
	}
	s.rt.event(flushlist.Event{Kind: flushlist.StaleHit, Name: e.want.ref.Key, Err: &StaleError{
		Accessor: e.want.accessor, Key: e.want.ref.Key, List: e.want.ref.List.Name, Tier: e.tier, Age: age,
	}})
}

// aged notes for how long an entry was served stale, so far.
func (s *sampler) aged(e *staleEntry, age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age > s.worstAge {
		s.worstAge, s.worstKey = age, e.want.ref.Key
	}
}
