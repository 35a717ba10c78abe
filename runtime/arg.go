package cacheruntime

import (
	"encoding/hex"
	"math"
	"strconv"
	"time"

	"github.com/cachegen/cachegen/internal/fold"
)

// Arg is one argument of an accessor: what a column is compared with. The zero Arg is NULL.
// Args are made by generated code.
type Arg struct {
	kind argKind
	own  bool   // the value of a Valuer, which may stand for NULL where the database has that
	nsec int32  // of a time
	n    uint64 // numbers and booleans, as bits; of a time the seconds since 1970
	s    string // text and bytes; of argBad the reason
	zone *time.Location
}

type argKind uint8

const (
	argNull argKind = iota
	argUint
	argInt
	argFloat
	argBool
	argText
	argBytes
	argTime
	argBad // a Valuer that has failed: there is no value
)

// Uint is an unsigned argument.
func Uint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](v T) Arg {
	return Arg{kind: argUint, n: uint64(v)}
}

// Int is a signed argument.
func Int[T ~int | ~int8 | ~int16 | ~int32 | ~int64](v T) Arg {
	return Arg{kind: argInt, n: uint64(int64(v))}
}

// Float is a floating-point argument.
func Float[T ~float32 | ~float64](v T) Arg {
	return Arg{kind: argFloat, n: math.Float64bits(float64(v))}
}

// Bool is a boolean argument.
func Bool[T ~bool](v T) Arg {
	a := Arg{kind: argBool}
	if v {
		a.n = 1
	}
	return a
}

// Text is a text argument.
func Text[T ~string](v T) Arg { return Arg{kind: argText, s: string(v)} }

// Bytes is a binary argument; nil is NULL.
func Bytes[T ~[]byte](v T) Arg {
	if v == nil {
		return Arg{}
	}
	return Arg{kind: argBytes, s: string(v)}
}

// Time is an argument that is a point in time.
func Time(v time.Time) Arg {
	return Arg{kind: argTime, n: uint64(v.Unix()), nsec: int32(v.Nanosecond()), zone: v.Location()}
}

// time is the point in time that Time was given.
func (a Arg) time() time.Time { return time.Unix(int64(a.n), int64(a.nsec)).In(a.zone) }

// Ptr is an argument for a nullable column: NULL where p is nil, else made by f.
func Ptr[T any](p *T, f func(T) Arg) Arg {
	if p == nil {
		return Arg{}
	}
	return f(*p)
}

// If returns a where valid is true, and NULL where it is not.
func If(valid bool, a Arg) Arg {
	if !valid {
		return Arg{}
	}
	return a
}

// Each returns an Arg for each of vs, made by f.
//
//go:noinline
func Each[T any](vs []T, f func(T) Arg) []Arg {
	args := make([]Arg, len(vs))
	for i, v := range vs {
		args[i] = f(v)
	}
	return args
}

// sqlValue is the argument as it is bound to a statement.
func (a Arg) sqlValue() any {
	switch a.kind {
	case argUint:
		return a.n
	case argInt:
		return int64(a.n)
	case argFloat:
		return math.Float64frombits(a.n)
	case argBool:
		return a.n != 0
	case argText:
		return a.s
	case argBytes:
		return []byte(a.s)
	case argTime:
		return a.time()
	}
	return nil
}

// appendExact appends the argument as it stands in an entry's key. Each begins with its type and
// variable ones with their length, so that ("ab","c") and ("a","bc"), 1 and "1", "" and NULL
// never meet. Times carry their offset: a database that keeps times as text compares them so.
func (a Arg) appendExact(b []byte) []byte {
	switch a.kind {
	case argUint:
		return strconv.AppendUint(append(b, 'u'), a.n, 10)
	case argInt:
		return strconv.AppendInt(append(b, 'i'), int64(a.n), 10)
	case argFloat:
		return strconv.AppendUint(append(b, 'f'), a.n, 16)
	case argBool:
		return append(b, 'b', '0'+byte(a.n))
	case argText:
		b = strconv.AppendInt(append(b, 's'), int64(len(a.s)), 10)
		return append(append(b, '='), a.s...)
	case argBytes:
		b = strconv.AppendInt(append(b, 'x'), int64(len(a.s)), 10)
		return hex.AppendEncode(append(b, '='), []byte(a.s))
	case argTime:
		b = strconv.AppendInt(append(b, 't'), int64(a.n), 10)
		b = strconv.AppendInt(append(b, '.'), int64(a.nsec), 10)
		_, offset := a.time().Zone()
		return strconv.AppendInt(append(b, '@'), int64(offset), 10)
	case argBad:
		return append(b, '!')
	}
	return append(b, 'n')
}

// appendFolded appends the argument as it stands in a flush list's name: so coarse that what a
// database may hold to be equal has one name, whatever the column's type in Go. Merging two lists
// is always safe. Empty text and bytes go with NULL: drivers have been seen that read one for the
// other, and databases.
func (a Arg) appendFolded(b []byte, f fold.Folding) []byte {
	switch a.kind {
	case argUint, argBool:
		return strconv.AppendUint(b, a.n, 10)
	case argInt:
		return strconv.AppendInt(b, int64(a.n), 10)
	case argFloat:
		return appendNumber(b, math.Float64frombits(a.n))
	case argText, argBytes:
		from := len(b)
		if b = f.Append(b, a.s); len(b) > from {
			return b
		}
	case argTime:
		return strconv.AppendInt(b, int64(a.n), 10) // seconds: the coarsest column there is
	}
	return append(b, '~')
}
