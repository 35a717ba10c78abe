package fieldtypes

import (
	"database/sql/driver"
	"time"

	"gorm.io/gorm"
)

// Money is a Valuer.
type Money struct{ cents int64 }

// Value returns the cents.
func (m Money) Value() (driver.Value, error) { return m.cents, nil }

// Code is a Scanner.
type Code string

// Scan reads a code.
func (c *Code) Scan(src any) error { *c, _ = Code(""), src; return nil }

// Flag is a soft delete of another make.
type Flag uint

// DeleteClauses is what makes it one.
func (Flag) DeleteClauses() {}

// Moment is a declared time.
type Moment time.Time

// Post has columns of types that cannot be cached yet.
type Post struct {
	_ struct{} `cache:"model"`

	ID       uint64
	Price    Money
	Code     Code
	PCode    *Code
	Deleted  Flag
	Tags     []string
	Size     complex128
	Settings map[string]string
	Any      any
	Deep     **int
	UUID     [16]byte
	Unknown  Missing
	Gone     *gorm.DeletedAt
}
