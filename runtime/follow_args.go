package cacheruntime

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"reflect"
	"time"

	"gorm.io/gorm/schema"
)

// A relation may lead to a model of another package, whose generated code knows nothing of it. So what names its
// lists is read from rows by GORM's fields, and not by generated code.

// argOf is a column of a row as generated code would make an argument of it.
func argOf(f *schema.Field, row reflect.Value) Arg {
	v, ok := fieldAt(row, f)
	if !ok {
		return Arg{}
	}
	kind := kindOf(f)
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return Arg{}
		}
		if _, valuer := v.Interface().(driver.Valuer); valuer && kind == argAny {
			break
		}
		v = v.Elem()
	}
	if kind == argAny {
		if _, valuer := v.Interface().(driver.Valuer); !valuer && v.CanAddr() {
			v = v.Addr()
		}
		return Value(v.Interface())
	}
	if v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]() { // one of the sql.Null types
		if !v.FieldByName("Valid").Bool() {
			return Arg{}
		}
		v = v.Field(0)
	}
	switch kind {
	case argUint:
		return Uint(v.Uint())
	case argInt:
		return Int(v.Int())
	case argBool:
		return Bool(v.Bool())
	case argText:
		return Text(v.String())
	case argBytes:
		return Bytes(v.Bytes())
	}
	return Arg{kind: argBad, s: f.Name + " is of a type that relations are not followed by"}
}

// as is an integer as one of a kind, where it fits: those of two columns that are compared may differ in their sign. Unsigned is how
// relations compare them.
func (a Arg) as(kind argKind) Arg {
	switch {
	case kind == argUint && a.kind == argInt && int64(a.n) >= 0:
		return Uint(a.n)
	case kind == argInt && a.kind == argUint && int64(a.n) >= 0:
		return Int(int64(a.n))
	}
	return a
}

// zero reports whether an argument is NULL or its type's zero value, which to GORM leads nowhere. What a Valuer's zero is, only its
// type knows.
func (a Arg) zero() bool {
	return a.kind == argNull || !a.own && a.kind != argTime && a.n == 0 && a.s == ""
}

// compareValues puts two values of a column in order, which is of integers, bools or times.
func compareValues(a, b reflect.Value) int {
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.Kind() == reflect.Bool && a.Bool() != b.Bool():
		if b.Bool() {
			return -1
		}
		return 1
	case a.Kind() == reflect.Struct:
		return a.Interface().(time.Time).Compare(b.Interface().(time.Time))
	}
	return 0
}

// sameColumns compares what generated code compares in IndexSpec.Same. Where in doubt it says no: a flush too many harms nobody.
func (ix *index) sameColumns() func(a, b any) bool {
	var fs []*schema.Field
	for _, f := range ix.by {
		if kindOf(f) == argBytes {
			fs = append(fs, f)
		}
	}
	for _, o := range ix.spec.Order {
		fs = append(fs, ix.t.fields[o.Field])
	}
	if ix.t.spec.Deleted == nil {
		for _, f := range ix.t.schema.Fields {
			if f.DBName != "" && isSoftDelete(f) {
				fs = append(fs, f)
			}
		}
	}
	if len(fs) == 0 {
		return nil
	}
	return func(a, b any) bool {
		was, is := reflect.ValueOf(a), reflect.ValueOf(b)
		for _, f := range fs {
			x, _ := f.ValueOf(context.Background(), was)
			y, _ := f.ValueOf(context.Background(), is)
			if !sameAny(x, y) {
				return false
			}
		}
		return true
	}
}

// sameAny reports whether two values of a column are known to be the same.
func sameAny(x, y any) bool {
	v, w := reflect.ValueOf(x), reflect.ValueOf(y)
	for v.Kind() == reflect.Pointer && w.Kind() == reflect.Pointer && !v.IsNil() && !w.IsNil() {
		v, w = v.Elem(), w.Elem()
	}
	if !v.IsValid() || !w.IsValid() || v.Type() != w.Type() {
		return v.IsValid() == w.IsValid() && !v.IsValid()
	}
	switch a := v.Interface().(type) {
	case time.Time:
		return SameTime(a, w.Interface().(time.Time))
	case []byte:
		b := w.Interface().([]byte)
		return len(a) > 0 && bytes.Equal(a, b)
	}
	return reflect.DeepEqual(v.Interface(), w.Interface())
}
