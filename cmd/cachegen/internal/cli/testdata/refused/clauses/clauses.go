package clauses

import (
	"database/sql"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// TenantID adds a condition to every query.
type TenantID int

// QueryClauses names the tenant.
func (TenantID) QueryClauses(*schema.Field) []clause.Interface { return nil }

// Post belongs to a tenant.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;by:Tenant"`

	ID     uint64
	Tenant TenantID `cache:"count"`
}

// Draft belongs to a tenant and is soft-deleted.
type Draft struct {
	_ struct{} `cache:"model"`

	gorm.Model
	Tenant TenantID
}

// Twice is soft-deleted twice.
type Twice struct {
	_ struct{} `cache:"model"`

	gorm.Model
	Archived gorm.DeletedAt
}

// NullKey has primary keys that may be NULL.
type NullKey struct {
	_    struct{}            `cache:"model"`
	ID   *int64              `gorm:"primaryKey"`
	Code sql.Null[string]    `gorm:"primaryKey"`
	Name sql.NullString      `gorm:"primaryKey"`
	At   *time.Time          `gorm:"primaryKey"`
	When sql.Null[time.Time] `gorm:"primaryKey"`
}
