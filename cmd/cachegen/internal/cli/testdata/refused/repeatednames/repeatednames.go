package repeatednames

// Post repeats in names what their kinds say.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:ListAll"`
	_ struct{} `cache:"one:OneNewest"`
	_ struct{} `cache:"count:CountAll"`
	_ struct{} `cache:"unique:GetBySlug;by:Slug"`
	_ struct{} `cache:"list:Listing"`
	_ struct{} `cache:"list:One"`

	ID   uint64
	Slug string `gorm:"uniqueIndex"`
}
