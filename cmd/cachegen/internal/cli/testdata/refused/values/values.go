// Package values has types that say themselves how they are written, in places where that does not do.
package values

import (
	"context"
	"database/sql/driver"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Price has all that it takes.
type Price struct{ cents int64 }

// Value returns the cents.
func (p Price) Value() (driver.Value, error) { return p.cents, nil }

// Scan reads the cents.
func (p *Price) Scan(src any) error { p.cents, _ = src.(int64); return nil }

// Big hides a pointer.
type Big struct{ n *int64 }

// Value returns the number.
func (b Big) Value() (driver.Value, error) { return *b.n, nil }

// Scan reads the number.
func (b *Big) Scan(src any) error { n, _ := src.(int64); b.n = &n; return nil }

// Code is a Valuer by pointer alone.
type Code string

// Value returns the code.
func (c *Code) Value() (driver.Value, error) { return string(*c), nil }

// Scan reads the code.
func (c *Code) Scan(src any) error { s, _ := src.(string); *c = Code(s); return nil }

// ReadOnly can only be read.
type ReadOnly struct{ s string }

// Scan reads it.
func (r *ReadOnly) Scan(src any) error { r.s, _ = src.(string); return nil }

// WriteOnly can only be written.
type WriteOnly struct{ s string }

// Value returns it.
func (w WriteOnly) Value() (driver.Value, error) { return w.s, nil }

// Point is written as an expression.
type Point struct{ X, Y float64 }

// Value returns the point.
func (p Point) Value() (driver.Value, error) { return "", nil }

// Scan reads the point.
func (p *Point) Scan(any) error { return nil }

// GormValue writes the point.
func (p Point) GormValue(context.Context, *gorm.DB) clause.Expr {
	return clause.Expr{SQL: "POINT(0, 0)"}
}

// Moment is a time without its methods.
type Moment time.Time

// Post has them.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;where:Price = 5"`
	_ struct{} `cache:"list:B;where:Meta IS NULL"`
	_ struct{} `cache:"list:C;by:Meta"`
	_ struct{} `cache:"list:D;order:Meta"`
	_ struct{} `cache:"list:E;by:At"`

	ID    uint64
	Price Price
	Meta  map[string]string `gorm:"serializer:json" cache:"list"`
	At    Point             `cache:"count"`
	Read  ReadOnly
	Write WriteOnly
	Any   driver.Valuer
	When  Moment
	Odd   Price `gorm:"embedded"`
	Soon  []Later
}

// BigKey has a key that == does not compare.
type BigKey struct {
	_  struct{} `cache:"model"`
	ID Big
}

// CodeKey has one whose Value is not found.
type CodeKey struct {
	_  struct{} `cache:"model"`
	ID Code
}

// SerializedKey has one that only GORM can read.
type SerializedKey struct {
	_  struct{} `cache:"model"`
	ID []string `gorm:"serializer:json"`
}

// TimeKey has one that databases round.
type TimeKey struct {
	_  struct{} `cache:"model"`
	ID time.Time
}
