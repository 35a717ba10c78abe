// Package seams has models that do everything at once: rows that the database deletes and changes by itself, that come with others,
// and that are read by ad-hoc queries.
package seams

import "gorm.io/gorm"

//go:generate go tool cachegen

// Town has merchants.
type Town struct {
	_ struct{} `cache:"model;query"`

	ID        uint64
	Name      string     `gorm:"size:40"`
	Merchants []Merchant `gorm:"constraint:OnDelete:SET NULL" cache:"follow;order:Code"`
}

// Merchant is referred to by its key, and by its code.
type Merchant struct {
	_ struct{} `cache:"model;query"`

	ID       uint64
	Name     string     `gorm:"size:40"`
	Code     string     `gorm:"size:40;uniqueIndex" cache:"unique"`
	TownID   *uint64    `cache:"list;count"`
	Town     *Town      `gorm:"constraint:OnDelete:SET NULL" cache:"follow"`
	Croupons []Croupon  `gorm:"constraint:OnDelete:CASCADE" cache:"follow;order:Title desc"`
	Labels   []*Label   `gorm:"foreignKey:MerchantCode;references:Code;constraint:OnUpdate:CASCADE,OnDelete:SET NULL" cache:"follow"`
	Twins    []Merchant `gorm:"many2many:twins;constraint:OnDelete:CASCADE" cache:"follow"`
}

// Croupon is deleted softly, and goes with its merchant.
type Croupon struct {
	_ struct{} `cache:"model;query"`
	_ struct{} `cache:"list:Titled;by:Title;order:ID desc"`

	ID         uint64
	Title      string    `gorm:"size:40"`
	MerchantID uint64    `gorm:"index" cache:"list;count"`
	Merchant   *Merchant `gorm:"constraint:OnDelete:CASCADE" cache:"follow"`
	Tags       []Tag     `gorm:"many2many:croupon_tags;constraint:OnDelete:CASCADE,OnUpdate:CASCADE" cache:"follow;order:Weight desc"`
	Places     []Place   `gorm:"many2many:croupon_places;constraint:OnDelete:CASCADE" cache:"follow"`
	DeletedAt  gorm.DeletedAt
}

// Tag has a text for its key, which may change.
type Tag struct {
	_ struct{} `cache:"model;query"`

	Name     string `gorm:"primaryKey;size:40"`
	Weight   int
	Croupons []*Croupon `gorm:"many2many:croupon_tags;constraint:OnDelete:CASCADE,OnUpdate:CASCADE" cache:"follow"`
}

// Place has croupons, by a join table whose rows are deleted softly.
type Place struct {
	_ struct{} `cache:"model"`

	ID       uint64
	Name     string     `gorm:"size:40"`
	Croupons []*Croupon `gorm:"many2many:croupon_places;constraint:OnDelete:CASCADE" cache:"follow"`
}

// CrouponPlace is the row of that table.
type CrouponPlace struct {
	_ struct{} `cache:"model;query"`

	CrouponID uint64 `gorm:"primaryKey;autoIncrement:false" cache:"list"`
	PlaceID   uint64 `gorm:"primaryKey;autoIncrement:false"`
	DeletedAt gorm.DeletedAt
}

// Label leads to a merchant by the code.
type Label struct {
	_ struct{} `cache:"model;query"`

	ID           uint64
	Text         string    `gorm:"size:40"`
	MerchantCode *string   `gorm:"size:40;index" cache:"list"`
	Merchant     *Merchant `gorm:"foreignKey:MerchantCode;references:Code;constraint:OnUpdate:CASCADE,OnDelete:SET NULL" cache:"follow"`
}

// Brand has a slug that the database makes of its name.
type Brand struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Name string `gorm:"size:40"`
	Slug string `gorm:"->;type:varchar(40) GENERATED ALWAYS AS (lower(name)) STORED;unique" cache:"unique"`
}

// Sticker refers to a brand by its slug.
type Sticker struct {
	_ struct{} `cache:"model"`

	ID        uint64
	BrandSlug *string `gorm:"size:40" cache:"list"`
	Brand     *Brand  `gorm:"foreignKey:BrandSlug;references:Slug;constraint:OnUpdate:CASCADE" cache:"follow"`
}

// Bottle goes with its cellar, which is not cached.
type Bottle struct {
	_ struct{} `cache:"model"`

	ID       uint64
	CellarID uint64 `cache:"list"`
}
