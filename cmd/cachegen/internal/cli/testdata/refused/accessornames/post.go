package names

// Post names its accessors badly.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list;by:Author"`
	_ struct{} `cache:"list:;by:Author"`
	_ struct{} `cache:"list:recent;by:Author"`
	_ struct{} `cache:"list:By Author;by:Author"`
	_ struct{} `cache:"list:9;by:Author"`
	_ struct{} `cache:"list:ByAuthor;by:Author"`
	_ struct{} `cache:"list:Feed"`
	_ struct{} `cache:"list:FeedPage"`
	_ struct{} `cache:"count:Feed"`
	_ struct{} `cache:"list:Feed;order:Author"`

	ID     uint64
	Author uint64 `cache:"list"`
}
