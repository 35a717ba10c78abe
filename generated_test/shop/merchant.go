package shop

// Merchant sells what its croupons discount.
type Merchant struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Name string
}
