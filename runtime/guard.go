package cacheruntime

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
)

// guard knows of one accessor whether the application adds to its statements: a condition of a
// callback's, say, which the entry's key does not name. What is loaded so is returned and not stored, and
// from then on the accessor is not read from the cache: what lies there was loaded without the
// addition, or by another program. It is safe for concurrent use.
type guard struct {
	rt       *Runtime
	accessor string // "Croupon.ListByCity"
	// probe makes a load whose statements run the callbacks and are not sent.
	probe func(ctx context.Context, c *call) error
	state atomic.Uint32
}

// The states of a guard. It never leaves guardAltered.
const (
	guardNew     uint32 = iota // nothing was loaded yet
	guardPlain                 // nothing was seen
	guardAltered               // an addition was seen
)

// guards is what the guards of a runtime share.
type guards struct {
	spread  atomic.Bool // an addition was seen in a load, and every accessor was asked about it
	trusted bool        // Options.Partition names what the additions depend on
}

// begin asks the application's callbacks what they add in a context that says nothing: a condition that is
// always there, or the refusal of a query without a tenant, is seen before the first read.
func (g *guard) begin(rt *Runtime) {
	g.rt = rt
	if rt.guards.trusted {
		g.state.Store(guardPlain)
		return
	}
	g.ask(context.Background())
}

// refuses reports whether a read must leave the cache alone.
func (g *guard) refuses(ctx context.Context) bool {
	if g.state.Load() != guardAltered {
		return false
	}
	c := call{callOptions: optionsOf(ctx), rt: g.rt}
	c.clock()
	c.observed(ctx, g.accessor, "", flushlist.Altered, false)
	return true
}

// clear reports whether a hit may be served, or another caller's load joined. Before the first one, where no load has
// said it yet, it asks with the reader's own context: what lies there may be another program's.
func (g *guard) clear(ctx context.Context) bool {
	return g.state.Load() == guardPlain || g.ask(ctx) && g.plain()
}

// plain notes that nothing was added, so far.
func (g *guard) plain() bool {
	g.state.CompareAndSwap(guardNew, guardPlain)
	return g.state.Load() == guardPlain
}

// ask makes a load that is not sent, and reports whether its statement is the expected one. The load has
// a goroutine of its own, as every load has, so that it ends for its caller when ctx does.
func (g *guard) ask(ctx context.Context) bool {
	if g.state.Load() == guardAltered {
		return false
	}
	detached, cancel := g.rt.detach(ctx)
	defer cancel() // and not when the load ends: its answer must be there before its context does
	asked := make(chan *loading, 1)
	go func() {
		l := &loading{probe: true}
		defer func() {
			_ = recover() // before the statement was built it is the callbacks' answer; after it, about a dry run
			asked <- l
		}()
		_ = g.probe(detached, &call{callOptions: defaultCall, rt: g.rt, cached: true, load: l})
	}()
	select {
	case l := <-asked:
		if l.unseen() {
			l.note("a callback ends it with an error or a panic in some contexts")
		}
		if l.problem != "" {
			g.mark(l.problem)
		}
		return l.problem == ""
	case <-ctx.Done():
	case <-detached.Done():
	}
	return false
}

// mark notes an addition, and reports the first.
func (g *guard) mark(problem string) {
	if g.state.Swap(guardAltered) != guardAltered {
		what, texts, _ := strings.Cut(problem, "\n")
		g.rt.report(fmt.Errorf("cachegen: %s is not cached, since %s: let Options.Partition name what that depends on, or remove the tag; "+
			"see docs/tenants.md\n%s", g.accessor, what, texts))
	}
}

// altered notes an addition seen in a load with ctx. The first one in the runtime has every other accessor asked
// with the same context: what a tenant's callback adds to one, it will add to others.
func (g *guard) altered(ctx context.Context, problem string) {
	g.rt.stats.alteredLoads.Add(1)
	if g.rt.guards.trusted {
		return
	}
	g.mark(problem)
	if g.rt.guards.spread.CompareAndSwap(false, true) {
		for _, m := range g.rt.registry.every() {
			for _, other := range m.guards() {
				other.ask(ctx)
			}
		}
	}
}

// loading is what is noted of one load, from its first statement to its last. It is used by one goroutine.
type loading struct {
	probe   bool   // the statements are not sent
	problem string // what the application has added to one of them
	last    *expectation
}

// unseen reports whether the last statement never came to the plugin's callback.
func (l *loading) unseen() bool { return l.last == nil || !l.last.judged }

func (l *loading) note(problem string) {
	if l.problem == "" {
		l.problem = problem
	}
}

// findRows runs the query of a load, or of a read of the database. The rows are never nil.
func (t *Table) findRows(c *call, q *gorm.DB) ([]any, error) {
	sent, err := c.sends(q.Statement.Context)
	if err != nil {
		return nil, err
	}
	defer sent()
	into := reflect.New(t.slice)
	dest := into.Interface()
	x := c.expect(q, dest, false)
	tx := q.Find(dest)
	found := into.Elem()
	if tx.Error == nil && x != nil && !c.load.probe && x.judged && !c.rt.guards.trusted && tx.RowsAffected != int64(found.Len()) {
		c.load.note("a callback changes which rows were read")
	}
	rows := make([]any, found.Len())
	for i := range rows {
		rows[i] = found.Index(i).Interface()
	}
	return rows, c.met(x, tx.Error)
}

// countRows is findRows for a count.
func countRows(c *call, q *gorm.DB, count *int64) error {
	x := c.expect(q, count, true)
	return c.met(x, q.Count(count).Error)
}

// met notes what became of a statement.
func (c *call) met(x *expectation, err error) error {
	switch {
	case x == nil:
	case x.judged && x.problem != "":
		c.load.note(x.problem)
	case !x.judged && err == nil:
		c.load.note("a callback has taken the place of gorm:query")
	}
	return err
}

// watchStatements begins to watch the statements of the model's accessors.
func (t *Table) watchStatements() {
	t.guard.accessor = t.accessor
	t.guard.probe = func(ctx context.Context, c *call) error {
		_, err := t.find(ctx, c, [][]Arg{t.spec.KeyArgs(nil, t.spec.New())})
		return err
	}
	t.guard.begin(t.rt)
	for _, ix := range t.indexes {
		ix.watchStatements()
	}
}

// watchStatements begins to watch the statements of an accessor.
func (ix *index) watchStatements() {
	ix.guard.accessor = ix.accessor
	ix.guard.probe = func(ctx context.Context, c *call) (err error) {
		args := make([]Arg, len(ix.by)) // NULL, which goes with every type
		if ix.counts {
			_, err = ix.count(ctx, c, args)
		} else {
			_, err = ix.load(ctx, c, args, true)
		}
		return err
	}
	ix.guard.begin(ix.t.rt)
}

// guards are those of the model's accessors.
func (t *Table) guards() []*guard {
	all := []*guard{&t.guard}
	for _, ix := range t.judging.Load().indexes {
		all = append(all, &ix.guard)
	}
	return all
}
