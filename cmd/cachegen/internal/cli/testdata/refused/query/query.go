package query

// Post misuses query.
type Post struct {
	_ struct{} `cache:"model;query:all"`
	_ struct{} `cache:"list:Recent;order:ID desc;query"`
	_ struct{} `cache:"query"`

	ID     uint64
	Author string `cache:"query"`
}

// Tag says it twice.
type Tag struct {
	_ struct{} `cache:"model;query;query"`

	ID uint64
}

// Line puts a comma for a semicolon.
type Line struct {
	_ struct{} `cache:"model;ttl:1h,query"`

	ID uint64
}

// Note has a method of the name on a generated type.
type Note struct {
	_ struct{} `cache:"model;query"`

	ID uint64
}

// Query is the package's own.
func (c *NoteCache) Query() {}
