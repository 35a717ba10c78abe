package testserver

import (
	"testing"
	"time"
)

// waves hold answers back until they are released together. The Relay's lock guards it.
type waves struct {
	on       bool
	held     int // answers that wait
	released int // times
}

// await waits for the next release, where answers are held. r.mu is held.
func (w *waves) await(r *Relay) {
	if !w.on {
		return
	}
	w.held++
	for until := w.released + 1; w.on && w.released < until && !r.closed; {
		r.changed.Wait()
	}
}

// hold holds every answer from now on; without on, it lets all go.
func (r *Relay) hold(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waves.on, r.waves.held = on, 0
	r.changed.Broadcast()
}

// heldNow returns the number of answers that wait.
func (r *Relay) heldNow() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waves.held
}

// release lets the answers through that wait now, and those alone.
func (r *Relay) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waves.released++
	r.waves.held = 0
	r.changed.Broadcast()
}

// Waves counts how many round trips an operation takes one after the other, without measuring time. All
// answers of the servers behind relays are held until as many wait as the next number of wants says, and
// then released together. So the requests of one wave were all sent before any of them was answered, and
// the operation takes len(wants) sequential round trips. It fails the test where a wave does not come
// together, and where the operation has not ended, or has asked for more, when all waves are through.
func Waves(tb testing.TB, relays []*Relay, wants []int, operation func()) {
	tb.Helper()
	sum := func(of func(*Relay) int) (n int) {
		for _, r := range relays {
			n += of(r)
		}
		return n
	}
	before := sum((*Relay).RoundTrips)
	for _, r := range relays {
		r.hold(true)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		operation()
	}()
	total := 0
	for i, want := range wants {
		total += want
		held := 0
		waitFor(func() bool {
			held = sum((*Relay).heldNow)
			return held >= want || isClosed(ended)
		})
		if held != want {
			tb.Errorf("wave %d of %v: %d requests", i+1, wants, held)
			break
		}
		for _, r := range relays {
			r.release()
		}
	}
	waitFor(func() bool { return isClosed(ended) || sum((*Relay).heldNow) > 0 })
	if !isClosed(ended) {
		tb.Errorf("waves of %v have not ended it: %d more requests", wants, sum((*Relay).heldNow))
	}
	for _, r := range relays {
		r.hold(false)
	}
	<-ended
	if n := sum((*Relay).RoundTrips) - before; n != total && !tb.Failed() {
		tb.Errorf("%d round trips, want %v", n, wants)
	}
}

// waitFor polls until ok, for as long as anything may take.
func waitFor(ok func() bool) {
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
