package misplaced

import "gorm.io/gorm"

// Post declares itself a model on a column.
type Post struct {
	ID   uint64 `cache:"model"`
	Name string `cache:"list"`
}

// Draft declares itself a model on what it embeds.
type Draft struct {
	gorm.Model `cache:"model;ttl:1h"`
}

// Twice does it on a column first, and then rightly.
type Twice struct {
	ID uint64   `cache:"model"`
	_  struct{} `cache:"model"`
}
