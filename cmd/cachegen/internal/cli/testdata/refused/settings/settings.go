package settings

// Post misspells, repeats and misplaces settings.
type Post struct {
	_ struct{} `cache:"model;tll:24h"`
	_ struct{} `cache:"lisst:Recent;by:Author"`
	_ struct{} `cache:"list:Recent;by:Author;oder:ID desc"`
	_ struct{} `cache:"list:Twice;by:Author;by:Topic"`
	_ struct{} `cache:"list:Both;by:Author;count:Both"`
	_ struct{} `cache:"list:Unchecked;by:Author;unchecked"`
	_ struct{} `cache:"count:Limited;by:Author;limit:3"`
	_ struct{} `cache:"list:NoValue;by"`
	_ struct{} `cache:"by:Author"`
	_ struct{} `cache:""`
	_ struct{} `cache:"unique:Title;by:Title;unchecked:yes"`
	_ struct{} `cache:"model:Post"`
	_ struct{} `cache:list`

	ID     uint64
	Author uint64 `cache:"lst;count"`
	Topic  string `cache:"list:Named"`
	Title  string `cache:"list;order:ID"`
	Body   string `cache:"one"`
	Other  string `cache:"list;list"`
	More   string `cache:"unchecked"`
}

// Draft separates settings by what does not, and says what is no setting.
type Draft struct {
	_ struct{} `cache:"model,ttl:1h"`
	_ struct{} `cache:"list:Foo,by:Title"`
	_ struct{} `cache:"list:Bar;by:Title,order:ID desc, limit : 3"`
	_ struct{} `cache:"list:Baz;where:Title = 'a,by:b',unchecked"`
	_ struct{} `cache:"list:Qux;sort:Title"`
	_ struct{} `cache:"one:Old;order:Title;descending"`
	_ struct{} `cache:"recent:Title"`
	_ struct{} `cache:"-"`

	ID     uint64
	Title  string `cache:"list,count"`
	Body   string `cache:"descending"`
	Skip   string `cache:"-"`
	secret string `cache:"list"`
	Loud   string `Cache:"list"`
}

// Plain has no cache tag that means anything.
type Plain struct {
	ID   uint64
	Skip string `cache:"-"`
}
