// Package follows has relations that are followed, within the package and out of it.
package follows

import (
	"github.com/cachegen/cachegen/cmd/cachegen/internal/cli/testdata/ok/relations"
	"gorm.io/gorm"
)

// Post has a relation of each kind.
type Post struct {
	_ struct{} `cache:"model"`

	ID       uint64
	AuthorID uint64
	Author   relations.Author `cache:"follow"`
	ParentID *uint64
	Parent   *Post    `cache:"follow"`
	Answers  []*Post  `gorm:"foreignKey:ParentID" cache:"follow;order:ID desc;limit:20"`
	Cover    *Picture `gorm:"polymorphic:Owner" cache:"follow"`
	Notes    []Note   `cache:"follow;order:CreatedAt desc,Text"`
	Similar  []*Post  `gorm:"many2many:similar" cache:"follow;order:ID desc"`
}

// Note has what it is ordered by in an embedded struct.
type Note struct {
	_ struct{} `cache:"model"`
	gorm.Model

	PostID uint64
	Text   string
}

// Picture belongs to whatever has one.
type Picture struct {
	_ struct{} `cache:"model"`

	ID        uint64
	OwnerID   uint64
	OwnerType string
}
