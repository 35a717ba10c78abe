package cacheruntime

import (
	"database/sql"
	"errors"

	"gorm.io/gorm"
)

var errNoSQLTx = errors.New("cachegen: SQLTx: tx is not in a transaction of database/sql's: pass the *gorm.DB of db.Transaction or db.Begin")

// SQLTx returns the *sql.Tx beneath a transaction, for a library that writes into it, such as a queue or
// an outbox. With the plugin, tx.Statement.ConnPool is no longer a *sql.Tx. What is written past GORM is not
// seen: if it is a cached table, call [Runtime.FlushTable] after the COMMIT, for example in [AfterCommit]. End
// the transaction with GORM; never end the *sql.Tx itself, since nobody would see its COMMIT.
func SQLTx(tx *gorm.DB) (*sql.Tx, error) {
	if tx == nil || tx.Statement == nil {
		return nil, errNoSQLTx
	}
	for cp := tx.Statement.ConnPool; ; {
		switch t := cp.(type) {
		case *sql.Tx:
			return t, nil
		case *dbTx:
			cp = t.inner
		case *gorm.PreparedStmtTX:
			cp = t.Tx
		default:
			return nil, errNoSQLTx
		}
	}
}
