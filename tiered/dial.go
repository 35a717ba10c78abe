package tiered

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// dialing opens the connections of one slot by Options.Dial, which is the user's: it may panic, return nothing, or
// take no notice of its context. It is used by one request at a time.
type dialing struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	// out is closed when a call that was given up has returned. No other is made until then, so that
	// there are no more of them than slots.
	out chan struct{}
}

// open returns a connection, or an error once the deadline is past.
func (d *dialing) open(ctx context.Context, network, address string, deadline time.Time) (net.Conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if d.out != nil {
		select {
		case <-d.out:
		case <-ctx.Done():
			return nil, errDialHangs
		}
	}
	got, out := make(chan dialed), make(chan struct{})
	d.out = out
	go func() {
		defer close(out)
		c, err := d.call(ctx, network, address)
		select {
		case got <- dialed{c, err}:
		case <-ctx.Done():
			if c != nil {
				_ = c.Close() // nobody waits for it
			}
		}
	}()
	select {
	case g := <-got:
		return g.conn, g.err
	case <-ctx.Done():
		return nil, errDialHangs
	}
}

type dialed struct {
	conn net.Conn
	err  error
}

// call calls the user's function.
func (d *dialing) call(ctx context.Context, network, address string) (c net.Conn, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = nil, fmt.Errorf("tiered: Options.Dial panicked: %v", p)
		}
	}()
	c, err = d.dial(ctx, network, address)
	if c == nil && err == nil {
		err = errNoConn
	}
	return c, err
}

var (
	errDialHangs = errors.New("tiered: no connection in time")
	errNoConn    = errors.New("tiered: Options.Dial returned neither a connection nor an error")
)
