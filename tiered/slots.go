package tiered

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

// slots are the connections that may be open to a server. Each is a gomemcache client of its own, with at
// most one connection, since that is how a request's deadline is told to its connection, and to the dialing of
// one. All methods are safe for concurrent use.
type slots struct {
	taken chan struct{} // one for each slot in use
	make  func() *slot

	mu   sync.Mutex
	idle []*slot // the one used last at the end, so that few connections are kept busy
}

// slot is used by the request that has taken it.
type slot struct {
	client   *memcache.Client
	deadline time.Time // of the request, its dialing included
	dialed   bool      // its connection was opened for this request
}

func (ss *slots) init(n int, server string, o Options) {
	ss.taken = make(chan struct{}, n)
	ss.make = func() *slot { return newSlot(server, o) }
}

func newSlot(server string, o Options) *slot {
	sl := &slot{client: memcache.NewFromSelector(&one{serverAddr(server)})}
	sl.client.Timeout = o.Timeout
	sl.client.MaxIdleConns = 1
	d := &dialing{dial: o.Dial}
	sl.client.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		sl.dialed = true
		c, err := d.open(ctx, network, address, sl.deadline)
		if err != nil {
			return nil, err
		}
		return &conn{Conn: c, slot: sl, limit: o.ItemLimit + itemSlack}, nil
	}
	return sl
}

// take waits for a slot until the deadline or the end of ctx.
func (ss *slots) take(ctx context.Context, deadline time.Time) (*slot, error) {
	select {
	case ss.taken <- struct{}{}:
	default:
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		select {
		case ss.taken <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			return nil, errBusy
		}
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	var sl *slot
	if n := len(ss.idle); n > 0 {
		sl = ss.idle[n-1]
		ss.idle = ss.idle[:n-1]
	} else {
		sl = ss.make()
	}
	sl.deadline, sl.dialed = deadline, false
	return sl, nil
}

// give puts a slot back, with its connection where that is still of use.
func (ss *slots) give(sl *slot) {
	ss.mu.Lock()
	ss.idle = append(ss.idle, sl)
	ss.mu.Unlock()
	<-ss.taken
}

// closeIdle closes the connections that no request uses.
func (ss *slots) closeIdle() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, sl := range ss.idle {
		_ = sl.client.Close()
	}
}
