// Package own has models whose own fields and methods are called as generated ones are.
package own

import "context"

// Post has what PostModel and PostCache have.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;by:Cache,Objects,Models"`

	ID      uint64
	Cache   string `cache:"list"`
	Objects int    `gorm:"uniqueIndex" cache:"unique"`
	Models  string
	Table   string `cache:"count"`
	Source  string
	Rows    string
	Reader  string `cache:"list"`
}

// Get is Post's own.
func (p *Post) Get(ctx context.Context) (*Post, error) { return p, ctx.Err() }

// ListByCache is too.
func (p *Post) ListByCache() string { return p.Cache }

// Title is one more method of the generated cache.
func (c *PostCache) Title(ctx context.Context, id uint64) (string, error) {
	p, err := c.Get(ctx, id)
	if err != nil {
		return "", err
	}
	return p.Cache, nil
}

// Cache is a model itself.
type Cache struct {
	_  struct{} `cache:"model"`
	ID uint64
}

// Objects is another.
type Objects struct {
	_  struct{} `cache:"model"`
	ID uint64
}

// min and max are Go's too, and generated code does without.
func min(a, b int) int { return a - b }

// len is another.
func len(string) int { return min(1, 2) }

var _ = len
