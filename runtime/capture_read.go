package cacheruntime

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// The plugin's own statements run none of the application's callbacks: a condition that those add to
// queries, a tenant's say, would narrow what the plugin reads, and with it what the write is pinned
// to. They are built by GORM, sent on the write's connection, and told to its logger.

// sentError is an error of a statement that was sent: the server's, the connection's or the context's. The
// transaction may have ended with it, so that the write must fail too. Any other error is
// GORM's or Go's, and leaves the transaction as it is.
type sentError struct{ err error }

func (e *sentError) Error() string { return e.err.Error() }
func (e *sentError) Unwrap() error { return e.err }

// readError adds the error of a read to the write, where the transaction may have ended with it.
func readError(db *gorm.DB, err error) (added bool) {
	sent, ok := err.(*sentError)
	if ok {
		_ = db.AddError(sent.err)
	}
	return ok
}

// lock is how a read holds its rows until the transaction ends.
type lock string

const (
	noLock     lock = ""
	lockKeep   lock = "KEY SHARE"     // the row is there until the transaction ends; no other read or update waits for it
	lockUpdate lock = "NO KEY UPDATE" // PostgreSQL's UPDATE takes no more, and lets rows that refer to these be inserted
	lockDelete lock = clause.LockingStrengthUpdate
)

// strength is the lock that an operation takes itself.
func (w *write) strength() lock {
	if w.op == opDelete && !softly(w.stmt) || w.follows() {
		return lockDelete
	}
	return lockUpdate
}

// softly reports whether a DELETE of the statement's struct is made an UPDATE.
func softly(st *gorm.Statement) bool {
	return st.Schema != nil && len(st.Schema.DeleteClauses) > 0 && !st.Unscoped
}

// statement returns an empty statement of the plugin's own on db's connection.
func (p *plugin) statement(db *gorm.DB) *gorm.DB {
	p.rt.stats.pluginStatement()
	if t := optionsOf(db.Statement.Context).trace; t != nil {
		t.pluginStatement()
	}
	tx := db.Session(&gorm.Session{NewDB: true, SkipHooks: true, Initialized: true})
	tx.Statement.Unscoped = false // a session may pass it on; who wants it says so
	return tx
}

// rowsHow says how rows of a model are read.
type rowsHow struct {
	limit  int // 0 is none
	lock   lock
	scopes []clause.Interface
	own    bool     // from the model's own table, whatever the write's is
	more   []string // columns besides those that the model watches; judgedRow.more has their values
}

// readRows reads rows of m by conditions; limit 0 is none. The model judges soft deletion itself, so
// that rows are found deleted or not, unless scopes says otherwise.
func (p *plugin) readRows(db *gorm.DB, m model, limit int, l lock, scopes []clause.Interface, exprs ...clause.Expression) ([]any, error) {
	return p.readMore(db, m, rowsHow{limit: limit, lock: l, scopes: scopes}, exprs...)
}

// readMore is readRows that can do more.
func (p *plugin) readMore(db *gorm.DB, m model, how rowsHow, exprs ...clause.Expression) (found []any, err error) {
	tx := p.statement(db)
	st := tx.Statement
	st.Model = reflect.New(m.gormSchema().ModelType).Interface()
	if err := st.Parse(st.Model); err != nil {
		return nil, err
	}
	if !how.own {
		sameTable(st, db.Statement)
	}
	for _, c := range how.scopes {
		st.AddClause(c)
	}
	var columns []clause.Column
	for _, name := range slices.Concat(m.columns(), how.more) {
		columns = append(columns, clause.Column{Name: name})
	}
	st.AddClause(clause.Select{Columns: columns})
	st.AddClause(clause.From{})
	if len(exprs) > 0 {
		st.AddClause(clause.Where{Exprs: exprs})
	}
	if how.limit > 0 {
		st.AddClause(clause.Limit{Limit: &how.limit})
	}
	if s := how.lock.on(db); s != noLock {
		st.AddClause(clause.Locking{Strength: string(s)})
	}
	st.Build(db.Callback().Query().Clauses...)
	if tx.Error != nil {
		return nil, tx.Error
	}
	if err := plainValues(st.Vars); err != nil {
		return nil, err
	}
	begin := time.Now()
	defer func() { told(tx, begin, int64(len(found)), err) }()
	rows, err := st.ConnPool.QueryContext(st.Context, st.SQL.String(), st.Vars...)
	if err != nil {
		return nil, &sentError{err}
	}
	defer rows.Close() // also where code of the model's panics
	found, err = m.scan(tx.Session(&gorm.Session{NewDB: true, Initialized: true}), rows, len(how.more))
	closed := rows.Close()
	if sent := cmp.Or(rows.Err(), closed); sent != nil {
		return nil, &sentError{sent}
	}
	return found, err
}

// on is the lock as a database has it.
func (l lock) on(db *gorm.DB) lock {
	switch {
	case l == noLock, db.Name() == "sqlite": // there the write lock is held, and FOR UPDATE unknown
		return noLock
	case db.Name() == "postgres":
		return l
	}
	return lockDelete
}

// told tells GORM's logger of a statement, as GORM does of its own.
func told(tx *gorm.DB, begin time.Time, rows int64, err error) {
	tx.Logger.Trace(tx.Statement.Context, begin, func() (string, int64) {
		sql, vars := tx.Statement.SQL.String(), tx.Statement.Vars
		if f, ok := tx.Logger.(gorm.ParamsFilter); ok {
			sql, vars = f.ParamsFilter(tx.Statement.Context, sql, vars...)
		}
		return tx.Explain(sql, vars...), rows
	}, err)
}

// holdWriteLock takes SQLite's write lock, by an UPDATE of no row, before the plugin reads. A read
// first and a write after would fail with SQLITE_BUSY where another wrote in between, which no
// busy time-out waits for; the write alone, as the caller made it, would have waited.
func (p *plugin) holdWriteLock(db *gorm.DB, m model) error {
	if db.Name() != "sqlite" {
		return nil
	}
	held := p.txOf(db.Statement.ConnPool)
	if held != nil && held.writing.Load() {
		return nil
	}
	tx := p.statement(db)
	st := tx.Statement
	sch := m.gormSchema()
	st.Table = sch.Table
	sameTable(st, db.Statement)
	key := clause.Column{Name: sch.PrimaryFields[0].DBName}
	clause.Expr{SQL: "UPDATE ? SET ? = ? WHERE 1 = 0", Vars: []any{clause.Table{Name: clause.CurrentTable}, key, key}}.Build(st)
	if err := p.takeWriteLock(tx); err != nil {
		return err
	}
	if held != nil {
		held.writing.Store(true)
	}
	return nil
}

// takeWriteLock sends a statement that changes no row, for the lock that comes with it.
func (p *plugin) takeWriteLock(tx *gorm.DB) (err error) {
	st, begin := tx.Statement, time.Now()
	defer func() { told(tx, begin, 0, err) }()
	if _, err := st.ConnPool.ExecContext(st.Context, st.SQL.String(), st.Vars...); err != nil {
		return fmt.Errorf("cachegen: taking SQLite's write lock: %w", err)
	}
	return nil
}

// softScopes are the conditions with which GORM leaves soft-deleted rows out of the write, as a read has
// them: those of fields that give them to writes too. A field that conditions queries alone has no say in
// which rows are written.
func softScopes(st *gorm.Statement, op writeOp) (scopes []clause.Interface) {
	for _, f := range st.Schema.Fields {
		v := reflect.New(f.IndirectFieldType).Interface()
		query, ok := v.(schema.QueryClausesInterface)
		if !ok {
			continue
		}
		_, updates := v.(schema.UpdateClausesInterface)
		_, deletes := v.(schema.DeleteClausesInterface)
		if op == opUpdate && updates || op == opDelete && deletes {
			scopes = append(scopes, query.QueryClauses(f)...)
		}
	}
	return scopes
}
