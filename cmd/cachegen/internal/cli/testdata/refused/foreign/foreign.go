package foreign

// Post would overwrite a file that somebody wrote.
type Post struct {
	_  struct{} `cache:"model"`
	ID uint64
}
