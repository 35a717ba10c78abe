package cacheruntime

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
)

// flushesOnly has one of an observer's methods, on the value.
type flushesOnly struct{}

func (flushesOnly) ObserveFlush(context.Context, FlushEvent) {}

// onPointer has two, one of them on the pointer.
type onPointer struct{ flushesOnly }

func (*onPointer) ObserveEvent(flushlist.Event) {}

// mistyped has one that fits, and one that was meant to.
type mistyped struct{ flushesOnly }

func (mistyped) ObserveEvent(context.Context, flushlist.Event) {}

// An observer that would not hear of what it has a method for is refused, by the method's name.
func TestObserverThatWouldNotHear(t *testing.T) {
	for _, c := range []struct {
		observer any
		want     string
	}{
		{nil, ""},
		{flushesOnly{}, ""},
		{&flushesOnly{}, ""},
		{&onPointer{}, ""},
		{(*onPointer)(nil), ""},
		{5, "is a int, which has none of the methods ObserveRead, ObserveFlush and ObserveEvent"},
		{onPointer{}, "whose method ObserveEvent is on the pointer: give a pointer"},
		{mistyped{}, "whose method ObserveEvent is a func(cacheruntime.mistyped, context.Context, flushlist.Event): it would not be called; " +
			"its parameters are to be (flushlist.Event)"},
		{&mistyped{}, "whose method ObserveEvent is a func(*cacheruntime.mistyped, "},
	} {
		err := Options{Namespace: "n", Observer: c.observer}.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%T: %v, want %q", c.observer, err, c.want)
		}
	}
}

// A number that is none is refused as one that is too large.
func TestJitterThatIsNoNumber(t *testing.T) {
	for jitter, ok := range map[float64]bool{0: true, 0.5: true, -1: true, math.Inf(-1): true, 0.6: false, math.Inf(1): false} {
		if err := (Options{Namespace: "n", Jitter: jitter}).Validate(); (err == nil) != ok {
			t.Errorf("%g: %v", jitter, err)
		}
	}
	if err := (Options{Namespace: "n", Jitter: math.NaN()}).Validate(); err == nil || !strings.Contains(err.Error(), "Options.Jitter is NaN") {
		t.Errorf("NaN: %v", err)
	}
}
