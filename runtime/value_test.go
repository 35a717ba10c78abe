package cacheruntime

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// any1 is a Valuer that gives what it holds.
type any1 struct{ v any }

func (a any1) Value() (driver.Value, error) { return a.v, nil }
func (a *any1) Scan(src any) error          { a.v = src; return nil }

// picky reads bytes alone, or text alone.
type (
	onlyBytes string
	onlyText  string
	panicky   string
)

func (o onlyBytes) Value() (driver.Value, error) { return string(o), nil }
func (o *onlyBytes) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok {
		return errors.New("bytes alone")
	}
	*o = onlyBytes(b)
	return nil
}

func (o onlyText) Value() (driver.Value, error) { return []byte(o), nil }
func (o *onlyText) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return errors.New("text alone")
	}
	*o = onlyText(s)
	return nil
}

func (p panicky) Value() (driver.Value, error) { panic("value") }
func (p *panicky) Scan(any) error              { panic("scan") }

// noScan has a Value method, and is read by database/sql's own conversion.
type noScan int16

func (n noScan) Value() (driver.Value, error) { return int64(n), nil }

func through[T any](t *testing.T, v T) (back T, ok bool) {
	t.Helper()
	d := newDecoder(AppendValue(nil, v))
	DecodeValue(&d, &back)
	return back, d.end() == nil
}

func TestValueCodec(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("X", 3600))
	for _, v := range []any{nil, int64(-5), 2.5, true, false, []byte{1, 0}, "text", ""} {
		back, ok := through(t, any1{v})
		if x, isBytes := back.v.([]byte); isBytes {
			if string(x) != string(v.([]byte)) {
				t.Errorf("%v came back as %v", v, back.v)
			}
		} else if !ok || back.v != v {
			t.Errorf("%v came back as %v, %v", v, back.v, ok)
		}
	}
	if back, _ := through(t, any1{at}); !back.v.(time.Time).Equal(at) || back.v.(time.Time).Format(time.RFC3339Nano) != at.Format(time.RFC3339Nano) {
		t.Errorf("%v came back as %v", at, back.v)
	}
	if back, ok := through(t, onlyBytes("b")); !ok || back != "b" {
		t.Errorf("bytes alone: %q, %v", back, ok)
	}
	if back, ok := through(t, onlyText("t")); !ok || back != "t" {
		t.Errorf("text alone: %q, %v", back, ok)
	}
	if back, ok := through(t, noScan(-7)); !ok || back != -7 {
		t.Errorf("without Scan: %v, %v", back, ok)
	}
	p := noScan(9)
	if back, ok := through(t, &p); !ok || *back != 9 {
		t.Errorf("a pointer: %v, %v", back, ok)
	}
	if back, ok := through[*panicky](t, nil); !ok || back != nil {
		t.Errorf("nil: %v, %v", back, ok)
	}
	if _, ok := through(t, panicky("x")); ok {
		t.Error("a Value method that panics was stored")
	}
	if _, ok := through(t, panicky("")); !ok {
		t.Error("a zero value, as which GORM reads NULL, was not stored")
	}
	for _, bad := range []any{uint64(1 << 63), struct{}{}, 3} {
		if _, ok := through(t, any1{bad}); ok {
			t.Errorf("%T was stored", bad)
		}
	}
	// What was there before is gone: a copy of a row is decoded over the row.
	d, was := newDecoder(AppendValue(nil, any1{nil})), any1{"was"}
	if DecodeValue(&d, &was); was.v != nil {
		t.Errorf("NULL left %v", was.v)
	}
}

// Values read from one entry share no memory.
func TestDecodedBytesAreTheCallers(t *testing.T) {
	b := AppendValue(nil, any1{[]byte("mine")})
	var x, y any1
	d, e := newDecoder(b), newDecoder(b)
	DecodeValue(&d, &x)
	DecodeValue(&e, &y)
	x.v.([]byte)[0] = '!'
	if string(y.v.([]byte)) != "mine" || !strings.Contains(string(b), "mine") {
		t.Error("they share memory")
	}
}

// Bytes that somebody else has put into the cache make errors of the decoder.
func FuzzDecodeValue(f *testing.F) {
	for _, v := range []any{nil, int64(1), 2.5, true, []byte("b"), "text", time.Unix(1, 2)} {
		f.Add(AppendValue(nil, any1{v}))
	}
	f.Add([]byte{valueBytes, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte{valueBad})
	f.Fuzz(func(t *testing.T, b []byte) {
		var a any1
		var o onlyBytes
		var p *panicky
		var n noScan
		var s sql.Null[onlyText]
		for _, decode := range []func(d *Decoder){
			func(d *Decoder) { DecodeValue(d, &a) }, func(d *Decoder) { DecodeValue(d, &o) }, func(d *Decoder) { DecodeValue(d, &p) },
			func(d *Decoder) { DecodeValue(d, &n) }, func(d *Decoder) { DecodeValue(d, &s) },
		} {
			d := newDecoder(b)
			decode(&d)
			_ = d.end()
		}
	})
}

func TestSameValue(t *testing.T) {
	at := time.Unix(1, 0).UTC()
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{"a", "a", true}, {"a", "b", false}, {int64(1), int64(1), true}, {int64(1), "1", false}, {nil, nil, true}, {nil, "", false},
		{[]byte("x"), []byte("x"), true}, {[]byte{}, []byte{}, false}, {"x", []byte("x"), false}, {[]byte("x"), "x", false},
		{at, at, true}, {at, at.In(time.FixedZone("", 60)), false}, {at, nil, false}, {nil, at, false},
		{math.NaN(), math.NaN(), false}, {0.0, math.Copysign(0, -1), false}, {struct{}{}, struct{}{}, false},
	} {
		if got := SameValue(any1{c.a}, any1{c.b}); got != c.want {
			t.Errorf("SameValue(%v, %v) = %v", c.a, c.b, got)
		}
	}
	if SameValue(panicky(""), panicky("")) {
		t.Error("values that cannot be had are the same")
	}
}

func TestSameType(t *testing.T) {
	for _, c := range []struct {
		generated, parsed string
		want              bool
	}{
		{"uint8", "uint8", true}, {"uint8", "uint16", false}, {"*[]byte", "*[]uint8", false}, {"[16]uint8", "[16]uint8", true}, {"[16]uint8", "[8]uint8", false},
		{"sql.Null[example.com/x.Y]", "sql.Null[example%2ecom/x.Y]", true}, {"sql.Null[int]", "sql.NullInt64", false},
		{"map[string]p.Pair[int,[]string]", "map[string]p.Pair[int,[]string]", true}, {"map[string]int", "map[string]uint", false},
		{"p.A[p.B[int]]", "p.A[p.B[string]]", true}, {"struct{X int}", "struct { X int }", true}, {"p.mymap[int]", "p.mymap[string]", true},
	} {
		if got := sameType(c.generated, c.parsed); got != c.want {
			t.Errorf("sameType(%q, %q) = %v", c.generated, c.parsed, got)
		}
	}
}
