package cacheruntime

import (
	"context"
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// Some databases answer a statement by rolling its whole transaction back, and go on without one: MySQL after a
// deadlock, SQLite after OR ROLLBACK, a full disk or an interrupted write. Neither database/sql nor GORM knows of it.
//
//  1. a statement fails, and its transaction is gone; the program goes on in it
//  2. the next write commits itself
//  3. the program's Rollback undoes nothing, and must flush that write
//
// PostgreSQL refuses the write of step 2.

// loss says whether the database may have rolled the transaction back by itself.
type loss uint8

const (
	lossNone loss = iota
	lossPerhaps
	lossCertain
)

// mysqlLost are the numbers with which MySQL and MariaDB roll the whole transaction back. A lock time-out does where
// innodb_rollback_on_timeout is on.
var mysqlLost = map[uint64]loss{
	1020: lossPerhaps, // the record has changed since it was read, with innodb_snapshot_isolation
	1205: lossPerhaps, // lock wait time-out
	1206: lossCertain, // the lock table is full
	1213: lossCertain, // deadlock, also Galera's
	1614: lossCertain, // deadlock, XA
}

// lossOf judges the error of a statement.
func lossOf(dialect string, err error) loss {
	if err == nil {
		return lossNone
	}
	switch dialect {
	case "sqlite":
		// Its error code does not tell: a constraint's may or may not come from OR ROLLBACK.
		if refusedStatement(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return lossPerhaps
		}
	case "mysql":
		for e := err; e != nil; e = errors.Unwrap(e) {
			if n, ok := mysqlNumber(e); ok {
				return mysqlLost[n]
			}
		}
	}
	return lossNone
}

// hadEnded reports whether SQLite has refused a COMMIT since there was no transaction.
func hadEnded(err error) bool {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if _, ok := sqliteAnswer(e); ok {
			return strings.Contains(e.Error(), "no transaction is active")
		}
	}
	return false
}

// heeding runs a callback that comes behind GORM's main one, and then heeds how the statement was answered.
func (p *plugin) heeding(after func(*gorm.DB)) func(*gorm.DB) {
	return func(db *gorm.DB) {
		after(db)
		if db.Error == nil || db.DryRun {
			return
		}
		if t := p.txOf(db.Statement.ConnPool); t != nil {
			t.heed(lossOf(db.Name(), db.Error))
		}
	}
}

// heed notes that the transaction may be gone. What is collected from here on may be committed already.
func (t *dbTx) heed(l loss) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost = max(t.lost, l)
	if l == lossCertain {
		t.hooks, t.marks = nil, nil // those before it are about what was rolled back
	}
}

// alive notes that a savepoint from before the doubt is there, and so the transaction. It is called with mu held.
func (t *dbTx) alive() {
	if t.lost == lossPerhaps {
		t.lost, t.loose, t.reopened = lossNone, nil, false
	}
}

// unseenFalls are the lists of what may be committed although the transaction is rolled back. It is called
// with mu held.
func (t *dbTx) unseenFalls() []fall {
	if t.ended {
		return slices.Concat(t.falls, t.loose)
	}
	return t.loose
}

// wasOpen reports whether a ROLLBACK that the database answered with err has rolled back the transaction that had been
// begun: SQLite refuses one outside of a transaction, and only a savepoint begins another.
func (t *dbTx) wasOpen(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return err == nil && t.p.rt.db.Name() == "sqlite" && !t.reopened && !t.ended
}
