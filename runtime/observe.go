package cacheruntime

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// ReadEvent is the lookup of one entry.
type ReadEvent struct {
	// Accessor is the model and the method, as in "Croupon.ListPopularInCity". The rows of a list
	// are looked up as "Croupon.Get".
	Accessor string
	// Key is the entry's key; empty where none was looked up.
	Key string
	// Outcome is the tier that served it, or why none did.
	Outcome flushlist.Outcome
	// Shared says that the value came from a load that another caller had begun.
	Shared bool
	// Began is when the lookup began, counted from WithTrace; Took is how long it then took until the
	// value was there, its load included. Entries that are looked up together, such as the rows of a list,
	// began together. Both are set in a [Trace] only. For a read that bypasses the cache, Took does not
	// say how long the database took.
	Began, Took time.Duration
}

// FlushEvent is what one write, or one manual flush, flushed.
type FlushEvent struct {
	// Lists are the names of the flush lists, sorted.
	Lists []string
	// Columns are the columns that were written, sorted, as in "croupons.title"; "croupons.*" is a
	// row made or deleted, or columns that are not known. Manual flushes and raw SQL have none.
	Columns []string
	// Reason says why the list of a whole table is among Lists, in words such as "upsert", "raw SQL", "over
	// BulkRows", "by hand"; several are joined by a comma and a blank. It is empty where no such list is
	// among them. The words are for people and may change.
	Reason string
}

// ReadObserver is told of every lookup. See [Options.Observer].
type ReadObserver interface {
	ObserveRead(ctx context.Context, e ReadEvent)
}

// FlushObserver is told of every flush, after it. See [Options.Observer].
type FlushObserver interface {
	ObserveFlush(ctx context.Context, e FlushEvent)
}

// EventObserver is told of what happens besides reads and flushes: servers that fail and come back,
// bytes that are no entry, recovered panics. See [Options.Observer].
type EventObserver interface {
	ObserveEvent(e flushlist.Event)
}

// observers are the interfaces that Options.Observer turned out to have.
type observers struct {
	read  ReadObserver
	flush FlushObserver
	event EventObserver
}

func observersOf(o any) (obs observers) {
	obs.read, _ = o.(ReadObserver)
	obs.flush, _ = o.(FlushObserver)
	obs.event, _ = o.(EventObserver)
	return obs
}

// checkObserver refuses an observer that would not hear what it was made for: one without any of the methods, or with
// one by name that has other parameters.
func checkObserver(o any) error {
	if o == nil {
		return nil
	}
	obs, t := observersOf(o), reflect.TypeOf(o)
	for _, m := range []struct {
		fits       bool
		name, want string
	}{
		{obs.read != nil, "ObserveRead", "(context.Context, cacheruntime.ReadEvent)"},
		{obs.flush != nil, "ObserveFlush", "(context.Context, cacheruntime.FlushEvent)"},
		{obs.event != nil, "ObserveEvent", "(flushlist.Event)"},
	} {
		if m.fits {
			continue
		}
		if is, ok := observing(t, m.name); ok {
			return optionError("Observer", fmt.Sprintf("is a %T, whose method %s is a %s: it would not be called; its parameters are to be %s",
				o, m.name, is.Type, m.want))
		}
		if _, ok := observing(reflect.PointerTo(t), m.name); ok {
			return optionError("Observer", fmt.Sprintf("is a %T, whose method %s is on the pointer: give a pointer", o, m.name))
		}
	}
	if obs == (observers{}) {
		return optionError("Observer", fmt.Sprintf("is a %T, which has none of the methods ObserveRead, ObserveFlush and ObserveEvent", o))
	}
	return nil
}

// observing finds one of an observer's methods. The names are constants where they are looked up: for others the linker
// would keep every exported method of the program.
func observing(t reflect.Type, name string) (reflect.Method, bool) {
	switch name {
	case "ObserveRead":
		return t.MethodByName("ObserveRead")
	case "ObserveFlush":
		return t.MethodByName("ObserveFlush")
	}
	return t.MethodByName("ObserveEvent")
}

// Trace collects what happened to the reads and writes of one context. It is safe for concurrent
// use.
type Trace struct {
	began time.Time // of WithTrace; not changed after it

	mu         sync.Mutex
	reads      []ReadEvent
	flushes    []FlushEvent
	statements int // of accessors
	plugin     int // statements of the plugin's own
}

// WithTrace returns a context whose reads and writes are recorded in the Trace.
func WithTrace(ctx context.Context) (context.Context, *Trace) {
	t := &Trace{began: time.Now()}
	return with(ctx, func(o *callOptions) { o.trace = t }), t
}

// Reads returns the lookups so far, in the order in which their outcome was known. One whose load is
// still under way has Took up to its outcome.
func (t *Trace) Reads() []ReadEvent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]ReadEvent(nil), t.reads...)
}

// Flushes returns the flushes so far.
func (t *Trace) Flushes() []FlushEvent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]FlushEvent(nil), t.flushes...)
}

// Statements returns the number of SQL statements that accessors made for this context. A load
// shared with another caller counts where it began.
func (t *Trace) Statements() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.statements
}

// String returns a line for each read and each flush.
func (t *Trace) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, r := range t.reads {
		shared := ""
		if r.Shared {
			shared = ", shared load"
		}
		fmt.Fprintf(&b, "read  %-32s %s%s in %s  %s\n", r.Accessor, r.Outcome, shared, r.Took, r.Key)
	}
	for _, f := range t.flushes {
		fmt.Fprintf(&b, "write %s\n", strings.Join(f.Columns, " "))
		if f.Reason != "" {
			fmt.Fprintf(&b, "whole table: %s\n", f.Reason)
		}
		for _, l := range f.Lists {
			fmt.Fprintf(&b, "flush %s\n", l)
		}
	}
	fmt.Fprintf(&b, "SQL statements: %d of accessors, %d of the plugin\n", t.statements, t.plugin)
	return b.String()
}

// PluginStatements returns the number of SQL statements that the plugin made to see what writes with
// this context change.
func (t *Trace) PluginStatements() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.plugin
}

func (t *Trace) pluginStatement() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.plugin++
}

func (t *Trace) statement() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.statements++
}

// clock notes that a lookup of the call begins.
func (c *call) clock() {
	if c.trace != nil {
		c.began = time.Since(c.trace.began)
	}
}

// observed counts one lookup and tells whoever listens. It returns its place in the trace, where there
// is one.
func (c *call) observed(ctx context.Context, accessor, key string, o flushlist.Outcome, shared bool) (place int) {
	rt, e := c.rt, ReadEvent{Accessor: accessor, Key: key, Outcome: o, Shared: shared}
	rt.stats.read(o, shared)
	if c.trace != nil {
		place = c.trace.read(e, c.began)
	}
	if o := rt.observers.read; o != nil {
		rt.tell(func() { o.ObserveRead(ctx, e) })
	}
	return place
}

// read writes a lookup down, which ends now, or has a load before it.
func (t *Trace) read(e ReadEvent, began time.Duration) (place int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.Began, e.Took = began, time.Since(t.began)-began
	t.reads = append(t.reads, e)
	return len(t.reads) - 1
}

// waited notes that the load of the lookup at this place in the trace has ended, or is waited for no
// longer.
func (c *call) waited(place int) {
	t := c.trace
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	e := &t.reads[place]
	e.Took = time.Since(t.began) - e.Began
}

// flushed counts a flush and tells whoever listens.
func (rt *Runtime) flushed(ctx context.Context, f flush) {
	rt.stats.flushes.Add(1)
	rt.stats.flushedLists.Add(int64(len(f.lists)))
	var trace *Trace
	if ctx != nil {
		trace = optionsOf(ctx).trace
	}
	if trace == nil && rt.observers.flush == nil {
		return
	}
	e := FlushEvent{Lists: namesOf(f.lists), Columns: f.columns, Reason: f.reason}
	if trace != nil {
		trace.mu.Lock()
		trace.flushes = append(trace.flushes, e)
		trace.mu.Unlock()
	}
	if o := rt.observers.flush; o != nil {
		rt.tell(func() { o.ObserveFlush(ctx, e) })
	}
}

// event counts something that the store reports, and tells whoever listens, or else GORM's logger.
func (rt *Runtime) event(e flushlist.Event) {
	rt.stats.event(e.Kind)
	if o := rt.observers.event; o != nil {
		rt.tell(func() { o.ObserveEvent(e) })
		return
	}
	rt.tell(func() { rt.unheard.log(rt.db.Logger, e) })
}

// tell calls an observer. One that panics must not take a load, a write or a goroutine of the store's
// with it; it is counted as a fault, and not told of that.
func (rt *Runtime) tell(call func()) {
	defer func() {
		if recover() != nil {
			rt.stats.event(flushlist.Fault)
		}
	}()
	call()
}

// report tells whoever listens of a fault of our own that was recovered.
func (rt *Runtime) report(err error) { rt.event(flushlist.Event{Kind: flushlist.Fault, Err: err}) }
