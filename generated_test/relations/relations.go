// Package relations has a relation of every kind, for tests of what follows them.
package relations

import (
	"database/sql"

	"github.com/cachegen/cachegen/generated_test/relations/people"
	"gorm.io/gorm"
)

//go:generate go tool cachegen ./...

// Merchant offers croupons.
type Merchant struct {
	_ struct{} `cache:"model"`

	ID       uint64
	Name     string
	OwnerID  sql.NullInt64
	Owner    *people.Person `cache:"follow"`
	Croupons []*Croupon     `cache:"follow"`
	Profile  *Profile       `cache:"follow"`
	Photos   []Photo        `gorm:"polymorphic:Owner" cache:"follow"`

	Staff    []people.Person   `gorm:"foreignKey:EmployerID" cache:"follow;order:Name desc"`
	Partners []*people.Country `gorm:"many2many:partners" cache:"follow"`
}

// Croupon is a discount.
type Croupon struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:InCity;by:City;order:Slug"`

	ID         uint64
	Slug       string `gorm:"size:100;uniqueIndex" cache:"unique"`
	City       string `gorm:"size:100"`
	MerchantID *uint64
	Merchant   *Merchant  `cache:"follow"`
	Reviews    []Review   `cache:"follow;order:Stars desc;limit:3"`
	Photos     []*Photo   `gorm:"polymorphic:Owner;polymorphicValue:c" cache:"follow;order:URL"`
	Tags       []Tag      `gorm:"many2many:croupon_tags" cache:"follow;order:Weight desc"`
	Similar    []*Croupon `gorm:"many2many:likenesses" cache:"follow"`

	// By other columns than the primary keys.
	Countries []people.Country `gorm:"many2many:croupon_countries;foreignKey:Slug;joinForeignKey:CrouponSlug;references:Code;joinReferences:CountryCode" cache:"follow;limit:2"`
	// By a join table of which the other side does not know that its rows are deleted softly.
	Places []Place `gorm:"many2many:croupon_places" cache:"follow"`
}

// CrouponPlace is the join table of croupons and places.
type CrouponPlace struct {
	CrouponID uint64 `gorm:"primaryKey"`
	PlaceCode string `gorm:"primaryKey;size:20"`
	DeletedAt gorm.DeletedAt
}

// Tag is on many croupons, and croupons have many.
type Tag struct {
	_ struct{} `cache:"model"`

	ID       int
	Name     string
	Weight   int
	Croupons []*Croupon `gorm:"many2many:croupon_tags" cache:"follow"`
	Places   []Place    `gorm:"many2many:tag_places" cache:"follow;limit:2"`
}

// Place has a text for its key.
type Place struct {
	_ struct{} `cache:"model"`

	Code     string `gorm:"primaryKey;size:20"`
	Name     string
	Croupons []Croupon `gorm:"many2many:croupon_places" cache:"follow;order:ID desc"`
}

// TagPlace is the join table of tags and places, with columns of its own.
type TagPlace struct {
	ID        uint64
	TagID     int
	PlaceCode string `gorm:"size:20"`
	Since     int
	DeletedAt gorm.DeletedAt
}

// Review belongs to a croupon and to a person of another package.
type Review struct {
	_ struct{} `cache:"model"`

	ID        uint64
	CrouponID uint64
	Stars     int
	Text      string
	AuthorID  int64
	Author    people.Person `cache:"follow"`
	DeletedAt gorm.DeletedAt
}

// Profile is what a merchant has one of.
type Profile struct {
	_ struct{} `cache:"model"`

	ID         uint64
	MerchantID uint64
	Merchant   *Merchant `cache:"follow"`
	About      string
}

// Photo belongs to a merchant or to a croupon.
type Photo struct {
	_ struct{} `cache:"model"`

	ID        uint64
	OwnerID   uint64
	OwnerType string `gorm:"size:50"`
	URL       string `gorm:"size:100"`
	Sharp     bool
}
