package cacheruntime

import (
	"testing"

	"github.com/cachegen/cachegen/flushlist"
)

func stamped(s flushlist.Stamp) flushlist.Ticket {
	return flushlist.Ticket{Storable: true, List: s, All: 1}
}

// behaviour 94: a load under way is shared only under the stamps that the reader has itself just read.
func TestJoinUnderStamps(t *testing.T) {
	var f flights
	first, leader, _ := f.join("k", stamped(7))
	if !leader {
		t.Fatal("the first reader does not lead")
	}
	if fl, leader, _ := f.join("k", stamped(7)); leader || fl != first {
		t.Error("a reader under the same stamps does not share the load")
	}
	// A write has ended in between: the second reader's stamp is another.
	if fl, leader, _ := f.join("k", stamped(8)); !leader || fl == first {
		t.Error("a reader under a newer stamp shares the old load")
	}
	// A write is being committed: there is no stamp.
	if fl, leader, _ := f.join("k", flushlist.Ticket{}); !leader || fl == first {
		t.Error("a reader under an intent shares the old load")
	}
	f.end("k", stamped(7), first, loaded{}, nil)
	close(first.done)
	if _, leader, _ := f.join("k", stamped(7)); !leader {
		t.Error("an ended load is shared")
	}
}

// behaviour 94: without stamps, a reader shares only a load whose SQL has not been sent.
func TestJoinWithoutStamps(t *testing.T) {
	var f flights
	first, leader, start := f.join("k", flushlist.Ticket{})
	if !leader || start != nil {
		t.Fatal("the first reader does not lead at once")
	}
	second, leader, start := f.join("k", flushlist.Ticket{})
	if !leader || second == first || start == nil {
		t.Fatal("the second reader does not lead the next load")
	}
	third, leader, _ := f.join("k", flushlist.Ticket{})
	if leader || third != second {
		t.Error("the third reader does not share the load that is not sent yet")
	}
	select {
	case <-start:
		t.Fatal("the next load may begin while the first is under way")
	default:
	}
	f.end("k", flushlist.Ticket{}, first, loaded{}, nil)
	close(first.done)
	<-start // now it is sent
	fourth, leader, start := f.join("k", flushlist.Ticket{})
	if !leader || fourth == second {
		t.Error("a reader shares a load that has been sent")
	}
	f.end("k", flushlist.Ticket{}, second, loaded{}, nil)
	close(second.done)
	<-start
	f.end("k", flushlist.Ticket{}, fourth, loaded{}, nil)
	close(fourth.done)
	if len(f.queues) != 0 || len(f.stamped) != 0 {
		t.Errorf("%d queues and %d loads are left", len(f.queues), len(f.stamped))
	}
}
