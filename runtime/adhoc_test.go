package cacheruntime

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/sqltext"
)

// everyValue is a result with a value of each kind that drivers give.
func everyValue() *result {
	r := &result{rows: 2}
	for i := range scanTypes {
		r.columns = append(r.columns, resultColumn{name: string(rune('a' + i)), typ: "T", scan: byte(i)})
	}
	values := []driver.Value{
		nil, int64(-1), uint64(math.MaxUint64), 1.5, math.Inf(1), float32(1.1), true, "", "text", []byte{}, []byte{0, 255}, []byte(nil),
		time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC), time.Date(2020, 1, 2, 3, 4, 5, 6, time.FixedZone("X", 3600)),
	}
	for i := range r.rows * len(r.columns) {
		r.values = append(r.values, values[i%len(values)])
	}
	return r
}

// behaviour 14: what a driver gave comes back as it was: values, NULL, names and types.
func TestResultComesBack(t *testing.T) {
	db := newReplayer()
	defer db.Close()
	for _, r := range []*result{everyValue(), {}, {columns: []resultColumn{{name: "x"}}}, {rows: 3}} {
		rows, err := replay(db, r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := appendResult(nil, rows, 1<<20)
		rows.Close()
		if err != nil {
			t.Fatal(err)
		}
		d := newDecoder(b)
		back := d.result()
		if err := d.end(); err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%v: %+v, not %+v", err, back, r)
		}
	}
	long := everyValue()
	rows, err := replay(db, long)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if _, err := appendResult(nil, rows, 10); !errors.Is(err, errLong) {
		t.Error(err)
	}
}

// A type that drivers may come up with and nobody knows here is not kept.
func TestStrangeValues(t *testing.T) {
	for _, v := range []any{int32(1), uint8(1), struct{}{}, sql.NullInt64{}, complex(1, 1), []string{"x"}} {
		if _, ok := appendRaw(nil, v); ok {
			t.Errorf("%T is kept", v)
		}
	}
}

// behaviours 16, 80: bytes that are no entry of the statement are none, and cost no more than they are long.
func FuzzResult(f *testing.F) {
	db := newReplayer()
	defer db.Close()
	rows, err := replay(db, everyValue())
	if err != nil {
		f.Fatal(err)
	}
	whole, err := appendResult(AppendText([]byte{resultKept}, "statement"), rows, 1<<20)
	rows.Close()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	f.Add([]byte{resultOdd})
	f.Add(AppendText([]byte{resultLong}, "statement"))
	f.Add(append(AppendText([]byte{resultKept}, "statement"), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, ok := decodeResult(b, []byte("another")); ok && (len(b) != 1 || b[0] != resultOdd) {
			t.Fatal("an entry of one statement is another's")
		}
		kept, ok := decodeResult(b, []byte("statement"))
		if !ok || kept.kind != resultKept {
			return
		}
		if r := kept.result; len(r.values) != r.rows*len(r.columns) || len(r.values) > len(b) || r.rows > len(b) {
			t.Fatalf("%d bytes, %d rows of %d columns, %d values", len(b), r.rows, len(r.columns), len(r.values))
		}
	})
}

// behaviour 12: two statements are written down alike only if they are one.
func FuzzBound(f *testing.F) {
	f.Add("a", "b", "a", "b", int64(1), 1.0, byte(0), byte(1))
	f.Add("ab", "c", "a", "bc", int64(0), 0.0, byte(2), byte(3))
	f.Add("", "\x00", "\x00", "", int64(-1), math.NaN(), byte(4), byte(5))
	f.Fuzz(func(t *testing.T, text, value, text2, value2 string, n int64, x float64, k, k2 byte) {
		of := func(kind byte, s string) any {
			switch kind % 9 {
			case 0:
				return s
			case 1:
				return []byte(s)
			case 2:
				return n
			case 3:
				return int8(n)
			case 4:
				return x
			case 5:
				return n%2 == 0
			case 6:
				return nil
			case 7:
				return time.Unix(n%1e9, 0).UTC()
			}
			return &s
		}
		a, b := []any{of(k, value), of(k2, value2)}, []any{of(k2, value2), of(k, value)}
		one, _, problem := bound(text, a, sqltext.MySQL)
		two, _, problem2 := bound(text2, b, sqltext.MySQL)
		if problem != "" || problem2 != "" {
			return
		}
		same := text == text2 && reflect.DeepEqual(comparables(a), comparables(b))
		if bytes.Equal(one, two) != same {
			t.Fatalf("%q %#v and %q %#v: alike is %v", text, a, text2, b, !same)
		}
		again, _, _ := bound(text, a, sqltext.MySQL)
		if !bytes.Equal(one, again) {
			t.Fatal("a statement is not like itself")
		}
		if more, _, _ := bound(text, a[:1], sqltext.MySQL); bytes.Equal(one, more) {
			t.Fatal("a value is left out")
		}
	})
}

// comparables makes values comparable: pointers by what they point to, and NaN by its bits.
func comparables(vs []any) (out []any) {
	for _, v := range vs {
		switch v := v.(type) {
		case *string:
			out = append(out, struct{ s string }{*v})
		case float64:
			out = append(out, struct{ bits uint64 }{math.Float64bits(v)})
		default:
			out = append(out, v)
		}
	}
	return out
}
