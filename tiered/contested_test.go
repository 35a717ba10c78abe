package tiered

import (
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// meddler is a place where another writer leaves and takes back a token before each cas on a cell, so
// that its cas number is always another.
type meddler struct {
	place
	tries int // how many times; then it lets go
}

func (m *meddler) swap(ctx context.Context, at addr, value []byte, seen uint64, ttl time.Duration) error {
	if at.cell && m.tries > 0 {
		m.tries--
		token := newToken()
		if err := m.append(ctx, at, tokenBytes(token, time.Hour)); err != nil {
			return err
		}
		items, _, err := m.read(ctx, []addr{at})
		if err != nil {
			return err
		}
		c, _ := parseCell(items[0].value)
		put, _ := c.without(own([]uint64{token}))
		if err := m.place.swap(ctx, at, put.bytes(), items[0].seen, 0); err != nil {
			return err
		}
	}
	return m.place.swap(ctx, at, value, seen, ttl)
}

// A write whose token never reached the cell does not return, however contested the cell is, before a
// new stamp is in: nothing else keeps the old entry from being served here.
//
//  1. W's append fails; the cell is on hold. The server has an entry under the old stamp.
//  2. W commits; the server is back.
//  3. W's finish fails by conflict again and again.
//  4. Were it left to the background now, the hold would be released and the old entry served.
func TestHeldFinishWaits(t *testing.T) {
	relay := testserver.Proxy(t, testserver.Memcached(t).Addr())
	o := hasty(relay.Addr())
	o.BreakerFailures = -1
	p := start(t, o)
	defer p.Close()
	r := storetest.Ref(1)
	p.load(r, "old")
	relay.Cut()
	in := p.prepare(flushlist.Available, r.List)
	relay.Mend()
	m := &meddler{place: p.places[0], tries: 3 * finishTries}
	p.places[0] = m
	in.Finish(context.Background())
	if m.tries > 0 {
		t.Errorf("the write returned with %d conflicts still to come", m.tries)
	}
	if found := p.ask(r); found.Outcome.Hit() {
		t.Errorf("its own process is served %q", found.Value.Payload)
	}
}

// A COMMIT that took longer than IntentTTL, and whose outcome is not known, leaves a token that is
// respected.
func TestLeaveAfterIntentTTL(t *testing.T) {
	for name, servers := range map[string][]string{"embedded": nil, "memcached": {testserver.Memcached(t).Addr()}} {
		t.Run(name, func(t *testing.T) {
			o := patient(servers...)
			o.IntentTTL = 40 * time.Millisecond
			p := start(t, o)
			defer p.Close()
			r := storetest.Ref(1)
			p.load(r, "old")
			in := p.prepare(flushlist.Strict, r.List)
			// A reader takes the token for a dead writer's, loads the old row and stores it.
			var found flushlist.Found
			eventually(t, "the token was never taken for a dead writer's", func() bool {
				found = p.ask(r)
				return found.Ticket.Storable
			})
			p.fill(r, found.Ticket, "old")
			in.Leave()
			if found := p.ask(r); found.Outcome.Hit() {
				t.Errorf("after Leave a reader is served %q", found.Value.Payload)
			}
		})
	}
}

// A cell with more tokens than there can be writers is broken, and healed.
func TestTooManyTokens(t *testing.T) {
	addr := testserver.Memcached(t).Addr()
	p := start(t, patient(addr))
	defer p.Close()
	r := storetest.Ref(1)
	p.load(r, "old")
	c := freshCell()
	for range mostTokens + 1 {
		c.tokens = append(c.tokens, tokenBytes(newToken(), time.Hour)...)
	}
	put(t, addr, cellOf(r.List, 0).addr(addr).key, c.bytes())
	p.wants(r, flushlist.BadCell, "")
	p.load(r, "new")
	p.wants(r, flushlist.HitSecond, "new")
}
