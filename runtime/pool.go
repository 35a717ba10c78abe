package cacheruntime

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"
)

// pool stands in front of GORM's connection pool, so that each transaction begun through it is a
// [dbTx], whose COMMIT the plugin sees. It is safe for concurrent use.
//
// It must not become a gorm.TxBeginner, whose BeginTx returns a bare *sql.Tx: GORM would prefer that
// and commit unseen. So *sql.DB is not embedded, and what others look for on a pool is forwarded
// by hand.
type pool struct {
	p     *plugin
	inner gorm.ConnPool
}

var (
	_ gorm.ConnPool         = (*pool)(nil)
	_ gorm.ConnPoolBeginner = (*pool)(nil)
	_ gorm.GetDBConnector   = (*pool)(nil)
)

// wrap returns cp with a pool in it. What is bound to a transaction already is left as it is: a pool
// around it would look like autocommit, and flush before the COMMIT.
func (p *plugin) wrap(cp gorm.ConnPool) gorm.ConnPool {
	if _, isTx := cp.(gorm.TxCommitter); isTx || cp == nil || p.poolOf(cp) != nil {
		return cp
	}
	if t, ok := cp.(*gorm.PreparedStmtDB); ok {
		// Inside, so that SAVEPOINT and the migrators find the PreparedStmtDB where they look
		// for it. The new shell shares the statements of the old one.
		return &gorm.PreparedStmtDB{ConnPool: p.wrap(t.ConnPool), Mux: t.Mux, Stmts: t.Stmts}
	}
	return &pool{p: p, inner: cp}
}

// poolOf returns the plugin's pool in cp, or nil.
func (p *plugin) poolOf(cp gorm.ConnPool) *pool {
	switch t := cp.(type) {
	case *pool:
		if t.p == p {
			return t
		}
		return p.poolOf(t.inner)
	case *gorm.PreparedStmtDB:
		return p.poolOf(t.ConnPool)
	}
	return nil
}

// txOf returns the plugin's transaction in cp, or nil.
func (p *plugin) txOf(cp gorm.ConnPool) *dbTx {
	switch t := cp.(type) {
	case *dbTx:
		if t.p == p {
			return t
		}
		return p.txOf(t.inner)
	case *gorm.PreparedStmtTX: // nested, where a session prepares on a pool that prepares
		return p.txOf(t.Tx)
	}
	return nil
}

// databaseOf returns the database beneath a statement's pool, of which dbresolver, or a callback, may know several; nil where it is not
// known, as of a single connection, or of a transaction that was begun elsewhere.
func databaseOf(cp gorm.ConnPool) *sql.DB {
	switch t := cp.(type) {
	case *sql.DB:
		return t
	case gorm.GetDBConnector:
		if db, err := t.GetDBConn(); err == nil {
			return db
		}
	}
	return nil
}

func (w *pool) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return w.inner.PrepareContext(ctx, query)
}

func (w *pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return w.inner.ExecContext(ctx, query, args...)
}

func (w *pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return w.inner.QueryContext(ctx, query, args...)
}

func (w *pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return w.inner.QueryRowContext(ctx, query, args...)
}

// BeginTx begins a transaction whose end the plugin sees.
func (w *pool) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	began := w.p.rt.catalog.now()
	var inner gorm.ConnPool
	switch b := w.inner.(type) {
	case gorm.TxBeginner:
		tx, err := b.BeginTx(ctx, opts)
		if err != nil {
			return nil, err // and no typed nil in inner
		}
		inner = tx
	case gorm.ConnPoolBeginner:
		tx, err := b.BeginTx(ctx, opts)
		if err != nil {
			return nil, err
		}
		if _, ok := tx.(gorm.TxCommitter); !ok {
			return nil, gorm.ErrInvalidTransaction // GORM could not end it either
		}
		inner = tx
	default:
		return nil, gorm.ErrInvalidTransaction
	}
	t := &dbTx{p: w.p, ctx: ctx, inner: inner, pool: w, began: began}
	if opts != nil {
		t.isolation = opts.Isolation
	}
	return t, nil
}

// GetDBConn is what db.DB() and db.Connection() ask for.
func (w *pool) GetDBConn() (*sql.DB, error) {
	switch t := w.inner.(type) {
	case *sql.DB:
		return t, nil
	case gorm.GetDBConnector:
		return t.GetDBConn()
	}
	return nil, gorm.ErrInvalidDB
}

func (w *pool) Ping() error {
	if t, ok := w.inner.(interface{ Ping() error }); ok {
		return t.Ping()
	}
	return nil
}

// The setters below are looked for by dbresolver, which passes over pools that lack them.

func (w *pool) SetMaxOpenConns(n int) {
	if t, ok := w.inner.(interface{ SetMaxOpenConns(int) }); ok {
		t.SetMaxOpenConns(n)
	}
}

func (w *pool) SetMaxIdleConns(n int) {
	if t, ok := w.inner.(interface{ SetMaxIdleConns(int) }); ok {
		t.SetMaxIdleConns(n)
	}
}

func (w *pool) SetConnMaxLifetime(d time.Duration) {
	if t, ok := w.inner.(interface{ SetConnMaxLifetime(time.Duration) }); ok {
		t.SetConnMaxLifetime(d)
	}
}

func (w *pool) SetConnMaxIdleTime(d time.Duration) {
	if t, ok := w.inner.(interface{ SetConnMaxIdleTime(time.Duration) }); ok {
		t.SetConnMaxIdleTime(d)
	}
}
