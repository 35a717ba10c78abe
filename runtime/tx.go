package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// dbTx is a transaction that the plugin sees end. During it the plugin only collects; everything that
// concerns the cache happens in Commit.
//
// It is a gorm.Tx (PreparedStmtDB needs StmtContext too) and has no Begin method: GORM takes
// ErrInvalidTransaction from Begin as "already in a transaction". As a *sql.Tx it may be used by
// several goroutines.
type dbTx struct {
	p     *plugin
	ctx   context.Context // BeginTx's: the transaction ends with it
	inner gorm.ConnPool
	pool  *pool

	began     moment // how new its snapshot is at least
	isolation sql.IsolationLevel
	// writing says that the database's write lock is held, where it has one (SQLite).
	writing atomic.Bool
	// shaped says that SQL text in it may have changed what tables there are: what the catalog says of them
	// here is nobody else's before the COMMIT.
	shaped atomic.Bool

	mu    sync.Mutex
	done  bool
	ended bool                    // SQL text may have ended it behind database/sql's back
	falls []fall                  // in the order of collection
	tidy  int                     // how many of them are too many, so that repeats are dropped
	hooks []func(context.Context) // those of AfterCommit, in order
	marks []mark                  // savepoints, oldest first
	heard int                     // savepoint statements that reached ExecContext

	lost     loss   // the database may have rolled it back by itself
	loose    []fall // what was collected since
	reopened bool   // a savepoint was taken since, which on SQLite begins another

	rows *sql.Rows // the last that the program reads after the callbacks
}

var _ gorm.Tx = (*dbTx)(nil)

// asSeenIn is the moment of what a statement on a pool sees: in a transaction, that may be the transaction's beginning. Of those whose
// isolation is the database's default it is not known; a long one is not to ask the catalog again for every write.
func asSeenIn(cp gorm.ConnPool, now moment) moment {
	switch t := cp.(type) {
	case *dbTx:
		if t.isolation > sql.LevelWriteCommitted {
			return t.began
		}
		return moment{t.began.era, now.at}
	case *gorm.PreparedStmtTX:
		return asSeenIn(t.Tx, now)
	}
	return now
}

func (t *dbTx) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return t.inner.PrepareContext(ctx, query)
}

// ExecContext is where the dialects' SAVEPOINT, ROLLBACK TO and RELEASE come by.
func (t *dbTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if sqltext.HidesSavepoint(query) {
		t.forget()
	}
	result, err := t.inner.ExecContext(ctx, query, args...)
	if err == nil {
		if s, ok := sqltext.ParseSavepoint(query); ok {
			t.savepoint(s, true)
		}
	}
	return result, err
}

func (t *dbTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.inner.QueryContext(ctx, query, args...)
}

func (t *dbTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.inner.QueryRowContext(ctx, query, args...)
}

// StmtContext binds a prepared statement to the transaction.
func (t *dbTx) StmtContext(ctx context.Context, stmt *sql.Stmt) *sql.Stmt {
	if tx, ok := t.inner.(interface {
		StmtContext(context.Context, *sql.Stmt) *sql.Stmt
	}); ok {
		return tx.StmtContext(ctx, stmt)
	}
	return stmt
}

// GetDBConn is what tx.DB() asks for.
func (t *dbTx) GetDBConn() (*sql.DB, error) { return t.pool.GetDBConn() }

// collect keeps lists until the transaction commits. It returns false where that has begun, or the
// transaction has ended: another goroutine did that while this one wrote.
func (t *dbTx) collect(falls []fall) bool {
	t.heedRows()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return false
	}
	t.falls = append(t.falls, falls...)
	if t.lost != lossNone {
		t.loose = append(t.loose, falls...)
	}
	// A long transaction may write the same rows over and over. Marks count what stands before
	// them, so nothing is dropped while there are any.
	if len(t.falls) > max(t.tidy, 1000) && len(t.marks) == 0 {
		t.falls = distinct(t.falls)
		t.tidy = 2 * len(t.falls)
	}
	return true
}

// endUnseen notes that SQL text may have ended the transaction: what was collected may be committed, and
// what follows commits itself.
func (t *dbTx) endUnseen() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended, t.marks = true, nil
}

// end returns what was collected, once: after it nothing is collected any more. unseen is what
// falls although the transaction does not commit now.
func (t *dbTx) end() (f, unseen flush, hooks []func(context.Context)) {
	t.heedRows()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return flush{}, flush{}, nil
	}
	t.done = true
	f, hooks = t.p.rt.flushOf(slices.Concat(t.falls, t.loose)), t.hooks
	if loose := t.unseenFalls(); len(loose) > 0 {
		unseen = t.p.rt.flushOf(loose)
	}
	t.falls, t.loose, t.hooks, t.marks = nil, nil, nil, nil
	return f, unseen, hooks
}

// Commit marks the collected lists as being written, commits, and flushes them:
//
//  1. Tokens are left in the cells of all lists. From here on no reader stores what it loads.
//  2. The database commits.
//  3. Committed: the tokens go out and new stamps come in. Certainly not committed: the tokens go out
//     and the stamps stay. Not known: the tokens stay, and readers go to the database.
//
// In strict mode a server that cannot be told in step 1 rolls the transaction back, and the error
// matches [ErrFlush]. The caller's context may end meanwhile; what is said to the cache does not.
func (t *dbTx) Commit() error {
	inner := t.inner.(gorm.TxCommitter)
	if t.shaped.Load() {
		defer t.p.rt.catalog.forget()
	}
	f, unseen, hooks := t.end()
	ctx := context.WithoutCancel(t.ctx)
	if _, plain := t.inner.(*sql.Tx); plain && t.ctx.Err() != nil {
		// database/sql has rolled it back, or is about to: it sends no COMMIT now.
		err := inner.Commit()
		if len(unseen.lists) > 0 {
			err = errors.Join(err, t.p.rt.flushNow(ctx, unseen))
		}
		return err
	}
	if len(f.lists) == 0 {
		err := inner.Commit()
		if err == nil {
			t.p.rt.runHooks(ctx, hooks)
		}
		return err
	}
	intent, err := t.p.rt.prepare(ctx, f)
	if err != nil {
		_ = inner.Rollback() // the transaction is lost either way, and err says why
		return rolledBack(err)
	}
	answered := false
	defer func() {
		if !answered { // a driver that panics: what became of the COMMIT is not known
			t.p.rt.leave(ctx, intent, f)
		}
	}()
	err = inner.Commit()
	answered = true
	switch {
	case err == nil:
		t.p.rt.finish(ctx, intent, f)
		t.p.rt.flushed(ctx, f)
		t.p.rt.runHooks(ctx, hooks)
	case hadEnded(err):
		// It had ended before: what was written since is committed, and nothing else will be.
		t.p.rt.finish(ctx, intent, f)
		t.p.rt.flushed(ctx, f)
	case refused(err):
		t.rollBackOpen(ctx, err)
		if len(unseen.lists) > 0 {
			t.p.rt.leave(ctx, intent, f)
			break
		}
		intent.Abort(ctx)
	default:
		t.p.rt.leave(ctx, intent, f)
	}
	return err
}

// rolledBack adds to the error of a flush what became of the write.
func rolledBack(err error) error { return fmt.Errorf("the transaction was rolled back: %w", err) }

// Rollback forgets what was collected; the cache is not concerned, unless SQL text, or the database itself, may have
// ended the transaction before.
func (t *dbTx) Rollback() error {
	_, unseen, _ := t.end()
	err := t.inner.(gorm.TxCommitter).Rollback()
	if len(unseen.lists) == 0 || t.wasOpen(err) {
		return err
	}
	return errors.Join(err, t.p.rt.flushNow(context.WithoutCancel(t.ctx), unseen))
}
