package tiered

import (
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// TestInterleaving drives, for each part of the protocol, the interleaving that goes wrong without it, step by step on a
// real memcached. Its tests have the names of internal/without, whose own test leaves out one part at a time and
// demands that the test of that name fails. What a reader loads is what the "database" of the test holds then.
//
// StampsBefore and StampedJoins are the runtime's: generated_test/faults has theirs.
func TestInterleaving(t *testing.T) {
	for _, i := range []struct {
		part string
		run  func(t *testing.T, m *testserver.Server)
	}{
		{"Intent", readerDuringCommit},
		{"OtherTokens", overlappingWriters},
		{"Stripe", answerFromBeforeFlush},
		{"CheckedFills", slowLoader},
		{"NextBatch", readBehindBatch},
		{"EarlyRecord", writerDiesAfterCommit},
		{"TokenFirst", recordBeforeToken},
		{"Closing", recordBehindPoller},
		{"Wait", numberFromBeforePoller},
		{"NewNumber", recordPastPatience},
		{"Drop", otherProcessIsTold},
		{"LostRecord", lostTokenAndOtherProcess},
		{"SecondDrop", lostTokenAndOwnProcess},
		{"Hold", undeliveredFlush},
		{"Renewal", commitBeginsLate},
		{"Observation", tokenSeenForTheFirstTime},
		{"DeadStamp", deadWriterHadCommitted},
		{"BothRings", writerOneStepAway},
		{"Steps", keyAwayAndBack},
		{"Terms", listNotFlushedForAWhile},
	} {
		t.Run(i.part, func(t *testing.T) { i.run(t, testserver.Memcached(t)) })
	}
}

// fetching are options of a process without a first tier, which is allowed to be MaxStale behind.
func fetching(m *testserver.Server) Options {
	o := patient(m.Addr())
	o.MaxStale = -1
	return o
}

// readerDuringCommit: NO_INTENT. behaviours 61, 66
//
//  1. memcached holds the old row
//  2. writer: goes to COMMIT
//  3. reader: loads the old row
//  4. the COMMIT takes effect, and the writer dies before it can say so
//  5. reader: stores the old row
//  6. readers from here on must not be served it
func readerDuringCommit(t *testing.T, m *testserver.Server) {
	o := fetching(m)
	writer, reader := start(t, o), start(t, o)
	r, database := storetest.Ref(1), "old"
	reader.load(r, database)
	writer.prepare(flushlist.Strict, r.List)
	loaded, ticket := database, reader.ask(r).Ticket
	database = "new"
	reader.fill(r, ticket, loaded)
	reader.never(r, "old")
	writer.never(r, "old")
}

// overlappingWriters: ONE_TOKEN. behaviour 65
//
// The writers change two rows of one list, so that no lock of the database orders them.
//
//  1. A, then B: leave their tokens
//  2. B: commits, and takes its token out
//  3. reader: loads the list, which lacks A's row, and would store it
//  4. A's COMMIT takes effect, and A dies
//  5. readers from here on must not be served the list without A's row
func overlappingWriters(t *testing.T, m *testserver.Server) {
	o := fetching(m)
	a, b, reader := start(t, o), start(t, o), start(t, o)
	list, database := storetest.Ref(1), "neither"
	reader.load(list, database)
	a.prepare(flushlist.Strict, list.List)
	in := b.prepare(flushlist.Strict, list.List)
	database = "B's"
	in.Finish(context.Background())
	reader.fill(list, reader.ask(list).Ticket, database)
	database = "A's and B's"
	reader.never(list, "B's")
	b.never(list, "B's")
}

// answerFromBeforeFlush: NO_STRIPE. An answer that was under way during a flush made here teaches the first tier nothing.
//
//  1. reader: asks; the server answers with the old entry and its stamps
//  2. writer in this process: a whole write, whose record the poller passes over as its own
//  3. reader: has the answer, to a question from before the write
//  4. the first tier must not serve it
func answerFromBeforeFlush(t *testing.T, m *testserver.Server) {
	relay := testserver.Proxy(t, m.Addr())
	p := start(t, patient(relay.Addr())).quiet()
	r := storetest.Ref(1)
	p.load(r, "old")
	if err := p.first.cache.Delete(r.Key); err != nil {
		t.Fatal(err)
	}
	relay.Hang()
	trips := relay.RoundTrips()
	answer := make(chan flushlist.Found)
	go func() { answer <- p.ask(r) }()
	eventually(t, "the server does not answer", func() bool { return relay.RoundTrips() == trips+1 })
	relay.PassNew()
	p.write(r.List)
	relay.Mend()
	if f := <-answer; f.Outcome != flushlist.HitSecond || string(f.Value.Payload) != "old" {
		t.Fatalf("%v with %q", f.Outcome, f.Value.Payload)
	}
	p.poll()
	p.never(r, "old")
	p.wants(r, flushlist.ListFlushed, "")
}

// slowLoader: behaviour 105
//
//  1. slow reader: misses, under the present stamps, and loads
//  2. a write returns
//  3. quick reader: misses, loads the new row, stores it
//  4. slow reader: stores what it loaded; the newer entry stays
func slowLoader(t *testing.T, m *testserver.Server) {
	o := fetching(m)
	slow, quick := start(t, o), start(t, o)
	r := storetest.Ref(1)
	ticket := slow.ask(r).Ticket
	quick.write(r.List)
	quick.load(r, "new")
	slow.fill(r, ticket, "old")
	slow.never(r, "old")
	quick.wants(r, flushlist.HitSecond, "new")
	if slow.count(flushlist.FillLost) != 1 {
		t.Error("the fill that came too late is not reported")
	}
}

// readBehindBatch: behaviour 95
//
//  1. as many batches are out as may be, and answered with the old row; the answers are on their way
//  2. another process writes, and the write returns
//  3. reads begin: they wait for the next batch
func readBehindBatch(t *testing.T, m *testserver.Server) {
	relay := testserver.Proxy(t, m.Addr())
	o := patient(m.Addr())
	p, other := start(t, through(o, relay)).quiet(), start(t, o).quiet()
	r := storetest.Ref(1)
	p.load(r, "old")
	relay.Hang()
	trips := relay.RoundTrips()
	early := make(chan flushlist.Found, batchSenders)
	for n := range batchSenders {
		p.places[0].(*server).batches.forgetSent()
		go func() { early <- p.ask(r) }()
		eventually(t, "a batch is not answered", func() bool { return relay.RoundTrips() == trips+n+1 })
	}
	other.write(r.List)
	other.load(r, "new")
	const late = 5
	after := make(chan flushlist.Found, late)
	for range late {
		go func() { after <- p.ask(r) }()
	}
	b := &p.places[0].(*server).batches
	eventually(t, "reads do not gather", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.waiting) == 1 && b.waiting[0].readers == late || b.sent != nil && b.sent.readers == late+1
	})
	relay.Mend()
	for range batchSenders {
		if f := <-early; string(f.Value.Payload) != "old" {
			t.Fatalf("a read from before the write: %v with %q", f.Outcome, f.Value.Payload)
		}
	}
	values := map[*byte]bool{}
	for range late {
		f := <-after
		if string(f.Value.Payload) != "new" {
			t.Fatalf("a read from after the write: %v with %q", f.Outcome, f.Value.Payload)
		}
		values[&f.Value.Payload[0]] = true
	}
	if len(values) != late {
		t.Fatal("reads of one batch share their values")
	}
	if n := relay.RoundTrips() - trips; n != batchSenders+1 {
		t.Fatalf("%d round trips, want %d", n, batchSenders+1)
	}
}

// forgetSent makes reads that begin now not join the batch that is out, where they would: each of the first ones in
// readBehindBatch sends its own.
func (bs *batches) forgetSent() {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	bs.sent = nil
}

// through returns options with which a process reaches its one server by a relay, and calls it what others do.
func through(o Options, relay *testserver.Relay) Options {
	o.Dial = dialer(relay.Addr())
	return o
}

// undeliveredFlush: behaviour 69, mode Available. A flush that did not reach its server counts in the process that made it.
//
//  1. memcached holds the old row, and is cut off from the writer
//  2. writer: goes to COMMIT all the same, commits, and its flush does not reach the server
//  3. the server is back, and the flush has not been tried again yet
//  4. reads in the writer's process, which know that the write has returned, must not be served the old row
func undeliveredFlush(t *testing.T, m *testserver.Server) {
	relay := testserver.Proxy(t, m.Addr())
	o := hasty(relay.Addr())
	o.BreakerFailures, o.BreakerPause = -1, time.Minute
	p := start(t, o)
	r := storetest.Ref(1)
	p.load(r, "old")
	relay.Cut()
	p.prepare(flushlist.Available, r.List).Finish(context.Background())
	relay.Mend()
	p.never(r, "old")
	p.wants(r, flushlist.Undelivered, "")
}

// lostTokenAndOwnProcess: EVICT. behaviour 64
//
//  1. writer: leaves its token
//  2. memcached: loses the cell
//  3. reader in the writer's process: makes a fresh cell, loads the old row, and has it in the first tier
//  4. writer: commits, finds its token gone, puts a new stamp, and returns
//  5. the poller passes the write's record over as its own
//  6. the first tier must not serve the old row
func lostTokenAndOwnProcess(t *testing.T, m *testserver.Server) {
	p := followed(t, m.Addr())
	r := storetest.Ref(1)
	in := p.prepare(flushlist.Strict, r.List)
	if err := testserver.Client(m.Addr()).Delete(cellKey(r.List)); err != nil {
		t.Fatal(err)
	}
	p.ask(r) // makes the cells
	p.load(r, "old")
	if !p.inFirst(r) {
		t.Fatal("not in the first tier")
	}
	in.Finish(context.Background())
	p.poll()
	p.never(r, "old")
	if p.count(flushlist.IntentLost) != 1 {
		t.Error("the lost token is not reported")
	}
}
