package cacheruntime

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"
)

// The errors of drivers, by their shape.
type (
	pgError    struct{ state string }
	MySQLError struct{ Number uint16 }
	codeError  int
)

func (e *pgError) Error() string    { return "pg " + e.state }
func (e *pgError) SQLState() string { return e.state }
func (e *MySQLError) Error() string { return "mysql" }
func (e codeError) Error() string   { return "sqlite" }
func (e codeError) Code() int       { return int(e) }

func TestRefused(t *testing.T) {
	for _, err := range []error{
		sql.ErrTxDone, &pgError{"23505"}, fmt.Errorf("x: %w", &pgError{"40001"}), &MySQLError{1213}, codeError(5), codeError(5 | 2<<8), codeError(19),
		errors.New("commit unexpectedly resulted in rollback"),
	} {
		if !refused(err) {
			t.Errorf("%v proves that nothing was committed", err)
		}
	}
	for _, err := range []error{
		context.Canceled, context.DeadlineExceeded, fmt.Errorf("x: %w", context.Canceled), driver.ErrBadConn, io.EOF, errors.New("conn closed"),
		&pgError{"08006"}, &pgError{"57P01"}, &pgError{"40003"}, &MySQLError{1053}, &MySQLError{}, codeError(10),
		fmt.Errorf("%w: %w", context.Canceled, sql.ErrTxDone),
	} {
		if refused(err) {
			t.Errorf("%v proves nothing", err)
		}
	}
}
