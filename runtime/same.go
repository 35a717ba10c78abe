package cacheruntime

import "bytes"

// The functions in this file are for generated code: they say whether two states of a column are
// alike where == does not.

// SameBytes reports whether a and b hold the same bytes; nil, which is NULL, is alike only to nil.
func SameBytes[T ~[]byte](a, b T) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// SamePtr reports whether a and b are both nil or point to equal values.
func SamePtr[T comparable](a, b *T) bool {
	return SamePtrFunc(a, b, func(a, b T) bool { return a == b })
}

// SamePtrFunc is SamePtr for values that same compares.
func SamePtrFunc[T any](a, b *T, same func(a, b T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return same(*a, *b)
}
