// Package ddl has models whose tables do more by themselves than the tags say: the database makes columns of others, sets one when
// another is set, and deletes rows to make room for those that are written.
package ddl

import (
	"time"

	"github.com/cachegen/cachegen/generated_test/kinds"
	"gorm.io/gorm"
)

//go:generate go tool cachegen

// Part makes room for another with its code, or in its slot, on SQLite.
type Part struct {
	_ struct{} `cache:"model"`

	ID    uint64
	Code  string `gorm:"size:40;uniqueIndex" cache:"unique"`
	Shelf string `gorm:"size:40" cache:"list"`
	Slot  *int
	Title string `gorm:"size:40"`
}

// Screw goes with its part.
type Screw struct {
	_ struct{} `cache:"model"`

	ID     uint64
	PartID uint64 `cache:"list"`
}

// Box is not cached, and makes room, too.
type Box struct {
	ID   uint64
	Code string
}

// Lid goes with its box.
type Lid struct {
	_ struct{} `cache:"model"`

	ID    uint64
	BoxID uint64 `cache:"list"`
}

// Draft is deleted softly, and makes room for another with its code that is deleted at the same time.
type Draft struct {
	_ struct{} `cache:"model"`

	ID        uint64
	Code      string `cache:"list"`
	DeletedAt gorm.DeletedAt
}

// Folder is deleted softly by a flag, and its type sets the time besides.
type Folder struct {
	_ struct{} `cache:"model"`

	ID        uint64
	Code      string     `gorm:"size:40" cache:"list"`
	Gone      kinds.Gone `gorm:"softDelete:flag,DeletedAtField:RemovedAt"`
	RemovedAt *uint64
}

// Brand has a slug that the database makes of its name.
type Brand struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Name string `gorm:"size:40"`
	Note string `gorm:"size:40"`
	Slug string `gorm:"size:40;default:(-)" cache:"list"`
}

// Sticker refers to a brand by its slug, of which the database makes its mark.
type Sticker struct {
	_ struct{} `cache:"model"`

	ID        uint64
	BrandSlug string `gorm:"size:40" cache:"list"`
	Mark      string `gorm:"size:40;default:(-)" cache:"list"`
}

// Tape refers to a sticker by its mark.
type Tape struct {
	_ struct{} `cache:"model"`

	ID          uint64
	StickerMark string `gorm:"size:40" cache:"list"`
}

// Window is a row of a view: a tape, and the note of the brand with its number.
type Window struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Mark string `gorm:"size:40" cache:"list"`
	Note string `gorm:"size:40"`
}

// Paper is ordered by the time of its last change, which MySQL sets.
type Paper struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:InCity;by:City;order:Touched desc"`

	ID      uint64
	City    string    `gorm:"size:40"`
	Title   string    `gorm:"size:40"`
	Touched time.Time `gorm:"default:(-)"`
}

// Ticket has a number that PostgreSQL makes of what it is for.
type Ticket struct {
	_ struct{} `cache:"model"`

	No   int64 `gorm:"primaryKey;autoIncrement:false;default:(-)"`
	Seat int64
	Note string
}
