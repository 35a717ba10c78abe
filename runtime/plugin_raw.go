package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// rawKey is where a statement of SQL text keeps its rawWrite.
const rawKey = "cachegen:sql"

// rawWrite is what the plugin keeps about one statement of SQL text, from before it until after.
type rawWrite struct {
	stmt    *gorm.Statement
	query   string
	reading *sqltext.Reading
	part    partition
	to      *sqlTargets // what it writes; nil as long as that has not been looked up
	tx      *dbTx       // that it runs in; nil: none, or the plugin's own
	heard   int         // for a savepoint: how many its transaction had heard of before it

	own    gorm.TxCommitter   // the plugin's own transaction, for this statement
	sees   *dbTx              // the same, as it collects
	outer  gorm.ConnPool      // the pool to go back to after it
	lose   context.CancelFunc // rolls that transaction back, if nothing has ended it
	intent flushlist.Intent   // what ends after the statement, where it commits itself
	flush  flush              // what it flushes then
}

// registerRaw registers the callbacks for SQL text around a processor's main callback.
func registerRaw[P callbacks[C], C callback[C]](p *plugin, cb P, main string, rowsOutlive bool) error {
	after := cb.After(main)
	if cb.Get("gorm:preload") != nil { // which is not a part of the statement, nor are the hooks behind it
		after = after.Before("gorm:preload")
	}
	ends := p.heeding(p.afterSQL(main == "gorm:raw"))
	if rowsOutlive {
		ends = p.outliving(ends)
	}
	errs := []error{
		cb.Before(main).Register("cachegen:before_sql", p.beforeSQL(rowsOutlive)),
		after.Register("cachegen:after_sql", ends),
	}
	if fn := cb.Get(main); fn != nil {
		errs = append(errs, cb.Replace(main, p.guardSQL(fn)))
	}
	return errors.Join(errs...)
}

// beforeSQL judges SQL text: Exec in the raw processor, Raw(…).Find in the query processor, and
// Raw(…).Row, Rows and Scan in the row processor, where rowsOutlive the callbacks.
//
//  1. In a transaction that the plugin sees end, the lists are collected after the statement.
//  2. Outside of one, what may run in a transaction gets one of the plugin's own, and is like 1 from there on.
//  3. What may not (DDL, CALL, what is not recognised) leaves its tokens before it and flushes after it, whatever it
//     answered: a statement that failed may have done a part.
//  4. Where the end is not seen, since rows outlive the callbacks or the transaction is foreign, the tokens stay.
//     Strict mode refuses.
func (p *plugin) beforeSQL(rowsOutlive bool) func(*gorm.DB) {
	return func(db *gorm.DB) {
		st := db.Statement
		st.Settings.Delete(rawKey)
		if db.Error != nil || db.DryRun || st.SQL.Len() == 0 {
			return
		}
		query := st.SQL.String()
		tx := p.txOf(st.ConnPool)
		if tx != nil {
			if _, ok := sqltext.ParseSavepoint(query); ok {
				st.Settings.Store(rawKey, &rawWrite{stmt: st, query: query, tx: tx, heard: tx.savepointsHeard()})
				return
			}
			if sqltext.HidesSavepoint(query) { // also where it is sent prepared, past ExecContext
				tx.forget()
			}
		}
		w := p.readsText(db, query, tx)
		if w == nil {
			return
		}
		var err error
		if w.part, err = p.rt.partition(st.Context); err != nil {
			_ = db.AddError(err)
			return
		}
		st.Settings.Store(rawKey, w)
		if tx != nil && !w.reading.Ends {
			// A read in front of a write might fail with SQLITE_BUSY where the write alone would wait.
			if db.Name() != "sqlite" {
				w.lookUp(p, db)
			}
			return
		}
		st.ConnPool = p.wrap(st.ConnPool) // something else may have put a bare one here
		if w.lookUp(p, db); len(w.to.models)+len(w.to.hung)+len(w.to.fired) == 0 {
			st.Settings.Delete(rawKey)
			return
		}
		p.marks(db, w, rowsOutlive)
	}
}

// readsText returns what is to be kept about SQL text; nil where it changes nothing that anybody caches.
func (p *plugin) readsText(db *gorm.DB, query string, tx *dbTx) *rawWrite {
	w := &rawWrite{stmt: db.Statement, query: query, reading: sqltext.Read(query, dialectOf(db.Name())), tx: tx}
	w.reading.Ends = w.reading.Ends && tx != nil
	if w.reading.Ends {
		tx.endUnseen()
	}
	if w.reading.Shapes {
		p.rt.catalog.forget()
		if tx != nil {
			tx.shaped.Store(true)
		}
	}
	switch models := p.rt.registry.every(); {
	case flushOff(db.Statement.Context):
		return nil
	case len(models) == 0:
		if w.reading.Rows {
			p.modelless()
		}
		return nil
	case w.reading.Ends: // what was collected before it may be committed by it
		w.to = &sqlTargets{models: models, reason: rawSQL}
	case !w.reading.Writes():
		return nil
	}
	return w
}

// lookUp finds out what the text writes, once.
func (w *rawWrite) lookUp(p *plugin, db *gorm.DB) {
	if w.to == nil {
		_, inTx := db.Statement.ConnPool.(gorm.TxCommitter)
		keeps := !inTx || w.tx != nil && !w.tx.shaped.Load()
		to := p.rt.targetsOf(db, w, keeps)
		w.to = &to
	}
}

// falls are the lists that the text makes wrong.
func (w *rawWrite) falls() []fall {
	return slices.Concat(allFor(w.to.reason, w.to.models, w.part, nil), allFor(byReference, w.to.hung, w.part, nil), allFor(w.to.code, w.to.fired, w.part, nil))
}

// marks begins a transaction for a statement outside of one, or leaves its tokens.
func (p *plugin) marks(db *gorm.DB, w *rawWrite, rowsOutlive bool) {
	st := db.Statement
	_, foreign := st.ConnPool.(gorm.TxCommitter)
	foreign = foreign && w.tx == nil
	if p.rt.opts.Mode == flushlist.Strict && (foreign || rowsOutlive) {
		refuseSQL(db, foreign, rowsOutlive)
		return
	}
	if w.reading.Plain && w.tx == nil && !foreign && !rowsOutlive {
		if p.beginsOwn(db, w) || db.Error != nil {
			return
		}
	}
	if w.tx != nil && !w.tx.collect(w.falls()) {
		return // it had ended before: afterSQL says more
	}
	w.flush = p.rt.flushOf(w.falls())
	intent, err := p.rt.prepare(st.Context, w.flush)
	if err != nil {
		_ = db.AddError(err)
		st.Settings.Delete(rawKey)
		return
	}
	if foreign || rowsOutlive {
		intent.Leave()
		p.rt.flushed(st.Context, w.flush)
		st.Settings.Delete(rawKey)
		return
	}
	w.intent = intent
}

// refuseSQL refuses what strict mode must: whose end cannot be seen.
func refuseSQL(db *gorm.DB, foreign, rowsOutlive bool) {
	st := db.Statement
	st.Settings.Delete(rawKey)
	err := errRowsOutside
	if foreign {
		err = errForeignTx
	}
	_ = db.AddError(err)
	if rows, _ := db.Get("rows"); rowsOutlive && rows != true {
		// Raw(…).Row() returns what is here and is scanned at once; nil would panic there.
		if bare, err := db.DB(); err == nil {
			st.Dest = bare.QueryRowContext(refusal{db.Error}, "")
		}
	}
}

// beginsOwn begins a transaction for the statement. It returns false where the pool cannot begin one.
func (p *plugin) beginsOwn(db *gorm.DB, w *rawWrite) bool {
	st := db.Statement
	ctx, cancel := context.WithCancel(st.Context)
	begun := db.WithContext(ctx).Begin()
	if tx := p.txOf(begun.Statement.ConnPool); begun.Error == nil && tx != nil {
		w.own, w.sees, w.outer, w.lose = begun.Statement.ConnPool.(gorm.TxCommitter), tx, st.ConnPool, cancel
		st.ConnPool = begun.Statement.ConnPool
		// After a panic in a callback of the application's, nothing runs that could end it.
		runtime.AddCleanup(w, func(cancel context.CancelFunc) { cancel() }, cancel)
		return true
	}
	cancel()
	switch {
	case begun.Error != nil && !errors.Is(begun.Error, gorm.ErrInvalidTransaction):
		_ = db.AddError(begun.Error)
	case p.rt.opts.Mode == flushlist.Strict:
		_ = db.AddError(errNoTx)
	default:
		return false
	}
	st.Settings.Delete(rawKey)
	return false
}

// refusal is a context that has ended with an error of ours: a query made with it is not sent, and its row
// returns that error.
type refusal struct{ err error }

func (r refusal) Deadline() (time.Time, bool) { return time.Time{}, false }
func (r refusal) Err() error                  { return r.err }
func (r refusal) Value(any) any               { return nil }

// Done returns a channel that is closed.
func (r refusal) Done() <-chan struct{} { return ended }

var ended = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// guardSQL runs one of GORM's callbacks that sends SQL text. When it panics, a driver or a Value method in it, the
// text may have been sent: what it writes falls, and a transaction of the plugin's own is rolled back.
func (p *plugin) guardSQL(fn func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) {
		finished := false
		defer func() {
			w := p.currentSQL(db)
			if finished || w == nil {
				return
			}
			db.Statement.Settings.Delete(rawKey)
			switch {
			case w.own != nil:
				rollBackSoon(w.own)
				w.lose()
			case w.intent != nil:
				w.intent.Leave()
			case w.reading != nil:
				if w.to == nil { // no more statements now
					w.to = &sqlTargets{models: p.rt.registry.every(), reason: panicked}
				}
				p.deliver(db, w.falls())
			}
		}()
		fn(db)
		finished = true
	}
}

// currentSQL returns what is kept about db's statement, or nil.
func (p *plugin) currentSQL(db *gorm.DB) *rawWrite {
	v, ok := db.Statement.Settings.Load(rawKey)
	if !ok {
		return nil
	}
	if w := v.(*rawWrite); w.stmt == db.Statement {
		return w
	}
	return nil // copied with the settings of another statement
}

// afterSQL ends what beforeSQL began. executed says that RowsAffected is the database's count of rows, and not
// that of the rows which were returned.
func (p *plugin) afterSQL(executed bool) func(*gorm.DB) {
	return func(db *gorm.DB) {
		st := db.Statement
		w := p.currentSQL(db)
		if w == nil {
			return
		}
		st.Settings.Delete(rawKey)
		if w.reading == nil { // a savepoint
			// One that ExecContext did not hear of was sent as a prepared statement.
			if db.Error == nil && w.tx.savepointsHeard() == w.heard {
				if s, ok := sqltext.ParseSavepoint(w.query); ok {
					w.tx.savepoint(s, false)
				}
			}
			return
		}
		if w.reading.Shapes {
			p.rt.catalog.forget()
		}
		if w.intent != nil {
			// Whatever it answered: a statement that failed may have done a part.
			p.rt.finish(context.WithoutCancel(st.Context), w.intent, w.flush)
			p.rt.flushed(st.Context, w.flush)
			return
		}
		w.lookUp(p, db)
		if st.SQL.String() != w.query { // a callback has sent another
			w.to = &sqlTargets{models: p.rt.registry.every(), reason: byCallback}
		}
		undone := db.Error != nil && refusedStatement(db.Error) && w.undone(db.Name())
		unchanged := db.Error == nil && executed && db.RowsAffected == 0 && w.to.counts
		if !undone && !unchanged && len(w.to.hung) > 0 && !p.enforced(db) {
			w.to.hung = nil
		}
		p.endSQL(db, w, undone || unchanged)
	}
}

// undone reports whether a statement that the database has refused has left nothing behind. PostgreSQL's
// transaction is lost then; elsewhere one of several statements may have been made, or a part of one.
func (w *rawWrite) undone(database string) bool {
	return database == "postgres" || w.reading.Statements == 1 && w.reading.Plain && !w.reading.Partial && w.to.counts
}

// endSQL hands a statement's lists to its transaction, and ends that if it is the plugin's own.
func (p *plugin) endSQL(db *gorm.DB, w *rawWrite, nothing bool) {
	falls := w.falls()
	if nothing {
		falls = nil
	}
	if w.own == nil {
		if len(falls) > 0 && !w.tx.collect(falls) && !errors.Is(db.Error, sql.ErrTxDone) {
			p.tooLate(db, falls)
		}
		return
	}
	// In a function of its own, which keeps w reachable until then: its cleanup would cancel the
	// transaction under the COMMIT.
	defer func() { w.lose() }()
	db.Statement.ConnPool = w.outer
	if nothing && db.Error != nil {
		_ = w.own.Rollback()
		return
	}
	w.sees.collect(falls)
	// Also where GORM has met an error: without the plugin, what it could not read is written all the same.
	if err := w.own.Commit(); db.Error == nil {
		_ = db.AddError(err)
	}
}

// refusedStatement reports whether an error is the database's own answer to a statement, which has undone what
// the statement had changed by then.
func refusedStatement(err error) bool {
	for _, translated := range []error{gorm.ErrDuplicatedKey, gorm.ErrForeignKeyViolated, gorm.ErrCheckConstraintViolated} {
		if errors.Is(err, translated) {
			return true
		}
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if _, ok := sqliteAnswer(e); ok {
			return true
		}
	}
	return refused(err)
}
