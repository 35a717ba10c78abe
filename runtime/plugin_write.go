package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"runtime"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
)

// writeOp is the processor that a write goes through.
type writeOp uint8

const (
	opCreate writeOp = iota
	opUpdate
	opDelete
)

// writeKey is where a statement keeps its write.
const writeKey = "cachegen:write"

// write is what the plugin keeps about one statement, from begin until end. GORM runs the callbacks
// of a statement one after the other on one goroutine.
type write struct {
	stmt   *gorm.Statement
	op     writeOp
	whole  []model   // models of which only `all` can be said
	reason string    // why of those
	judged []*target // models whose rows are judged
	began  string    // the table that it went to at its beginning
	on     *sql.DB   // and the database
	table  string    // the same, as it was planned for; "" before that
	part   partition // whose rows they are

	own   bool               // the plugin began a transaction for this statement
	outer gorm.ConnPool      // the pool to go back to after it
	lose  context.CancelFunc // rolls that transaction back, if nothing has ended it

	pin      *pin       // the write's narrowed WHERE, until after
	conflict onConflict // of a create, as it was planned for
	arbiter  []string   // the columns of the conflict that it updates at; nil is the primary key
	moves    bool       // that update may change which lists a row is on
	keyless  bool       // none of its values had a key
	sets     []string   // the columns that it may set of a row that is there, on MySQL
	handled  *handled   // what the server had counted before it; nil where RowsAffected says enough
	updates  int64      // how many rows it has changed that were there
	counted  bool       // that is known
	facts    facts      // what the catalog says of the table
	cascade  *cascade   // what hangs on it; nil: nothing that is cached
	possible effect     // for which those were looked up
	plans    effect     // what it was going to do: GORM puts what is set into the struct, and a key is then what it was
	unsent   bool       // values of a create have keys that are not sent with them
	held     bool       // there were rows to write
	stopped  bool       // it had failed before its statement was due, at BEGIN say
}

// aim sets the models that it is about.
func (w *write) aim(judged, whole []model) {
	w.judged, w.whole, w.reason = nil, whole, otherTable
	for _, m := range judged {
		w.judged = append(w.judged, &target{m: m})
	}
}

// giveUp leaves nothing to be judged: the `all` lists fall, for a reason.
func (w *write) giveUp(reason string) {
	if len(w.whole) == 0 {
		w.reason = reason
	} else if len(w.judged) > 0 {
		w.reason = also(w.reason, reason)
	}
	for _, t := range w.judged {
		if !isBare(t.m) {
			w.whole = append(w.whole, t.m)
		}
	}
	w.judged = nil
}

// current returns the write of db's statement, or nil.
func (p *plugin) current(db *gorm.DB) *write {
	v, ok := db.Statement.Settings.Load(writeKey)
	if !ok {
		return nil
	}
	if w := v.(*write); w.stmt == db.Statement {
		return w
	}
	return nil // copied with the settings of another statement
}

// begin runs before GORM begins its transaction. Where GORM would not, and the table is cached, the
// plugin begins its own, so that every write of a cached table is collected and ends in a Commit.
func (p *plugin) begin(op writeOp) func(*gorm.DB) {
	return func(db *gorm.DB) {
		st := db.Statement
		st.Settings.Delete(writeKey)
		if db.Error != nil || db.DryRun {
			return
		}
		// Something else may have put a bare pool here: dbresolver, db.Connection (a *sql.Conn), a
		// session older than the plugin. Also for tables that are not cached: their transaction
		// may come to hold writes of some that are.
		st.ConnPool = p.wrap(st.ConnPool)
		w := p.begins(db, op)
		if w == nil {
			return
		}
		if _, inTx := st.ConnPool.(gorm.TxCommitter); inTx || !db.SkipDefaultTransaction {
			return
		}
		ctx, cancel := context.WithCancel(st.Context)
		switch tx := db.WithContext(ctx).Begin(); {
		case tx.Error == nil:
			w.own, w.outer, w.lose = true, st.ConnPool, cancel
			st.ConnPool = tx.Statement.ConnPool
			// After a panic in a callback of the application's, nothing runs that could end it.
			runtime.AddCleanup(w, func(cancel context.CancelFunc) { cancel() }, cancel)
			return
		case errors.Is(tx.Error, gorm.ErrInvalidTransaction): // the pool cannot begin: before says so
		default:
			db.Error = tx.Error
		}
		cancel()
	}
}

// begins notes a write of a cached table. It returns nil for any other, and for one whose partition is not known.
func (p *plugin) begins(db *gorm.DB, op writeOp) *write {
	st := db.Statement
	if flushOff(st.Context) {
		return nil
	}
	if len(p.rt.registry.every()) == 0 {
		p.modelless()
		return nil
	}
	judged, whole := p.written(st)
	part, err := p.rt.partition(st.Context)
	w := &write{stmt: st, op: op, part: part, began: tableOf(st), on: databaseOf(st.ConnPool)}
	p.lookUp(db, w)
	whole = w.facts.beside(judged, whole)
	if len(judged)+len(whole) == 0 && w.cascade == nil && !p.mayFire(db, w) {
		return nil
	}
	if err != nil {
		_ = db.AddError(err)
		return nil
	}
	w.aim(judged, whole)
	st.Settings.Store(writeKey, w)
	return w
}

// modelless reports, once, that there are writes and no models: whoever reads what this program writes keeps what was.
func (p *plugin) modelless() {
	if len(p.rt.registry.every()) == 0 {
		p.rt.modelless.Do(func() { p.rt.report(errNoModels) })
	}
}

// before runs after the hooks that may change what is written, and refuses what strict mode must.
func (p *plugin) before(db *gorm.DB) {
	w := p.current(db)
	if w == nil || db.Error != nil {
		return
	}
	_, inTx := db.Statement.ConnPool.(gorm.TxCommitter)
	strict := p.rt.opts.Mode == flushlist.Strict
	switch {
	case !inTx && strict:
		_ = db.AddError(errNoTx)
		return
	case strict && p.txOf(db.Statement.ConnPool) == nil:
		_ = db.AddError(errForeignTx)
	}
}

// plans runs plan just before GORM's main callback, behind all callbacks that come before that.
func (p *plugin) plans(op writeOp, main func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) {
		p.planned(db, op)
		main(db)
	}
}

func (p *plugin) planned(db *gorm.DB, op writeOp) {
	w := p.current(db)
	if db.Error != nil && w != nil {
		w.stopped = true // GORM's main callback does nothing
	}
	if db.Error != nil || db.DryRun {
		return
	}
	if w == nil { // a callback may have sent it to a cached table
		w = p.begins(db, op)
	}
	if w == nil {
		return
	}
	w.table = tableOf(db.Statement)
	// A callback has sent it elsewhere, or a hook has made more of it.
	if moved := w.table != w.began; moved || w.on != databaseOf(db.Statement.ConnPool) || !w.possible.covers(possibleEffect(db.Statement, op)) {
		judged, whole := p.written(db.Statement)
		p.lookUp(db, w)
		whole = w.facts.beside(judged, whole)
		if moved && len(judged)+len(whole) == 0 { // which is one tenant's, where the tables have their names
			w.giveUp(byCallback)
			return
		}
		w.aim(judged, whole)
	}
	if w.facts.refs != nil {
		w.plans = w.effect()
	}
	if _, inTx := db.Statement.ConnPool.(gorm.TxCommitter); !inTx {
		w.giveUp(noTransaction) // without a transaction no row can be held still
		return
	}
	if !p.rt.recovering("the plugin", func() { p.plan(db, w) }) {
		w.unpin()
		w.giveUp(panicked)
	}
}

// plan finds out, for each model, what has to be known before the write.
func (p *plugin) plan(db *gorm.DB, w *write) {
	p.foresee(db, w)
	if len(w.judged) == 0 {
		return
	}
	if w.makesRoom() {
		w.giveUp(madeRoom)
		return
	}
	if !readableStatement(db.Statement, w.op) {
		w.giveUp(otherSQL)
		return
	}
	if w.op == opCreate {
		p.planCreate(db, w)
		return
	}
	p.planChange(db, w)
}

// after runs just after GORM's main callback, before the hooks that follow it.
func (p *plugin) after(db *gorm.DB) {
	w := p.current(db)
	if w == nil {
		return
	}
	w.unpin()
	if db.Error != nil && (w.stopped && db.RowsAffected == 0 || !mayHaveWritten(db) && !w.facts.partial(db.Statement)) {
		return
	}
	if db.Error == nil && db.RowsAffected == 0 && !w.facts.mute() && !w.suspect(db) {
		p.deliver(db, p.besides(w, func() []fall { return p.firedBy(db, w) })) // no row changed
		return
	}
	var falls []fall
	if db.Error != nil {
		w.giveUp(failed)
	}
	if !p.rt.recovering("the plugin", func() { falls = p.judge(db, w) }) {
		w.giveUp(panicked)
		falls = nil
	}
	columns := columnsOf(db.Statement, w.op)
	for i := range falls {
		falls[i].columns = columns
	}
	falls = append(falls, allFor(w.reason, w.whole, w.part, columns)...)
	besides := p.besides(w, func() []fall { return append(p.cascaded(db, w, len(w.judged) > 0), p.firedBy(db, w)...) })
	p.deliver(db, append(falls, besides...))
}

// besides are the lists that have fallen by what the database did besides the write: every model's, where it cannot be told.
func (p *plugin) besides(w *write, tell func() []fall) (falls []fall) {
	if !p.rt.recovering("the plugin", func() { falls = tell() }) {
		falls = allFor(panicked, p.rt.registry.every(), w.part, nil)
	}
	return falls
}

// suspect reports whether "no rows" is not to be believed: rows were held that the write should have
// found, or created. A rule or a trigger may have done something else in its place. (MySQL has neither,
// and does not count a row that is given the values it has.)
func (w *write) suspect(db *gorm.DB) bool {
	if db.Name() == "mysql" || db.Statement.SQL.Len() == 0 {
		return false
	}
	if w.writesInstead() {
		return true
	}
	if w.op != opCreate {
		return w.held
	}
	if len(w.judged) == 0 || w.conflict != doFail || !w.asPlanned(w.judged[0].m) {
		return false
	}
	w.giveUp(notFound)
	return true
}

// mayHaveWritten says whether a statement that failed may have changed rows all the same: what it
// returned could not be read, or it was cut off. A transaction may be committed after that. The
// database's own refusal, a constraint's say, undoes the statement; it has returned no rows.
func mayHaveWritten(db *gorm.DB) bool {
	if db.RowsAffected > 0 || errors.Is(db.Error, context.Canceled) || errors.Is(db.Error, context.DeadlineExceeded) {
		return true
	}
	switch db.Statement.Dest.(type) {
	case []map[string]any, *[]map[string]any: // GORM cannot scan RETURNING into it, and counts nothing
		return true
	}
	return false
}

// judge names the lists of the judged models.
func (p *plugin) judge(db *gorm.DB, w *write) []fall {
	if len(w.judged) > 0 && (!readableClauses(db.Statement, w.op) || w.table != tableOf(db.Statement) || w.makesRoom()) {
		w.giveUp(byCallback) // a callback behind the plugin's has made another statement of it
	}
	if len(w.judged) == 0 {
		return nil
	}
	if tx := p.txOf(db.Statement.ConnPool); tx != nil {
		tx.writing.Store(true)
	}
	var falls []fall
	for _, t := range w.judged {
		if isBare(t.m) {
			continue
		}
		h := &harvest{rt: p.rt, m: t.m, part: w.part}
		if w.op == opCreate {
			p.judgeCreate(db, w, t, h)
		} else {
			p.judgeChange(db, w, t, h)
		}
		falls = append(falls, h.falls()...)
	}
	return falls
}

// deliver hands a statement's lists to its transaction.
func (p *plugin) deliver(db *gorm.DB, falls []fall) {
	if len(falls) == 0 {
		return
	}
	st := db.Statement
	if tx := p.txOf(st.ConnPool); tx != nil {
		if !tx.collect(falls) {
			p.tooLate(db, falls)
		}
		return
	}
	f := p.rt.flushOf(falls)
	if _, foreign := st.ConnPool.(gorm.TxCommitter); !foreign {
		if err := p.rt.flushNow(context.WithoutCancel(st.Context), f); err != nil {
			_ = db.AddError(err)
		}
		return
	}
	p.leave(db, f) // its COMMIT is not seen
}

// leave flushes the lists of a write of which it is not known when it is committed, or whether:
// readers go to the database for a while.
func (p *plugin) leave(db *gorm.DB, f flush) {
	ctx := context.WithoutCancel(db.Statement.Context)
	intent, err := p.rt.prepare(ctx, f)
	if err != nil {
		_ = db.AddError(err)
		return
	}
	intent.Leave()
	p.rt.flushed(ctx, f)
}

// tooLate flushes the lists of a write in a transaction that another goroutine ended meanwhile.
func (p *plugin) tooLate(db *gorm.DB, falls []fall) {
	p.rt.report(errLateWrite)
	p.leave(db, p.rt.flushOf(falls))
}

// end runs last and ends the plugin's own transaction.
func (p *plugin) end(db *gorm.DB) {
	w := p.current(db)
	db.Statement.Settings.Delete(writeKey)
	if w == nil || !w.own {
		return
	}
	// In a function of its own, which keeps w reachable until then: its cleanup would cancel the
	// transaction under the COMMIT.
	defer func() { w.lose() }()
	tx, ok := db.Statement.ConnPool.(gorm.TxCommitter)
	db.Statement.ConnPool = w.outer
	if !ok {
		return
	}
	if db.Error != nil {
		_ = tx.Rollback() // db.Error says more
		return
	}
	_ = db.AddError(tx.Commit())
}
