package cacheruntime

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// Columns that are carried: their values are those that GORM would write, made and read back by code of the
// application's, or of GORM's serializers. That such code gives back what it was given is not taken on
// trust. A row that does not come back as it was is served, and not stored.

// carried is such a column.
type carried struct {
	field    *schema.Field
	class    Class
	reported *atomic.Bool // that it was told of, once
}

// carry finds the carried columns.
func (t *Table) carry() {
	for _, f := range t.spec.Fields {
		if f.Class != Valuer && f.Class != Serialized {
			continue
		}
		c := carried{field: t.fields[f.Path], class: f.Class, reported: new(atomic.Bool)}
		t.carried = append(t.carried, c)
		if f.Class == Serialized {
			t.serialized = append(t.serialized, c.field)
		}
		t.ownKey = t.ownKey || f.PrimaryKey
	}
}

// keyFits reports whether a row's primary key can be written to an entry: it has a value.
func (t *Table) keyFits(row any) bool {
	if !t.ownKey {
		return true
	}
	return badArg(t.accessor, t.spec.KeyArgs(nil, row)) == nil
}

// encode appends a row, or returns errUnfit where the bytes would not bring it back.
func (t *Table) encode(ctx context.Context, b []byte, row any) ([]byte, error) {
	start := len(b)
	b = t.spec.Encode(b, row)
	if len(t.carried) == 0 {
		return b, nil
	}
	for _, f := range t.serialized {
		b = appendSerialized(ctx, b, f, reflect.ValueOf(row))
	}
	if err := t.readBack(ctx, b[start:], row); err != nil {
		return b[:start], err
	}
	return b, nil
}

// errUnfit is of a row that cannot be carried in an entry.
var errUnfit = errors.New("cachegen: a row does not come back from its entry as it was")

// decodeRow reads a row of an entry that holds others too. Bad bytes leave an error in d.
func (t *Table) decodeRow(ctx context.Context, d *Decoder, row any) {
	t.spec.Decode(d, row)
	for _, f := range t.serialized {
		decodeSerialized(ctx, d, f, reflect.ValueOf(row))
	}
}

// readBack returns an error unless a row's bytes bring it back, and tells of the column that is to blame.
func (t *Table) readBack(ctx context.Context, b []byte, row any) (err error) {
	defer func() {
		if recover() != nil { // in an Equal method, say
			err = errUnfit
		}
	}()
	back := t.spec.New()
	d := newDecoder(b)
	t.decodeRow(ctx, &d, back)
	whole := d.end() == nil
	was, is := reflect.ValueOf(row).Elem(), reflect.ValueOf(back).Elem()
	for _, c := range t.carried {
		a, ok := fieldAt(was, c.field)
		if !ok {
			continue
		}
		x, why := c.value(ctx, was, a)
		if why == nil && whole {
			why = c.differ(ctx, x, a, is)
		}
		if why == nil && !whole && c.class == Valuer {
			why = scans(reflect.New(c.field.FieldType), x)
		}
		if why == nil {
			continue
		}
		err = errUnfit
		if c.reported.CompareAndSwap(false, true) {
			t.rt.report(fmt.Errorf("cachegen: %s.%s: %w: such rows are served from the database and not stored",
				t.spec.Model, strings.Join(c.field.BindNames, "."), why))
		}
	}
	if err == nil && !whole {
		return errUnfit
	}
	return err
}

// value is what an entry holds of the column of a row, whose field is v: what GORM would write, or NULL for a zero
// value.
func (c carried) value(ctx context.Context, row, v reflect.Value) (driver.Value, error) {
	if v.IsZero() {
		return nil, nil
	}
	if c.class == Serialized {
		return serializedValue(ctx, c.field, row)
	}
	x := v.Interface()
	if _, ok := x.(driver.Valuer); !ok && v.Kind() != reflect.Pointer {
		x = v.Addr().Interface()
	}
	return driverValue(x)
}

// differ says how the column's value a has changed on the way into is, where x is what was written.
func (c carried) differ(ctx context.Context, x driver.Value, a, is reflect.Value) error {
	b, ok := fieldAt(is, c.field)
	if !ok {
		return errors.New("it does not come back")
	}
	same, sure := alike(a, b)
	if same {
		return nil
	}
	if !sure {
		// What is hidden in the two may differ, such as the digits of a decimal number that say the same. Then
		// they are alike if GORM would write the same for both.
		y, err := c.value(ctx, is, b)
		if err == nil && bytes.Equal(appendDriverValue(nil, x), appendDriverValue(nil, y)) {
			return nil
		}
	}
	return fmt.Errorf("its value %#v, written as %T and read again, is another", a.Interface(), x)
}

// scans returns why a driver's value cannot be scanned into p; nil also where database/sql does it without a Scan
// method.
func scans(p reflect.Value, dv driver.Value) (err error) {
	defer recovered(&err)
	elem := p.Elem()
	for elem.Kind() == reflect.Pointer {
		elem.Set(reflect.New(elem.Type().Elem()))
		p, elem = elem, elem.Elem()
	}
	s, ok := p.Interface().(sql.Scanner)
	if !ok || dv == nil {
		return nil
	}
	if err = s.Scan(dv); err == nil {
		return nil
	}
	if other := otherText(dv); other != nil && s.Scan(other) == nil {
		return nil
	}
	return fmt.Errorf("its Scan method does not take the %T that its Value method gives: %w", dv, err)
}

// alike compares two values of a column. sure says that no two like ones differ so.
func alike(a, b reflect.Value) (same, sure bool) {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return true, true
	}
	for a.Kind() == reflect.Pointer {
		if a.IsNil() || b.IsNil() {
			return false, true
		}
		a, b = a.Elem(), b.Elem()
	}
	if m := a.MethodByName("Equal"); m.IsValid() {
		if t := m.Type(); t.NumIn() == 1 && t.In(0) == b.Type() && t.NumOut() == 1 && t.Out(0).Kind() == reflect.Bool {
			return m.Call([]reflect.Value{b})[0].Bool(), true
		}
	}
	return false, transparent(a.Type())
}

// transparent reports whether values of a type hide nothing: they differ where reflect.DeepEqual says so.
func transparent(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer,
		reflect.Float32, reflect.Float64: // NaN
		return false
	case reflect.Slice, reflect.Array:
		return transparent(t.Elem())
	case reflect.Map:
		return transparent(t.Key()) && transparent(t.Elem())
	}
	return true
}

// fieldAt is a row's field; not ok where it is inside an embedded pointer that is nil.
func fieldAt(row reflect.Value, f *schema.Field) (v reflect.Value, ok bool) {
	for _, i := range f.StructField.Index {
		if i >= 0 {
			row = row.Field(i)
			continue
		}
		if row = row.Field(-i - 1); row.IsNil() { // GORM writes embedded pointers so
			return row, false
		}
		row = row.Elem()
	}
	return row, true
}

// serializedValue is what GORM's serializer makes of a column.
func serializedValue(ctx context.Context, f *schema.Field, row reflect.Value) (dv driver.Value, err error) {
	defer recovered(&err)
	v, _ := f.ValueOf(ctx, row)
	return driverValue(v)
}

// appendSerialized appends a serialized column. Inside an embedded pointer that is nil there is none.
func appendSerialized(ctx context.Context, b []byte, f *schema.Field, row reflect.Value) []byte {
	v, ok := fieldAt(row.Elem(), f)
	if !ok {
		return b
	}
	if v.IsZero() {
		return append(b, valueNull)
	}
	dv, err := serializedValue(ctx, f, row)
	if err != nil {
		return append(b, valueBad)
	}
	return appendDriverValue(b, dv)
}

// decodeSerialized reads a serialized column, as GORM reads it from a row.
func decodeSerialized(ctx context.Context, d *Decoder, f *schema.Field, row reflect.Value) {
	v, ok := fieldAt(row.Elem(), f)
	if d.bad || !ok {
		return
	}
	v.SetZero()
	dv := d.driverValue()
	if d.bad || dv == nil {
		return
	}
	err := setSerialized(ctx, f, row, dv)
	if err == nil {
		return
	}
	if other := otherText(dv); other != nil {
		v.SetZero()
		err = setSerialized(ctx, f, row, other)
	}
	d.bad = err != nil
}

func setSerialized(ctx context.Context, f *schema.Field, row reflect.Value, dv driver.Value) (err error) {
	defer recovered(&err)
	into := f.NewValuePool.Get()
	s, ok := into.(sql.Scanner)
	if !ok {
		return errCodec
	}
	if err := s.Scan(dv); err != nil {
		return err
	}
	if err := f.Set(ctx, row, into); err != nil {
		return err // a value that went wrong does not go back to GORM's pool
	}
	f.NewValuePool.Put(into)
	return nil
}

// classOf is the class that a column has as GORM reads it.
func classOf(f *schema.Field) Class {
	switch {
	case !f.Readable:
		return Unread
	case f.Serializer != nil:
		return Serialized
	case plainType(f.FieldType):
		return Plain
	}
	switch reflect.New(f.IndirectFieldType).Interface().(type) {
	case driver.Valuer, sql.Scanner:
		return Valuer
	}
	return Plain
}

// plainType reports whether generated code writes and reads a type itself although it has a Value method:
// gorm.DeletedAt, and the sql.Null types of plain values.
func plainType(t reflect.Type) bool {
	if t == reflect.TypeFor[gorm.DeletedAt]() {
		return true
	}
	if t.PkgPath() != "database/sql" || !strings.HasPrefix(t.Name(), "Null") || t.Kind() != reflect.Struct || t.NumField() != 2 {
		return false
	}
	v := t.Field(0).Type
	switch reflect.New(v).Interface().(type) {
	case driver.Valuer, sql.Scanner, schema.SerializerInterface:
		return false
	}
	switch v.Kind() {
	case reflect.Struct:
		return v == reflect.TypeFor[time.Time]()
	case reflect.Slice:
		return v.Elem() == reflect.TypeFor[byte]()
	case reflect.Pointer, reflect.Map, reflect.Array, reflect.Interface, reflect.Complex64, reflect.Complex128,
		reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr:
		return false
	}
	return true
}

// sameType compares a type as the generator wrote it with reflect's writing of it. Type arguments are left out,
// since reflect spells their packages in ways of its own, and so are types that it writes out.
func sameType(generated, parsed string) bool {
	if strings.ContainsAny(parsed, "{(") || strings.Contains(parsed, "chan ") {
		return true
	}
	return withoutArguments(generated) == withoutArguments(parsed)
}

// withoutArguments cuts what stands in brackets behind a name; the brackets of map[, [] and [4] stay.
func withoutArguments(t string) string {
	for i := 1; i < len(t); i++ {
		if t[i] != '[' || !nameByte(t[i-1]) || strings.HasSuffix(t[:i], "map") && (i == 3 || !nameByte(t[i-4])) {
			continue
		}
		depth := 0
		for j := i; j < len(t); j++ {
			switch t[j] {
			case '[':
				depth++
			case ']':
				depth--
			}
			if depth == 0 {
				return t[:i] + withoutArguments(t[j+1:])
			}
		}
	}
	return t
}

func nameByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}
