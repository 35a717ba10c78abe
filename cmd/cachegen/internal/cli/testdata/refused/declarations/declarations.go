package declarations

// Untold has no model declaration.
type Untold struct {
	ID   uint64
	Name string `cache:"list"`
}

// Twice has two.
type Twice struct {
	_  struct{} `cache:"model"`
	_  struct{} `cache:"model;ttl:1h"`
	ID uint64
}

type hidden struct {
	_  struct{} `cache:"model"`
	ID uint64
}

// Generic has parameters.
type Generic[T any] struct {
	_  struct{} `cache:"model"`
	ID T
}

var _ hidden
