package tiered

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
)

// queued waits until tokens and finishes wait for the next round on a cell.
func (p *process) queued(c cellAt, leaves, ends int) {
	p.Helper()
	eventually(p, "they do not gather", func() bool {
		p.rounds.mu.Lock()
		defer p.rounds.mu.Unlock()
		t := p.rounds.waiting[c.id]
		return len(t.leaves) == leaves && len(t.ends) == ends
	})
}

// Tokens that are to be left in a cell while another's is on its way are left together, and so are those
// that come while a finish is between its gets and its cas, which then meets no conflict.
func TestTokensAreCombined(t *testing.T) {
	_, proxy := proxied(t)
	p := start(t, patient(proxy.Addr())).quiet()
	defer p.Close()
	r := storetest.Ref(1)
	p.load(r, "old")
	c := cellOf(r.List, 0)
	first := p.prepare(flushlist.Strict, r.List)
	const writers = 20
	intents := make([]flushlist.Intent, writers)
	var all sync.WaitGroup
	prepare := func(from, to int) {
		for i := from; i < to; i++ {
			all.Go(func() {
				in, err := p.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict)
				if err != nil {
					t.Error(err)
					return
				}
				intents[i] = in
			})
		}
	}
	// 1. A finish has asked for the cell.
	proxy.Hang()
	before := proxy.RoundTrips()
	all.Go(func() { first.Finish(context.Background()) })
	eventually(t, "the cell is not asked for", func() bool { return proxy.RoundTrips() == before+1 })
	// 2. Writers come, each with a number at once and a token that waits.
	prepare(0, writers)
	p.queued(c, writers, 0)
	eventually(t, "the numbers are not taken", func() bool { return proxy.RoundTrips() == before+1+writers })
	// 3. gets and cas of the finish, one append, and a number and a record for each
	proxy.Mend()
	all.Wait()
	if n := proxy.RoundTrips() - before; n != 3+2*writers {
		t.Errorf("%d round trips, want %d", n, 3+2*writers)
	}
	it := p.readCell(context.Background(), c)
	if c, ok := parseCell(it.value); !ok || c.count() != writers {
		t.Errorf("%d tokens in the cell, want %d", c.count(), writers)
	}
	p.wants(r, flushlist.UnderWrite, "")
	for _, in := range intents {
		in.Finish(context.Background())
	}
	if n := p.count(flushlist.IntentLost); n != 0 {
		t.Errorf("%d intents were lost", n)
	}
	p.load(r, "new")
	p.wants(r, flushlist.HitSecond, "new")
}

// A write whose context ends while its token waits for a round leaves none, and takes nobody with it.
func TestEndedContextOfWaitingToken(t *testing.T) {
	_, proxy := proxied(t)
	p := start(t, patient(proxy.Addr())).quiet()
	defer p.Close()
	r := storetest.Ref(1)
	p.load(r, "old")
	c := cellOf(r.List, 0)
	in := p.prepare(flushlist.Strict, r.List)
	proxy.Hang()
	before := proxy.RoundTrips()
	var all sync.WaitGroup
	all.Go(func() { in.Finish(context.Background()) })
	eventually(t, "the cell is not asked for", func() bool { return proxy.RoundTrips() == before+1 })
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() { left <- p.leaveToken(ctx, c, newToken()) }()
	p.queued(c, 1, 0)
	stays := make(chan error, 1)
	go func() { stays <- p.leaveToken(context.Background(), c, 7) }()
	p.queued(c, 2, 0)
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	p.queued(c, 1, 0)
	proxy.Mend()
	all.Wait()
	if err := <-stays; err != nil {
		t.Errorf("beside an ended context: %v", err)
	}
	it := p.readCell(context.Background(), c)
	if c, ok := parseCell(it.value); !ok || c.count() != 1 || !c.has(7) {
		t.Errorf("%d tokens in the cell, want the other's", c.count())
	}
}
