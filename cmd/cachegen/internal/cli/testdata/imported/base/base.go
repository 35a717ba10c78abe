// Package base has a type that is not exported, and one that embeds itself.
package base

type kind string

// Base is embedded by models of other packages.
type Base struct {
	Kind kind
	Own  *inner `gorm:"embedded"`
}

type inner struct{ Zip string }

// Loop embeds itself.
type Loop struct {
	*Loop
	Again *Loop `gorm:"embedded"`
	Name  string
}
