// Package parts has a model that those of another package follow, and a type of theirs.
package parts

//go:generate go tool cachegen

// Stars is how well something is liked.
type Stars uint8

// Author writes.
type Author struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Name string `gorm:"size:100;uniqueIndex" cache:"unique"`
}
