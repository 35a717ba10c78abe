package leases

// Post says lease where it has no meaning.
type Post struct {
	_ struct{} `cache:"model;lease:5s"`
	_ struct{} `cache:"list:Dear;lease"`
	_ struct{} `cache:"lease"`

	ID    uint64
	Title string `cache:"list;lease"`
}

// Draft parts it from the kind by what does not.
type Draft struct {
	_ struct{} `cache:"model lease"`
	_ struct{} `cache:"one:Last;order:ID desc, lease"`

	ID uint64
}
