package together

import "time"

// Post has conditions that say a thing twice, or that can never hold together.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;where:N = 5, N = 5"`
	_ struct{} `cache:"list:B;where:N = 5, Active = true, N = 3"`
	_ struct{} `cache:"list:C;where:N > 5, N < 3"`
	_ struct{} `cache:"list:D;where:N > 5, N < 6"`
	_ struct{} `cache:"list:E;where:N >= 5, N <= 5, N != 5"`
	_ struct{} `cache:"list:F;where:N = 5, N > 7"`
	_ struct{} `cache:"list:G;where:N IN (1, 2), N IN (2, 1)"`
	_ struct{} `cache:"list:H;where:N IN (1, 2, 1)"`
	_ struct{} `cache:"list:I;where:N IN (1, 2), N = 2"`
	_ struct{} `cache:"list:J;where:N IN (1, 2), N > 2"`
	_ struct{} `cache:"list:K;where:Title = 'a', Title = 'b'"`
	_ struct{} `cache:"list:L;where:Title = 'a', Title != 'a'"`
	_ struct{} `cache:"list:M;where:Title IN ('a'), Title = 'a'"`
	_ struct{} `cache:"list:N;where:Active = true, Active = false"`
	_ struct{} `cache:"list:O;where:Active = true, Active != true"`
	_ struct{} `cache:"list:P;where:Parent IS NULL, Parent IS NOT NULL"`
	_ struct{} `cache:"list:Q;where:Parent > 5, Parent IS NULL"`
	_ struct{} `cache:"list:R;where:At > '2024-01-31T00:00:00Z', At < '2024-01-31T00:00:00+01:00'"`
	_ struct{} `cache:"list:S;where:At > '2024-01-31T00:00:00Z', At > '2024-01-31T01:00:00+01:00'"`
	_ struct{} `cache:"list:T;where:Price < 0.5, Price > 0.5"`
	_ struct{} `cache:"list:U;where:Level < 1, Level > 2"`

	ID     uint64
	N      int
	Level  uint8
	Price  float64
	Active bool
	Title  string
	At     time.Time
	Parent *uint64
}
