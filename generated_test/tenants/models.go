// Package tenants holds models of which each tenant has its own rows.
package tenants

import (
	"time"

	"gorm.io/gorm"
)

//go:generate go tool cachegen

// Note is a tenant's: a callback of the application's adds the tenant to every query.
type Note struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Open;by:Topic;where:Done = false;order:Rank desc;limit:10"`
	_ struct{} `cache:"one:Newest;by:Topic;order:CreatedAt desc"`

	ID        uint64 `gorm:"primaryKey"`
	Tenant    string `gorm:"index"`
	Slug      string `cache:"unique;unchecked"`
	Topic     string `cache:"list;count"`
	Rank      int
	Done      bool
	Text      string
	CreatedAt time.Time
	DeletedAt gorm.DeletedAt
}

// Page has one table in each tenant's schema.
type Page struct {
	_ struct{} `cache:"model"`

	ID    uint64 `gorm:"primaryKey"`
	Slug  string `gorm:"uniqueIndex" cache:"unique"`
	Topic string `cache:"list;count"`
	Text  string
}
