package tiered

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

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
