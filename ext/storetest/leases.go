package storetest

import (
	"context"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
)

// lease asks for the lease of an entry under a ticket.
func (f *fixture) lease(r flushlist.Ref, t flushlist.Ticket) (release func(), granted bool) {
	return f.store.Lease(context.Background(), r, t)
}

// granted demands a lease, and returns what releases it.
func (f *fixture) granted(what string, r flushlist.Ref, t flushlist.Ticket) (release func()) {
	f.Helper()
	release, granted := f.lease(r, t)
	if !granted {
		f.Fatalf("%s: the lease is not granted", what)
	}
	if release == nil {
		f.Fatalf("%s: the lease is granted, and nothing releases it", what)
	}
	return release
}

// refused demands that a lease is another's.
func (f *fixture) refused(what string, r flushlist.Ref, t flushlist.Ticket) {
	f.Helper()
	if _, granted := f.lease(r, t); granted {
		f.Fatalf("%s: the lease is granted, though another has it", what)
	}
}

// leaseOfMiss: whoever misses an entry alone is granted its load, again and again.
func leaseOfMiss(t *testing.T, h Harness) {
	f := open(t, h, 0)
	for _, what := range []string{"first", "after its release", "after two"} {
		f.granted(what, Ref(1), f.ask(Ref(1)).Ticket)()
	}
	f.load(Ref(1), "row")
	f.granted("for an entry that is there", Ref(1), f.ask(Ref(1)).Ticket)()
}

// leaseOfUnstorable: nobody waits for a load of which nothing can be stored, and a closed store keeps nobody waiting.
func leaseOfUnstorable(t *testing.T, h Harness) {
	f := open(t, h, 0)
	in := f.prepare(Ref(1).List)
	ticket := f.ask(Ref(1)).Ticket
	if ticket.Storable {
		f.Fatal("storable under a write")
	}
	first := f.granted("under a write", Ref(1), ticket)
	f.granted("under a write, the second", Ref(1), ticket)()
	first()
	in.Finish(context.Background())
	ticket = f.ask(Ref(1)).Ticket
	h.Close(f.store)
	f.granted("of a closed store", Ref(1), ticket)()
}

// leaseOfOther: of several processes that miss an entry under the same stamps one is granted its load, until it
// releases it.
func leaseOfOther(t *testing.T, h Harness) {
	f := open(t, h, 0)
	other, third := f.second(0), f.second(0)
	ticket := f.ask(Ref(1)).Ticket
	same := other.ask(Ref(1)).Ticket
	release := f.granted("first", Ref(1), ticket)
	for range 3 {
		other.refused("second process", Ref(1), same)
	}
	third.refused("third process", Ref(1), third.ask(Ref(1)).Ticket)
	other.granted("of another entry", Ref(2), other.ask(Ref(2)).Ticket)()

	f.fill(Ref(1), ticket, "row")
	release()
	other.hits(Ref(1), "row")
	again := other.granted("after its release", Ref(1), same)
	f.refused("while the second has it", Ref(1), ticket)
	again()
	third.granted("after both", Ref(1), same)()
}

// leaseAfterFlush: a load that began before a write keeps nobody from the load after it.
func leaseAfterFlush(t *testing.T, h Harness) {
	f := open(t, h, 0)
	other := f.second(0)
	for _, l := range []flushlist.List{Ref(1).List, All()} {
		release := f.granted("before the write", Ref(1), f.ask(Ref(1)).Ticket)
		other.write(l)
		ticket := other.ask(Ref(1)).Ticket
		after := other.granted("after the write of "+l.Name, Ref(1), ticket)
		release() // which is not the other's
		f.refused("whose load is of before the write", Ref(1), ticket)
		after()
	}
}

// leaseOfTheDead: a process that dies with a lease keeps the others waiting for its time, and no longer.
func leaseOfTheDead(t *testing.T, h Harness) {
	f := open(t, h, 0)
	other := f.second(0)
	f.granted("first", Ref(1), f.ask(Ref(1)).Ticket) // and never released
	ticket := other.ask(Ref(1)).Ticket
	other.refused("while it may live", Ref(1), ticket)
	other.eventually("the lease of a dead process is for ever", func() bool {
		release, granted := other.lease(Ref(1), ticket)
		if granted {
			release()
		}
		return granted
	})
}

// leaseWhileCut: nobody waits for a server that does not answer.
func leaseWhileCut(t *testing.T, h Harness) {
	f := open(t, h, 0)
	ticket := f.ask(Ref(1)).Ticket
	mend := h.Cut(t)
	defer mend()
	release := f.granted("while cut", Ref(1), ticket)
	f.granted("while cut, again", Ref(1), ticket)()
	release()
}
