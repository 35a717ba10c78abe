package cacheruntime

import (
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// The codec of entries: numbers at fixed width, text and bytes behind their length, in the order of
// the struct. A row's texts are cut out of its payload. These functions are
// for generated code. Those that append are not inlined there: they run on misses alone, and a program
// with many models would compile their bodies once for each column.

// errCodec is what a Decoder says of bytes that are not what the codec wrote.
var errCodec = errors.New("cachegen: entry cannot be decoded")

// Decoder reads what the Append functions wrote. Its input is not trusted: what does not fit leaves
// an error, after which everything read is zero. It is used by one goroutine.
type Decoder struct {
	s   string
	bad bool
}

// newDecoder reads payload without a copy: the texts decoded are parts of it, as a strings.Builder's
// string is of its buffer. So nobody may write to a payload once it is decoded, and nobody does: a
// store hands out copies of its own, and a load's payload is shared by those who only read it.
func newDecoder(payload []byte) Decoder {
	return Decoder{s: unsafe.String(unsafe.SliceData(payload), len(payload))}
}

// end returns an error if anything did not fit, or is left over.
func (d *Decoder) end() error {
	if d.bad || d.s != "" {
		return errCodec
	}
	return nil
}

// take cuts n bytes off.
func (d *Decoder) take(n uint64) string {
	if d.bad || n > uint64(len(d.s)) {
		d.bad = true
		return ""
	}
	t := d.s[:n]
	d.s = d.s[n:]
	return t
}

func (d *Decoder) word() uint64 {
	t := d.take(8)
	if t == "" {
		return 0
	}
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

func (d *Decoder) uvarint() uint64 {
	var v uint64
	for shift := uint(0); shift < 64; shift += 7 {
		t := d.take(1)
		if t == "" {
			return 0
		}
		v |= uint64(t[0]&0x7f) << shift
		if t[0] < 0x80 {
			return v
		}
	}
	d.bad = true
	return 0
}

// AppendUint appends an unsigned number.
//
//go:noinline
func AppendUint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](b []byte, v T) []byte {
	return binary.LittleEndian.AppendUint64(b, uint64(v))
}

// DecodeUint reads an unsigned number. One that T cannot hold is an error.
func DecodeUint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](d *Decoder) T {
	w := d.word()
	v := T(w)
	if uint64(v) != w {
		d.bad = true
		return 0
	}
	return v
}

// AppendInt appends a signed number.
//
//go:noinline
func AppendInt[T ~int | ~int8 | ~int16 | ~int32 | ~int64](b []byte, v T) []byte {
	return binary.LittleEndian.AppendUint64(b, uint64(int64(v)))
}

// DecodeInt reads a signed number. One that T cannot hold is an error.
func DecodeInt[T ~int | ~int8 | ~int16 | ~int32 | ~int64](d *Decoder) T {
	w := int64(d.word())
	v := T(w)
	if int64(v) != w {
		d.bad = true
		return 0
	}
	return v
}

// AppendFloat appends a floating-point number.
//
//go:noinline
func AppendFloat[T ~float32 | ~float64](b []byte, v T) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(v)))
}

// DecodeFloat reads a floating-point number.
func DecodeFloat[T ~float32 | ~float64](d *Decoder) T { return T(math.Float64frombits(d.word())) }

// AppendBool appends a boolean.
//
//go:noinline
func AppendBool[T ~bool](b []byte, v T) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// DecodeBool reads a boolean.
func DecodeBool[T ~bool](d *Decoder) T {
	switch d.take(1) {
	case "\x00":
		return false
	case "\x01":
		return true
	}
	d.bad = true
	return false
}

// AppendText appends a text behind its length.
//
//go:noinline
func AppendText[T ~string](b []byte, v T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// DecodeText reads a text. It shares memory with the other texts of the row.
func DecodeText[T ~string](d *Decoder) T { return T(d.take(d.uvarint())) }

// AppendBytes appends bytes; nil stays nil.
//
//go:noinline
func AppendBytes[T ~[]byte](b []byte, v T) []byte {
	if v == nil {
		return append(b, 0)
	}
	return append(binary.AppendUvarint(b, uint64(len(v))+1), v...)
}

// DecodeBytes reads bytes into memory of their own.
func DecodeBytes[T ~[]byte](d *Decoder) T {
	n := d.uvarint()
	if n == 0 {
		return nil
	}
	return T(d.take(n - 1))
}

// AppendPtr appends what p points to, or that it is nil.
//
//go:noinline
func AppendPtr[T any](b []byte, p *T, f func([]byte, T) []byte) []byte {
	if p == nil {
		return append(b, 0)
	}
	return f(append(b, 1), *p)
}

// DecodePtr reads a pointer.
func DecodePtr[T any](d *Decoder, f func(*Decoder) T) *T {
	if !DecodeBool[bool](d) {
		return nil
	}
	v := f(d)
	return &v
}

// How a time's location is written.
const (
	zoneUTC   = 0
	zoneLocal = 1 // this process's, if it has the same name and offset where it is read
	zoneFixed = 2
)

// AppendTime appends a time with the name and offset of its zone.
//
//go:noinline
func AppendTime(b []byte, t time.Time) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(t.Unix()))
	b = binary.LittleEndian.AppendUint32(b, uint32(t.Nanosecond()))
	zone := byte(zoneFixed)
	switch t.Location() {
	case time.UTC:
		return append(b, zoneUTC)
	case time.Local:
		zone = zoneLocal
	}
	name, offset := t.Zone()
	b = binary.LittleEndian.AppendUint32(append(b, zone), uint32(int32(offset)))
	return AppendText(b, name)
}

// DecodeTime reads a time, at the offset and with the zone name that it had.
func DecodeTime(d *Decoder) time.Time {
	sec := int64(d.word())
	nsec := d.half()
	zone := d.take(1)
	if d.bad || nsec > 999_999_999 || zone[0] > zoneFixed {
		d.bad = true
		return time.Time{}
	}
	t := time.Unix(sec, int64(nsec))
	if zone[0] == zoneUTC {
		return t.UTC()
	}
	offset, name := int(int32(d.half())), DecodeText[string](d)
	if d.bad {
		return time.Time{}
	}
	if zone[0] == zoneLocal {
		if n, o := t.Zone(); n == name && o == offset {
			return t
		}
	}
	return t.In(fixedZone(name, offset))
}

func (d *Decoder) half() uint32 {
	t := d.take(4)
	if t == "" {
		return 0
	}
	return uint32(t[0]) | uint32(t[1])<<8 | uint32(t[2])<<16 | uint32(t[3])<<24
}

type zoneKey struct {
	name   string
	offset int
}

// zones keeps the locations made by fixedZone, up to a bound, so that a hit need not make one.
var (
	zones     sync.Map // zoneKey to *time.Location
	zoneCount atomic.Int32
)

func fixedZone(name string, offset int) *time.Location {
	if l, ok := zones.Load(zoneKey{name, offset}); ok {
		return l.(*time.Location)
	}
	name = string(append([]byte(nil), name...)) // not a part of a row's string, which would stay with it
	l := time.FixedZone(name, offset)
	if zoneCount.Add(1) <= 256 {
		zones.Store(zoneKey{name, offset}, l)
	} else {
		zoneCount.Add(-1)
	}
	return l
}
