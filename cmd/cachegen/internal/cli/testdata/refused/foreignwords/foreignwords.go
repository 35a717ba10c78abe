package foreignwords

// Post has conditions and arguments as SQL and Go have them.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:A;where:NOT Active"`
	_ struct{} `cache:"list:B;where:!Active"`
	_ struct{} `cache:"list:C;where:not (Active = true)"`
	_ struct{} `cache:"list:D;where:NOT N = 5"`
	_ struct{} `cache:"list:E;where:N BETWEEN 1 AND 5"`
	_ struct{} `cache:"list:F;where:City NOT IN ('a', 'b')"`
	_ struct{} `cache:"list:G;where:City not like 'a%'"`
	_ struct{} `cache:"list:H;where:N NOT BETWEEN 1 AND 5"`
	_ struct{} `cache:"list:I;where:City = ?"`
	_ struct{} `cache:"list:J;where:City = :city"`
	_ struct{} `cache:"list:K;where:City IN ($1, $2)"`
	_ struct{} `cache:"list:L;where:N = StatusOpen"`
	_ struct{} `cache:"list:M;where:N = status.Open"`
	_ struct{} `cache:"list:N;where:Active = true;where:City = 'a'"`
	_ struct{} `cache:"list:O;by:City;by:N"`
	_ struct{} `cache:"list:P;by:City,ID desc"`
	_ struct{} `cache:"list:Q;by:ID ASC"`
	_ struct{} `cache:"list:R;where:(City = 'a')"`
	_ struct{} `cache:"list:S;where:N = 1_000"`
	_ struct{} `cache:"list:T;where:Price > 1_000.5"`
	_ struct{} `cache:"list:U;where:Active = true && N > 5"`
	_ struct{} `cache:"list:V;where:Active IS TRUE"`
	_ struct{} `cache:"list:W;where:Active, N > 5"`
	_ struct{} `cache:"list:X;where:Active and N > 5"`
	_ struct{} `cache:"list:Y;order:N;order:City"`
	_ struct{} `cache:"list:Z;where:N = 1_0x"`

	ID     uint64
	N      int
	Price  float64
	Active bool
	City   string
}
