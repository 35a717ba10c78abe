package cacheruntime

import (
	"bytes"
	"time"

	"github.com/cachegen/cachegen/internal/fold"
)

// The functions in this file are for generated code: they say whether two states of a column are
// alike where == does not.

// SameTime reports whether a and b are one instant with one offset from UTC. The offset counts because
// SQLite holds times as text with it, and orders and compares that text.
func SameTime(a, b time.Time) bool {
	_, east := a.Zone()
	_, other := b.Zone()
	return east == other && a.Equal(b)
}

// SameBytes reports whether a and b are known to hold the same bytes. Two that are empty or nil are
// not known to: drivers for SQLite read an empty BLOB as nil, so one may be NULL and the other not.
func SameBytes[T ~[]byte](a, b T) bool { return len(a) > 0 && bytes.Equal(a, b) }

// SameBytesPtr is SameBytes for a column of pointers: nil may be an empty BLOB, too.
func SameBytesPtr[T ~[]byte](a, b *T) bool { return a != nil && b != nil && SameBytes(*a, *b) }

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

// SameText reports whether a database might take a text to be equal to a literal, under any collation whose
// foldings are known.
func SameText(a, literal string) bool { return fold.Same(a, literal) }
