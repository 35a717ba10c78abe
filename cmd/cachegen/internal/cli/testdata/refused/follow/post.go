package follow

import "github.com/cachegen/cachegen/cmd/cachegen/internal/cli/testdata/ok/relations"

// Post follows what cannot be followed yet, or ever.
type Post struct {
	_ struct{} `cache:"model"`

	ID       uint64
	Title    string `cache:"list;follow"`
	WriterID uint64
	Writer   *Writer            `cache:"follow"`
	Reviews  []*Review          `cache:"follow;order:ID desc;limit:100"`
	Author   relations.Author   `gorm:"foreignKey:WriterID" cache:"follow"`
	Similar  []Post             `gorm:"many2many:similar" cache:"follow"`
	Place    Place              `gorm:"embedded" cache:"follow"`
	Note     map[string]*Review `gorm:"-" cache:"follow"`
}

// Writer is not cached.
type Writer struct{ ID uint64 }

// Review is not cached either, whatever its columns say.
type Review struct {
	ID     uint64
	PostID uint64
}

// Place is embedded.
type Place struct{ Zip string }
