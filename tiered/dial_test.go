package tiered

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// A server may be reached by another address than its name, and a failing Dial is a server out of reach.
func TestDial(t *testing.T) {
	mc := testserver.Memcached(t)
	const name = "cache.invalid:11211"
	var down atomic.Bool
	o := hasty(name)
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		switch {
		case address != name:
			t.Errorf("Dial is asked for %q, want %q", address, name)
		case down.Load():
			return nil, errors.New("no way there")
		}
		return new(net.Dialer).DialContext(ctx, network, mc.Addr())
	}
	p, r := start(t, o), storetest.Ref(1)
	p.load(r, "reached")
	p.wants(r, flushlist.HitSecond, "reached")
	down.Store(true)
	p.places[0].close() // no pooled connection
	p.wants(r, flushlist.Unreachable, "")
}

// A Dial that panics, returns nothing, or takes no notice of its context is a server out of reach: nothing panics, waits
// longer than Timeout, or grows.
func TestBadDial(t *testing.T) {
	mc := testserver.Memcached(t)
	var bad atomic.Pointer[func() (net.Conn, error)]
	o := hasty(mc.Addr())
	o.Timeout, o.MaxIdleConns, o.BreakerFailures = 50*time.Millisecond, 2, -1
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if f := bad.Load(); f != nil {
			return (*f)()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	r, ctx := storetest.Ref(1), context.Background()
	lists := []flushlist.List{r.List}
	var calls atomic.Int32
	let := make(chan struct{})
	for name, f := range map[string]func() (net.Conn, error){
		"panics":  func() (net.Conn, error) { panic("no way there") },
		"nothing": func() (net.Conn, error) { return nil, nil },
		"hangs": func() (net.Conn, error) {
			calls.Add(1)
			<-let
			return nil, errors.New("too late")
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad.Store(&f)
			p := start(t, o)
			for range 3 {
				p.wants(r, flushlist.Unreachable, "")
				if _, err := p.Prepare(ctx, lists, flushlist.Strict); !errors.Is(err, flushlist.ErrFlush) {
					t.Errorf("a write in mode Strict: %v", err)
				}
			}
			if n := calls.Load(); n > 2 {
				t.Errorf("%d calls are out", n)
			}
			if name == "hangs" {
				close(let)
			}
			bad.Store(nil)
			eventually(t, "the server is never reached again", func() bool { return p.ask(r).Ticket.Storable })
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
