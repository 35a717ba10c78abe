// Package row holds the model that is measured: a row of ten columns.
package row

import "time"

//go:generate go tool cachegen

// Row has ten columns of the usual kinds.
type Row struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:OfCity;by:City;limit:20"`

	ID         uint64
	Slug       string
	Title      string
	City       string `gorm:"index"`
	Category   string
	Popularity int64
	Active     bool
	Price      float64
	CreatedAt  time.Time
	UpdatedAt  time.Time
}
