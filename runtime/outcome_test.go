package cacheruntime

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"

	"gorm.io/gorm"
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
		errors.New("commit unexpectedly resulted in rollback"), errors.New("pq: Could not complete operation in a failed transaction"),
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

// Which answers say that the whole transaction is gone, or may be.
func TestLossOf(t *testing.T) {
	for _, c := range []struct {
		dialect string
		err     error
		want    loss
	}{
		{"mysql", &MySQLError{1213}, lossCertain}, {"mysql", fmt.Errorf("x: %w", &MySQLError{1213}), lossCertain}, {"mysql", &MySQLError{1205}, lossPerhaps},
		{"mysql", &MySQLError{1062}, lossNone}, {"mysql", context.Canceled, lossNone}, {"mysql", nil, lossNone},
		{"sqlite", codeError(19), lossPerhaps}, {"sqlite", codeError(13), lossPerhaps}, {"sqlite", context.Canceled, lossPerhaps},
		{"sqlite", gorm.ErrDuplicatedKey, lossPerhaps}, {"sqlite", gorm.ErrRecordNotFound, lossNone}, {"sqlite", nil, lossNone},
		{"postgres", &pgError{"40P01"}, lossNone},
	} {
		if got := lossOf(c.dialect, c.err); got != c.want {
			t.Errorf("%s, %v: %d, not %d", c.dialect, c.err, got, c.want)
		}
	}
}
