package tagkeys

// Post misspells the key of its tags.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `chache:"list:A"`
	_ struct{} `json:"-" Cach:"count:B;where:ID > 5"`

	ID    uint64
	City  string `gorm:"index" cahce:"list"`
	Title string `json:"title" cacha:"lst"`
	Body  string `cached:"yes" case:"list" ache:""`
}

// Draft has no tag with the right key.
type Draft struct {
	_ struct{} `caceh:"model;ttl:24h"`

	ID int
}

// Mixed declares itself a model with a misspelt key.
type Mixed struct {
	_ struct{} "cachhe:\"model\""

	ID   uint64
	Name string `cache:"list"`
}

// Form has the keys of others, which are near.
type Form struct {
	Name string `cached:"yes" catch:"list" cachet:"lst"`
}
