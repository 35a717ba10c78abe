package tiered

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
)

// hostile starts what answers each get as it likes. memcached itself could not be made to.
func hostile(t *testing.T, answer func(w io.Writer, keys []string) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				lines := bufio.NewScanner(c)
				for lines.Scan() {
					if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == "gets" {
						if answer(c, words[1:]) != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// Answers that are not memcached's cost a read its time-out at most, and no memory; the breaker opens, and
// Close does not wait for them.
func TestHostileAnswers(t *testing.T) {
	item := "VALUE %s 0 2 1\r\nxx\r\n"
	for name, answer := range map[string]func(w io.Writer, keys []string) error{
		"a value of 4 GiB":  func(w io.Writer, keys []string) error { return printf(w, "VALUE %s 0 4294967295 1\r\nxxxx", keys[0]) },
		"a negative length": func(w io.Writer, keys []string) error { return printf(w, "VALUE %s 0 -1 1\r\nxxxx", keys[0]) },
		"an endless line":   func(w io.Writer, _ []string) error { return printf(w, "%s", strings.Repeat("VALUE", 10000)) },
		"more than asked": func(w io.Writer, keys []string) error {
			return printf(w, strings.Repeat(item, 2*len(keys)), repeat(keys[0], 2*len(keys))...)
		},
		"more behind END":           func(w io.Writer, _ []string) error { return printf(w, "END\r\nEND\r\n") },
		"nothing that helps":        func(w io.Writer, _ []string) error { return printf(w, "VALUE\r\nVALUE\r\n") },
		"half an item, and no more": func(w io.Writer, keys []string) error { return printf(w, "VALUE %s 0 10 1\r\nxxx", keys[0]) },
		"half an item, and closed": func(w io.Writer, keys []string) error {
			return errors.Join(printf(w, "VALUE %s 0 10 1\r\nxxx", keys[0]), io.EOF)
		},
		"closed": func(io.Writer, []string) error { return io.EOF },
		"no end": func(w io.Writer, keys []string) error {
			for {
				if err := printf(w, "VALUE %s 0 10000 1\r\n%s\r\n", keys[0], strings.Repeat("x", 10000)); err != nil {
					return err
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := hasty(hostile(t, answer))
			o.Timeout = time.Second
			o.BreakerFailures = 3
			o.BreakerPause = time.Minute
			p := start(t, o)
			r := storetest.Ref(1)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for i := 0; p.count(flushlist.BreakerOpened) == 0; i++ {
				p.wants(r, flushlist.Unreachable, "")
				if i > 100 {
					t.Fatal("the breaker does not open")
				}
			}
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<20 {
				t.Errorf("%d MiB were allocated", grown>>20)
			}
			closed := make(chan error)
			go func() { closed <- p.Close() }()
			select {
			case <-closed:
			case <-time.After(time.Minute):
				t.Error("Close waits for a server that does not end its answer")
			}
		})
	}
}

func printf(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(w, format, args...)
	return err
}

func repeat(key string, n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = key
	}
	return all
}

// What comes in whatever parts is followed the same way; what is behind an answer is not taken for the
// next one's.
func TestConnFollowsAnswers(t *testing.T) {
	whole := "VALUE k 0 7 7\r\nVALUE x\r\nVALUE l 0 0 8\r\n\r\nEND\r\n"
	for cut := range whole {
		c := &conn{limit: 100, asking: true, values: 2}
		if err := c.check([]byte(whole[:cut])); err != nil || !c.asking {
			t.Fatalf("after %q: %v, ended %v", whole[:cut], err, !c.asking)
		}
		if err := c.check([]byte(whole[cut:])); err != nil || c.asking {
			t.Fatalf("cut at %d: %v, ended %v", cut, err, !c.asking)
		}
		if err := c.check([]byte("E")); err == nil {
			t.Fatal("a byte more was taken")
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("VALUE k 0 3 7\r\nabc\r\nEND\r\n"), 5)
	f.Add([]byte("STORED\r\n"), 1)
	f.Add(bytes.Repeat([]byte("VALUE k 0 0 1\r\n\r\n"), 9), 20)
	f.Fuzz(func(t *testing.T, answer []byte, cut int) {
		c := &conn{limit: 1 << 10, asking: true, values: 4}
		cut = min(max(cut, 0), len(answer))
		if c.check(answer[:cut]) == nil {
			_ = c.check(answer[cut:])
		}
		if len(c.line) > longLine+len(answer) || c.skip > 1<<10+2 {
			t.Fatalf("%d bytes are kept and %d awaited", len(c.line), c.skip)
		}
	})
}

// deadlines is a connection that remembers the last deadline it was given.
type deadlines struct {
	net.Conn
	last time.Time
}

func (d *deadlines) SetDeadline(t time.Time) error { d.last = t; return nil }
func (d *deadlines) Write(b []byte) (int, error)   { return len(b), nil }
func (d *deadlines) Read(b []byte) (int, error)    { return copy(b, "VALUE k 0 1 1\r\nx\r\n"), nil }

// A request has one deadline, which gomemcache would move on with every item.
func TestOneDeadline(t *testing.T) {
	d := &deadlines{}
	sl := &slot{deadline: time.Now().Add(time.Second)}
	c := &conn{Conn: d, slot: sl, limit: 100}
	if _, err := c.Write([]byte("gets k l m\r\n")); err != nil {
		t.Fatal(err)
	}
	first := d.last
	if first != sl.deadline {
		t.Fatal("a request has another deadline")
	}
	for range 3 {
		if err := c.SetDeadline(time.Now().Add(time.Hour)); err != nil || d.last != first {
			t.Fatalf("the deadline was moved from %v to %v (%v)", first, d.last, err)
		}
		if _, err := c.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
}
