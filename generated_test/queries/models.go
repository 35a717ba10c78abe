// Package queries has models whose tables are read by ad-hoc queries.
package queries

import (
	"time"

	"gorm.io/gorm"
)

//go:generate go tool cachegen

// Author writes posts.
type Author struct {
	_ struct{} `cache:"model;query"`

	ID    uint64
	Name  string
	Born  *time.Time
	Posts []Post
}

// Post is read in every way that there is. Its AfterFind fills a field that is no column.
type Post struct {
	_ struct{} `cache:"model;ttl:1h;query"`

	ID        uint64
	AuthorID  uint64  `cache:"list"`
	Author    *Author `cache:"follow"`
	Title     string
	Score     float64
	Data      []byte
	Public    bool
	CreatedAt time.Time
	DeletedAt gorm.DeletedAt
	Tags      []Tag `gorm:"many2many:post_tags"`

	Shown string `gorm:"-"`
}

// AfterFind fills Shown.
func (p *Post) AfterFind(*gorm.DB) error {
	p.Shown += "<" + p.Title + ">"
	return nil
}

// Tag hangs on posts.
type Tag struct {
	_ struct{} `cache:"model;query"`

	Name string `gorm:"primaryKey;size:64"`
}

// PostTag is the row of the join table.
type PostTag struct {
	_ struct{} `cache:"model;query"`

	PostID  uint64 `gorm:"primaryKey"`
	TagName string `gorm:"primaryKey;size:64"`
}

// Secret is cached, and takes no queries.
type Secret struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Text string
}

// Stranger is not cached at all.
type Stranger struct {
	ID   uint64
	Text string
}
