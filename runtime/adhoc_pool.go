package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
)

// adhocPool stands in front of the pool of one statement of a query, and answers it from the cache. It
// is used by one goroutine.
type adhocPool struct {
	gorm.ConnPool
	a    *adhoc
	st   *gorm.Statement
	ours bool        // the pool is the plugin's, on the database itself
	sent atomic.Bool // by a load of this statement's own, which has a goroutine of its own
	// whole are the columns that the statement must bring, written before a load begins.
	whole []string
	half  error // what such a load found to be half a row; read when it has ended
}

// What the entry of a result begins with.
const (
	resultKept = iota // the statement and its result follow
	resultLong        // the statement follows: it is asked for each time, since its result is too long
	resultOdd         // never stored: each caller asks for itself, or is refused
)

// QueryContext is where GORM would ask the database.
func (p *adhocPool) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if p.st.Dest == p.a.dest {
		p.whole = p.a.whole
	}
	rows, err := p.rows(ctx, text, args)
	if err != nil {
		return nil, err
	}
	if err := p.partial(rows); err != nil {
		_ = rows.Close()
		return nil, err
	}
	return rows, nil
}

// partial is the error of rows that lack columns of the model's; nil where they need not have them.
func (p *adhocPool) partial(rows *sql.Rows) error {
	if p.whole == nil {
		return nil
	}
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	missing, ok := lacks(columns, p.whole)
	if !ok {
		return nil
	}
	return fmt.Errorf("%w: %s: its statement does not select %s, and a Save of such a row would lose what is there: select all columns, "+
		"or read a projection with cacheruntime.Query[T]", ErrPartialRow, p.a.accessor, missing)
}

// GetDBConn is what db.DB() asks for, in a callback that comes behind ours.
func (p *adhocPool) GetDBConn() (*sql.DB, error) {
	if c, ok := p.ConnPool.(gorm.GetDBConnector); ok {
		return c.GetDBConn()
	}
	return nil, gorm.ErrInvalidDB
}

func (p *adhocPool) rows(ctx context.Context, text string, args []any) (*sql.Rows, error) {
	r, err := p.cached(ctx, text, args)
	if err != nil {
		return nil, err
	}
	if r == nil && p.half != nil {
		return nil, p.half
	}
	if r == nil {
		p.a.counted(ctx)
		return p.ConnPool.QueryContext(ctx, text, args...)
	}
	if !p.sent.Load() {
		p.st.Settings.Store(servedKey, p.st)
	}
	return p.a.rt.replayed(r)
}

// cached returns a statement's result through the cache; nil where the database is to be asked as if there were none.
func (p *adhocPool) cached(ctx context.Context, text string, args []any) (*result, error) {
	a, c := p.a, &p.a.call
	if _, inTx := p.ConnPool.(gorm.TxCommitter); c.database || inTx {
		return nil, nil
	}
	// The chain may have got another context, whose rows it reads then.
	switch part, err := a.rt.partition(p.st.Context); {
	case err != nil:
		return nil, err
	case part != c.part:
		other := *c
		other.part, c = part, &other
	}
	q, problem, mendable := p.plan(text, args)
	if problem != "" {
		a.uncached(ctx, text, problem, mendable)
		return nil, nil
	}
	c.clock()
	u, o := c.stand(ctx, q.tables)
	if o == flushlist.Unregistered {
		c.observed(ctx, a.accessor, "", o, false)
		return nil, nil
	}
	first := q.tables[0]
	u.ref.Key = first.key("query", u.ref.List.ID, c.part, u.term, q.told(u.state))
	w := wanted{accessor: a.accessor, guard: plainGuard, ref: u.ref, ttl: q.ttl, dear: true}
	load := func(ctx context.Context, c *call, _ []int, _ bool) ([]loaded, error) {
		l, err := p.load(ctx, c, text, &q)
		return []loaded{l}, err
	}
	var kept keptResult
	var err error
	if o == flushlist.NoEntry {
		decode := func(v flushlist.Value) (keptResult, bool) { return decodeResult(v.Payload, q.statement) }
		kept, err = readEntry(ctx, c, w, decode, load)
	} else {
		kept, err = c.shared(ctx, w, o, q.statement, load)
	}
	if errors.Is(err, errAltered) {
		return nil, nil
	}
	if kept.kind == resultLong {
		c.rt.stats.longLists.Add(1)
	}
	return kept.result, err
}

// plainGuard lets everything through: what callbacks add to a query's statement is a part of its key.
var plainGuard = func() *guard {
	g := &guard{}
	g.state.Store(guardPlain)
	return g
}()

// shared makes a load whose result is not stored, since a write of one of the tables is under way, or shares that of
// another caller which has not been sent yet; o is why.
func (c *call) shared(ctx context.Context, w wanted, o flushlist.Outcome, statement []byte, load loader) (kept keptResult, err error) {
	fl, leader, start := c.rt.flights.join(w.ref.Key, flushlist.Ticket{})
	if leader {
		go c.lead(ctx, []wanted{w}, []pending{{flight: fl}}, start, load)
	}
	place := c.observed(ctx, w.accessor, w.ref.Key, o, !leader)
	defer c.waited(place)
	select {
	case <-fl.done:
	case <-ctx.Done():
		return kept, ctx.Err()
	}
	if fl.err != nil {
		return kept, fl.err
	}
	kept, ok := decodeResult(fl.result.value.Payload, statement)
	if !ok {
		return kept, errCodec
	}
	return kept, nil
}

// load asks the database.
func (p *adhocPool) load(ctx context.Context, c *call, text string, q *adhocPlan) (l loaded, err error) {
	c.load.last = &expectation{judged: true} // nothing is expected of its statement
	c.counted(ctx)
	p.sent.Store(true)
	rows, err := p.ConnPool.QueryContext(ctx, text, q.args...)
	if err != nil {
		return l, err
	}
	defer rows.Close()
	if p.half = p.partial(rows); p.half != nil { // which may be all that another caller's projection wants, who asks for himself
		return loaded{value: flushlist.Value{Payload: []byte{resultOdd}}, noStore: true}, nil
	}
	head := AppendText([]byte{resultKept}, string(q.statement))
	l.value.Payload, err = appendResult(head, rows, maxResult)
	switch {
	case errors.Is(err, errLong):
		head[0] = resultLong
		l.value.Payload = head
	case errors.Is(err, errUnkept):
		l = loaded{value: flushlist.Value{Payload: []byte{resultOdd}}, noStore: true}
	default:
		return l, err
	}
	return l, nil
}

// keptResult is what the entry of a statement says.
type keptResult struct {
	kind   byte
	result *result // of resultKept
}

// decodeResult reads the entry of a statement. One of another statement is none, whatever its key.
func decodeResult(payload, statement []byte) (kept keptResult, ok bool) {
	d := newDecoder(payload)
	kind := d.take(1)
	if kind == "" || kind[0] > resultOdd {
		return kept, false
	}
	kept.kind = kind[0]
	if kept.kind != resultOdd && DecodeText[string](&d) != string(statement) {
		return kept, false
	}
	if kept.kind == resultKept {
		kept.result = d.result()
	}
	return kept, d.end() == nil
}

// replayed returns the rows of a result.
func (rt *Runtime) replayed(r *result) (*sql.Rows, error) {
	rt.replayOnce.Do(func() { rt.replayer = newReplayer() })
	if rt.closed.Load() { // which closes it, or keeps it from being made
		return nil, errRuntimeClosed
	}
	return replay(rt.replayer, r)
}
