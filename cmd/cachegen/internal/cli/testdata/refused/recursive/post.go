package recursive

// Post holds itself, many times.
type Post struct {
	_          struct{} `cache:"model"`
	ID         uint64
	A, B, C, D Post `gorm:"embedded"`
}

// Draft embeds what it cannot.
type Draft struct {
	_  struct{} `cache:"model"`
	ID uint64
	Inner
}

// Inner holds itself.
type Inner struct {
	A, B, C, D Inner `gorm:"embedded"`
}
