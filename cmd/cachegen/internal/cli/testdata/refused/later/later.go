package later

import "gorm.io/gorm"

// Post uses what is reserved.
type Post struct {
	_ struct{} `cache:"model;query"`
	_ struct{} `cache:"list:A;by:Author;stale:5m"`
	_ struct{} `cache:"list:B;by:Author,At/1h"`
	_ struct{} `cache:"list:C;by:Tags"`
	_ struct{} `cache:"count:D;by:Author;failsafe:1h"`

	ID       uint64
	Author   uint64
	At       int64
	WriterID uint64
	Writer   *Writer `cache:"follow"`
	Tags     []Tag   `gorm:"many2many:post_tags" cache:"follow;limit:10"`
}

// Tag is many to many.
type Tag struct{ ID uint64 }

// Writer writes.
type Writer struct {
	_ struct{} `cache:"model;hot:100;stale:1m;failsafe:1h"`
	gorm.Model
	Name string
}
