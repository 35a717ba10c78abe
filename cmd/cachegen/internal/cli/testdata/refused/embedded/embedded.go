package embedded

// Base is embedded, with tags.
type Base struct {
	ID   uint64
	Name string `cache:"list"`
}

// Other has a column of the same name.
type Other struct{ Name string }

// Post embeds them.
type Post struct {
	_ struct{} `cache:"model"`
	Base
	Other Other `gorm:"embedded"`
}
