// Package softdeletes has soft-delete columns of every make.
package softdeletes

import (
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// DeletedAt is a soft delete by number.
type DeletedAt uint

// QueryClauses leave deleted rows out.
func (DeletedAt) QueryClauses(*schema.Field) []clause.Interface { return nil }

// Seconds has the time as a number, 0 where the row is there.
type Seconds struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Recent;order:Name desc"`
	_ struct{} `cache:"count:All"`

	ID        uint64
	Name      string    `gorm:"uniqueIndex:name" cache:"unique;list"`
	DeletedAt DeletedAt `gorm:"uniqueIndex:name"`
}

// Flagged has a flag and the time beside it.
type Flagged struct {
	_ struct{} `cache:"model"`

	ID        uint64
	Name      string `cache:"list"`
	DeletedAt time.Time
	Gone      DeletedAt `gorm:"softDelete:flag,DeletedAtField:DeletedAt"`
}

// Zero has a time where the row is there, so that Valid says nothing.
type Zero struct {
	_ struct{} `cache:"model"`

	ID        uint64
	Name      string         `cache:"list"`
	DeletedAt gorm.DeletedAt `gorm:"zeroValue:1970-01-01 00:00:01"`
}

// Maybe has a pointer to one.
type Maybe struct {
	_ struct{} `cache:"model"`

	ID        uint64
	Name      string `cache:"count"`
	DeletedAt *gorm.DeletedAt
}
