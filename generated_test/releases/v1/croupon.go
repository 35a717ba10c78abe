// Package v1 is a program's models as one release has them; v2 has the next one's.
package v1

//go:generate go tool cachegen

// Croupon is a discount offered in one city.
type Croupon struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Titled;by:Title"`

	ID       uint64 `gorm:"primaryKey"`
	Title    string
	City     string `cache:"list"`
	Category string
}
