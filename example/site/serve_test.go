package site

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// slow is a handler that says when a request is there, and answers it when it may.
type slow struct{ there, answer chan struct{} }

func (s *slow) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	close(s.there)
	<-s.answer
	io.WriteString(w, "answered")
}

// serveSlow serves a request that is under way when the site is told to end.
func serveSlow(t *testing.T, grace time.Duration) (s *slow, ended chan error, got chan string) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, ended, got = &slow{make(chan struct{}), make(chan struct{})}, make(chan error, 1), make(chan string, 1)
	ctx, end := context.WithCancel(t.Context())
	go func() { ended <- serve(ctx, l, s, grace) }()
	go func() {
		resp, err := http.Get(URL(l))
		if err != nil {
			got <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		got <- string(body)
	}()
	<-s.there
	end()
	for until := time.Now().Add(time.Minute); ; { // nothing is accepted any more
		if time.Now().After(until) {
			t.Fatal("the site does not give its port back")
		}
		l2, err := Listen(strings.TrimSuffix(strings.TrimPrefix(URL(l), "http://"), "/"))
		if err == nil {
			l2.Close()
			return s, ended, got
		}
	}
}

// A site that ends answers what is under way, and then returns.
func TestServeFinishes(t *testing.T) {
	s, ended, got := serveSlow(t, time.Minute)
	select {
	case err := <-ended:
		t.Fatalf("it ended before the answer: %v", err)
	default:
	}
	close(s.answer)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if body := <-got; body != "answered" {
		t.Errorf("got %q", body)
	}
}

// It does not wait for ever.
func TestServeGivesUp(t *testing.T) {
	s, ended, got := serveSlow(t, time.Millisecond)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "requests were still under way") {
		t.Errorf("got %v", err)
	}
	close(s.answer)
	<-got
}

// What is wrong with an address is said at once, with what to do.
func TestListen(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := strings.TrimSuffix(strings.TrimPrefix(URL(l), "http://"), "/")
	for addr, want := range map[string]string{
		taken:           "something listens on " + taken + " already",
		"8080":          "name an address as in :8080",
		":99999":        "name an address as in :8080",
		"127.0.0.1:x y": "name an address as in :8080",
	} {
		if _, err := Listen(addr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", addr, err, want)
		}
	}
	all, err := Listen(":0")
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if got := URL(all); !strings.HasPrefix(got, "http://localhost:") || strings.HasSuffix(got, ":0/") {
		t.Errorf("the site on all addresses is at %s", got)
	}
}
