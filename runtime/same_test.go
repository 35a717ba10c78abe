package cacheruntime

import (
	"testing"
	"time"
)

// A time is the same with the same offset: where a column is text, the zone orders rows too.
func TestSameTime(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	east := time.FixedZone("east", 3600)
	for _, c := range []struct {
		what string
		a, b time.Time
		same bool
	}{
		{"itself", at, at, true},
		{"another zone with the same offset", at, at.In(time.FixedZone("zero", 0)), true},
		{"another offset", at, at.In(east), false},
		{"another instant that reads the same", at, time.Date(2026, 1, 2, 3, 4, 5, 6, east), false},
		{"a nanosecond", at, at.Add(1), false},
		{"zero", time.Time{}, time.Time{}, true},
	} {
		if SameTime(c.a, c.b) != c.same || SameTime(c.b, c.a) != c.same {
			t.Errorf("%s: SameTime(%v, %v) = %v", c.what, c.a, c.b, !c.same)
		}
		if SamePtrFunc(&c.a, &c.b, SameTime) != c.same || SamePtrFunc(&c.a, nil, SameTime) || !SamePtrFunc(nil, nil, SameTime) {
			t.Errorf("%s: pointers", c.what)
		}
	}
}

// Of two that are empty nobody knows which was NULL.
func TestSameBytes(t *testing.T) {
	full, none, null := []byte{0}, []byte{}, []byte(nil)
	for _, c := range []struct {
		a, b []byte
		same bool
	}{
		{full, []byte{0}, true}, {full, []byte{1}, false}, {full, none, false}, {full, null, false},
		{none, none, false}, {none, null, false}, {null, null, false},
	} {
		if SameBytes(c.a, c.b) != c.same || SameBytes(c.b, c.a) != c.same || SameBytesPtr(&c.a, &c.b) != c.same {
			t.Errorf("%v and %v: want same %v", c.a, c.b, c.same)
		}
	}
	if SameBytesPtr(&full, nil) || SameBytesPtr(nil, &full) || SameBytesPtr[[]byte](nil, nil) {
		t.Error("nil pointers are not known to be the same")
	}
}
