// Package tenants holds models of which each tenant has its own rows.
package tenants

import (
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
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

// Owner is the tenant of a Memo: the type itself adds a condition to every query, by its context.
type Owner string

// QueryClauses is the condition on a column of the type.
func (Owner) QueryClauses(f *schema.Field) []clause.Interface { return []clause.Interface{ownerIs{f}} }

// Memo is a tenant's, by the type of a column.
type Memo struct {
	_ struct{} `cache:"model"`

	ID    uint64 `gorm:"primaryKey"`
	Owner Owner
	Topic string `cache:"list"`
	Text  string
}

// AfterFind marks each copy that is handed out.
func (m *Memo) AfterFind(*gorm.DB) error {
	m.Text += "!"
	return nil
}

// Page has one table in each tenant's schema.
type Page struct {
	_ struct{} `cache:"model"`

	ID    uint64 `gorm:"primaryKey"`
	Slug  string `gorm:"uniqueIndex" cache:"unique"`
	Topic string `cache:"list;count"`
	Text  string
}
