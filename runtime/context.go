package cacheruntime

import (
	"context"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
)

// callOptions are what a context says about the reads and writes made with it. They are never
// changed once they are in a context.
type callOptions struct {
	fresh   bool
	bypass  bool
	refresh bool
	noFlush bool
	trace   *Trace
}

type callOptionsKey struct{}

var defaultCall = &callOptions{}

// optionsOf returns a context's options, or the defaults.
func optionsOf(ctx context.Context) *callOptions {
	if o, ok := ctx.Value(callOptionsKey{}).(*callOptions); ok {
		return o
	}
	return defaultCall
}

// with returns a context whose options are changed by f.
func with(ctx context.Context, f func(*callOptions)) context.Context {
	o := *optionsOf(ctx)
	f(&o)
	return context.WithValue(ctx, callOptionsKey{}, &o)
}

// WithFresh returns a context whose reads skip the first tier: they are never older than the last
// write that returned before them, in any process.
func WithFresh(ctx context.Context) context.Context {
	return with(ctx, func(o *callOptions) { o.fresh = true })
}

// WithBypass returns a context whose reads go to the database and leave the cache alone.
func WithBypass(ctx context.Context) context.Context {
	return with(ctx, func(o *callOptions) { o.bypass = true })
}

// WithRefresh returns a context whose reads go to the database and put what they find in the cache. A
// load that another reader began before may be stored after it, so do not use it to repair the cache
// after changes made past GORM: that is what FlushTable is for.
func WithRefresh(ctx context.Context) context.Context {
	return with(ctx, func(o *callOptions) { o.refresh = true })
}

// WithoutFlush returns a context whose writes flush nothing. What they change stays as it was in
// every cache until it is flushed by other means or its ttl ends. Use it for imports that end with
// a FlushTable, and for changes that no cached reader looks at. It does not affect reads.
func WithoutFlush(ctx context.Context) context.Context {
	return with(ctx, func(o *callOptions) { o.noFlush = true })
}

// flushOff reports whether writes made with ctx flush nothing.
func flushOff(ctx context.Context) bool { return ctx != nil && optionsOf(ctx).noFlush }

// call is one read on its way through the runtime.
type call struct {
	*callOptions
	rt       *Runtime
	tx       *gorm.DB      // the transaction that it is bound to, or nil
	database bool          // it goes to the database and leaves the cache alone
	cached   bool          // it was asked of a Cache
	began    time.Duration // when its lookup under way began, on the trace's clock; where there is a trace
	part     partition     // whose rows it reads
	term     uint64        // of the accessor's entries, where it is not of rows; see flushlist.Registration
	sampling bool          // it compares a hit with the database
	with     []*along      // what is read with its rows
	load     *loading      // what is noted of the load that the call is for; nil outside of one
	side     *branch       // the relation that it is for, where it may be read beside others; nil else
}

// begin checks what every read is given, and says how it is to be made.
func (rt *Runtime) begin(ctx context.Context, src Source, accessor string) (call, error) {
	if ctx == nil {
		return call{}, ErrNilContext
	}
	if rt.closed.Load() {
		return call{}, errRuntimeClosed
	}
	c := call{callOptions: optionsOf(ctx), rt: rt, tx: src.tx, cached: src.cached, with: src.with}
	if c.tx == nil && rt.opts.TxFromContext != nil {
		var err error
		if c.tx, err = rt.txFrom(ctx); err != nil {
			return call{}, err
		}
	}
	c.clock()
	c.database = !src.cached || c.tx != nil || c.bypass || rt.bypass.Load()
	if c.database && src.cached {
		c.bypassed(ctx, accessor)
	}
	if c.database {
		return c, nil
	}
	var err error
	c.part, err = rt.partition(ctx)
	return c, err
}

// txFrom asks Options.TxFromContext about a context. A panic in it is the error.
func (rt *Runtime) txFrom(ctx context.Context) (tx *gorm.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			tx, err = nil, fmt.Errorf("cachegen: Options.TxFromContext panicked, so that it is not known where to read: %v", r)
		}
	}()
	return rt.opts.TxFromContext(ctx), nil
}

// bypassed sends the read to the database.
func (c *call) bypassed(ctx context.Context, accessor string) {
	c.database = true
	c.observed(ctx, accessor, "", flushlist.Bypassed, false)
}
