package shapes

import "time"

// Document belongs to an organisation, which numbers its own.
type Document struct {
	_ struct{} `cache:"model;ttl:10m;lease"`
	_ struct{} `cache:"list:Recent;by:OrgID;order:ChangedAt desc,No desc;limit:20"`
	_ struct{} `cache:"unique:Title;by:OrgID,Title"`

	OrgID     string `gorm:"primaryKey;uniqueIndex:title" cache:"count"`
	No        int64  `gorm:"primaryKey"`
	Title     string `gorm:"uniqueIndex:title"`
	ChangedAt time.Time
}

// Language numbers the translations of a document.
type Language uint8

// Translation has a key of two declared types and one that is embedded.
type Translation struct {
	_ struct{} `cache:"model"`

	Of       DocumentRef `gorm:"embedded;embeddedPrefix:of_"`
	Language Language    `gorm:"primaryKey"`
	Text     string
}

// DocumentRef points at a document.
type DocumentRef struct {
	OrgID string `gorm:"primaryKey"`
	No    int64  `gorm:"primaryKey"`
}
