package where

import "time"

// Post has conditions that no database or reader could take.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;where:Active"`
	_ struct{} `cache:"list:B;where:Active = true OR Score > 5"`
	_ struct{} `cache:"list:C;where:Active = true AND Score > 5"`
	_ struct{} `cache:"list:D;where:Score > 'five'"`
	_ struct{} `cache:"list:E;where:Score = 5.5"`
	_ struct{} `cache:"list:F;where:Level = 300"`
	_ struct{} `cache:"list:G;where:Title > 'a'"`
	_ struct{} `cache:"list:H;where:Title = pizza"`
	_ struct{} `cache:"list:I;where:Title = 'half;order:ID"`
	_ struct{} `cache:"list:J;where:At > '2024-02-30'"`
	_ struct{} `cache:"list:K;where:At > now()"`
	_ struct{} `cache:"list:L;where:Parent = NULL"`
	_ struct{} `cache:"list:M;where:Title IS NULL"`
	_ struct{} `cache:"list:N;where:Score IN 1,2"`
	_ struct{} `cache:"list:O;where:Score IN (1 2)"`
	_ struct{} `cache:"list:P;where:Score <> 1"`
	_ struct{} `cache:"list:Q;where:Score == 1"`
	_ struct{} `cache:"list:R;where:Active IN (true)"`
	_ struct{} `cache:"list:S;where:Active = 1"`
	_ struct{} `cache:"list:T;where:Raw = 'x'"`
	_ struct{} `cache:"list:U;where:Title LIKE 'x'"`
	_ struct{} `cache:"list:V;where:Scroe > 1"`
	_ struct{} `cache:"list:W;where:Score > 1,"`
	_ struct{} `cache:"list:X;where:Parent IS MISSING"`
	_ struct{} `cache:"list:Y;where:Price > 1e"`
	_ struct{} `cache:"list:Z;where:Raw IS NULL"`
	_ struct{} `cache:"list:Inf;where:Price < -Inf"`
	_ struct{} `cache:"list:Max;where:ID = 18446744073709551615"`

	ID     uint64
	Active bool
	Score  int64
	Level  uint8
	Price  float64
	Title  string
	At     time.Time
	Parent *uint64
	Raw    []byte
}

// Draft is written as other languages are.
type Draft struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;where:Title = \"foo\""`
	_ struct{} `cache:"list:B;where:Title = "foo""`
	_ struct{} `cache:"list:C;where:lower(Title) = 'foo'"`
	_ struct{} `cache:"list:D;where:At > NOW"`
	_ struct{} `cache:"list:E;where:At > date ('2024-01-31')"`
	_ struct{} `cache:"list:F;where:Ratio = 0.1e400"`
	_ struct{} `cache:"list:G;where:Title = ''"`

	ID    uint64
	Title string
	At    time.Time
	Ratio float64
}
