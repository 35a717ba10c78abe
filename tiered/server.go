package tiered

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/cachegen/cachegen/flushlist"
)

// server is one memcached server as a place. It adds to gomemcache what that leaves out: a
// bound on open connections, one deadline for a whole request, one new try where a pooled
// connection was closed by the other side, batches of gets, and a breaker.
type server struct {
	addr    string
	timeout time.Duration
	item    int // bytes of the largest entry
	slots   slots
	batches batches
	breaker breaker
	now     func() time.Duration
	spawn   func(func()) bool // runs a function that Close waits for; false once closed
	enter   func() bool       // begins what Close waits for until leave; false once closed
	leave   func()
	report  func(flushlist.Event) // to the runtimes on the store
}

func newServer(s *Store, address string) *server {
	o := s.opts
	sv := &server{
		addr: address, timeout: o.Timeout, item: o.ItemLimit,
		breaker: breaker{failures: o.BreakerFailures, pause: o.BreakerPause, now: s.now},
		now:     s.now, spawn: s.spawn, enter: s.enter, leave: s.running.Done, report: s.report,
	}
	sv.slots.init(o.MaxIdleConns, address, o)
	return sv
}

// serverAddr is a server's address. The name is looked up at every dial, so that a server may move to
// another IP address.
type serverAddr string

func (a serverAddr) Network() string { return "tcp" }
func (a serverAddr) String() string  { return string(a) }

// one is the selector of a client for one server.
type one struct{ addr net.Addr }

func (o *one) PickServer(string) (net.Addr, error) { return o.addr, nil }
func (o *one) Each(f func(net.Addr) error) error   { return f(o.addr) }

var (
	errBreakerOpen = errors.New("left alone after repeated failures")
	errNoAnswer    = errors.New("no answer in time")
	errBusy        = errors.New("all connections are in use")
)

func (s *server) name() string { return s.addr }
func (s *server) limit() int   { return s.item }
func (s *server) close()       { s.slots.closeIdle() }

func (s *server) add(ctx context.Context, at addr, value []byte, ttl time.Duration) error {
	return s.do(ctx, func(c *memcache.Client) error {
		return c.Add(&memcache.Item{Key: at.key, Value: value, Expiration: expiration(ttl, time.Now())})
	})
}

func (s *server) append(ctx context.Context, at addr, value []byte) error {
	return s.do(ctx, func(c *memcache.Client) error {
		return c.Append(&memcache.Item{Key: at.key, Value: value})
	})
}

func (s *server) swap(ctx context.Context, at addr, value []byte, seen uint64, ttl time.Duration) error {
	return s.do(ctx, func(c *memcache.Client) error {
		return c.CompareAndSwap(&memcache.Item{
			Key: at.key, Value: value, CasID: seen, Expiration: expiration(ttl, time.Now()),
		})
	})
}

func (s *server) remove(ctx context.Context, at addr) error {
	return s.do(ctx, func(c *memcache.Client) error { return c.Delete(at.key) })
}

// do runs one request on the caller's goroutine, which costs less than another one. One deadline holds for all of it:
// waiting for a connection, which ctx may end sooner, dialing, and a second try.
func (s *server) do(ctx context.Context, op func(*memcache.Client) error) error {
	if !s.breaker.allow() {
		return errBreakerOpen
	}
	sl, err := s.slots.take(ctx, time.Now().Add(s.timeout))
	if err != nil {
		return err
	}
	if s.enter() {
		defer s.leave()
	} else {
		// The store was closed: a write that was under way ends here, and leaves no connection
		// behind.
		defer s.close()
	}
	defer s.slots.give(sl)
	return s.exchange(sl, op)
}

// exchange runs a request that holds a slot, and tells the breaker.
func (s *server) exchange(sl *slot, op func(*memcache.Client) error) error {
	began := time.Now()
	err := op(sl.client)
	if closedByServer(err) && !sl.dialed && time.Now().Before(sl.deadline) {
		// A server that was restarted has closed all pooled connections; the second try dials. None
		// of the requests does harm when it is carried out twice: a token left twice is taken out
		// twice, an add or cas that finds itself done reads as one that came too late.
		err = op(sl.client)
	}
	err, failed := translate(err)
	if failed && sl.deadline.Sub(began) < s.timeout/2 {
		return err // it waited long for its connection, and says nothing of the server
	}
	opened, closed := s.breaker.record(!failed)
	switch {
	case opened:
		s.report(flushlist.Event{Kind: flushlist.BreakerOpened, Server: s.addr, Err: err})
	case closed:
		s.report(flushlist.Event{Kind: flushlist.BreakerClosed, Server: s.addr})
	}
	return err
}

// closedByServer reports whether a connection was closed by the other side, as a pooled one
// may have been long ago.
func closedByServer(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	var op *net.OpError
	return errors.As(err, &op) && op.Op != "dial" && !op.Timeout()
}

// translate turns gomemcache's errors into those of place. failed says that the server did
// not do its part, so that the breaker counts it.
func translate(err error) (_ error, failed bool) {
	switch {
	case err == nil:
		return nil, false
	case errors.Is(err, memcache.ErrNotStored):
		return errNotStored, false
	case errors.Is(err, memcache.ErrCASConflict):
		return errConflict, false
	case errors.Is(err, memcache.ErrCacheMiss):
		return errGone, false
	case errors.Is(err, memcache.ErrMalformedKey):
		return err, false
	case strings.Contains(err.Error(), "object too large"):
		return errTooLarge, false
	case strings.Contains(err.Error(), "SERVER_ERROR"):
		return err, false // it answers, though it is out of memory, say
	default:
		return err, true
	}
}

// expiration returns a ttl as memcached wants it: seconds, or a date where they are more than
// 30 days, which memcached would take for a date in 1970. It is rounded up, since the
// envelope holds the exact time; 0 is never, also where a date runs over its 32 bits.
func expiration(ttl time.Duration, now time.Time) int32 {
	const month = 30 * 24 * time.Hour
	if ttl <= 0 {
		return 0
	}
	if ttl < month-time.Second {
		return int32((ttl + time.Second - 1) / time.Second)
	}
	date := now.Unix() + int64(min(ttl, maxTTL)/time.Second) + 1
	if date > 1<<31-1 {
		return 0
	}
	return int32(date)
}

// read joins a batch of gets. A get of more keys than a batch takes is cut into several, sent one after
// the other, since each must be answered within the time-out. It is as old as the first.
func (s *server) read(ctx context.Context, at []addr) ([]item, time.Duration, error) {
	items, sent, err := s.readBatch(ctx, at[:min(len(at), batchKeys)])
	for start := batchKeys; start < len(at) && err == nil; start += batchKeys {
		var more []item
		more, _, err = s.readBatch(ctx, at[start:min(start+batchKeys, len(at))])
		items = append(items, more...)
	}
	return append(items, make([]item, len(at)-len(items))...), sent, err
}

// readBatch joins a batch of gets.
func (s *server) readBatch(ctx context.Context, at []addr) ([]item, time.Duration, error) {
	items := make([]item, len(at))
	if open, willTry := s.breaker.isOpen(); open && !willTry {
		return items, 0, errBreakerOpen
	}
	b, place, send := s.batches.join(at)
	if send && !s.spawn(s.sendBatches) {
		s.sendBatches()
		s.close()
	}
	timer := time.NewTimer(s.timeout)
	defer timer.Stop()
	select {
	case <-b.done:
		b.answer(at, place, items)
		return items, b.sent, b.err
	case <-ctx.Done():
		s.batches.leave(b)
		return items, 0, ctx.Err()
	case <-timer.C:
		s.batches.leave(b)
		return items, 0, errNoAnswer
	}
}

// sendBatches sends batches until none is waiting.
func (s *server) sendBatches() {
	for b := s.batches.next(s.now); b != nil; b = s.batches.next(s.now) {
		b.err = s.get(b)
		close(b.done)
	}
}

// get sends one batch. What was read before an error is kept.
func (s *server) get(b *batch) error {
	if !s.breaker.allow() {
		return errBreakerOpen
	}
	sl, err := s.slots.take(context.Background(), time.Now().Add(s.timeout))
	if err != nil {
		return err
	}
	defer s.slots.give(sl)
	var got map[string]*memcache.Item
	err = s.exchange(sl, func(c *memcache.Client) (err error) {
		got, err = c.GetMulti(b.keys)
		return err
	})
	for i, key := range b.keys {
		switch it := got[key]; {
		case it != nil:
			b.items[i] = item{present, it.Value, it.CasID}
		case err == nil:
			b.items[i].state = absent
		}
	}
	if err != nil {
		return fmt.Errorf("multi-get: %w", err)
	}
	return nil
}
