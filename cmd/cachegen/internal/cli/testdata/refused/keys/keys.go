package keys

// NoKey has none.
type NoKey struct {
	_    struct{} `cache:"model"`
	Name string
}

// NullKey has one that may be NULL.
type NullKey struct {
	_  struct{} `cache:"model"`
	ID *uint64
}

// FloatKey has one that no two computers agree on.
type FloatKey struct {
	_ struct{} `cache:"model"`
	X float64  `gorm:"primaryKey"`
}

// BytesKey has one that Go cannot compare.
type BytesKey struct {
	_    struct{} `cache:"model"`
	Hash []byte   `gorm:"primaryKey"`
}
