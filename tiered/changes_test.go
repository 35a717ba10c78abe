package tiered

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// cluster is some running servers, for processes at steps of a change.
type cluster struct {
	testing.TB
	servers []*testserver.Server
}

func newCluster(tb testing.TB, n int) *cluster {
	c := &cluster{TB: tb}
	for range n {
		c.servers = append(c.servers, testserver.Memcached(tb))
	}
	return c
}

// names returns the addresses of servers that are written as digits: "02" is the first and the third.
func (c *cluster) names(digits string) []string {
	var names []string
	for _, d := range digits {
		names = append(names, c.servers[d-'0'].Addr())
	}
	return names
}

// options are those of a process at a step.
func (c *cluster) options(step int, first, also string) Options {
	o := patient(c.names(first)...)
	o.Also, o.Step = c.names(also), step
	return o
}

// at starts a process at a step, and waits until it has looked at the records.
func (c *cluster) at(step int, first, also string) *process {
	c.Helper()
	p := start(c.TB, c.options(step, first, also)).quiet()
	p.journal.since.Store(0)
	return p
}

// moves returns an entry that lies on a server of one ring and on another of a second ring.
func (c *cluster) moves(from, to string, server byte) flushlist.Ref {
	c.Helper()
	a, b := newRing(c.names(from), nil), newRing(c.names(to), nil)
	for n := range 10_000 {
		r := storetest.Ref(n)
		if was, is := from[a.server(r.List.ID)], to[b.server(r.List.ID)]; was == server && is != server {
			return r
		}
	}
	c.Fatalf("no entry moves from %c", server)
	return flushlist.Ref{}
}

// look makes the process look at the records now.
func (p *process) look() { p.watch.look(context.Background()) }

// within demands that the process is within the procedure.
func (p *process) within() *process {
	p.Helper()
	p.look()
	if err := p.Stats().Outside; err != nil {
		p.Fatal(err)
	}
	return p
}

// documented is the procedure that adds the third server to two, as numbers of servers.
var documented = []struct{ first, also string }{{"01", ""}, {"01", "012"}, {"012", "01"}, {"012", ""}}

// behaviour 102: of two processes one step apart, each is flushed by the other, in both tiers.
func TestOneStepApart(t *testing.T) {
	c := newCluster(t, 3)
	r := c.moves("012", "01", '2')
	for n := 1; n < len(documented); n++ {
		behind := c.at(n-1, documented[n-1].first, documented[n-1].also)
		ahead := c.at(n, documented[n].first, documented[n].also)
		for i, pair := range [][2]*process{{behind, ahead}, {ahead, behind}} {
			reader, writer := pair[0].within(), pair[1].within()
			for _, flush := range []flushlist.List{r.List, r.All} {
				if f := reader.ask(r); !f.Outcome.Hit() {
					reader.load(r, "old")
				}
				reader.aged()
				if !reader.inFirst(r) {
					t.Fatalf("step %d and %d, pair %d: not in the first tier", n-1, n, i)
				}
				in := writer.prepare(flushlist.Strict, flush)
				reader.wants(r, flushlist.UnderWrite, "")
				reader.poll()
				if reader.inFirst(r) {
					t.Fatalf("step %d and %d, pair %d: the journal does not tell of a write of %s", n-1, n, i, flush.Name)
				}
				in.Finish(context.Background())
				if f := reader.ask(r); f.Outcome.Hit() {
					t.Fatalf("step %d and %d, pair %d: %v after a write of %s", n-1, n, i, f.Outcome, flush.Name)
				}
			}
		}
		behind.Close()
		ahead.Close()
	}
}

// writerOneStepAway: FIRST_ONLY. behaviour 102
//
//  1. reader: at the step before, has an entry from a server that the list is to leave
//  2. writer: at the step after, which reads from another server, writes
//  3. reader: looks again
func writerOneStepAway(t *testing.T, m *testserver.Server) {
	c := &cluster{t, []*testserver.Server{m, testserver.Memcached(t)}}
	reader := c.at(1, "0", "1")
	r := storetest.Ref(1)
	reader.load(r, "old")
	writer := c.at(2, "1", "0").within()
	writer.write(r.List)
	if f := reader.ask(r); f.Outcome.Hit() {
		t.Fatalf("%v with %q after a write", f.Outcome, f.Value.Payload)
	}
}

// keyAwayAndBack: ANY_STEP. behaviour 109
//
//  1. step 0: an entry and its cell are stored on a server
//  2. step 3: their server is away; the list is flushed where it is now
//  3. step 6: the server is back, with entry and cell as they were
//  4. reader: looks there
func keyAwayAndBack(t *testing.T, m *testserver.Server) {
	c := &cluster{t, []*testserver.Server{testserver.Memcached(t), m}}
	steps := []struct{ first, also string }{
		{"01", ""}, {"01", "0"}, {"0", "01"}, {"0", ""}, {"0", "01"}, {"01", "0"}, {"01", ""},
	}
	r, stays := c.moves("01", "0", '1'), refOn(t, c, "01", "0", '0')
	p := c.at(0, steps[0].first, steps[0].also)
	for _, e := range []flushlist.Ref{r, stays} {
		p.load(e, "old")
		p.wants(e, flushlist.HitSecond, "old")
	}
	for n := 1; n < len(steps); n++ {
		next := c.at(n, steps[n].first, steps[n].also).within()
		p.within()
		p.Close()
		p = next
		p.wants(stays, flushlist.HitSecond, "old")
		if n == 3 {
			p.ask(r)
			p.write(r.List)
		}
	}
	if rawItem(t, c.servers[1].Addr(), r.Key) == nil {
		t.Fatal("the entry from before is not there any more")
	}
	p.wants(r, flushlist.Moved, "")
	p.load(r, "new")
	p.wants(r, flushlist.HitSecond, "new")
	if !p.inFirst(r) {
		t.Fatal("not in the first tier")
	}
}

// refOn returns an entry that lies on one server by both rings.
func refOn(tb testing.TB, c *cluster, one, other string, server byte) flushlist.Ref {
	a, b := newRing(c.names(one), nil), newRing(c.names(other), nil)
	for n := range 10_000 {
		if r := storetest.Ref(n); one[a.server(r.List.ID)] == server && other[b.server(r.List.ID)] == server {
			return r
		}
	}
	tb.Fatal("no entry stays")
	return flushlist.Ref{}
}

// A new step costs the keys that move, and no others.
func TestOnlyMovedKeysAreLost(t *testing.T) {
	c := newCluster(t, 3)
	p := c.at(0, "01", "")
	const rows = 60
	for n := range rows {
		p.load(storetest.Ref(n), "row")
	}
	for n := 1; n < len(documented); n++ {
		p = c.at(n, documented[n].first, documented[n].also).within()
	}
	before, after := newRing(c.names("01"), nil), newRing(c.names("012"), nil)
	moved := 0
	for n := range rows {
		r := storetest.Ref(n)
		if id := r.List.ID; before.server(id) != after.server(id) {
			moved++
			p.wants(r, flushlist.NoCell, "")
		} else {
			p.wants(r, flushlist.HitSecond, "row")
		}
	}
	if moved == 0 || moved == rows {
		t.Fatalf("%d of %d moved", moved, rows)
	}
}

// While a server that is to come is down, writes fail or are owed, and reads do not notice.
func TestServerToComeIsDown(t *testing.T) {
	c := newCluster(t, 2)
	o := c.options(1, "0", "01")
	o.BreakerPause = 20 * time.Millisecond
	c.servers[1].Stop()
	p := start(t, o)
	r := c.moves("01", "0", '1')
	p.load(r, "old")
	if _, err := p.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict); !errors.Is(err, flushlist.ErrFlush) ||
		!strings.Contains(err.Error(), c.servers[1].Addr()) {
		t.Fatal(err)
	}
	p.wants(r, flushlist.HitSecond, "old")
	p.prepare(flushlist.Available, r.List).Finish(context.Background())
	p.wants(r, flushlist.ListFlushed, "")
	p.load(r, "new")
	p.wants(r, flushlist.HitSecond, "new")
	if p.Stats().Undelivered != 1 {
		t.Fatalf("%d undelivered", p.Stats().Undelivered)
	}
	c.servers[1].Start()
	eventually(t, "the flush is not delivered", func() bool { return p.Stats().Undelivered == 0 })
	// What it owes to the other journal comes there as well.
	eventually(t, "the record is not delivered", func() bool {
		p.journal.pay(context.Background())
		return p.count(flushlist.JournalDelivered) == p.count(flushlist.JournalUndelivered)
	})
}

// A record says nothing for programs with another namespace, which may have other servers.
func TestNamespacesHaveServersOfTheirOwn(t *testing.T) {
	c := newCluster(t, 2)
	c.at(0, "01", "").within()
	other := &process{TB: t, Store: mustOpen(t, c.options(0, "0", ""))}
	if _, err := other.Claim("depot", nil); err != nil {
		t.Fatal(err)
	}
	other.quiet().within()
}

// What is on record by text, for people with a terminal.
func TestRecordIsOnEveryServer(t *testing.T) {
	c := newCluster(t, 3)
	c.at(1, "0", "").Close()
	p := c.at(2, "0", "12").within()
	for i, s := range c.servers {
		h, ok := parseHistory(rawItem(t, s.Addr(), ringKey("shop")))
		if !ok || len(h) != 2 || h[1].String() != "2 "+p.watch.own.first.String()+" "+p.watch.own.also.String() {
			t.Fatalf("server %d: %v", i, h)
		}
	}
	if p.Stats().NewestStep != 2 {
		t.Fatal(p.Stats().NewestStep)
	}
	// A server that lost it, and one where somebody else wrote, have it again.
	if err := testserver.Client(c.servers[1].Addr()).DeleteAll(); err != nil {
		t.Fatal(err)
	}
	put(t, c.servers[2].Addr(), ringKey("shop"), []byte("<html>"))
	p.look()
	p.look()
	for i, s := range c.servers {
		if h, ok := parseHistory(rawItem(t, s.Addr(), ringKey("shop"))); !ok || len(h) != 2 {
			t.Fatalf("server %d: %v", i, h)
		}
	}
	if p.count(flushlist.EntryBad) != 1 {
		t.Fatalf("%d events for foreign bytes", p.count(flushlist.EntryBad))
	}
}

// What a process learns of steps before its own holds for what is in its first tier already.
func TestFirstTierGoesByTheRecordToo(t *testing.T) {
	c := newCluster(t, 2)
	r := storetest.Ref(1)
	c.at(0, "0", "").load(r, "row")
	p := c.at(1, "0", "1")
	p.wants(r, flushlist.HitSecond, "row")
	if !p.inFirst(r) {
		t.Fatal("not in the first tier")
	}
	// Some process had other servers at step 0: it may have flushed the row elsewhere.
	put(t, c.servers[1].Addr(), ringKey("shop"), history{stepOf(0, "elsewhere", ""), p.watch.own}.bytes())
	p.within()
	if p.inFirst(r) {
		t.Fatal("served from the first tier")
	}
	p.wants(r, flushlist.Moved, "")
	p.load(r, "new")
	if !p.inFirst(r) {
		t.Fatal("what it stored itself is not in the first tier")
	}
}
