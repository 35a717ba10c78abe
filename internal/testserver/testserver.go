// Package testserver starts the real servers that tests run against, on free ports of the
// loopback interface, and stops them when the test ends. Its proxy makes a server fail on the
// way: cut, hung or slow.
//
// A server that is not installed skips the test and says how to install it; where the
// environment variable CI is set it fails the test instead.
package testserver

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a running server. Its methods are to be called from the test's goroutine.
type Server struct {
	tb   testing.TB
	port int
	path string
	args []string

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// Memcached starts a memcached with further arguments, as in "-m", "64".
func Memcached(tb testing.TB, args ...string) *Server {
	tb.Helper()
	path := find(tb, "memcached", "apt-get install -y memcached")
	port := freePort(tb)
	all := []string{"-l", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "0"}
	if os.Geteuid() == 0 {
		all = append(all, "-u", "root")
	}
	s := &Server{tb: tb, port: port, path: path, args: append(all, args...)}
	tb.Cleanup(s.Stop)
	s.Start()
	return s
}

// find returns the path of a program, or ends the test.
func find(tb testing.TB, program, install string) string {
	tb.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	message := fmt.Sprintf("%s is not installed; install it with: %s", program, install)
	if os.Getenv("CI") != "" {
		tb.Fatal(message)
	}
	tb.Skip(message)
	return ""
}

// freePort returns a port that nobody listens on. It is the test's until its end.
func freePort(tb testing.TB) int {
	tb.Helper()
	p, err := reserve()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.release)
	return p.number
}

// Addr returns the server's host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Start starts the server at its port, if it is stopped, and waits until it accepts
// connections. What it held is gone.
func (s *Server) Start() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return
	}
	cmd := exec.Command(s.path, s.args...)
	dieWithUs(cmd)
	if err := cmd.Start(); err != nil {
		s.tb.Fatalf("start %s: %v", s.path, err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-tick.C:
		case <-exited:
			s.tb.Fatalf("%s ended at once: %v", s.path, cmd.ProcessState)
		case <-ctx.Done():
			s.tb.Fatalf("%s does not accept connections at %s: %v", s.path, s.Addr(), err)
		}
	}
}

// Stop kills the server and waits until it is gone. A stopped server may be started again.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

// Pause stops the server in its tracks: connections are accepted by the system, and nothing is
// answered from here on.
func (s *Server) Pause() {
	s.tb.Helper()
	s.signal(Halt)
}

// Resume lets a paused server go on. It carries out what was sent to it meanwhile.
func (s *Server) Resume() {
	s.tb.Helper()
	s.signal(func(p *os.Process) error { return p.Signal(syscall.SIGCONT) })
}

func (s *Server) signal(send func(*os.Process) error) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		s.tb.Fatal("the server is stopped")
	}
	if err := send(s.cmd.Process); err != nil {
		s.tb.Fatal(err)
	}
}
