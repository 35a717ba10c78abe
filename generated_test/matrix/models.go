// Package matrix holds every way of writing with GORM against what the cache flushes for it, and against what the same
// write does without the cache.
package matrix

import (
	"time"

	"gorm.io/gorm"
)

//go:generate go tool cachegen

// Region has shops.
type Region struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Name string `gorm:"size:40;uniqueIndex" cache:"unique"`
}

// Shop belongs to a region, has one licence and many articles, and shares tags with other shops.
type Shop struct {
	_ struct{} `cache:"model"`

	ID       uint64
	Name     string `gorm:"size:40;uniqueIndex" cache:"unique"`
	City     string `gorm:"size:40" cache:"list;count"`
	Phone    string
	RegionID *uint64 `cache:"list"`
	Region   *Region
	Licence  *Licence
	Articles []Article
	Tags     []Tag `gorm:"many2many:shop_tags"`
}

// Licence is had by one shop.
type Licence struct {
	_ struct{} `cache:"model"`

	ID     uint64
	ShopID *uint64 `cache:"list"`
	Number string  `gorm:"size:40"`
}

// Article is on lists of every kind, and is soft-deleted. Its hooks are told of in the context: see Hooks.
type Article struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Sale;by:Kind;where:Active = true;order:Price desc"`
	_ struct{} `cache:"one:Dearest;by:Kind;order:Price desc"`

	ID        uint64
	Code      string `gorm:"size:40;uniqueIndex" cache:"unique"`
	Kind      string `gorm:"size:40" cache:"list;count"`
	Active    bool
	Price     int64
	Title     string
	Grade     string  `gorm:"size:40;default:plain" cache:"count"`
	ShopID    *uint64 `cache:"list"`
	Shop      *Shop
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt gorm.DeletedAt `gorm:"index"`
}

// Tag is shared by shops.
type Tag struct {
	_ struct{} `cache:"model"`

	ID    uint64
	Name  string `gorm:"size:40;uniqueIndex" cache:"unique"`
	Shops []Shop `gorm:"many2many:shop_tags"`
}

// ShopTag is a row of the table that joins shops and tags.
type ShopTag struct {
	_ struct{} `cache:"model"`

	ShopID uint64 `gorm:"primaryKey;autoIncrement:false" cache:"list"`
	TagID  uint64 `gorm:"primaryKey;autoIncrement:false" cache:"list"`
}

// Place is embedded in a seat.
type Place struct {
	Hall string `gorm:"primaryKey;size:40"`
	No   int64  `gorm:"primaryKey;autoIncrement:false"`
}

// Looks is embedded in a seat with a prefix.
type Looks struct {
	Colour string `gorm:"size:40"`
	Wood   string
}

// Seat has a composite key, which is embedded, and a list by an embedded column.
type Seat struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:ByColour;by:Looks.Colour"`

	Place
	Looks Looks `gorm:"embedded;embeddedPrefix:looks_"`
}

// Badge has a key that the program makes, and another unique column.
type Badge struct {
	_ struct{} `cache:"model"`

	Code   string `gorm:"primaryKey;size:40"`
	Number int64  `gorm:"uniqueIndex"`
	City   string `gorm:"size:40" cache:"list"`
}

// Note has no lists.
type Note struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Text string
}

// Unseen has no cache.
type Unseen struct {
	ID   uint64
	Text string
}

// Slip is the table of the articles by another struct, without soft deletion or hooks.
type Slip struct {
	ID    uint64
	Kind  string
	Title string
}

// TableName is that of the articles.
func (Slip) TableName() string { return "articles" }
