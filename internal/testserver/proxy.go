package testserver

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Relay is a TCP proxy in front of a server, that can make it fail. All methods are safe for
// concurrent use.
type Relay struct {
	backend  string
	listener net.Listener
	running  sync.WaitGroup

	accepted atomic.Int64 // connections so far
	trips    atomic.Int64 // answers after a request, on all connections
	requests atomic.Int64 // pieces of request
	asked    atomic.Int64 // bytes of request
	answered atomic.Int64 // bytes of answer

	mu      sync.Mutex
	changed *sync.Cond
	cut     bool
	held    bool // what comes from the server now waits for the next Mend
	mended  int  // times
	waves   waves
	delay   time.Duration // before each piece of an answer
	late    time.Duration // before each piece of a request
	apart   bool          // background requests are not counted
	conns   map[net.Conn]struct{}
	open    int // connections that clients have open
	closed  bool
}

// Proxy starts a proxy in front of a server. It is stopped when the test ends.
func Proxy(tb testing.TB, backend string) *Relay {
	tb.Helper()
	return ProxyAt(tb, "127.0.0.1:0", backend)
}

// ProxyAt is Proxy at an address of the caller's choice.
func ProxyAt(tb testing.TB, address, backend string) *Relay {
	tb.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	r := &Relay{backend: backend, listener: l, conns: make(map[net.Conn]struct{})}
	r.changed = sync.NewCond(&r.mu)
	r.running.Go(r.accept)
	tb.Cleanup(r.stop)
	return r
}

// Addr returns the proxy's host and port.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// Accepted returns the number of connections that clients have made so far.
func (r *Relay) Accepted() int { return int(r.accepted.Load()) }

// Open returns the number of connections that clients have open.
func (r *Relay) Open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open
}

// RoundTrips returns the number of times that an answer followed a request, on all
// connections, for clients that send the next request after the answer to the last.
func (r *Relay) RoundTrips() int { return int(r.trips.Load()) }

// Requests returns the number of pieces of request that have reached the proxy, answered or not.
func (r *Relay) Requests() int { return int(r.requests.Load()) }

// Traffic returns the bytes of requests and of answers that have passed so far.
func (r *Relay) Traffic() (asked, answered int) { return int(r.asked.Load()), int(r.answered.Load()) }

// Cut closes all connections and every new one at once, until Mend.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
	r.closeAll()
}

// Drop closes all connections, as a restarted server does. New ones work.
func (r *Relay) Drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closeAll()
}

// Hang accepts connections and requests and answers nothing, until Mend. The server gets the
// requests.
func (r *Relay) Hang() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = true
}

// Delay holds every piece of an answer back for d. 0 is no delay.
func (r *Relay) Delay(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = d
}

// Late holds every piece of a request back for d. 0 is no delay.
func (r *Relay) Late(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.late = d
}

// PassNew ends Hang for answers to come. Those that it holds back stay until Mend, and with them
// their connections.
func (r *Relay) PassNew() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = false
}

// Mend ends Cut and Hang. Answers held back come now.
func (r *Relay) Mend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut, r.held = false, false
	r.mended++
	r.changed.Broadcast()
}

func (r *Relay) closeAll() {
	for c := range r.conns {
		c.Close()
	}
	clear(r.conns)
}

func (r *Relay) stop() {
	r.listener.Close()
	r.mu.Lock()
	r.closed = true
	r.closeAll()
	r.changed.Broadcast()
	r.mu.Unlock()
	r.running.Wait()
}

func (r *Relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.accepted.Add(1)
		r.running.Go(func() { r.serve(client) })
	}
}

// track notes connections to be closed; it reports whether they may go on.
func (r *Relay) track(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut || r.closed {
		return false
	}
	for _, c := range conns {
		r.conns[c] = struct{}{}
	}
	return true
}

func (r *Relay) serve(client net.Conn) {
	defer client.Close()
	if !r.track(client) {
		return
	}
	server, err := net.Dial("tcp", r.backend)
	if err != nil {
		return
	}
	defer server.Close()
	if !r.track(server) {
		return
	}
	var asked atomic.Bool
	var pipes sync.WaitGroup
	r.count(1)
	pipes.Go(func() {
		defer server.Close()
		defer r.count(-1) // the client has closed, also where an answer is held back
		relay(server, client, func(b []byte) bool {
			r.mu.Lock()
			late, apart := r.late, r.apart
			r.mu.Unlock()
			if !apart || !background(b) {
				r.requests.Add(1)
				r.asked.Add(int64(len(b)))
				asked.Store(true)
			}
			hold(late)
			return true
		})
	})
	pipes.Go(func() {
		defer client.Close()
		relay(client, server, func(b []byte) bool {
			r.answered.Add(int64(len(b)))
			first := asked.Swap(false)
			if first {
				r.trips.Add(1)
			}
			return r.pass(first)
		})
	})
	pipes.Wait()
	r.mu.Lock()
	delete(r.conns, client)
	delete(r.conns, server)
	r.mu.Unlock()
}

func (r *Relay) count(n int) {
	r.mu.Lock()
	r.open += n
	r.mu.Unlock()
}

// pass waits until a piece of an answer may get through, the answer's first or a later one.
func (r *Relay) pass(first bool) bool {
	r.mu.Lock()
	delay := r.delay
	r.mu.Unlock()
	hold(delay)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held {
		for until := r.mended + 1; r.mended < until && !r.closed; {
			r.changed.Wait()
		}
	}
	if first {
		r.waves.await(r)
	}
	return !r.closed
}

// hold returns after d.
func hold(d time.Duration) {
	if d > 0 {
		timer := time.NewTimer(d)
		<-timer.C
	}
}

// relay copies from one connection to the other, asking before each piece.
func relay(to io.Writer, from io.Reader, before func(piece []byte) bool) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if !before(b[:n]) {
				return
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
