package cacheruntime

import (
	"bytes"
	"database/sql/driver"
	"reflect"
	"time"
)

// A load may be sent when its caller has left and has changed what its arguments point to. So it is sent copies, of
// the same types where that can be: some drivers look at them.

// ownArg is an argument that nobody changes: a copy, or its driver's value. changes is false where the argument itself is one.
func ownArg(arg any, dv driver.Value) (own any, changes bool) {
	v := reflect.ValueOf(arg)
	if !v.IsValid() || unchanging(v.Type()) {
		return arg, false
	}
	if _, ok := arg.(driver.Valuer); ok {
		if c, ok := ownCopy(v); ok {
			return c.Interface(), true
		}
	}
	if b, ok := dv.([]byte); ok {
		return bytes.Clone(b), true
	}
	return dv, true
}

// unchanging reports whether a copy of a value has nothing in common with it that can be changed.
func unchanging(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return unchanging(t.Elem())
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return true
		}
		for i := range t.NumField() {
			if !unchanging(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return false
	}
	return true
}

// ownCopy copies a slice, a map, or what a pointer points to, one level deep. ok is false where there are more.
func ownCopy(v reflect.Value) (c reflect.Value, ok bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if v.IsNil() {
			return v, true
		}
		if !unchanging(v.Type().Elem()) || v.Kind() == reflect.Map && !unchanging(v.Type().Key()) {
			return c, false
		}
	default:
		return c, false
	}
	switch v.Kind() {
	case reflect.Pointer:
		c = reflect.New(v.Type().Elem())
		c.Elem().Set(v.Elem())
		c = c.Convert(v.Type())
	case reflect.Slice:
		c = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
	case reflect.Map:
		c = reflect.MakeMapWithSize(v.Type(), v.Len())
		for each := v.MapRange(); each.Next(); {
			c.SetMapIndex(each.Key(), each.Value())
		}
	}
	return c, true
}
