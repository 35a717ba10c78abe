package collisions

// Croupon collides with what is declared here.
type Croupon struct {
	_  struct{} `cache:"model"`
	ID uint64
}

// CrouponCache is a name of the generated code.
type CrouponCache struct{}

// NewModels is one too.
func NewModels() {}

// Post and PostCache collide with each other.
type Post struct {
	_  struct{} `cache:"model"`
	ID uint64
}

// PostCache is a model, and Post's cache.
type PostCache struct {
	_  struct{} `cache:"model"`
	ID uint64
}

// HTTPLog and HttpLog have one file.
type HTTPLog struct {
	_  struct{} `cache:"model"`
	ID uint64
}

// HttpLog is the other.
type HttpLog struct {
	_  struct{} `cache:"model"`
	ID uint64
}

func time() {}

var _ = time
