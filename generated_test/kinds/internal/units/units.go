// Package units has a type of an internal package.
package units

import (
	"database/sql/driver"
	"fmt"
	"strconv"
)

// Grams is a weight; negative is none, and NULL in the database.
type Grams float64

// Value returns the number, or NULL.
func (g Grams) Value() (driver.Value, error) {
	if g < 0 {
		return nil, nil
	}
	return float64(g), nil
}

// Scan reads a number.
func (g *Grams) Scan(src any) error {
	switch src := src.(type) {
	case float64:
		*g = Grams(src)
	case float32:
		*g = Grams(src)
	case int64:
		*g = Grams(src)
	case []byte:
		return g.Scan(string(src))
	case string:
		f, err := strconv.ParseFloat(src, 64)
		*g = Grams(f)
		return err
	default:
		return fmt.Errorf("Grams cannot be read from %T", src)
	}
	return nil
}
