package numbers

// Post has limits and ttls that mean nothing.
type Post struct {
	_ struct{} `cache:"model;ttl:1d"`
	_ struct{} `cache:"list:A;limit:0"`
	_ struct{} `cache:"list:B;limit:-5"`
	_ struct{} `cache:"list:C;limit:many"`
	_ struct{} `cache:"list:D;ttl:0s"`
	_ struct{} `cache:"list:E;ttl:-1h"`
	_ struct{} `cache:"list:F;ttl:Forever"`

	ID uint64
}
