package stray

// Post has tags where no model can be.
type Post struct {
	_ struct{} `cache:"model"`

	ID   uint64
	Home struct {
		Zip string `cache:"list"`
	} `gorm:"embedded"`
}

// Posts is no struct of its own.
type Posts []struct {
	_  struct{} `cache:"model"`
	ID uint64
}

// Post is declared twice.
type Post struct {
	_  struct{} `cache:"model"`
	ID uint64
}

func posts() {
	type post struct {
		_  struct{} `cache:"model"`
		ID uint64
	}
}

var other struct {
	ID uint64 `cache:"list"`
}

var _ = posts
