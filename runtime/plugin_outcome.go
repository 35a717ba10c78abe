package cacheruntime

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
)

// refused reports whether the error of a COMMIT proves that nothing was committed: the transaction had
// ended before, or the server itself answered no. A lost connection proves nothing, and neither does
// an error of the context: a driver that runs COMMIT under it may give one while COMMIT takes effect.
//
// Servers' answers are told by their shape, so that no driver is imported.
func refused(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if errors.Is(err, sql.ErrTxDone) {
		return true
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if state, ok := e.(interface{ SQLState() string }); ok { // pgconn.PgError, lib/pq
			return serverRefused(state.SQLState())
		}
		if number, ok := mysqlNumber(e); ok {
			return !mysqlOpen[number]
		}
		if busy, ok := sqliteAnswer(e); ok {
			return busy
		}
	}
	text := err.Error()
	return strings.Contains(text, "commit unexpectedly resulted in rollback") || // pgx
		strings.Contains(text, "ould not complete operation in a failed transaction") // lib/pq
}

// serverRefused judges a SQLSTATE. Classes 08 (connection lost) and 57 (the server goes down, or the
// statement was cancelled) and 40003 (completion unknown) leave the outcome open.
func serverRefused(state string) bool {
	return len(state) == 5 && !strings.HasPrefix(state, "08") && !strings.HasPrefix(state, "57") && state != "40003"
}

// mysqlOpen are the numbers with which MySQL and MariaDB leave the outcome open: shutdown, errors on
// the connection, and a statement or connection that was killed.
var mysqlOpen = map[uint64]bool{
	0: true, 1053: true, 1152: true, 1158: true, 1159: true, 1160: true, 1161: true, 1184: true, 1317: true, 1927: true, 3024: true,
}

// mysqlNumber returns the server's error number from a *mysql.MySQLError.
func mysqlNumber(err error) (uint64, bool) {
	v := reflect.Indirect(reflect.ValueOf(err))
	if v.Kind() != reflect.Struct || v.Type().Name() != "MySQLError" {
		return 0, false
	}
	n := v.FieldByName("Number")
	if !n.IsValid() || !n.CanUint() {
		return 0, false
	}
	return n.Uint(), true
}

// SQLite's result codes (the low byte) with which COMMIT fails and leaves the transaction open.
const (
	sqliteBusy       = 5
	sqliteConstraint = 19
)

// sqliteAnswer says, of an error of a SQLite driver, whether COMMIT failed with the transaction still
// open. ok is false for any other error.
func sqliteAnswer(err error) (open, ok bool) {
	code := -1
	if c, is := err.(interface{ Code() int }); is { // the drivers without C
		code = c.Code() & 0xff
	} else if v := reflect.Indirect(reflect.ValueOf(err)); v.Kind() == reflect.Struct && v.Type().String() == "sqlite3.Error" {
		if f := v.FieldByName("Code"); f.IsValid() && f.CanInt() {
			code = int(f.Int()) & 0xff
		}
	}
	return code == sqliteBusy || code == sqliteConstraint, code >= 0
}

// rollBackOpen rolls back the transaction that SQLite leaves open when its COMMIT is refused.
// database/sql takes it for ended and has put its connection back, where it would be in the way of
// whoever gets it next. The pool hands out the connection that came back last, so a ROLLBACK sent
// now reaches it; on any other connection there is nothing to roll back, and the error says so.
func (t *dbTx) rollBackOpen(ctx context.Context, err error) {
	open := false
	for e := err; e != nil && !open; e = errors.Unwrap(e) {
		open, _ = sqliteAnswer(e)
	}
	if db, dbErr := t.GetDBConn(); open && dbErr == nil {
		_, _ = db.ExecContext(ctx, "ROLLBACK")
	}
}
