package names

import (
	. "math/rand"
	encodePost "strings"
)

// Post meets what the package calls as generated code does, or as Go does.
type Post struct {
	_  struct{} `cache:"model"`
	ID uint64
}

// Models is a name of the generated code.
var Models []string

// string is Go's.
type string []byte

func append() {}

const nil = 0

// min is Go's too, and generated code does without.
func min(a, b int) int { return a }

func gorm() {}

var _ = encodePost.ToUpper

var _ = Int
