// Package shop holds models with relations and queries, whose reads are measured.
package shop

//go:generate go tool cachegen

// Merchant offers croupons.
type Merchant struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Name string
	City string
}

// Croupon has the kinds of relations that pages show.
type Croupon struct {
	_ struct{} `cache:"model;query"`

	ID         uint64
	Title      string
	City       string `gorm:"index"`
	Category   string
	Popularity int64
	Active     bool
	MerchantID uint64
	Merchant   *Merchant `cache:"follow"`
	Reviews    []Review  `cache:"follow"`
	Tags       []Tag     `gorm:"many2many:croupon_tags" cache:"follow"`
}

// Review has a list that brings what following brings.
type Review struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:OfCroupon;by:CrouponID"`

	ID        uint64
	CrouponID uint64 `gorm:"index"`
	Stars     int
	Text      string
}

// Tag is on many croupons.
type Tag struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Name string
}
