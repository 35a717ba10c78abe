package methods

import (
	. "go/token"
)

// Post has accessors, fields and methods that are called as generated ones are, which is all right.
type Post struct {
	_ struct{} `cache:"model"`

	ID      uint64
	Slug    string `gorm:"uniqueIndex" cache:"unique;list"`
	Cache   string `cache:"count"`
	Objects string
}

// Get is Post's own.
func (p *Post) Get() string { return p.Cache }

// GetBySlug is generated.
func (c *PostCache) GetBySlug(slug string) *Post { return nil }

// FlushAll is too.
func (c PostCache) FlushAll() {}

// FlushAll is not: Objects flushes nothing.
func (o *PostObjects) FlushAll() {}

// ListBySlugPage is.
func (o *PostObjects) ListBySlugPage() {}

// Cache is a field.
func (m *PostModel) Cache() {}

// Post is another.
func (m *Models) Post() {}

// WithTx is a method.
func (m *Models) WithTx() {}

// Title is new, and all right.
func (c *PostCache) Title() string { return "" }

// Token and File come from elsewhere.
var _ Token

// FileCache collides with a name that is imported.
type FileSet2 struct{}
