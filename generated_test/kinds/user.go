package kinds

import (
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Address is embedded, and embeds.
type Address struct {
	Street string  `gorm:"size:100"`
	Zip    *string `gorm:"size:20"`
	Level  int16
	*Geo
	Note []string `gorm:"serializer:json"`
}

// Geo is embedded in an Address.
type Geo struct{ Lat, Lon float64 }

// Plain is embedded by pointer, and left nil where all of it is NULL.
type Plain struct {
	Count int64
	Text  string
	At    time.Time
	Key   *uuid.UUID `gorm:"size:36"`
}

// Stamps are embedded by name.
type Stamps struct {
	Birth     time.Time
	DeletedAt gorm.DeletedAt
}

// User embeds pointers at every depth.
type User struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Near;by:Address.Street,Home.Zip;where:Level > 3;order:Level,Lat desc"`
	_ struct{} `cache:"list:Homeless;where:Home.Zip IS NULL"`
	_ struct{} `cache:"one:Oldest;order:Stamps.Birth"`

	ID   uint64
	Name string `gorm:"size:100"`
	*Address
	Home   *Address `gorm:"embedded;embeddedPrefix:home_"`
	Plain  *Plain   `gorm:"embedded;embeddedPrefix:plain_" `
	Stamps *Stamps  `gorm:"embedded"`
}

// Memo has its key inside an embedded pointer.
type Memo struct {
	_ struct{} `cache:"model"`

	*gorm.Model
	Text string `gorm:"size:100" cache:"list"`
}
