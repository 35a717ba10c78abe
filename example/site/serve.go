package site

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// grace is how long requests under way have when the site closes.
const grace = 10 * time.Second

// Listen listens on an address, host:port or :port. Port 0 is any that is free. What is wrong with the
// address, or in its way, is an error that says what to do.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("something listens on %s already: stop it, or name another address; 127.0.0.1:0 is any port that is free", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: name an address as in :8080 or 127.0.0.1:8080", err)
	}
	return l, nil
}

// URL returns the address of a listener's front page, for a browser on this machine.
func URL(l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}

// Serve answers the requests that come to l until ctx ends. Then it takes no new ones, and returns when
// those under way are answered, or with an error after 10 seconds. It closes l.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	return serve(ctx, l, h, grace)
}

func serve(ctx context.Context, l net.Listener, h http.Handler, grace time.Duration) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      time.Minute, // longer than a load may take
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		server.Close()
		<-served
		return fmt.Errorf("requests were still under way %s after the end was asked for: %w", grace, err)
	}
	<-served
	return nil
}
