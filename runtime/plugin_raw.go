package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
)

// rawKey is where a statement of SQL text keeps its rawWrite.
const rawKey = "cachegen:sql"

// rawWrite is what the plugin keeps about one statement of SQL text, from before it until after.
type rawWrite struct {
	stmt   *gorm.Statement
	intent flushlist.Intent // what ends after the statement, where it commits itself
	flush  flush            // what it flushes then
	tx     *dbTx            // for a savepoint: its transaction
	heard  int              // and how many the transaction had heard of before it
	late   []fall           // its transaction had ended before it: what falls if it is sent all the same
}

// beforeSQL judges SQL text: Exec in the raw processor, Raw(…).Find in the query processor, and
// Raw(…).Row, Rows and Scan in the row processor, where rowsOutlive the callbacks.
//
// Which tables the text writes is not read from it: what may write flushes every model's `all`.
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
			if _, ok := parseSavepoint(query); ok {
				st.Settings.Store(rawKey, &rawWrite{stmt: st, tx: tx, heard: tx.savepointsHeard()})
				return
			}
			if hidesSavepoint(query) { // also where it is sent prepared, past ExecContext
				tx.forget()
			}
		}
		ends := tx != nil && mayEnd(query, db.Name() == "mysql")
		if ends {
			tx.endUnseen()
		}
		models := p.rt.registry.every()
		if len(models) == 0 && !flushOff(st.Context) && changesRows(query) {
			p.modelless()
		}
		if len(models) == 0 || flushOff(st.Context) || !ends && !mayWrite(query) {
			return
		}
		part, err := p.rt.partition(st.Context)
		if err != nil {
			_ = db.AddError(err)
			return
		}
		falls := allFor(rawSQL, models, part, nil)
		if tx != nil {
			if !tx.collect(falls) {
				st.Settings.Store(rawKey, &rawWrite{stmt: st, late: falls})
				return
			}
			if !ends {
				return
			}
		}
		_, foreign := st.ConnPool.(gorm.TxCommitter)
		foreign = foreign && tx == nil
		if p.rt.opts.Mode == flushlist.Strict && (foreign || rowsOutlive) {
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
			return
		}
		f := p.rt.flushOf(falls)
		intent, err := p.rt.prepare(st.Context, f)
		switch {
		case err != nil:
			_ = db.AddError(err)
		case foreign || rowsOutlive:
			intent.Leave()
			p.rt.flushed(st.Context, f)
		default:
			st.Settings.Store(rawKey, &rawWrite{stmt: st, intent: intent, flush: f})
		}
	}
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

// afterSQL ends what beforeSQL began.
func (p *plugin) afterSQL(db *gorm.DB) {
	st := db.Statement
	v, ok := st.Settings.LoadAndDelete(rawKey)
	if !ok {
		return
	}
	w := v.(*rawWrite)
	if w.stmt != st {
		return // copied with the settings of another statement
	}
	if w.late != nil {
		if !errors.Is(db.Error, sql.ErrTxDone) {
			p.tooLate(db, w.late)
		}
		return
	}
	if w.intent != nil {
		// Whatever it answered: a statement that failed may have done a part.
		p.rt.finish(context.WithoutCancel(st.Context), w.intent, w.flush)
		p.rt.flushed(st.Context, w.flush)
		return
	}
	// A savepoint that ExecContext did not hear of was sent as a prepared statement.
	if db.Error == nil && w.tx.savepointsHeard() == w.heard {
		if s, ok := parseSavepoint(st.SQL.String()); ok {
			w.tx.savepoint(s, false)
		}
	}
}
