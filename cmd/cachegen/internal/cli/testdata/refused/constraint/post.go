//go:build !never

package constraint

// Post is in some builds only.
type Post struct {
	_  struct{} `cache:"model"`
	ID uint64
}
