package cacheruntime

import (
	"bytes"
	"context"
	"math"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

type shade uint8

// everything is a row with a column of each kind that the codec knows.
type everything struct {
	U   uint64
	U8  shade
	I   int64
	I16 int16
	F   float64
	F32 float32
	B   bool
	S   string
	X   []byte
	P   *string
	T   time.Time
	TP  *time.Time
}

func encodeEverything(b []byte, v *everything) []byte {
	b = AppendUint(b, v.U)
	b = AppendUint(b, v.U8)
	b = AppendInt(b, v.I)
	b = AppendInt(b, v.I16)
	b = AppendFloat(b, v.F)
	b = AppendFloat(b, v.F32)
	b = AppendBool(b, v.B)
	b = AppendText(b, v.S)
	b = AppendBytes(b, v.X)
	b = AppendPtr(b, v.P, AppendText[string])
	b = AppendTime(b, v.T)
	return AppendPtr(b, v.TP, AppendTime)
}

func decodeEverything(payload []byte) (*everything, error) {
	d := newDecoder(payload)
	v := &everything{
		U: DecodeUint[uint64](&d), U8: DecodeUint[shade](&d),
		I: DecodeInt[int64](&d), I16: DecodeInt[int16](&d),
		F: DecodeFloat[float64](&d), F32: DecodeFloat[float32](&d),
		B: DecodeBool[bool](&d), S: DecodeText[string](&d), X: DecodeBytes[[]byte](&d),
		P: DecodePtr(&d, DecodeText[string]), T: DecodeTime(&d), TP: DecodePtr(&d, DecodeTime),
	}
	return v, d.end()
}

func TestCodecRoundTrip(t *testing.T) {
	empty, word := "", "Zürich\x00"
	local := time.Date(2026, 7, 1, 12, 0, 0, 5, time.Local)
	fixed := time.Date(1906, 1, 1, 0, 0, 0, 0, time.FixedZone("LMT", 32*60+8))
	for name, v := range map[string]*everything{
		"zero":  {},
		"small": {U: 1, U8: 2, I: -1, I16: -2, F: 0.1, F32: 0.1, B: true, S: "x", X: []byte{0}, P: &word, T: local, TP: &fixed},
		"edges": {U: math.MaxUint64, U8: 255, I: math.MinInt64, I16: math.MinInt16, F: math.Inf(-1), F32: math.MaxFloat32,
			X: []byte{}, P: &empty, T: time.Unix(1<<40, 999_999_999).UTC()},
	} {
		got, err := decodeEverything(encodeEverything(nil, v))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.U != v.U || got.U8 != v.U8 || got.I != v.I || got.I16 != v.I16 || got.F != v.F || got.F32 != v.F32 || got.B != v.B || got.S != v.S {
			t.Errorf("%s: got %+v, want %+v", name, got, v)
		}
		if !bytes.Equal(got.X, v.X) || (got.X == nil) != (v.X == nil) {
			t.Errorf("%s: bytes are %#v, want %#v", name, got.X, v.X)
		}
		if (got.P == nil) != (v.P == nil) || v.P != nil && *got.P != *v.P {
			t.Errorf("%s: pointer differs", name)
		}
		sameTime(t, name, got.T, v.T)
		if (got.TP == nil) != (v.TP == nil) {
			t.Errorf("%s: time pointer differs", name)
		} else if v.TP != nil {
			sameTime(t, name, *got.TP, *v.TP)
		}
	}
}

// sameTime is what behaviour 1 asks of times.
func sameTime(t *testing.T, name string, got, want time.Time) {
	t.Helper()
	gn, g := got.Zone()
	wn, w := want.Zone()
	if !got.Equal(want) || gn != wn || g != w {
		t.Errorf("%s: time is %v, want %v", name, got, want)
	}
}

// A time that was local where it was written is not taken for local where that means another zone.
func TestTimeFromAnotherLocal(t *testing.T) {
	here := time.Local
	defer func() { time.Local = here }()
	time.Local = time.FixedZone("AEST", 10*3600)
	written := time.Date(2026, 7, 1, 12, 0, 0, 0, time.Local)
	b := AppendTime(nil, written)
	time.Local = time.FixedZone("PST", -8*3600)
	d := newDecoder(b)
	sameTime(t, "from another zone", DecodeTime(&d), written)
}

func TestCodecTruncated(t *testing.T) {
	word, now := "word", time.Now()
	b := encodeEverything(nil, &everything{S: "some text", X: []byte("bytes"), P: &word, T: now, TP: &now})
	for i := range b {
		if _, err := decodeEverything(b[:i]); err == nil {
			t.Errorf("the first %d of %d bytes were taken for a row", i, len(b))
		}
	}
	if _, err := decodeEverything(append(b, 0)); err == nil {
		t.Error("a byte too many was not noticed")
	}
}

// A decoded row shares nothing that its owner can change with the payload: behaviour 15.
func TestDecodedBytesArePrivate(t *testing.T) {
	payload := encodeEverything(nil, &everything{X: []byte("mine")})
	v, err := decodeEverything(payload)
	if err != nil {
		t.Fatal(err)
	}
	v.X[0] = 'X'
	again, _ := decodeEverything(payload)
	if string(again.X) != "mine" {
		t.Errorf("the payload changed with the row: %q", again.X)
	}
}

func FuzzDecode(f *testing.F) {
	word, now := "word", time.Now()
	f.Add(encodeEverything(nil, &everything{S: "some text", X: []byte("bytes"), P: &word, T: now, TP: &now}))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, payload []byte) {
		v, err := decodeEverything(payload)
		if err != nil {
			return
		}
		// What was taken for a row is one: it comes back from its own encoding.
		if _, err := decodeEverything(encodeEverything(nil, v)); err != nil {
			t.Fatalf("%x decodes to %+v, which does not come back: %v", payload, v, err)
		}
	})
}

// testIndex is a list of a table of everything, whose primary key has these columns, without a database.
func testIndex(key ...keyPart) *index {
	return &index{t: &Table{keyParts: key, spec: TableSpec{
		New: func() any { return new(everything) },
		KeyArgs: func(to []Arg, row any) []Arg {
			v := row.(*everything)
			all := []Arg{Uint(v.U), Text(v.S), Time(v.T), Bool(v.B), Int(v.I16), Bytes(v.X), Float(v.F)}
			return append(to, all[:len(key)]...)
		},
		Encode: func(b []byte, row any) []byte { return encodeEverything(b, row.(*everything)) },
		Decode: func(d *Decoder, row any) {
			v := row.(*everything)
			v.U, v.S = DecodeUint[uint64](d), DecodeText[string](d)
		},
	}}}
}

// everyKey is a primary key of a column of each kind.
var everyKey = []keyPart{{argUint, 64}, {argText, 64}, {argTime, 64}, {argBool, 64}, {argInt, 16}, {argBytes, 64}, {argFloat, 64}}

func TestKeysComeBack(t *testing.T) {
	ix := testIndex(everyKey...)
	rows := []any{
		&everything{U: math.MaxUint64, S: "Zürich\x00", T: time.Date(1906, 1, 1, 0, 0, 0, 7, time.FixedZone("LMT", 32*60+8)), B: true, I16: math.MinInt16, X: []byte{0}, F: math.Inf(-1)},
		&everything{},
	}
	l, ok := ix.decodeKeys(context.Background(), ix.encodeKeys(keysListed, rows))
	keys := ix.t.split(l.keys)
	if !ok || len(keys) != 2 {
		t.Fatalf("got %v, %v", l.keys, ok)
	}
	for i, row := range rows {
		if want := ix.t.spec.KeyArgs(nil, row); exactArgs(keys[i]) != exactArgs(want) {
			t.Errorf("got %s, want %s", exactArgs(keys[i]), exactArgs(want))
		}
	}
}

// A key of another kind than the column's, or one that it cannot hold, is no key: a statement with it might be
// an error.
func TestKeysOfOtherColumns(t *testing.T) {
	text := appendArg([]byte{keysListed, 1}, Text("1"))
	for name, of := range map[string]struct {
		part    keyPart
		payload []byte
	}{
		"text for a number":         {keyPart{argUint, 64}, text},
		"too large":                 {keyPart{argUint, 8}, appendArg([]byte{keysListed, 1}, Uint(uint(256)))},
		"too small":                 {keyPart{argInt, 16}, appendArg([]byte{keysListed, 1}, Int(math.MinInt16-1))},
		"no kind":                   {keyPart{argAny, 64}, []byte{keysListed, 1, byte(argBad)}},
		"no boolean":                {keyPart{argBool, 64}, []byte{keysListed, 1, byte(argBool), 2}},
		"a byte too many":           {keyPart{argAny, 64}, append(text[:len(text):len(text)], 0)},
		"a byte that is missing":    {keyPart{argAny, 64}, text[:len(text)-1]},
		"keys that are not there":   {keyPart{argAny, 64}, []byte{keysListed, 0xff, 0xff, 0xff, 0x7f}},
		"a text that is not there":  {keyPart{argAny, 64}, []byte{keysListed, 1, byte(argText), 0xff, 0xff, 0x7f, 'a'}},
		"a time that is none":       {keyPart{argAny, 64}, append([]byte{keysListed, 1, byte(argTime)}, bytes.Repeat([]byte{0xff}, 13)...)},
		"a number that is cut off":  {keyPart{argAny, 64}, []byte{keysListed, 1, byte(argFloat), 1}},
		"the kind of no column yet": {keyPart{argAny, 64}, []byte{keysListed, 1, 0xff}},
	} {
		if l, ok := testIndex(of.part).decodeKeys(context.Background(), flushlist.Value{Payload: of.payload}); ok {
			t.Errorf("%s: taken for %v", name, l.keys)
		}
	}
	if _, ok := testIndex(keyPart{argAny, 64}).decodeKeys(context.Background(), flushlist.Value{Payload: text}); !ok {
		t.Error("a Valuer's text was not taken")
	}
}

func FuzzListEntry(f *testing.F) {
	one, several := testIndex(everyKey[0]), testIndex(everyKey...)
	rows := []any{&everything{U: 1, S: "a"}, &everything{U: 2}}
	f.Add(one.encodeKeys(keysListed, rows).Payload)
	f.Add(several.encodeKeys(keysListed, rows).Payload)
	f.Add([]byte{keysLong})
	f.Add([]byte{rowsRead, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 'a'})
	f.Add([]byte{keysListed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, ix := range []*index{one, several, testIndex(keyPart{argAny, 64})} {
			l, ok := ix.decodeKeys(context.Background(), flushlist.Value{Payload: payload})
			if n := len(l.keys) + len(l.rows); n > len(payload)+len(ix.t.keyParts) {
				t.Fatalf("%d bytes were taken for %d keys and rows (%v)", len(payload), n, ok)
			}
			if ok && len(l.keys)%len(ix.t.keyParts) != 0 {
				t.Fatalf("%d columns of keys of %d", len(l.keys), len(ix.t.keyParts))
			}
		}
	})
}
