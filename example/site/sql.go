package site

import (
	"context"
	"sync"
	"time"

	"gorm.io/gorm/logger"
)

// ledger is the SQL statements of one request. A load may outlive the request that began it, so it has a
// lock.
type ledger struct {
	mu         sync.Mutex
	statements []statement
}

// statement is one SQL statement.
type statement struct {
	SQL  string
	Rows int64 // read or changed
	Took time.Duration
}

type ledgerKey struct{}

// all returns the statements so far.
func (l *ledger) all() []statement {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]statement(nil), l.statements...)
}

// logSQL is a logger that writes each request's statements into its ledger.
type logSQL struct{ logger.Interface }

// LogSQL returns a logger that also writes down the statements of each page, for its foot. Give it to
// gorm.Open.
func LogSQL(next logger.Interface) logger.Interface { return logSQL{next} }

// LogMode is of logger.Interface.
func (l logSQL) LogMode(level logger.LogLevel) logger.Interface {
	return logSQL{l.Interface.LogMode(level)}
}

// Trace is of logger.Interface.
func (l logSQL) Trace(ctx context.Context, began time.Time, explain func() (string, int64), err error) {
	if to, ok := ctx.Value(ledgerKey{}).(*ledger); ok {
		took := time.Since(began)
		sql, rows := explain()
		to.mu.Lock()
		to.statements = append(to.statements, statement{sql, rows, took})
		to.mu.Unlock()
	}
	l.Interface.Trace(ctx, began, explain, err)
}
