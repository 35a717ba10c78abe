package tiered

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
)

// apart returns two processes that call one server by the same name, the first through a relay.
func apart(t *testing.T) (cut, mend func(), p, other *process) {
	t.Helper()
	m, proxy := proxied(t)
	open := func(o Options, address string) *process {
		o.Servers = []string{"cache.test:11211"}
		o.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		return start(t, o).quiet()
	}
	return proxy.Cut, proxy.Mend, open(hasty(), proxy.Addr()), open(patient(), m.Addr())
}

// ofTable returns the list of an entry as a write names it.
func ofTable(r flushlist.Ref) flushlist.List {
	l := r.List
	l.Table = r.All.Name
	return l
}

// Many flushes that are owed are delivered together.
func TestManyUndelivered(t *testing.T) {
	cut, mend, p, other := apart(t)
	const n = 5000
	var lists []flushlist.List
	for i := range n {
		lists = append(lists, ofTable(storetest.Ref(i)))
	}
	p.write(lists...) // the cells are there
	for _, i := range []int{0, n - 1} {
		other.load(storetest.Ref(i), "old")
	}
	cut()
	p.prepare(flushlist.Available, lists...).Finish(context.Background())
	if got := p.Stats().Undelivered; got != n {
		t.Fatalf("%d are owed", got)
	}
	mend()
	began := time.Now()
	eventually(t, "they are not delivered", func() bool { return p.count(flushlist.FlushDelivered) == n })
	t.Logf("%d flushes were delivered within %v", n, time.Since(began))
	for _, i := range []int{0, n - 1} {
		other.wants(storetest.Ref(i), flushlist.ListFlushed, "")
		p.load(storetest.Ref(i), "new")
		p.wants(storetest.Ref(i), flushlist.HitSecond, "new")
	}
	if got := p.Stats().Undelivered; got != 0 {
		t.Errorf("%d are still owed", got)
	}
}

// First tiers hear of a flush once more when it is delivered: until then they may have learned the old stamp again.
func TestDeliveryIsInTheJournal(t *testing.T) {
	cut, mend, p, other := apart(t)
	r := storetest.Ref(1)
	p.load(r, "old")
	in := p.prepare(flushlist.Strict, r.List) // whose record is in the journal
	head, _, err := other.journal.journal.Poll(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	cut()
	in.Finish(context.Background())
	mend()
	eventually(t, "the flush is not delivered", func() bool { return p.count(flushlist.FlushDelivered) == 1 })
	_, records, err := other.journal.journal.Poll(context.Background(), head)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range records {
		if rec, ok := parseRecord(b); ok && slices.Contains(rec.lists, r.List.ID) {
			return
		}
	}
	t.Errorf("of %d records none names the list", len(records))
}

// Where more is owed than can be remembered, the table's `all` list falls on that server; then all is as it was.
func TestTooManyOfATable(t *testing.T) {
	cut, mend, p, other := apart(t)
	p.owed.most = 3
	var refs []flushlist.Ref
	for i := range 8 {
		r := storetest.Ref(i)
		refs = append(refs, r)
		other.load(r, "old")
	}
	elsewhere := flushlist.Ref{List: storetest.List("shop:merchants:1"), All: storetest.List("shop:merchants")}
	elsewhere.All.All = true
	elsewhere.Key = string(appendRoute(nil, elsewhere.List.ID)) + "::shop::merchants.f:get:1"
	p.load(elsewhere, "another table's")

	cut()
	for _, r := range refs[:5] { // the fourth is too many, the fifth the table's
		p.prepare(flushlist.Available, ofTable(r)).Finish(context.Background())
	}
	if got := p.Stats().Undelivered; got != 1 {
		t.Errorf("%d flushes are owed, want that of the table", got)
	}
	for _, r := range refs { // none of the table is served here, whether it was written or not
		p.wants(r, flushlist.Undelivered, "")
	}
	mend()
	eventually(t, "the flush is not delivered", func() bool { return p.count(flushlist.FlushDelivered) == 1 })
	for _, r := range refs[:5] {
		if f := other.ask(r); f.Outcome != flushlist.AllFlushed {
			t.Errorf("%s: the other process finds %v", r.Key, f.Outcome)
		}
	}
	p.wants(elsewhere, flushlist.HitSecond, "another table's")
	for _, r := range refs {
		p.load(r, "new")
		p.wants(r, flushlist.HitSecond, "new")
		other.wants(r, flushlist.HitSecond, "new")
	}
	if p.Stats().Servers[0].Refused {
		t.Error("the server is out of service")
	}
	for i := range p.known.stripes {
		if n := len(p.known.stripes[i].held); n != 0 {
			t.Errorf("%d cells are still on hold", n)
		}
	}
	// The table's own flush counts as others do.
	cut()
	all := refs[0].All
	all.Table = all.Name
	p.prepare(flushlist.Available, all).Finish(context.Background())
	p.prepare(flushlist.Available, ofTable(refs[0])).Finish(context.Background())
	if got := p.Stats().Undelivered; got != 1 {
		t.Errorf("%d flushes are owed, want that of the table", got)
	}
	mend()
	eventually(t, "the flush is not delivered", func() bool { return p.count(flushlist.FlushDelivered) == 2 })
	other.wants(refs[0], flushlist.AllFlushed, "")
}
