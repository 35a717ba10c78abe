// Package kinds has a model for every way in which a column can say itself how it is written and read, be
// left out, or be somewhere else than in its struct; its tests compare what each tier returns with
// GORM's own row, on three databases.
package kinds

//go:generate go tool cachegen

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"github.com/cachegen/cachegen/generated_test/kinds/internal/units"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"gorm.io/datatypes"
)

// Attrs is JSON of which drivers' bytes are read, and not their text.
type Attrs map[string]any

// Value returns the JSON as text.
func (a Attrs) Value() (driver.Value, error) {
	if a == nil {
		return nil, nil
	}
	b, err := json.Marshal(a)
	return string(b), err
}

// Scan reads JSON. As in many a program, the database that it was written for gives bytes, or it gives text.
func (a *Attrs) Scan(src any) error {
	switch src := src.(type) {
	case []byte:
		return json.Unmarshal(src, a)
	case string:
		return json.Unmarshal([]byte(src), a)
	}
	return fmt.Errorf("Attrs cannot be read from %T", src)
}

// Mask has its Value method on the pointer, which GORM does not call for a value.
type Mask uint8

// Value returns the mask as a number. database/sql calls it for a nil pointer, too.
func (m *Mask) Value() (driver.Value, error) {
	if m == nil {
		return nil, nil
	}
	return int64(*m), nil
}

// Scan reads a number.
func (m *Mask) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("Mask cannot be read from %T", src)
	}
	*m = Mask(n)
	return nil
}

// Item has Valuers, of others and of our own.
type Item struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Dear;order:Price desc"`
	_ struct{} `cache:"list:Full;where:Rebate IS NULL"`
	_ struct{} `cache:"list:Unowned;where:Owner IS NULL;order:Title"`
	_ struct{} `cache:"list:Of;by:Owner,Weight;order:Weight desc"`

	ID      uuid.UUID           `gorm:"type:uuid"`
	Title   string              `gorm:"size:100"`
	Serial  uuid.UUID           `gorm:"size:36;uniqueIndex" cache:"unique"`
	Price   decimal.Decimal     `gorm:"type:decimal(12,3)" cache:"list;count"`
	Rebate  *decimal.Decimal    `gorm:"type:decimal(12,3)" cache:"list"`
	Share   decimal.NullDecimal `gorm:"type:decimal(12,3)"`
	Owner   uuid.NullUUID       `gorm:"size:36"`
	Weight  units.Grams
	PWeight *units.Grams
	Attrs   Attrs `gorm:"type:text"`
	Mask    Mask
	PMask   *Mask
	Doc     datatypes.JSON
	Size    datatypes.JSONType[Size]
	Tags    datatypes.JSONSlice[string]
	Day     datatypes.Date
	Clock   datatypes.Time
	Other   *sql.NullString           `gorm:"size:100"`
	Maybe   sql.Null[decimal.Decimal] `gorm:"type:decimal(12,3)"`
}

// Size is stored as JSON.
type Size struct {
	W, H int
	Unit string `json:"unit,omitempty"`
}

// Part numbers the parts of an Item: a composite key, one of it a Valuer.
type Part struct {
	_ struct{} `cache:"model"`

	ItemID uuid.UUID `gorm:"primaryKey;type:uuid" cache:"list"`
	No     int       `gorm:"primaryKey;autoIncrement:false"`
	Text   string
}
