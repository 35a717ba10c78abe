package shop

// Merchant sells what its croupons discount.
type Merchant struct {
	_ struct{} `cache:"model;lease"`

	ID   uint64
	Name string
}
