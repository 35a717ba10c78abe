package tiered

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/internal/testserver"
)

// gatedJournal is another process's journal, with one answer held back on its way to the poller.
type gatedJournal struct {
	Journal
	armed         atomic.Bool
	reached, open chan struct{}
}

func (g *gatedJournal) Poll(ctx context.Context, after uint64) (uint64, [][]byte, error) {
	head, records, err := g.Journal.Poll(ctx, after)
	if g.armed.CompareAndSwap(true, false) {
		close(g.reached)
		<-g.open
	}
	return head, records, err
}

func (g *gatedJournal) Close() error { return nil }

// behaviour 68: a process that is stopped between reading the journal and dropping what it names.
//
//  1. reader's process: has the old row in its first tier; its poller has read the journal, and is stopped
//  2. writer: a whole write, which returns
//  3. MaxStale passes
//  4. reader: is not served from the first tier, since the poll that was noted last is too old
//  5. poller: goes on with an answer from before the write, and notes when it had asked
//  6. reader: is still not served, until a poll has found the record
func TestStoppedPoller(t *testing.T) {
	m := testserver.Memcached(t)
	writer := followed(t, m.Addr())
	gate := &gatedJournal{Journal: writer.journal.journal, reached: make(chan struct{}), open: make(chan struct{})}
	o := patient(m.Addr())
	o.MaxStale, o.Journal = 50*time.Millisecond, gate
	p := start(t, o).quiet()
	p.journal.since.Store(0)
	r := storetest.Ref(1)
	p.load(r, "old")
	gate.armed.Store(true)
	<-gate.reached
	writer.write(r.List)
	wrote := p.now()
	eventually(t, "time stands still", func() bool { return p.now()-wrote > o.MaxStale })
	if p.inFirst(r) {
		t.Fatal("served with the poller stopped for MaxStale")
	}
	number := p.journal.good.Load()
	close(gate.open)
	eventually(t, "the journal is not followed any more", func() bool {
		if p.inFirst(r) {
			t.Fatal("served by what was read before the write")
		}
		return p.journal.good.Load() > number+int64(o.MaxStale)
	})
}

// Close during a poll waits for no more than the poll, and what comes after it harms nobody.
func TestCloseDuringPoll(t *testing.T) {
	m := testserver.Memcached(t)
	writer := followed(t, m.Addr())
	gate := &gatedJournal{Journal: writer.journal.journal, reached: make(chan struct{}), open: make(chan struct{})}
	o := patient(m.Addr())
	o.MaxStale, o.Journal = 50*time.Millisecond, gate
	p := start(t, o).quiet()
	r := storetest.Ref(1)
	p.load(r, "old")
	gate.armed.Store(true)
	<-gate.reached
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	eventually(t, "the store is not closed", p.Closed)
	if p.inFirst(r) {
		t.Error("a closed store serves")
	}
	close(gate.open)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	writer.write(r.List)
}
