// Package shop holds the models of a site that offers croupons, city by city. The tags say what is
// cached; go generate writes the accessors beside them.
package shop

import "time"

//go:generate go tool cachegen

// City is a place that croupons are offered in. Its primary key is its name.
type City struct {
	_ struct{} `cache:"model;query"`

	Name       string `gorm:"primaryKey"`
	Country    string `cache:"list"`
	Population int64
}

// Merchant honours croupons.
type Merchant struct {
	_ struct{} `cache:"model;ttl:forever"`

	ID   uint64
	Name string `gorm:"uniqueIndex" cache:"unique"`
}

// Croupon is a discount offered in one city.
type Croupon struct {
	_ struct{} `cache:"model;ttl:24h"`
	_ struct{} `cache:"list:PopularInCity;by:City;where:Active = true;order:Popularity desc;limit:50"`
	_ struct{} `cache:"one:NewestInCity;by:City;where:Active = true;order:CreatedAt desc"`
	_ struct{} `cache:"count:InCategory;by:City,Category;where:Active = true"`

	ID         uint64 `gorm:"primaryKey"`
	Slug       string `gorm:"uniqueIndex" cache:"unique"`
	Title      string
	City       string `gorm:"index:idx_city_popularity,priority:1" cache:"count"`
	Category   string
	Percent    uint8
	Popularity int64 `gorm:"index:idx_city_popularity,priority:2"`
	Active     bool
	MerchantID uint64    `gorm:"index"`
	Merchant   *Merchant `cache:"follow"`
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Review is what somebody says of a croupon.
type Review struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Latest;by:CrouponID;order:ID desc;limit:5"`

	ID        uint64
	CrouponID uint64 `gorm:"index" cache:"count"`
	Stars     uint8
	Text      string
}
