// Package people is followed by the models of another package.
package people

import "gorm.io/gorm"

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

// AfterFind counts, and looks at what was read with the person.
func (p *Person) AfterFind(*gorm.DB) error {
	p.Found++
	p.Seen = len(p.Team)
	return nil
}

// Country is found by its code.
type Country struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Code string `gorm:"size:20;uniqueIndex"`
	Name string
}
