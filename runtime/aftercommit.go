package cacheruntime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"gorm.io/gorm"
)

var errNoTransaction = errors.New("cachegen: AfterCommit: tx is not in a transaction begun through the database given to New: " +
	"pass the *gorm.DB of db.Transaction or db.Begin, or of a hook")

// AfterCommit registers fn to run when the transaction of tx has been committed and its flushes are
// made: once, in the order of registration, on the goroutine that commits. It never runs after a
// rollback, nor when a savepoint taken before it was rolled back, nor when the outcome of the
// COMMIT is not known. fn's context carries the values of the transaction's context and does not end
// with it. A panic in fn is recovered and reported to the observer.
//
// If tx is not in a transaction whose end the plugin sees, AfterCommit returns an error, and fn never runs.
func AfterCommit(tx *gorm.DB, fn func(ctx context.Context)) error {
	if fn == nil {
		return errors.New("cachegen: AfterCommit: nil function")
	}
	if tx == nil || tx.Statement == nil {
		return errNoTransaction
	}
	p, ok := tx.Plugins[pluginName].(*plugin)
	if !ok {
		return errors.New("cachegen: AfterCommit: no Runtime was made for this database: call New first")
	}
	t := p.txOf(tx.Statement.ConnPool)
	if t == nil {
		return errNoTransaction
	}
	t.heedRows()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return errors.New("cachegen: AfterCommit: the transaction has ended")
	}
	t.hooks = append(t.hooks, fn)
	return nil
}

// runHooks runs the functions of AfterCommit.
func (rt *Runtime) runHooks(ctx context.Context, hooks []func(context.Context)) {
	for _, fn := range hooks {
		rt.recovering("a function given to AfterCommit", func() { fn(ctx) })
	}
}

// recovering runs fn and reports whether it came to its end; a panic in it is reported.
func (rt *Runtime) recovering(what string, fn func()) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			ok = false
			rt.report(fmt.Errorf("cachegen: %s panicked: %v\n%s", what, r, debug.Stack()))
		}
	}()
	fn()
	return true
}
