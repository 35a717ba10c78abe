// Package shop is a small shop's models, and the first golden of the generator.
package shop

import "time"

//go:generate go tool cachegen

// Croupon is a discount offered in one city.
type Croupon struct {
	_ struct{} `cache:"model;ttl:24h"`
	_ struct{} `cache:"list:PopularInCity;by:City;where:Active = true;order:Popularity desc;limit:50"`
	_ struct{} `cache:"count:InCategory;by:City,Category;where:Active = true"`
	_ struct{} `cache:"one:Newest;by:City;order:CreatedAt desc"`

	ID         uint64 `gorm:"primaryKey"`
	Slug       string `gorm:"uniqueIndex" cache:"unique"`
	Title      string
	City       string `gorm:"index" cache:"list;count"`
	Category   string
	Popularity int64
	Active     bool
	MerchantID *uint64 `cache:"list"`
	Merchant   *Merchant
	CreatedAt  time.Time
	UpdatedAt  time.Time
}
