// Package hidden embeds structs of another package.
package hidden

import "github.com/cachegen/cachegen/cmd/cachegen/internal/cli/testdata/imported/base"

// Post embeds what its generated code cannot name.
type Post struct {
	_ struct{} `cache:"model"`

	ID uint64
	base.Base
}

// Endless has no end.
type Endless struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Loop base.Loop `gorm:"embedded"`
}
