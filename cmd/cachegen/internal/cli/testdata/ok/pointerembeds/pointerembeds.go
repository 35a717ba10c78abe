// Package pointerembeds has embedded pointers, which GORM leaves nil where all their columns are NULL.
package pointerembeds

import (
	"time"

	"gorm.io/gorm"
)

// Address is embedded, and embeds.
type Address struct {
	Street string
	Zip    *string
	*Geo
	Level int16
}

// Geo is embedded in an Address.
type Geo struct{ Lat, Lon float64 }

// Stamps are embedded by name.
type Stamps struct {
	CreatedAt time.Time
	DeletedAt gorm.DeletedAt
}

// User embeds pointers at every depth.
type User struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Near;by:Address.Street,Zip,Home.Geo.Lat;where:Level > 3,Zip IS NULL,Home.Zip IS NOT NULL;order:Level,Lat desc,Home.Zip"`
	_ struct{} `cache:"one:First;order:Stamps.CreatedAt"`

	ID uint64
	*Address
	Home   *Address `gorm:"embedded;embeddedPrefix:home_"`
	Stamps *Stamps  `gorm:"embedded"`
}

// Note has its key inside one.
type Note struct {
	_ struct{} `cache:"model"`

	*gorm.Model
	Text string `cache:"list"`
}
