package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// Programs with different tags say which lists they flush. Those that all do are Flushed; and a program is Confirmed
// only when no other one goes by lists that it does not flush.

// register registers identities for the suite's table.
func (f *fixture) register(identities ...uint64) flushlist.Registration {
	f.Helper()
	reg := f.store.Register(context.Background(), All(), identities)
	if reg == nil {
		f.Fatal("Register gave nil")
	}
	return reg
}

// flushes demands whether every program flushes an identity.
func (f *fixture) flushes(reg flushlist.Registration, identity uint64, want bool) {
	f.Helper()
	if _, ok := reg.Flushed(identity); ok != want {
		f.Fatalf("Flushed(%d) is %v, want %v", identity, ok, want)
	}
}

func flushed(reg flushlist.Registration, identity uint64) bool {
	_, ok := reg.Flushed(identity)
	return ok
}

// A program that is alone flushes what it says, as soon as it has said it.
func registeredAlone(t *testing.T, h Harness) {
	f := open(t, h, 0)
	reg := f.register(1, 2)
	f.flushes(reg, 1, true)
	f.flushes(reg, 2, true)
	if reg.Confirmed() == 0 {
		t.Fatal("a program that is alone is not confirmed")
	}
	term, _ := reg.Flushed(1)
	again := f.register(2, 1, 2)
	if now, ok := again.Flushed(1); !ok || now != term {
		t.Fatalf("registered again, in another order: term %d (%v), want %d", now, ok, term)
	}
}

// What one program does not flush is not Flushed for the others; and it is not Confirmed before they know.
func registeredBySeveral(t *testing.T, h Harness) {
	f := open(t, h, 0)
	reg := f.register(1, 2)
	f.flushes(reg, 1, true)
	same := f.second(0)
	if same.register(1, 2).Confirmed() == 0 {
		t.Fatal("one more process of a program is not confirmed")
	}
	g := f.second(0)
	other := g.register(2, 3)
	g.flushes(other, 3, false)
	g.flushes(other, 2, true)
	f.eventually("the program is never confirmed", func() bool {
		if other.Confirmed() == 0 {
			return false
		}
		f.flushes(reg, 1, false)
		return true
	})
	f.eventually("what both flush is not flushed", func() bool { return flushed(reg, 2) && flushed(other, 2) })
	f.eventually("the first program is not confirmed", func() bool { return reg.Confirmed() != 0 })
}

// A program whose models were made one after the other goes by all of them.
func registeredAnew(t *testing.T, h Harness) {
	f := open(t, h, 100*time.Millisecond)
	f.register(1)
	reg := f.register(1, 2)
	f.eventually("what was registered second is never flushed", func() bool { return flushed(reg, 2) })
	f.eventually("the program is never confirmed", func() bool { return reg.Confirmed() != 0 })
}

// Where the servers do not answer nothing is flushed by everybody, until they do.
func registeredWhileCut(t *testing.T, h Harness) {
	f := open(t, h, 0)
	mend := h.Cut(t)
	mended := false
	defer func() {
		if !mended {
			mend()
		}
	}()
	reg := f.register(1)
	f.flushes(reg, 1, false)
	if reg.Confirmed() != 0 {
		t.Fatal("confirmed by a server that does not answer")
	}
	mended = true
	mend()
	f.eventually("it is never flushed", func() bool { return flushed(reg, 1) })
	f.eventually("it is never confirmed", func() bool { return reg.Confirmed() != 0 })
}
