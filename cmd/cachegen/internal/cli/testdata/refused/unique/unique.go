package unique

// Post has lookups that no index makes unique.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"unique:Pair;by:Left,Right"`
	_ struct{} `cache:"unique:Half;by:First"`
	_ struct{} `cache:"unique:None"`
	_ struct{} `cache:"unique:Part;by:Partial"`

	ID      uint64 `cache:"unique"`
	Slug    string `gorm:"index" cache:"unique"`
	Left    int    `gorm:"index:pair"`
	Right   int    `gorm:"index:pair"`
	First   int    `gorm:"uniqueIndex:both"`
	Second  int    `gorm:"uniqueIndex:both"`
	Partial string `gorm:"uniqueIndex:,where:slug <> ''"`
}
