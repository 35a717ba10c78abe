// Package cascade has models whose rows refer to others by foreign keys that delete or change them: cached ones, and some that are not,
// of which rows hang on cached ones and the other way round.
package cascade

import "gorm.io/gorm"

//go:generate go tool cachegen

// Town is not cached.
type Town struct {
	ID   uint64
	Name string
}

// Merchant loses its town with the row of that.
type Merchant struct {
	_ struct{} `cache:"model"`

	ID     uint64
	Name   string
	Code   string  `gorm:"size:40;uniqueIndex" cache:"unique"`
	TownID *uint64 `cache:"list"`
	Town   *Town   `gorm:"constraint:OnDelete:SET NULL"`
}

// Croupon goes with its merchant.
type Croupon struct {
	_ struct{} `cache:"model"`

	ID         uint64
	Title      string
	MerchantID uint64    `gorm:"index" cache:"list;count"`
	Merchant   *Merchant `gorm:"constraint:OnDelete:CASCADE"`
	Tags       []Tag     `gorm:"many2many:croupon_tags;constraint:OnDelete:CASCADE"`
}

// Tag is not cached.
type Tag struct {
	ID   uint64
	Name string
}

// CrouponTag is a row of the join table, and goes with both that it joins.
type CrouponTag struct {
	_ struct{} `cache:"model"`

	CrouponID uint64 `gorm:"primaryKey" cache:"list"`
	TagID     uint64 `gorm:"primaryKey" cache:"list"`
}

// Review outlives its croupon.
type Review struct {
	_ struct{} `cache:"model"`

	ID        uint64
	Stars     int
	CrouponID *uint64  `gorm:"index" cache:"list"`
	Croupon   *Croupon `gorm:"constraint:OnDelete:SET NULL"`
}

// Label refers to its merchant by a code, which may change.
type Label struct {
	_ struct{} `cache:"model"`

	ID           uint64
	MerchantCode *string   `gorm:"size:40;index" cache:"list"`
	Merchant     *Merchant `gorm:"foreignKey:MerchantCode;references:Code;constraint:OnUpdate:CASCADE,OnDelete:SET NULL"`
	Marks        []Mark    `gorm:"many2many:label_marks;constraint:OnDelete:CASCADE" cache:"follow"`
}

// Mark is led to by labels, through a join table that no struct is of.
type Mark struct {
	_ struct{} `cache:"model"`

	ID uint64
}

// Stall is not cached, and goes with its merchant.
type Stall struct {
	ID         uint64
	MerchantID uint64
	Merchant   *Merchant `gorm:"constraint:OnDelete:CASCADE"`
}

// Item goes with its stall.
type Item struct {
	_ struct{} `cache:"model"`

	ID      uint64
	StallID uint64 `gorm:"index" cache:"list"`
	Stall   *Stall `gorm:"constraint:OnDelete:CASCADE"`
}

// Category goes with the category that it is in.
type Category struct {
	_ struct{} `cache:"model"`

	ID       uint64
	ParentID *uint64   `gorm:"index" cache:"list"`
	Parent   *Category `gorm:"constraint:OnDelete:CASCADE"`
}

// Book is not cached, and has a composite key.
type Book struct {
	OrgID string `gorm:"primaryKey;size:40"`
	No    int64  `gorm:"primaryKey;autoIncrement:false"`
}

// Page goes with its book, and when the book gets another number it goes along.
type Page struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:OfBook;by:OrgID,BookNo"`

	ID     uint64
	OrgID  string `gorm:"size:40"`
	BookNo int64
	Book   *Book `gorm:"foreignKey:OrgID,BookNo;references:OrgID,No;constraint:OnUpdate:CASCADE,OnDelete:CASCADE"`
}

// Account is deleted softly.
type Account struct {
	_ struct{} `cache:"model"`

	ID        uint64
	DeletedAt gorm.DeletedAt
}

// Entry goes with its account.
type Entry struct {
	_ struct{} `cache:"model"`

	ID        uint64
	AccountID uint64   `gorm:"index" cache:"list"`
	Account   *Account `gorm:"constraint:OnDelete:CASCADE"`
}

// Tables are all of them, parents first.
func Tables() []any {
	return []any{&Town{}, &Merchant{}, &Tag{}, &Croupon{}, &Review{}, &Mark{}, &Label{}, &Stall{}, &Item{}, &Category{}, &Book{}, &Page{}, &Account{}, &Entry{}}
}
