package cacheruntime

import (
	"context"
	"errors"
	"sync"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// pluginName is the plugin's name at gorm.DB.Use.
const pluginName = "cachegen"

var (
	errResolverFirst = errors.New("dbresolver was registered before cachegen, so that the COMMITs of its transactions " +
		"would not be seen: make the Runtime first, then db.Use(dbresolver.Register(…))")
	errSecondPlugin = errors.New("this database has a Runtime already: use that one, or open another *gorm.DB with gorm.Open")
	errClosedPlugin = errors.New("this database had a Runtime, which has been closed; a *gorm.DB has no second one, since sessions made of it " +
		"still know the first: open another with gorm.Open")
	errNoModels  = errors.New("cachegen: this program writes and flushes nothing, since it has no models: call NewModels of each package whose tables it writes, before the first write")
	errForeignTx = errors.New("cachegen: strict mode: this transaction's COMMIT cannot be seen, since it was not begun through the " +
		"database given to New: begin it with db.Transaction or db.Begin, on a *gorm.DB made after New and outside of db.Connection")
	errNoTx = errors.New("cachegen: strict mode: this connection pool cannot begin a transaction, so that a write in it " +
		"cannot be flushed with its COMMIT: give gorm.Open a *sql.DB, or a pool with BeginTx")
	errLateWrite = errors.New("cachegen: a write in a transaction came to its end after the transaction's Commit or Rollback had begun: " +
		"it is not known whether it was committed, and readers go to the database for a while: end a transaction when its writes have returned")
	errRowsOutside = errors.New("cachegen: strict mode: Raw(…).Row, Rows or Scan of a statement that may write, outside of a transaction, " +
		"commits when its rows are closed, which cannot be seen: use Raw(…).Find, or put it in db.Transaction")
)

// plugin hooks a Runtime into GORM: it sees every write made through one database, and the COMMIT of
// every transaction begun through it. It is safe for concurrent use.
type plugin struct {
	rt *Runtime

	mu      sync.Mutex
	started bool // Initialize has succeeded once
}

var _ gorm.Plugin = (*plugin)(nil)

// use registers the plugin on the database given to New.
func (p *plugin) use(db *gorm.DB) error {
	err := db.Use(p)
	if errors.Is(err, gorm.ErrRegistered) {
		return taken(db)
	}
	return err
}

// taken says why a database has no room for a Runtime, if it has one or had one.
func taken(db *gorm.DB) error {
	switch old, ok := db.Plugins[pluginName].(*plugin); {
	case !ok:
		return nil
	case old.rt.closed.Load():
		return errClosedPlugin
	}
	return errSecondPlugin
}

// Name is the plugin's name.
func (p *plugin) Name() string { return pluginName }

// Initialize registers the plugin on db. It runs again for the databases that others open with a copy
// of db's Config, as dbresolver does for its sources and replicas: those are the same database
// to us. An error leaves db without working callbacks, and must end the program's start.
func (p *plugin) Initialize(db *gorm.DB) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := db.Plugins[resolverName]; ok && !p.started {
		return errResolverFirst
	}
	// Both: GORM goes back to db.ConnPool after its own transaction.
	db.ConnPool = p.wrap(db.ConnPool)
	if db.Statement != nil {
		db.Statement.ConnPool = p.wrap(db.Statement.ConnPool)
	}
	defer func(l logger.Interface) { db.Logger = l }(db.Logger)
	db.Logger = logger.Discard // GORM tells of every callback that is replaced
	if err := p.register(db); err != nil {
		return err
	}
	p.started = true
	return nil
}

// callbacks is one of GORM's processors, whose type has no name outside of it.
type callbacks[C callback[C]] interface {
	Get(name string) func(*gorm.DB)
	Replace(name string, fn func(*gorm.DB)) error
	Before(name string) C
	After(name string) C
}

type callback[C any] interface {
	Before(name string) C
	After(name string) C
	Register(name string, fn func(*gorm.DB)) error
}

// register puts the plugin's callbacks among GORM's.
func (p *plugin) register(db *gorm.DB) error {
	cb := db.Callback()
	return errors.Join(
		registerWrite(p, cb.Create(), opCreate, "gorm:create", "gorm:save_before_associations", "gorm:save_after_associations",
			"gorm:before_create", "gorm:after_create"),
		registerWrite(p, cb.Update(), opUpdate, "gorm:update", "gorm:save_before_associations", "gorm:save_after_associations",
			"gorm:setup_reflect_value", "gorm:before_update", "gorm:after_update"),
		registerWrite(p, cb.Delete(), opDelete, "gorm:delete", "gorm:delete_before_associations", "gorm:after_delete",
			"gorm:before_delete"),
		registerRaw(p, cb.Raw(), "gorm:raw", false),
		registerRaw(p, cb.Query(), "gorm:query", false),
		registerRaw(p, cb.Row(), "gorm:row", true),
		// Pinned on both sides: it keeps the model's hooks from running behind it.
		cb.Query().After("gorm:query").Before("gorm:preload").Register("cachegen:loaded", p.loaded),
		p.registerAdhoc(db),
	)
}

// registerWrite registers begin, before, after and end around a processor's main callback. prior and
// next are its neighbours, hooks the other callbacks that run code of the model's, the first one
// first.
func registerWrite[P callbacks[C], C callback[C]](p *plugin, cb P, op writeOp, main, prior, next string, hooks ...string) error {
	// With SkipDefaultTransaction at Open there is no begin_transaction, and a callback put before
	// a name that is not there would come last.
	first := "gorm:begin_transaction"
	if cb.Get(first) == nil {
		first = hooks[0]
	}
	errs := []error{
		cb.Before(first).Register("cachegen:begin", p.begin(op)),
		// Pinned on both sides: After alone would put them at the end, behind the COMMIT.
		cb.After(prior).Before(main).Register("cachegen:before", p.before),
		cb.After(main).Before(next).Register("cachegen:after", p.heeding(p.after)),
		cb.After("*").Register("cachegen:end", p.end),
	}
	for _, name := range append([]string{main, prior, next}, hooks...) {
		if fn := cb.Get(name); fn != nil {
			if name == main {
				fn = p.plans(op, p.survives(fn))
			}
			errs = append(errs, cb.Replace(name, p.guard(fn)))
		}
	}
	return errors.Join(errs...)
}

// guard runs one of GORM's callbacks, or of the model's hooks in it. When that panics, the statement's
// transaction is rolled back on the way: neither ours nor GORM's own would ever be ended, and its
// connection would be lost to the pool.
func (p *plugin) guard(fn func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) {
		finished := false
		defer func() {
			if !finished {
				p.abandon(db)
			}
		}()
		fn(db)
		finished = true
	}
}

// survives runs GORM's main callback of a write. When that panics behind its statement, in a serializer that reads what was
// returned, the program may recover and commit its transaction all the same: what was sent falls then.
func (p *plugin) survives(main func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) {
		finished := false
		defer func() {
			w := p.current(db)
			if finished || w == nil || db.Statement.SQL.Len() == 0 {
				return
			}
			w.giveUp(panicked)
			p.deliver(db, allFor(w.reason, w.whole, w.part, columnsOf(db.Statement, w.op)))
		}()
		main(db)
		finished = true
	}
}

// abandon rolls back the transaction that was begun for this very statement.
func (p *plugin) abandon(db *gorm.DB) {
	w := p.current(db)
	_, started := db.InstanceGet("gorm:started_transaction")
	if !started && (w == nil || !w.own) {
		return
	}
	if tx, ok := db.Statement.ConnPool.(gorm.TxCommitter); ok {
		rollBackSoon(tx)
	}
	if w != nil && w.own {
		w.lose()
	}
}

// rollBackSoon rolls back while a panic is on its way, which goes on and says more than an error would. It does not
// wait for ever: where a Value method has panicked, database/sql keeps a lock that its Rollback asks
// for. Then the connection is lost, as it is without the plugin, and the panic is not.
func rollBackSoon(tx gorm.TxCommitter) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tx.Rollback()
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// flushNow flushes lists at once, outside of any transaction. In strict mode its error matches
// [ErrFlush] where a server could not be told, and nothing was flushed.
func (rt *Runtime) flushNow(ctx context.Context, f flush) error {
	if len(f.lists) == 0 {
		return nil
	}
	intent, err := rt.prepare(ctx, f)
	if err != nil {
		return err
	}
	rt.finish(ctx, intent, f)
	rt.flushed(ctx, f)
	return nil
}

// flushOf returns what a write flushes.
func (rt *Runtime) flushOf(falls []fall) flush {
	falls, by := stands(rt.queried.with(falls))
	f := flushOf(falls, rt.opts.BulkRows+rt.opts.BulkLists)
	f.by = by
	return f
}
