package tiered

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// until is a connection that notes the deadlines it is given.
type until struct {
	net.Conn
	note func(time.Time)
}

func (u until) SetDeadline(t time.Time) error { u.note(t); return u.Conn.SetDeadline(t) }

// Waiting, dialing, writing, reading and a second try have one deadline together.
func TestOneDeadlineForARequest(t *testing.T) {
	_, proxy := proxied(t)
	var mu sync.Mutex
	var given []time.Time // while noting
	noting := false
	note := func(d time.Time) {
		mu.Lock()
		defer mu.Unlock()
		if noting {
			given = append(given, d)
		}
	}
	o := patient(proxy.Addr())
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		d, _ := ctx.Deadline()
		note(d)
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return until{c, note}, err
	}
	p := start(t, o).quiet()
	sv := p.places[0].(*server)
	p.load(storetest.Ref(1), "row") // a connection is pooled
	proxy.Drop()
	noting = true
	sl, err := sv.slots.take(context.Background(), time.Now().Add(o.Timeout))
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	_ = sv.exchange(sl, func(c *memcache.Client) error {
		tries++
		return c.Append(&memcache.Item{Key: "k", Value: []byte("v")})
	})
	sv.slots.give(sl)
	mu.Lock()
	defer mu.Unlock()
	if tries != 2 || len(given) < 3 {
		t.Fatalf("%d tries, %d deadlines: the pooled connection was not stale", tries, len(given))
	}
	ours := 0 // gomemcache sets others while nothing has been asked yet
	for _, d := range given {
		if d.Equal(sl.deadline) {
			ours++
		}
	}
	if ours < 3 { // the write that failed, the dial, the write that did not
		t.Errorf("of %d deadlines %d are the request's", len(given), ours)
	}
}

// A stale connection has a request tried again, once, and a fresh one does not.
func TestOneSecondTry(t *testing.T) {
	_, proxy := proxied(t)
	o := hasty(proxy.Addr())
	o.BreakerFailures = -1
	p := start(t, o).quiet()
	r := storetest.Ref(1)
	p.load(r, "row")
	for what, ask := range map[string]func() bool{
		"a lookup": func() bool { return p.ask(r).Outcome == flushlist.Unreachable },
		"a request": func() bool {
			return p.places[0].append(context.Background(), addr{key: "k"}, []byte("x")) != nil
		},
	} {
		proxy.Mend()
		p.wants(r, flushlist.HitSecond, "row") // a connection is pooled
		proxy.Cut()                            // closes it, and every new one at once
		for try, want := range []int{1, 1} {
			dialed := proxy.Accepted()
			if !ask() {
				t.Fatalf("%s: answered", what)
			}
			eventually(t, "nothing is dialed", func() bool { return proxy.Accepted() > dialed })
			if n := proxy.Accepted() - dialed; n != want {
				t.Errorf("%s, the %d. after the cut: %d connections were dialed, want %d", what, try+1, n, want)
			}
		}
	}
}

// One server's breaker leaves the others alone, and what it refuses costs no time and no request.
func TestBreakersAreApart(t *testing.T) {
	var names []string
	var relays []*testserver.Relay
	for range 3 {
		_, proxy := proxied(t)
		relays, names = append(relays, proxy), append(names, proxy.Addr())
	}
	o := hasty(names...)
	o.Timeout, o.BreakerFailures, o.BreakerPause = 3*time.Second, 2, time.Minute
	p := start(t, o).quiet()
	var refs []flushlist.Ref
	for _, name := range names {
		r := refAt(t, p.Store, name)
		p.load(r, name)
		refs = append(refs, r)
	}
	relays[1].Hang()
	eventually(t, "the breaker does not open", func() bool { p.ask(refs[1]); return p.Stats().Servers[1].Open })
	asked := relays[1].Requests()
	for range 100 {
		found := p.Fetch(context.Background(), refs)
		if found[0].Outcome != flushlist.HitSecond || found[1].Outcome != flushlist.Unreachable || found[2].Outcome != flushlist.HitSecond {
			t.Fatalf("%v, %v, %v", found[0].Outcome, found[1].Outcome, found[2].Outcome)
		}
	}
	if n := relays[1].Requests() - asked; n != 0 || p.Stats().Servers[0].Open || p.Stats().Servers[2].Open {
		t.Errorf("%d requests went to the server that is left alone: %+v", n, p.Stats().Servers)
	}

	// The pause is over: one request is tried, whoever comes.
	b := &p.places[1].(*server).breaker
	b.mu.Lock()
	b.nextTry = 0
	b.mu.Unlock()
	var herd sync.WaitGroup
	for n := range 200 {
		herd.Go(func() {
			if n%2 == 0 {
				p.ask(refs[1])
			} else {
				_ = p.places[1].append(context.Background(), addr{key: "k"}, []byte("x"))
			}
		})
	}
	herd.Wait()
	if n := relays[1].Requests() - asked; n != 1 {
		t.Errorf("%d requests were tried after the pause", n)
	}
}

// counted is a connection that is counted while it is open.
type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// behaviour 79: 10,000 reads, and writes among them, leave nothing behind.
func TestNothingGrows(t *testing.T) {
	m := testserver.Memcached(t)
	var open, most, running atomic.Int64
	o := hasty(m.Addr())
	o.Timeout = 50 * time.Millisecond
	o.BreakerFailures = -1 // each waits its time
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		most.Store(max(most.Load(), open.Add(1)))
		return &counted{Conn: c, open: &open}, nil
	}
	p := start(t, o)
	r := storetest.Ref(1)
	p.reaches(r, "row")
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	goroutines, memory := runtime.NumGoroutine(), used()
	m.Pause()
	defer m.Resume()
	var readers sync.WaitGroup
	for n := range 200 {
		readers.Go(func() {
			for i := range 50 {
				if f := p.ask(r); f.Outcome.Hit() {
					t.Errorf("outcome is %v", f.Outcome)
				}
				if n < 10 && i < 5 {
					in, err := p.Prepare(context.Background(), []flushlist.List{storetest.Ref(2).List}, flushlist.Strict)
					if !errors.Is(err, flushlist.ErrFlush) {
						t.Errorf("a strict write: %v, %v", in, err)
					}
				}
				running.Store(max(running.Load(), int64(runtime.NumGoroutine())))
			}
		})
	}
	readers.Wait()
	conns := int64(p.opts.MaxIdleConns)
	// Two goroutines send gets, and gomemcache has one for each under way; a write has one for its number; a
	// connection that is being opened has one, and package net another.
	if n := running.Load(); n > int64(goroutines)+200+4+20+2*conns {
		t.Errorf("%d goroutines at once, for 200 readers", n)
	}
	if n := most.Load(); n > conns || n < 2 {
		t.Errorf("%d connections were open", n)
	}
	eventually(t, "goroutines pile up", func() bool { return runtime.NumGoroutine() < goroutines+10 })
	if now := used(); now > memory+4<<20 { // conns of 8 KiB, and what was reported
		t.Errorf("%d KiB more are in use", (now-memory)>>10)
	}
}

// A herd of writes shares the connections, and none fails for it.
func TestHerdOfWrites(t *testing.T) {
	_, proxy := proxied(t)
	o := patient(proxy.Addr())
	o.MaxIdleConns = 4
	p := start(t, o)
	var most atomic.Int64
	var herd sync.WaitGroup
	for n := range 300 {
		herd.Go(func() {
			in, err := p.Prepare(context.Background(), []flushlist.List{storetest.Ref(n % 40).List}, flushlist.Strict)
			if err != nil {
				t.Error(err)
				return
			}
			most.Store(max(most.Load(), int64(proxy.Open())))
			in.Finish(context.Background())
		})
	}
	herd.Wait()
	if n := most.Load(); n > 4 || n == 0 {
		t.Errorf("%d connections were open", n)
	}
	if n := p.count(flushlist.BreakerOpened); n != 0 || p.Stats().Undelivered != 0 {
		t.Errorf("the breaker opened %d times, %d flushes are undelivered", n, p.Stats().Undelivered)
	}
}

// A request that had to wait long for its connection and then fails says nothing of the server.
func TestFailureAfterWaiting(t *testing.T) {
	m := testserver.Memcached(t)
	p := start(t, patient(m.Addr())).quiet()
	sv := p.places[0].(*server)
	fail := func(left time.Duration) int {
		sl := newSlot(m.Addr(), p.opts)
		sl.deadline = time.Now().Add(left)
		if err := sv.exchange(sl, func(*memcache.Client) error { return os.ErrDeadlineExceeded }); err == nil {
			t.Fatal("no error")
		}
		sv.breaker.mu.Lock()
		defer sv.breaker.mu.Unlock()
		return sv.breaker.inARow
	}
	if n := fail(p.opts.Timeout / 4); n != 0 {
		t.Errorf("the breaker counts %d", n)
	}
	if n := fail(p.opts.Timeout); n != 1 {
		t.Errorf("the breaker counts %d of a request that had its time", n)
	}
}

// A server that has no memory left answers so: writes are refused, or owed; reads go on, and so does the breaker.
func TestServerOutOfMemory(t *testing.T) {
	m := testserver.Memcached(t, "-M", "-m", "2")
	p := start(t, hasty(m.Addr())).quiet()
	r := storetest.Ref(1)
	p.load(r, "row")
	client := testserver.Client(m.Addr())
	defer client.Close()
	for size := 0; size < 600; size += 8 { // every slab class that a cell, or a record, could lie in
		for n := 0; ; n++ {
			if err := client.Set(&memcache.Item{Key: fmt.Sprint(size, "-", n), Value: make([]byte, size)}); err != nil {
				if !strings.Contains(err.Error(), "out of memory") {
					t.Fatal(err)
				}
				break
			}
			if n > 100000 {
				t.Fatal("the server does not fill up")
			}
		}
	}
	for range 10 { // more often than would open the breaker
		in, err := p.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict)
		if !errors.Is(err, flushlist.ErrFlush) || !strings.Contains(err.Error(), "out of memory") {
			t.Fatalf("a strict write: %v, %v", in, err)
		}
	}
	p.wants(r, flushlist.HitSecond, "row")
	p.prepare(flushlist.Available, r.List).Finish(context.Background())
	if p.count(flushlist.FlushUndelivered) == 0 || p.count(flushlist.BreakerOpened) != 0 {
		t.Errorf("%d flushes undelivered, the breaker opened %d times", p.count(flushlist.FlushUndelivered), p.count(flushlist.BreakerOpened))
	}
	if err := client.FlushAll(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the flush is not delivered", func() bool { return p.count(flushlist.FlushDelivered) > 0 && p.Stats().Undelivered == 0 })
	p.load(r, "new")
	p.wants(r, flushlist.HitSecond, "new")
}

// A server's name is looked up for every new connection, so that it may move to another IP address.
func TestServerMoves(t *testing.T) {
	old, moved := testserver.Memcached(t), testserver.Memcached(t)
	first := testserver.Proxy(t, old.Addr())
	_, port, err := net.SplitHostPort(first.Addr())
	if err != nil {
		t.Fatal(err)
	}
	testserver.ProxyAt(t, net.JoinHostPort("127.0.0.2", port), moved.Addr())
	var ip atomic.Value
	ip.Store(net.IPv4(127, 0, 0, 1))
	o := hasty(net.JoinHostPort("cache.test", port))
	o.Dial = (&net.Dialer{Resolver: resolver(t, func() net.IP { return ip.Load().(net.IP) })}).DialContext
	p := start(t, o).quiet()
	r := storetest.Ref(1)
	p.load(r, "at the old address")
	p.wants(r, flushlist.HitSecond, "at the old address")
	ip.Store(net.IPv4(127, 0, 0, 2))
	first.Cut()
	eventually(t, "the server is not found again", func() bool { return p.ask(r).Ticket.Storable })
	p.load(r, "at the new address")
	p.wants(r, flushlist.HitSecond, "at the new address")
	if rawItem(t, moved.Addr(), r.Key) == nil {
		t.Error("the entry is not at the new address")
	}
}

// resolver makes of every name an IPv4 address of the test's choice.
func resolver(t *testing.T, to func() net.IP) *net.Resolver {
	t.Helper()
	names, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		b := make([]byte, 1500)
		for {
			n, from, err := names.ReadFrom(b)
			if err != nil {
				return
			}
			if n < 12 {
				continue
			}
			end := 12 // of the question: its name, a type and a class
			for end < n && b[end] != 0 {
				end += int(b[end]) + 1
			}
			end += 5
			if end > n {
				continue
			}
			// The answer: the question's number, that it is one, the question; where it is for an IPv4
			// address, one with no time to live.
			answer := append([]byte{b[0], b[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, b[12:end]...)
			if binary.BigEndian.Uint16(b[end-4:]) == 1 {
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer = append(answer, to().To4()...)
			}
			_, _ = names.WriteTo(answer, from)
		}
	})
	t.Cleanup(func() {
		names.Close()
		serving.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", names.LocalAddr().String())
	}}
}
