package tiered

import (
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// commitBeginsLate: a writer that was held up before its COMMIT leaves its tokens anew. behaviour 66
//
//  1. writer: leaves its token, and is held up
//  2. reader: sees the token for IntentTTL, takes it out, loads the old row, stores it
//  3. writer: is late, and leaves another token
//  4. the COMMIT takes effect, and the writer dies
//  5. readers must not be served the old row
func commitBeginsLate(t *testing.T, m *testserver.Server) {
	o := fetching(m)
	o.IntentTTL = 50 * time.Millisecond
	writer, reader := start(t, o), start(t, o)
	r := storetest.Ref(1)
	reader.load(r, "old")
	in := writer.prepare(flushlist.Strict, r.List)
	var found flushlist.Found
	eventually(t, "the token is respected for ever", func() bool { found = reader.ask(r); return found.Ticket.Storable })
	reader.fill(r, found.Ticket, "old")
	late := in.Late()
	writer.opts.IntentTTL = time.Hour // of the new token, which is looked at just now, however slow the machine
	if late {
		if err := in.Renew(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	reader.never(r, "old")
}

// tokenSeenForTheFirstTime: a token is judged by what this process has itself seen. behaviour 66
//
//  1. writer: leaves its token; a reader sees it for nearly its IntentTTL
//  2. another process comes, and sees the token for the first time; it loads the old row, and stores nothing
//  3. the COMMIT takes effect, and the writer dies
//  4. readers must not be served the old row
//  5. the process takes the token out when it has itself seen it for IntentTTL, and the row is cached again
func tokenSeenForTheFirstTime(t *testing.T, m *testserver.Server) {
	o := fetching(m)
	o.IntentTTL = 500 * time.Millisecond
	writer, reader := start(t, o), start(t, o)
	r := storetest.Ref(1)
	reader.load(r, "old")
	writer.prepare(flushlist.Strict, r.List)
	seen := reader.now()
	reader.ask(r)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for reader.now()-seen < 9*o.IntentTTL/10 {
		<-tick.C
	}
	other := start(t, o) // whose clock begins now
	asked := other.now()
	f := other.ask(r)
	other.fill(r, f.Ticket, "old")
	other.never(r, "old")
	if f.Outcome != flushlist.UnderWrite || f.Ticket.Storable {
		t.Fatalf("a process that has just come: %v", f.Outcome)
	}
	eventually(t, "a dead writer's token is respected for ever", func() bool {
		f = other.ask(r)
		return f.Ticket.Storable
	})
	if d := other.now() - asked; d < o.IntentTTL {
		t.Fatalf("taken for dead after %v of %v", d, o.IntentTTL)
	}
	other.fill(r, f.Ticket, "new")
	reader.wants(r, flushlist.HitSecond, "new")
}

// deadWriterHadCommitted: behaviour 66
//
//  1. memcached holds the old row
//  2. writer: leaves its token; the COMMIT takes effect, and the writer dies
//  3. reader: takes the token for a dead writer's, and puts the cell in order
//  4. readers must not be served the old row, which lies there still
func deadWriterHadCommitted(t *testing.T, m *testserver.Server) {
	o := fetching(m)
	o.IntentTTL = minIntentTTL
	writer, reader := start(t, o), start(t, o)
	r := storetest.Ref(1)
	reader.load(r, "old")
	writer.prepare(flushlist.Strict, r.List)
	eventually(t, "a dead writer's token is respected for ever", func() bool {
		reader.never(r, "old")
		return reader.ask(r).Ticket.Storable
	})
	reader.never(r, "old")
}
