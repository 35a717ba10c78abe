// Package names has names that are awkward to write code with.
package names

import "time"

// kind is not exported, and a parameter must not hide it.
type kind string

// HTTPBox is spelled partly in capitals.
type HTTPBox struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Awkward;by:Type,Range,Len,Ctx,Context,Time,Kind,URLPath,C,O"`
	_ struct{} `cache:"list:Window;by:Offset,Limit,Level"`
	_ struct{} `cache:"count:Twice;by:URL,Url"`

	IDs     string `gorm:"primaryKey" cache:"list"`
	Type    string
	Range   int
	Len     int
	Ctx     *kind
	Context string
	Time    time.Time `cache:"list"`
	Kind    *kind
	URLPath string
	C, O    int64
	Offset  int
	Limit   int
	Level   int
	URL     string `gorm:"column:long_url"`
	Url     string
}

// City has an irregular plural.
type City struct {
	_    struct{} `cache:"model"`
	ID   int
	User string `cache:"count"`
}

// News has no plural, and columns that are awkward to speak of.
type News struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"one:Latest;by:X1,Audit.EditedBy;where:Active = true;order:Audit.EditedAt desc"`
	_ struct{} `cache:"count:Noted;by:Place.Zip;where:Home.Zip = '1',X1 > 3"`

	PostID uint64 `gorm:"primaryKey"`
	N      int    `gorm:"primaryKey"`
	X1     int
	Status string `gorm:"uniqueIndex" cache:"unique;count"`
	Active bool
	Audit  Audit   `gorm:"embedded"`
	Place  Address `gorm:"embedded;embeddedPrefix:place_"`
	Home   Address `gorm:"embedded;embeddedPrefix:home_"`
}

// Audit says who changed a row, and when.
type Audit struct {
	EditedBy string
	EditedAt time.Time
}

// Address is somewhere.
type Address struct{ Zip string }
