// Package valuers has columns whose types say themselves how they are written and read.
package valuers

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
)

// Money is a Valuer by value.
type Money struct {
	Cents    int64
	Currency string
}

// Value returns "12.50 EUR".
func (m Money) Value() (driver.Value, error) {
	return fmt.Sprintf("%d.%02d %s", m.Cents/100, m.Cents%100, m.Currency), nil
}

// Scan reads what Value returns.
func (m *Money) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return fmt.Errorf("Money cannot be read from %T", src)
	}
	var whole int64
	_, err := fmt.Sscanf(s, "%d.%d %s", &whole, &m.Cents, &m.Currency)
	m.Cents += 100 * whole
	return err
}

// Key is an identifier of its own.
type Key [4]byte

// Value returns the key in hexadecimal.
func (k Key) Value() (driver.Value, error) { return fmt.Sprintf("%x", k[:]), nil }

// Scan reads what Value returns.
func (k *Key) Scan(src any) error {
	b, ok := src.([]byte)
	if s, isText := src.(string); isText {
		b, ok = []byte(s), true
	}
	n, err := strconv.ParseUint(string(b), 16, 32)
	if !ok || err != nil {
		return errors.New("no Key")
	}
	*k = Key{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	return nil
}

// Mask is a Valuer by pointer.
type Mask uint8

// Value returns the mask as a number.
func (m *Mask) Value() (driver.Value, error) { return int64(*m), nil }

// Scan reads a number.
func (m *Mask) Scan(src any) error {
	n, ok := src.(int64)
	*m = Mask(n)
	if !ok {
		return errors.New("no Mask")
	}
	return nil
}

// Order has them in every place where they may stand.
type Order struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Priced;by:Price,Discount,Owner;where:Discount IS NOT NULL,Rebate IS NULL,Owner IS NOT NULL;order:Price desc,Discount"`

	ID       Key
	Price    Money `cache:"list;count"`
	Discount *Money
	Rebate   sql.Null[Money]
	Owner    Key `gorm:"uniqueIndex" cache:"unique"`
	Mask     Mask
	Other    *sql.NullString
	Hidden   Money `gorm:"->:false;<-"`
}

// Line has a composite key of them.
type Line struct {
	_ struct{} `cache:"model"`

	Order Key `gorm:"primaryKey"`
	No    int `gorm:"primaryKey;autoIncrement:false"`
	Text  string
}
