package cacheruntime

import (
	"database/sql/driver"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/internal/fold"
	"gorm.io/gorm/schema"
)

// A list's name is made of values, and two values that the database holds to be equal must make one
// name: else a write flushes the list of its row's spelling, and an entry under another spelling stays. How
// a column compares is the database's to say, so NewModels asks it; see catalog.go.
//
// Names may depend on the database and its schema only, never on what differs between two programs: each
// flushes the other's lists.

// comparison says how a column compares, as far as the names of lists need to know. The zero value goes for
// most columns.
type comparison struct {
	as      likeness
	folding fold.Folding   // of text
	zone    *time.Location // of asClock and asDate: where the driver takes times to; nil leaves them where they are
	micros  bool           // times have microseconds at most: the database, or the driver, rounds the rest
	words   bool           // of asNumber: text that is no number is compared as text
	only    kinds          // what arguments can be judged; 0 is all
}

// likeness is what is alike.
type likeness uint8

const (
	asFolded   likeness = iota // text but for case and accents; numbers by value; times by the second
	asNumber                   // what has one value as a number, in whatever type and spelling
	asUUID                     // what has the same 32 digits
	asClock                    // times that read alike, whatever their zone
	asDate                     // times of one day, as they read
	asAnything                 // all values, since it is not known which are equal
)

// kinds is a set of argKinds.
type kinds uint16

func kindsOf(ks ...argKind) (set kinds) {
	for _, k := range ks {
		set |= 1 << k
	}
	return set
}

func (s kinds) has(k argKind) bool { return s == 0 || k == argNull || s&(1<<k) != 0 }

// argAny stands for a column whose type makes its arguments itself (driver.Valuer): of which kind they are is
// known of each alone.
const argAny argKind = 0xff

// appendName appends a value of the column as it stands in a list's name.
func (c comparison) appendName(b []byte, a Arg) []byte {
	if c.as == asAnything {
		return append(b, '~')
	}
	return c.appendFit(b, a)
}

// appendFit is appendName, but that what is alike for want of knowledge alone is told apart: what is loaded
// under another spelling than ours is served, and not stored.
func (c comparison) appendFit(b []byte, a Arg) []byte {
	switch c.as {
	case asNumber:
		if f, ok := a.number(); ok {
			return appendNumber(b, f)
		}
	case asClock, asDate:
		if a.kind == argTime {
			t := a.time()
			if c.zone != nil {
				t = t.In(c.zone)
			}
			if c.as == asDate {
				return t.AppendFormat(b, "2006-01-02")
			}
			return t.AppendFormat(b, "2006-01-02T15:04:05")
		}
	}
	return a.appendFolded(b, c.folding)
}

// odd reports whether an argument is one of which we do not know what the database holds to be equal to it. It
// is asked each time.
func (c comparison) odd(a Arg) bool {
	switch {
	case c.as == asAnything || a.kind == argNull:
		return false
	case !c.only.has(a.kind):
		return true
	case c.as == asNumber:
		if _, ok := a.number(); !ok {
			return !c.words
		}
		return !a.plain()
	case c.as == asUUID:
		var folded [64]byte
		return len(a.appendFolded(folded[:0], c.folding)) != 32
	case a.kind == argTime:
		return c.micros && a.nsec%1000 != 0
	}
	return false
}

// number is the value of an argument as a number, if it is one.
func (a Arg) number() (f float64, ok bool) {
	switch a.kind {
	case argUint, argBool:
		return float64(a.n), true
	case argInt:
		return float64(int64(a.n)), true
	case argFloat:
		return math.Float64frombits(a.n), true
	case argText:
		s := strings.Trim(a.s, numberBlanks)
		if _, ok := decimalDigits(s); !ok {
			return 0, false
		}
		f, _ = strconv.ParseFloat(s, 64) // an infinity, where it is too large
		return f, true
	}
	return 0, false
}

// plain reports whether a number is one that every database reads as strconv does: not text of so many digits, or
// so large, that how it is rounded matters.
func (a Arg) plain() bool {
	if a.kind != argText {
		return true
	}
	digits, ok := decimalDigits(strings.Trim(a.s, numberBlanks))
	return ok && digits <= 15
}

const numberBlanks = " \t\n\v\f\r"

// decimalDigits counts the digits that a decimal number needs, and many more than any database reads exactly
// where it has an exponent of more than one. ok is false of what is no such number.
func decimalDigits(s string) (n int, ok bool) {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	mantissa, exponent, scientific := s, "", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent, scientific = s[:i], s[i+1:], true
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return 0, false
	}
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	n = len(whole) + len(fraction)
	if fraction == "" && !scientific && n <= 18 { // an int64, which none rounds
		return 0, true
	}
	if scientific {
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if exponent == "" || !allDigits(exponent) {
			return 0, false
		}
		if len(exponent) > 1 || exponent[0] > '7' {
			return 1 << 10, true
		}
	}
	return n, true
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// appendNumber appends a number so that one value has one spelling: 1.0 is 1, -0 is 0.
func appendNumber(b []byte, f float64) []byte {
	if i := int64(f); float64(i) == f && i != math.MaxInt64 {
		return strconv.AppendInt(b, i, 10)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// kindOf is the kind of the arguments that generated code makes of a column.
func kindOf(f *schema.Field) argKind {
	t := f.FieldType
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[time.Time]() {
		return argTime
	}
	if t.Kind() == reflect.Struct && t.PkgPath() == "database/sql" && strings.HasPrefix(t.Name(), "Null") { // sql.NullString, sql.Null[T]
		t = t.Field(0).Type
		if t == reflect.TypeFor[time.Time]() {
			return argTime
		}
	}
	if f.Serializer != nil || t.Implements(reflect.TypeFor[driver.Valuer]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[driver.Valuer]()) {
		return argAny
	}
	switch t.Kind() {
	case reflect.Bool:
		return argBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return argInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return argUint
	case reflect.Float32, reflect.Float64:
		return argFloat
	case reflect.String:
		return argText
	case reflect.Slice:
		return argBytes
	}
	return argAny
}
