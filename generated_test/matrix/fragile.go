package matrix

import (
	"database/sql/driver"
	"fmt"
	"sync/atomic"
)

// Glass is text that is read and written by methods of the program's, which panic while they are told to.
type Glass string

// ScanPanics and ValuePanics say which Scan and Value of a Glass panics, counted from now on: 1 is the next one, 0 none.
var ScanPanics, ValuePanics atomic.Int64

// Scan reads text.
func (g *Glass) Scan(src any) error {
	if ScanPanics.Add(-1) == 0 {
		panic("Scan on purpose")
	}
	switch s := src.(type) {
	case string:
		*g = Glass(s)
	case []byte:
		*g = Glass(s)
	default:
		return fmt.Errorf("a Glass is not read from %T", src)
	}
	return nil
}

// Value is the text.
func (g Glass) Value() (driver.Value, error) {
	if ValuePanics.Add(-1) == 0 {
		panic("Value on purpose")
	}
	return string(g), nil
}

// Vase is on a list by its glass, and has glass in its key.
type Vase struct {
	_ struct{} `cache:"model"`

	Code  Glass `gorm:"primaryKey;size:20"`
	Glass Glass `gorm:"size:20" cache:"list"`
	Text  string
}
