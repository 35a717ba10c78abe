package cacheruntime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/without"
)

// wanted is one entry that a call wants. All that it wants at once is of one accessor.
type wanted struct {
	accessor string // as in "Croupon.Get"
	guard    *guard // the accessor's
	ref      flushlist.Ref
	ttl      time.Duration // as in the tag; 0 is the default
	dear     bool          // one process at a time loads it, where it is wanted alone

	// What it is: the row of a primary key, or, where index is not nil, the accessor's entry of these arguments.
	table *Table
	index *index
	args  []Arg
	term  uint64 // of an accessor's entry
}

// loader loads the entries at the given positions of what was wanted, and returns a value for each,
// in their order. c is the call for the load alone. store says whether any of them may be stored.
type loader func(ctx context.Context, c *call, missing []int, store bool) ([]loaded, error)

// pending is an entry whose value a load will bring.
type pending struct {
	i      int // its position in what was wanted
	ticket flushlist.Ticket
	flight *flight
	alone  bool // the flight is shared with nobody
	shared bool // another reader makes the load
	miss   flushlist.Outcome
	place  int // in the call's trace
}

// first asks the first tier, where the call may.
func (c *call) first(ctx context.Context, g *guard, key string, list, all uint64) (flushlist.Value, bool) {
	if c.fresh || c.refresh {
		return flushlist.Value{}, false
	}
	v, hit := c.rt.store.First(key, list, all)
	return v, hit && g.clear(ctx)
}

// refreshing returns the call with everything loaded anew.
func (c *call) refreshing() *call { return c.withOptions(func(o *callOptions) { o.refresh = true }) }

// freshly returns the call without the first tier.
func (c *call) freshly() *call { return c.withOptions(func(o *callOptions) { o.fresh = true }) }

func (c *call) withOptions(f func(*callOptions)) *call {
	again, o := *c, *c.callOptions
	f(&o)
	again.callOptions = &o
	return &again
}

// fetch looks entries up in the second tier and loads what is not there, with one call of load for
// all of which this caller is the first to load. The values come back in the order of want; their
// payloads are shared between callers and must not be changed.
func (c *call) fetch(ctx context.Context, want []wanted, load loader) ([]flushlist.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.rt.store.Closed() {
		return nil, errStoreClosed
	}
	refs := make([]flushlist.Ref, len(want))
	for i := range want {
		refs[i] = want[i].ref
	}
	found := c.lookUp(ctx, refs)
	if err := ctx.Err(); err != nil { // what Fetch says then is about the context
		return nil, err
	}

	// Before a load is begun that others may join.
	if !c.refresh && slices.ContainsFunc(found, func(f flushlist.Found) bool { return f.Outcome.Hit() }) && !want[0].guard.clear(ctx) {
		return nil, cmp.Or(ctx.Err(), errAltered)
	}

	values := make([]flushlist.Value, len(want))
	var waiting, leading []pending
	var start <-chan struct{}
	for i, f := range found {
		outcome := f.Outcome
		if c.refresh {
			outcome = flushlist.Bypassed
		} else if f.Outcome.Hit() {
			c.observed(ctx, want[i].accessor, refs[i].Key, f.Outcome, false)
			values[i] = f.Value
			if c.rt.sampler.due() {
				c.rt.sampler.take(ctx, want[i], f.Value, f.Outcome)
			}
			continue
		}
		p, leader := pending{i: i, ticket: f.Ticket, miss: outcome}, true
		if c.refresh || len(want) > 1 && !f.Ticket.Storable {
			// A refresh asks for what the database has now, whatever others began to load before. And
			// part of a batch with nothing to store must not hold up the batch behind others' loads.
			p.flight, p.alone = &flight{done: make(chan struct{})}, true
		} else {
			p.flight, leader, start = c.rt.flights.join(refs[i].Key, f.Ticket)
		}
		if leader {
			leading = append(leading, p)
		}
		p.shared = !leader
		waiting = append(waiting, p)
	}
	if len(leading) > 0 {
		// In a goroutine of its own, so that a leader whose context ends fails nobody else.
		go c.lead(ctx, want, leading, start, load)
	}
	// Observers are told once the load is on its way: whatever they do, it ends.
	for j, p := range waiting {
		waiting[j].place = c.observed(ctx, want[p.i].accessor, refs[p.i].Key, p.miss, p.shared)
	}
	// A load that another caller has begun may have nothing added where this one's would.
	if slices.ContainsFunc(waiting, func(p pending) bool { return p.shared }) && !want[0].guard.clear(ctx) {
		return nil, cmp.Or(ctx.Err(), errAltered)
	}
	if len(waiting) > 0 {
		defer c.rests()()
	}
	for _, p := range waiting {
		select {
		case <-p.flight.done:
			c.waited(p.place)
		case <-ctx.Done():
			c.waited(p.place)
			return nil, ctx.Err()
		}
		if p.shared && p.flight.result.altered {
			return nil, errAltered
		}
		if p.flight.err != nil {
			return nil, p.flight.err
		}
		values[p.i] = p.flight.result.value
	}
	return values, nil
}

// lead loads, stores and publishes entries.
func (c *call) lead(ctx context.Context, want []wanted, leading []pending, start <-chan struct{}, load loader) {
	if start != nil {
		<-start // the load before it has ended; this one's SQL is sent after that, and its time begins
	}
	ctx, cancel := c.rt.detach(ctx)
	defer cancel()
	results, err := make([]loaded, len(leading)), errLoadGone
	// Deferred, for a load that ends its goroutine (runtime.Goexit, a test's FailNow): whoever waits is
	// told, and the key is free again.
	defer func() { c.publish(want, leading, results, err) }()
	mine := leading
	if p := leading[0]; len(want) == 1 && want[p.i].dear && p.ticket.Storable && !p.alone && !c.rt.unkept.has(want[p.i].ref.Key) {
		v, found, t, release := c.leased(ctx, &want[p.i], p.ticket)
		if found {
			results[0].value, err = v, nil
			return
		}
		defer release()
		p.ticket = t // what was waited for may have been flushed; the flight goes by its first ticket
		mine = []pending{p}
	}
	results, err = c.loadAndFill(ctx, want, mine, load)
}

// errAltered says that the load which a reader waited for was made with something added to its statement, for
// another caller's context, or that a hit must not be served: the reader asks the database itself.
var errAltered = errors.New("cachegen: something is added to the accessor's statements")

var errLoadGone = errors.New("cachegen: a load ended its goroutine")

// loadAndFill loads entries and stores them.
func (c *call) loadAndFill(ctx context.Context, want []wanted, leading []pending, load loader) ([]loaded, error) {
	missing, store := make([]int, len(leading)), false
	for j, p := range leading {
		missing[j] = p.i
		store = store || p.ticket.Storable
	}
	own := *c
	own.load = &loading{}
	results, err := protect(ctx, &own, missing, store, load)
	if err != nil {
		c.rt.stats.loadErrors.Add(1)
		results = make([]loaded, len(leading))
	}
	problem := own.load.problem
	if problem != "" {
		want[0].guard.altered(ctx, problem)
	}
	if problem != "" || err != nil && own.load.unseen() { // this caller's alone, the callbacks' error too
		for j := range results {
			results[j].altered, results[j].noStore = true, true
		}
	}
	if err != nil {
		return results, err
	}
	if problem == "" {
		want[0].guard.plain()
	}
	c.fill(ctx, want, leading, results)
	return results, nil
}

// publish ends the flights of what was loaded.
func (c *call) publish(want []wanted, leading []pending, results []loaded, err error) {
	for j, p := range leading {
		if p.alone {
			p.flight.result, p.flight.err = results[j], err
			continue
		}
		c.rt.flights.end(want[p.i].ref.Key, p.ticket, p.flight, results[j], err)
	}
	for _, p := range leading {
		close(p.flight.done)
	}
}

// fill stores what was loaded, as far as the tickets allow.
func (c *call) fill(ctx context.Context, want []wanted, leading []pending, results []loaded) {
	fills := make([]flushlist.Fill, 0, len(leading))
	for j, p := range leading {
		w := &want[p.i]
		if !p.ticket.Storable || results[j].noStore {
			c.rt.stats.notStored.Add(1)
			if p.ticket.Storable && w.dear && len(want) == 1 {
				c.rt.unkept.note(w.ref.Key)
			}
			continue
		}
		if without.StampsBefore {
			p.ticket = c.rt.store.Fetch(ctx, []flushlist.Ref{w.ref})[0].Ticket
		}
		fills = append(fills, flushlist.Fill{
			Ref: w.ref, Ticket: p.ticket, Value: results[j].value, TTL: c.rt.ttl(w.ttl, results[j].value.Absent),
		})
	}
	if len(fills) > 0 {
		c.rt.store.Fill(ctx, fills)
	}
}

// protect runs a load and makes an error of a panic, since it runs on a goroutine that no caller
// could recover on.
func protect(ctx context.Context, c *call, missing []int, store bool, load loader) (results []loaded, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cachegen: a load panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return load(ctx, c, missing, store)
}

// detach returns a context with ctx's values, for work that goes on when its callers have given up.
func (rt *Runtime) detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return rt.within(context.WithoutCancel(ctx))
}

// within ends a context after Options.LoadTimeout.
func (rt *Runtime) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if rt.opts.LoadTimeout < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, rt.opts.LoadTimeout)
}

// ttl is how long an entry may be served: the tag's or the default, shorter for absence, and changed
// at random so that entries made together do not expire together.
func (rt *Runtime) ttl(tag time.Duration, absent bool) time.Duration {
	ttl := tag
	if ttl == 0 {
		ttl = rt.opts.TTL
	}
	if absent && (ttl < 0 || ttl > rt.opts.NegativeTTL) {
		ttl = rt.opts.NegativeTTL
	}
	if ttl < 0 {
		return 0 // the store's word for no end
	}
	if rt.opts.Jitter > 0 {
		ttl += time.Duration(rt.opts.Jitter * (2*rand.Float64() - 1) * float64(ttl))
	}
	return ttl
}
