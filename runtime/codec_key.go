package cacheruntime

import (
	"encoding/binary"
	"reflect"

	"gorm.io/gorm/schema"
)

// Primary keys in the entry of a list: each column is the kind of its argument, in a byte, and the
// argument itself. A column of a Valuer's has the kind of what GORM would write. Whether that came of a Valuer is not
// kept, since only a row's lists ask for it.

// keyPart is what a column of a primary key may hold.
type keyPart struct {
	kind argKind // argAny where the column's type makes its arguments itself
	bits int     // of numbers
}

// keyPartsOf are those of a primary key.
func keyPartsOf(primary []*schema.Field) []keyPart {
	parts := make([]keyPart, len(primary))
	for i, f := range primary {
		parts[i] = keyPart{kind: kindOf(f), bits: 64}
		switch t := f.IndirectFieldType; t.Kind() {
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
			reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
			parts[i].bits = t.Bits()
		}
	}
	return parts
}

// takes reports whether the column may hold an argument: bytes from a cache may say anything, and a statement with
// text for a number is an error in some databases.
func (p keyPart) takes(a Arg) bool {
	switch {
	case p.kind == argAny, a.kind == argNull: // which finds no row, or that of bytes that are nil
		return true
	case a.kind != p.kind:
		return false
	case a.kind == argUint:
		return a.n<<(64-p.bits)>>(64-p.bits) == a.n
	case a.kind == argInt:
		return int64(a.n)<<(64-p.bits)>>(64-p.bits) == int64(a.n)
	}
	return true
}

// appendArg appends an argument, which has a value.
func appendArg(b []byte, a Arg) []byte {
	b = append(b, byte(a.kind))
	switch a.kind {
	case argUint, argInt, argFloat:
		return binary.LittleEndian.AppendUint64(b, a.n)
	case argBool:
		return append(b, byte(a.n))
	case argText, argBytes:
		return AppendText(b, a.s)
	case argTime:
		return AppendTime(b, a.time())
	}
	return b
}

// decodeArg reads what appendArg wrote of a column.
func (p keyPart) decodeArg(d *Decoder) Arg {
	kind := d.take(1)
	if kind == "" {
		return Arg{}
	}
	a := Arg{kind: argKind(kind[0])}
	switch a.kind {
	case argNull:
	case argUint, argInt, argFloat:
		a.n = d.word()
	case argBool:
		a = Bool(DecodeBool[bool](d))
	case argText, argBytes:
		a.s = DecodeText[string](d)
	case argTime:
		a = Time(DecodeTime(d))
	default:
		d.bad = true
	}
	if d.bad || !p.takes(a) {
		d.bad = true
		return Arg{}
	}
	return a
}
