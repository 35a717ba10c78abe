// Package incomplete uses its generated names, as every package does that has none yet.
package incomplete

import "context"

// Page is a model whose package does not compile before its code is generated.
type Page struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Path string `gorm:"uniqueIndex" cache:"unique"`
}

// Site serves pages.
type Site struct {
	pages  PageReader
	models *Models
}

// NewSite returns a site that reads through the cache.
func NewSite(m *Models) *Site { return &Site{pages: m.Page.Cache, models: m} }

// Title is the path of the page at path, from the database.
func (s *Site) Title(ctx context.Context, path string) (string, error) {
	if _, err := s.pages.GetByPath(ctx, path); err != nil {
		return "", err
	}
	p, err := s.models.Page.Objects.GetByPath(ctx, path)
	if err != nil {
		return "", err
	}
	return p.Path, nil
}

var _ = CacheKeys
