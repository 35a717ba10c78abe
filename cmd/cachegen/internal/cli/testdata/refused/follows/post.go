package follows

// Post follows relations with options that they do not take.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"follow:Writer"`

	ID       uint64
	WriterID uint64
	Writer   *Writer `cache:"follow;order:ID"`
	First    []Note  `cache:"follow;order:Tilte"`
	Second   []Note  `cache:"follow;order:Title,Title desc"`
	Third    []Note  `cache:"follow;limit:0;where:Title = 'x'"`
	Fourth   []*Note `cache:"follow:Fourth;limit"`
	Fifth    []*Note `cache:"follow;follow;list"`
	Sixth    []*Note `cache:"follow;order:Secret;order:Blob"`
	Eighth   []*Note `gorm:"many2many:likes" cache:"follow;order:ID,Title"`
	seventh  []*Note `cache:"follow"`
	Base
	Ninth []Writer `cache:"follow"`
	Tenth *Other   `cache:"follow"`
	Cover *Writer  `gorm:"polymorphic:Owner" cache:"follow"`
	Last  *Writer  `cache:"folow"`
}

// Base has a relation that every model which embeds it has.
type Base struct {
	EditorID uint64
	Editor   *Writer `cache:"follow"`
}

// Other has nothing to do with posts.
type Other struct {
	_ struct{} `cache:"model"`

	ID uint64
}

// Writer is what one has one of.
type Writer struct {
	_ struct{} `cache:"model"`

	ID uint64
}

// Note is what one has many of.
type Note struct {
	_ struct{} `cache:"model"`

	ID     uint64
	PostID uint64
	Title  string
	Blob   []string `gorm:"serializer:json"`
	Secret string   `gorm:"->:false;<-"`
}
