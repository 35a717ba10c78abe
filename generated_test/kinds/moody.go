package kinds

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
)

// Mood is a Valuer that does not always give back what it was given.
type Mood string

// Value fails for "bad", panics for "worse", and writes everything else in capitals.
func (m Mood) Value() (driver.Value, error) {
	switch m {
	case "bad":
		return nil, errors.New("in a bad mood")
	case "worse":
		panic("in a worse mood")
	}
	return strings.ToUpper(string(m)), nil
}

// Scan reads text, but not "NO".
func (m *Mood) Scan(src any) error {
	s, ok := src.(string)
	if b, isBytes := src.([]byte); isBytes {
		s, ok = string(b), true
	}
	if !ok || s == "NO" {
		return fmt.Errorf("Mood cannot be read from %v", src)
	}
	*m = Mood(s)
	return nil
}

// Moody has one, and lists by it.
type Moody struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;order:Mood"`

	ID   uint64
	Name string `gorm:"size:20" cache:"list"`
	Mood Mood   `gorm:"size:20" cache:"list"`
}
