package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"gorm.io/gorm"
)

// Runtime serves the models of one database from one store. It is safe for concurrent use.
type Runtime struct {
	db        *gorm.DB
	store     Store
	opts      Options // as given to New, defaults filled in
	observers observers
	unheard   unheard
	registry  registry
	relations relations
	flights   flights
	unkept    unkept
	guards    guards
	catalog   catalogMemory
	queried   queried
	plans     plans
	release   func() // gives the namespace back to the store
	bypass    atomic.Bool
	closed    atomic.Bool
	stats     counters
	sampler   *sampler // nil: none
	chores    *chores
	modelless sync.Once // the report that writes come and no model is there

	replayOnce sync.Once
	replayer   *sql.DB // from which the results of queries come as rows; closed with the Runtime
}

// New makes a Runtime and registers the GORM plugin on db. From then on every write made through db
// flushes what it makes wrong. Give it the same *gorm.DB that the program writes with, before sessions
// are made of it, and register dbresolver after it.
//
// The plugin flushes for the models that the generated NewModels has told it of. Call NewModels for
// every package whose tables this program writes, even in a program that reads nothing. Call it before
// the table's first write and the first read of a list of it: what the program flushes is registered
// then, and a model that comes later has it registered again.
//
// One database has one plugin: a second New on the same db is an error, and so is a second one
// with the same Options.Namespace on the same store.
func New(db *gorm.DB, store Store, opts Options) (*Runtime, error) {
	if db == nil || store == nil {
		return nil, errors.New("cachegen: New needs a *gorm.DB and a store: open them first")
	}
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	if store.Closed() {
		return nil, errStoreClosed
	}
	if err := unfit(db); err != nil {
		return nil, err
	}
	rt := &Runtime{db: db, store: store, opts: opts, observers: observersOf(opts.Observer)}
	rt.guards.trusted = opts.Partition != nil
	if rt.release, err = store.Claim(opts.Namespace, rt.event); err != nil {
		return nil, err
	}
	if err := (&plugin{rt: rt}).use(db); err != nil {
		rt.release()
		return nil, fmt.Errorf("cachegen: the plugin cannot be registered: %w", err)
	}
	rt.sampler, rt.chores = newSampler(rt, opts.Sample), newChores()
	return rt, nil
}

// unfit says why a *gorm.DB cannot be a Runtime's.
func unfit(db *gorm.DB) error {
	const open = "give New what gorm.Open returned"
	switch {
	case db.Error != nil:
		return fmt.Errorf("cachegen: the *gorm.DB given to New carries an error, which every statement on it would return; "+open+": %w", db.Error)
	case db.DryRun:
		return errors.New("cachegen: the *gorm.DB given to New sends nothing (DryRun); " + open)
	}
	if err := taken(db); err != nil { // the store would only say that the namespace is taken
		return fmt.Errorf("cachegen: %w", err)
	}
	if tx, ok := db.Statement.ConnPool.(gorm.TxCommitter); ok && tx != nil {
		return errors.New("cachegen: the *gorm.DB given to New is a transaction, which ends before the program does; " + open)
	}
	return nil
}

// Close ends the reads: from then on each returns an error matching [ErrClosed]. Writes made through
// the database go on flushing as long as the store is open, since other programs may still be
// reading. Close does not close the store. A second Close does nothing.
func (rt *Runtime) Close() error {
	if rt.closed.CompareAndSwap(false, true) {
		rt.sampler.close()
		rt.chores.close()
		rt.release()
		rt.replayOnce.Do(func() {}) // so that it is not made any more
		if rt.replayer != nil {
			return rt.replayer.Close()
		}
	}
	return nil
}

// SetBypass sends every read to the database, or through the cache again. Writes go on flushing
// meanwhile, so the cache is right when you switch it on again.
func (rt *Runtime) SetBypass(on bool) { rt.bypass.Store(on) }

// Bypass reports whether reads go to the database.
func (rt *Runtime) Bypass() bool { return rt.bypass.Load() }

// FlushTable flushes every entry of a table, which is given by its name in the database. It is for writes
// made elsewhere: call it after their COMMIT. With Options.Partition, it flushes the entries of ctx's
// partition. Its error matches [ErrNoModel] for a table that no model is cached of, and [ErrFlush] where
// the store could not be told in mode Strict.
//
// In mode Available a flush that does not reach its server is retried in the background, and FlushTable
// returns nil. A program that ends soon afterwards should use mode Strict, or check the error of the
// store's Close.
func (rt *Runtime) FlushTable(ctx context.Context, table string) error {
	if ctx == nil {
		return ErrNilContext
	}
	models := rt.registry.of(table)
	if len(models) == 0 {
		if tables := rt.registry.tables(); len(tables) > 0 {
			return fmt.Errorf("%w of table %q; there are models of %q: call NewModels of the package that has this table, too", ErrNoModel, table, tables)
		}
		return fmt.Errorf("%w of table %q: NewModels has not been called; call that of each package whose tables this program writes", ErrNoModel, table)
	}
	p, err := rt.partition(ctx)
	if err != nil {
		return err
	}
	return rt.flushNow(ctx, rt.flushOf(allOf(models, p, nil)))
}

// tables returns the names of the tables that models are cached of, sorted.
func (r *registry) tables() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var names []string
	for t := range r.byTable {
		names = append(names, t)
	}
	slices.Sort(names)
	return names
}
