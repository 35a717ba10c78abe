// Package query has a model that takes ad-hoc queries.
package query

import "time"

// Post takes them, and has a list besides.
type Post struct {
	_ struct{} `cache:"model;ttl:1h;query"`

	ID        uint64
	Author    string `cache:"list"`
	Title     string
	CreatedAt time.Time
}

// Tag takes none.
type Tag struct {
	_ struct{} `cache:"model"`

	Name string `gorm:"primaryKey"`
}
