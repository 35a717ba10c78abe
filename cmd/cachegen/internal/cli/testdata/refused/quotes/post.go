package quotes

// Post has quotes that nothing ends, or that end too soon.
type Post struct {
	_ struct{} `cache:"model`
	_ struct{} `cache:'list:A'`
	_ struct{} `cache:"list:B;where:Title = 'it's'"`
	_ struct{} `cache:"list:C;where:Title IN ('a, 'b')"`
	_ struct{} `cache:"list:D;where:Title = 'a"`
	_ struct{} `cache:"list:E;where:Title IN ('a', 'b"`
	_ struct{} `cache:"list:F;where:Title = 'a'b"`
	_ struct{} `cache:"list:G" cache:"count:G"`
	_ struct{} `json:"-"cache:"list:H"`
	_ struct{} "cache:\"list:I;where:Title = '\\xff'\""
	_ struct{} `cache:"list:J;where:Title = '\x00'"`
	_ struct{} `cache:"list:K;where:Title = ‘a’"`

	ID    uint64
	Title string `gorm:"size:80" cache: "list"`
}
