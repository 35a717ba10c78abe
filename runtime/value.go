package cacheruntime

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"time"
)

// Valuer columns: those whose types say themselves how they are written and read, by driver.Valuer and
// sql.Scanner. An entry holds the value that GORM would write, and reads it back as GORM reads a
// row's. These functions are for generated code, and those that call them.

// driverValue is what database/sql would give the driver for v: int64, float64, bool, []byte, string,
// time.Time, or nil for NULL. Unlike there, a nil pointer is always NULL: so it is in the
// row, whatever its Value method makes of it. A method that panics fails.
func driverValue[T any](v T) (dv driver.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			dv, err = nil, fmt.Errorf("its Value method panicked: %v", p)
		}
	}()
	x := any(v)
	if rv := reflect.ValueOf(x); !rv.IsValid() || rv.Kind() == reflect.Pointer && rv.IsNil() {
		return nil, nil
	}
	if _, ok := x.(driver.Valuer); !ok {
		if p, ok := any(&v).(driver.Valuer); ok {
			x = p
		}
	}
	if dv, err = driver.DefaultParameterConverter.ConvertValue(x); err != nil {
		return nil, err
	}
	switch b := dv.(type) {
	case nil, int64, float64, bool, string, time.Time:
	case []byte:
		if b == nil {
			return nil, nil
		}
	default:
		return nil, fmt.Errorf("its Value method gives a %T", dv)
	}
	return dv, nil
}

// How a driver's value is written. NULL is also the zero value of a column, since GORM reads NULL as that: it comes
// back without the type's own methods, which may know no zero.
const (
	valueNull = iota
	valueInt
	valueFloat
	valueBool
	valueBytes
	valueText
	valueTime
	valueBad // none that could be had: it is never stored
)

// AppendValue appends what GORM would write for v. Where that cannot be told, the row is not stored.
func AppendValue[T any](b []byte, v T) []byte {
	if reflect.ValueOf(&v).Elem().IsZero() {
		return append(b, valueNull)
	}
	dv, err := driverValue(v)
	if err != nil {
		return append(b, valueBad)
	}
	return appendDriverValue(b, dv)
}

func appendDriverValue(b []byte, dv driver.Value) []byte {
	switch v := dv.(type) {
	case int64:
		return binary.LittleEndian.AppendUint64(append(b, valueInt), uint64(v))
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, valueFloat), math.Float64bits(v))
	case bool:
		return AppendBool(append(b, valueBool), v)
	case []byte:
		return AppendText(append(b, valueBytes), string(v))
	case string:
		return AppendText(append(b, valueText), v)
	case time.Time:
		return AppendTime(append(b, valueTime), v)
	}
	return append(b, valueNull)
}

// driverValue reads what appendDriverValue wrote. Bytes are in memory of their own, since a Scan method
// may keep them.
func (d *Decoder) driverValue() driver.Value {
	tag := d.take(1)
	if tag == "" {
		return nil
	}
	switch tag[0] {
	case valueNull:
	case valueInt:
		return int64(d.word())
	case valueFloat:
		return math.Float64frombits(d.word())
	case valueBool:
		return DecodeBool[bool](d)
	case valueBytes:
		return []byte(DecodeText[string](d))
	case valueText:
		return DecodeText[string](d)
	case valueTime:
		return DecodeTime(d)
	default:
		d.bad = true
	}
	return nil
}

// DecodeValue reads into p what AppendValue wrote, as GORM reads a column: NULL leaves the zero value, and
// anything else goes to Scan. If that fails or panics, it is an error: Scan was not made for bytes that
// somebody else has put into the cache.
func DecodeValue[T any](d *Decoder, p *T) {
	*p = *new(T)
	dv := d.driverValue()
	if d.bad || dv == nil {
		return
	}
	err := scanInto(p, dv)
	if err == nil {
		return
	}
	// What a driver gives is not always what it was given: text for bytes, and bytes for text.
	if other := otherText(dv); other != nil {
		*p = *new(T)
		err = scanInto(p, other)
	}
	if err != nil {
		*p = *new(T)
		d.bad = true
	}
}

// otherText is text as bytes and bytes as text; nil for anything else.
func otherText(dv driver.Value) driver.Value {
	switch v := dv.(type) {
	case string:
		return []byte(v)
	case []byte:
		return string(v)
	}
	return nil
}

// scanInto scans a driver's value into p, by p's own Scan method or by database/sql's conversions.
func scanInto[T any](p *T, dv driver.Value) (err error) {
	defer recovered(&err)
	if s, ok := any(p).(sql.Scanner); ok {
		return s.Scan(dv)
	}
	var null sql.Null[T] // whose Scan is database/sql's way from a driver's value to a T
	err = null.Scan(dv)
	*p = null.V
	return err
}

// recovered makes an error of a panic in a method of the application's.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("it panicked: %v", p)
	}
}

// Value is an argument for a Valuer column: the value that GORM would write.
func Value[T any](v T) Arg {
	dv, err := driverValue(v)
	if err != nil {
		return Arg{kind: argBad, s: fmt.Sprintf("%T: %v", v, err)}
	}
	var a Arg
	switch v := dv.(type) {
	case int64:
		a = Int(v)
	case float64:
		a = Float(v)
	case bool:
		a = Bool(v)
	case []byte:
		a = Bytes(v)
	case string:
		a = Text(v)
	case time.Time:
		a = Time(v)
	}
	a.own = true
	return a
}

// Within is the argument of a column inside embedded pointers: NULL where one of them is nil.
func Within(present bool, arg func() Arg) Arg {
	if !present {
		return Arg{}
	}
	return arg()
}

// SameWithin compares a column inside embedded pointers; a and b say whether the pointers are there in each state of the row.
func SameWithin(a, b bool, same func() bool) bool {
	if !a || !b {
		return a == b
	}
	return same()
}

// badArg returns the error of an argument that has no value; nil where all have one.
func badArg(accessor string, args []Arg) error {
	for _, a := range args {
		if a.kind == argBad {
			return fmt.Errorf("cachegen: %s: an argument has no value: %s", accessor, a.s)
		}
	}
	return nil
}

// SameValue reports whether GORM would write the same for a and b. When in doubt it says no: one flush
// too many harms nobody.
func SameValue[T any](a, b T) bool {
	x, err := driverValue(a)
	if err != nil {
		return false
	}
	y, err := driverValue(b)
	if err != nil {
		return false
	}
	switch x := x.(type) {
	case []byte:
		y, ok := y.([]byte)
		return ok && SameBytes(x, y)
	case time.Time:
		y, ok := y.(time.Time)
		return ok && SameTime(x, y)
	}
	if _, ok := y.([]byte); ok {
		return false
	}
	return x == y && bytes.Equal(appendDriverValue(nil, x), appendDriverValue(nil, y))
}
