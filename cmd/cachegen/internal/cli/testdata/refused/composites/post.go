package composites

// Document has a key of several columns, and lookups that mistake it.
type Document struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"unique:Both;by:No,Org"`
	_ struct{} `cache:"unique:No;by:No"`
	_ struct{} `cache:"unique:Title;by:Org,Title"`
	_ struct{} `cache:"unique:Wide;by:Org,Slug,Lang"`
	_ struct{} `cache:"unique:Twice;by:Org,Org"`

	Org   string `gorm:"primaryKey"`
	No    int64  `gorm:"primaryKey" cache:"unique"`
	Title string `gorm:"uniqueIndex:title"`
	Year  int    `gorm:"uniqueIndex:title"`
	Slug  string `gorm:"uniqueIndex:slug"`
	Lang  string `gorm:"uniqueIndex:slug"`
}

// Translation has a key of which a part can be NULL, and one of no type that keys have.
type Translation struct {
	_ struct{} `cache:"model"`

	DocID uint64   `gorm:"primaryKey"`
	Lang  *string  `gorm:"primaryKey"`
	Score float64  `gorm:"primaryKey"`
	Tags  []string `gorm:"primaryKey"`
}
