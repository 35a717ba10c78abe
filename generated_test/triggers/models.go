// Package triggers has models on tables with triggers, which write other tables, and columns of the row itself.
package triggers

//go:generate go tool cachegen

// Author has the number of its posts, which triggers keep.
type Author struct {
	_ struct{} `cache:"model"`

	ID    uint64
	Name  string `gorm:"size:40" cache:"list"`
	Posts int64
}

// Post is found by a slug, which a trigger may make of its title.
type Post struct {
	_ struct{} `cache:"model"`

	ID       uint64
	AuthorID uint64 `cache:"list"`
	Title    string `gorm:"size:40"`
	Slug     string `gorm:"size:40" cache:"list"`
	Note     string `gorm:"size:40"`
	Touched  string `gorm:"size:40"` // by triggers, when it was changed
}

// Remark is on a post, and goes with it.
type Remark struct {
	_ struct{} `cache:"model"`

	ID     uint64
	PostID uint64 `cache:"list"`
	Post   *Post  `gorm:"constraint:OnDelete:CASCADE"`
}

// Badge has a key that the program makes, or a trigger.
type Badge struct {
	_ struct{} `cache:"model"`

	ID   string `gorm:"primaryKey;size:40"`
	Code string `gorm:"size:40;uniqueIndex" cache:"unique"`
	Note string `gorm:"size:40"`
}

// Plate has no lists.
type Plate struct {
	_ struct{} `cache:"model"`

	ID   string `gorm:"primaryKey;size:40"`
	Note string `gorm:"size:40"`
}

// Stat is a number that triggers keep.
type Stat struct {
	_ struct{} `cache:"model"`

	ID string `gorm:"primaryKey;size:40"`
	N  int64
}

// Draft is not cached.
type Draft struct {
	ID       uint64
	AuthorID uint64
}

// Tables are all of them, parents first.
func Tables() []any {
	return []any{&Author{}, &Post{}, &Remark{}, &Badge{}, &Plate{}, &Stat{}, &Draft{}}
}
