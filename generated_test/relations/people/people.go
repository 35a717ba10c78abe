// Package people is followed by the models of another package.
package people

import (
	"context"

	"gorm.io/gorm"
)

//go:generate go tool cachegen

// Person writes reviews and owns merchants. People lead people.
type Person struct {
	_ struct{} `cache:"model"`

	ID          uint64
	Name        string
	BossID      *uint64
	Boss        *Person  `cache:"follow"`
	Team        []Person `gorm:"foreignKey:BossID" cache:"follow;order:Name desc"`
	CountryCode string
	Country     Country `gorm:"foreignKey:CountryCode;references:Code" cache:"follow"`
	EmployerID  uint64  // a merchant's, who follows it

	Found int `gorm:"-"` // how often AfterFind ran
	Seen  int `gorm:"-"` // how many of the team it found
}

// AfterFind counts, and looks at what was read with the person. Then it calls what the context has for it.
func (p *Person) AfterFind(tx *gorm.DB) error {
	p.Found++
	p.Seen = len(p.Team)
	if found, ok := tx.Statement.Context.Value(foundKey{}).(func(*Person) error); ok {
		return found(p)
	}
	return nil
}

type foundKey struct{}

// WithFound returns a context whose reads call a function for each person's AfterFind.
func WithFound(ctx context.Context, found func(*Person) error) context.Context {
	return context.WithValue(ctx, foundKey{}, found)
}

// Country is found by its code.
type Country struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Code string `gorm:"size:20;uniqueIndex"`
	Name string
}
