// Package v2 is the models of package v1 one release later: with a column more, a list more and a list less.
package v2

//go:generate go tool cachegen

// Croupon is a discount offered in one city.
type Croupon struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"count:InCategory;by:Category"`

	ID       uint64 `gorm:"primaryKey"`
	Title    string
	City     string `cache:"list"`
	Category string `cache:"list"`
	Note     string
}
