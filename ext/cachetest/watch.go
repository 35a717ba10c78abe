package cachetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// watches holds the watch of every Runtime that New has made, until its test ends.
var watches sync.Map // *cacheruntime.Runtime to *watch

// watch hears of all that happens to one Runtime and its database. It is safe for concurrent use.
type watch struct {
	next any // the Observer of the test's own, or nil
	tb   testing.TB

	mu    sync.Mutex
	ended bool    // the test has: tb is not to be used
	spans []*span // under way; the same goroutine or others may have several
}

// span is what a watch has heard of while one function ran. It is written under the watch's mu, and read
// once it has ended.
type span struct {
	w          *watch
	statements []string
	misses     []string
	flushed    []string
}

var (
	_ cacheruntime.ReadObserver  = (*watch)(nil)
	_ cacheruntime.FlushObserver = (*watch)(nil)
	_ cacheruntime.EventObserver = (*watch)(nil)
)

// observe puts w in front of the options' Observer.
func (w *watch) observe(o *cacheruntime.Options) error {
	if err := o.Validate(); err != nil { // the Runtime sees w, and would not refuse it
		return err
	}
	w.next, o.Observer = o.Observer, w
	return nil
}

// register puts a callback at the end of each of GORM's processors, where the text of the statement that
// was sent is still there.
func (w *watch) register(db *gorm.DB) error {
	const name = "cachetest:statement"
	cb := db.Callback()
	return errors.Join(
		cb.Query().After("gorm:query").Register(name, w.statement),
		cb.Row().After("gorm:row").Register(name, w.statement),
		cb.Raw().After("gorm:raw").Register(name, w.statement),
		cb.Create().After("gorm:create").Register(name, w.statement),
		cb.Update().After("gorm:update").Register(name, w.statement),
		cb.Delete().After("gorm:delete").Register(name, w.statement),
	)
}

func (w *watch) begin() *span {
	s := &span{w: w}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spans = append(w.spans, s)
	return s
}

func (s *span) end() {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.w.spans = slices.DeleteFunc(s.w.spans, func(o *span) bool { return o == s })
}

// tell writes something down in every span under way; what is made only if there is one, and not under the
// lock, since it calls code of the program's.
func (w *watch) tell(note func(*span, string), what func() string) {
	if !w.listening() {
		return
	}
	text := what()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.spans {
		note(s, text)
	}
}

func (w *watch) listening() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.spans) > 0
}

// statement hears of a statement that GORM has sent.
func (w *watch) statement(db *gorm.DB) {
	st := db.Statement
	if st.SQL.Len() == 0 || db.DryRun {
		return
	}
	w.tell(func(s *span, text string) { s.statements = append(s.statements, text) }, func() string {
		return db.Dialector.Explain(st.SQL.String(), st.Vars...)
	})
}

// ObserveRead hears of a lookup.
func (w *watch) ObserveRead(ctx context.Context, e cacheruntime.ReadEvent) {
	if !e.Outcome.Hit() {
		w.tell(func(s *span, text string) { s.misses = append(s.misses, text) }, func() string { return reason(e) })
	}
	if o, ok := w.next.(cacheruntime.ReadObserver); ok {
		o.ObserveRead(ctx, e)
	}
}

// ObserveFlush hears of a flush.
func (w *watch) ObserveFlush(ctx context.Context, e cacheruntime.FlushEvent) {
	for _, list := range e.Lists {
		w.tell(func(s *span, text string) { s.flushed = append(s.flushed, text) }, func() string { return list })
	}
	if o, ok := w.next.(cacheruntime.FlushObserver); ok {
		o.ObserveFlush(ctx, e)
	}
}

// ObserveEvent writes a Fault into the test's log, and passes every event on.
func (w *watch) ObserveEvent(e flushlist.Event) {
	if e.Kind == flushlist.Fault {
		w.log(e.Err)
	}
	if o, ok := w.next.(cacheruntime.EventObserver); ok {
		o.ObserveEvent(e)
	}
}

// log writes a fault into the test's log, as long as there is one.
func (w *watch) log(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.tb.Logf("cachetest: fault: %v", err)
	}
}

// end is the end of the test.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
}

// reason says why a read was not served from the cache.
func reason(e cacheruntime.ReadEvent) string {
	text := e.Accessor + ": " + e.Outcome.String()
	switch e.Outcome {
	case flushlist.Bypassed:
		return text + " (in a transaction, with WithBypass, WithRefresh or SetBypass, or because of a fault that the test's log has: of a table " +
			"that was not there at NewModels, say)"
	case flushlist.Unregistered:
		text += " (not every live program is known to flush its list: see docs/releases.md)"
	case flushlist.Altered:
		text += " (something adds to its statement: see docs/tenants.md, and the fault in the test's log)"
	case flushlist.NoCell:
		text += " (nothing is known of its flush list: it was not read before)"
	}
	if e.Key != "" {
		text += "  " + e.Key
	}
	return text
}

// counted returns a number with what is counted.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}
