package journaltest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/ext/journaltest"
	"github.com/cachegen/cachegen/tiered"
)

// carrier is what a journal within one process lies in.
type carrier struct {
	mu      sync.Mutex
	head    uint64
	records map[uint64][]byte
}

// lose begins anew, far from where it was.
func (c *carrier) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.head, c.records = rand.Uint64N(1<<62), map[uint64][]byte{}
}

// local is the journal as one process has it: the shortest that passes the suite.
type local struct{ *carrier }

func (l local) Take(ctx context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.head++
	return l.head, ctx.Err()
}

func (l local) Put(ctx context.Context, n uint64, record []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.records[n] != nil {
		return tiered.ErrRecorded
	}
	l.records[n] = append([]byte{}, record...)
	return ctx.Err()
}

func (l local) Poll(ctx context.Context, after uint64) (uint64, [][]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var records [][]byte
	for n := after + 1; after > 0 && n <= l.head && len(records) < 50; n++ {
		records = append(records, append([]byte(nil), l.records[n]...))
	}
	return l.head, records, ctx.Err()
}

func (local) Close() error { return nil }

// faulty names the environment variable that makes TestJournal's journal a faulty one.
const faulty = "JOURNALTEST_FAULT"

// TestJournal runs the suite on a sound journal, and on a faulty one where TestFaultsAreFound says so.
func TestJournal(t *testing.T) {
	var c *carrier
	fault := faults[os.Getenv(faulty)]
	journaltest.Run(t, journaltest.Harness{
		Open: func(testing.TB) func() tiered.Journal {
			c = &carrier{}
			c.lose()
			return func() tiered.Journal {
				if fault.make != nil {
					return fault.make(local{c})
				}
				return local{c}
			}
		},
		Lose: func(testing.TB) {
			if fault.lose != nil {
				fault.lose(c)
				return
			}
			c.lose()
		},
	})
}

// altered is a journal of which some methods, where they are not nil, are others.
type altered struct {
	local
	take  func(context.Context) (uint64, error)
	put   func(context.Context, uint64, []byte) error
	poll  func(context.Context, uint64) (uint64, [][]byte, error)
	close func()
}

func (a altered) Take(ctx context.Context) (uint64, error) {
	if a.take != nil {
		return a.take(ctx)
	}
	return a.local.Take(ctx)
}

func (a altered) Put(ctx context.Context, n uint64, record []byte) error {
	if a.put != nil {
		return a.put(ctx, n, record)
	}
	return a.local.Put(ctx, n, record)
}

func (a altered) Poll(ctx context.Context, after uint64) (uint64, [][]byte, error) {
	if a.poll != nil {
		return a.poll(ctx, after)
	}
	return a.local.Poll(ctx, after)
}

func (a altered) Close() error {
	if a.close != nil {
		a.close()
	}
	return nil
}

// fault is a journal that is wrong in one way.
type fault struct {
	in   string // the case that is to find it
	make func(local) tiered.Journal
	lose func(*carrier)
}

var errClosed = errors.New("closed")

// othersRun lets others come between two steps.
func othersRun() {
	for range 1000 {
		runtime.Gosched()
	}
}

// faults are named by what the journal does.
var faults = map[string]fault{
	"counts in each process": {in: "TakeRises", make: func(l local) tiered.Journal {
		own := l.head
		return altered{local: l, take: func(context.Context) (uint64, error) { own++; return own, nil }}
	}},
	"takes from what it last read": {in: "TakesAtOnce", make: func(l local) tiered.Journal {
		return altered{local: l, take: func(context.Context) (uint64, error) {
			l.mu.Lock()
			n := l.head + 1
			l.mu.Unlock()
			othersRun()
			l.mu.Lock()
			defer l.mu.Unlock()
			l.head = max(n, l.head)
			return n, nil
		}}
	}},
	"overwrites": {in: "PutOnce", make: func(l local) tiered.Journal {
		return altered{local: l, put: func(_ context.Context, n uint64, record []byte) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.records[n] = append([]byte{}, record...)
			return nil
		}}
	}},
	"keeps the first in silence": {in: "PutOnce", make: func(l local) tiered.Journal {
		return altered{local: l, put: func(ctx context.Context, n uint64, record []byte) error {
			_ = l.Put(ctx, n, record)
			return nil
		}}
	}},
	"looks, and then puts": {in: "PutsAtOnce", make: func(l local) tiered.Journal {
		return altered{local: l, put: func(ctx context.Context, n uint64, record []byte) error {
			l.mu.Lock()
			there := l.records[n] != nil
			l.mu.Unlock()
			if there {
				return tiered.ErrRecorded
			}
			othersRun()
			l.mu.Lock()
			defer l.mu.Unlock()
			l.records[n] = append([]byte{}, record...)
			return nil
		}}
	}},
	"sends text": {in: "BytesComeBack", make: func(l local) tiered.Journal {
		return altered{local: l, put: func(ctx context.Context, n uint64, record []byte) error {
			return l.Put(ctx, n, []byte(strings.ToValidUTF8(string(record), "?")))
		}}
	}},
	"cuts long records": {in: "BytesComeBack", make: func(l local) tiered.Journal {
		return altered{local: l, put: func(ctx context.Context, n uint64, record []byte) error {
			return l.Put(ctx, n, record[:min(len(record), 8000)])
		}}
	}},
	"keeps what it is given": {in: "RecordsAreCopies", make: func(l local) tiered.Journal {
		return altered{local: l, put: func(_ context.Context, n uint64, record []byte) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.records[n] = record
			return nil
		}}
	}},
	"gives all from the beginning": {in: "PollOfHead", make: func(l local) tiered.Journal {
		return altered{local: l, poll: func(ctx context.Context, after uint64) (uint64, [][]byte, error) {
			return l.Poll(ctx, max(after, l.head-1))
		}}
	}},
	"has what was put as its head": {in: "PollInOrder", make: func(l local) tiered.Journal {
		return altered{local: l, poll: func(ctx context.Context, after uint64) (uint64, [][]byte, error) {
			head, records, err := l.Poll(ctx, after)
			for len(records) > 0 && records[len(records)-1] == nil {
				head, records = head-1, records[:len(records)-1]
			}
			return head, records, err
		}}
	}},
	"leaves gaps out": {in: "PollInOrder", make: func(l local) tiered.Journal {
		return altered{local: l, poll: func(ctx context.Context, after uint64) (uint64, [][]byte, error) {
			head, all, err := l.Poll(ctx, after)
			var records [][]byte
			for _, r := range all {
				if r != nil {
					records = append(records, r)
				}
			}
			return head, records, err
		}}
	}},
	"takes numbers by the ten": {in: "PollInOrder", make: func(l local) tiered.Journal {
		return altered{local: l, take: func(context.Context) (uint64, error) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.head += 10
			return l.head, nil
		}}
	}},
	"reads a number once": {in: "GapIsFilledLater", make: func(l local) tiered.Journal {
		read := map[uint64][]byte{}
		return altered{local: l, poll: func(ctx context.Context, after uint64) (uint64, [][]byte, error) {
			head, records, err := l.Poll(ctx, after)
			for i := range records {
				n := after + 1 + uint64(i)
				if was, ok := read[n]; ok {
					records[i] = was
				}
				read[n] = records[i]
			}
			return head, records, err
		}}
	}},
	"forgets what was read": {in: "PollFromAnywhere", make: func(l local) tiered.Journal {
		return altered{local: l, poll: func(ctx context.Context, after uint64) (uint64, [][]byte, error) {
			head, records, err := l.Poll(ctx, after)
			l.mu.Lock()
			defer l.mu.Unlock()
			for i := range records {
				delete(l.records, after+1+uint64(i))
			}
			return head, records, err
		}}
	}},
	"gives up on long ways": {in: "FollowLong", make: func(l local) tiered.Journal {
		return altered{local: l, poll: func(ctx context.Context, after uint64) (uint64, [][]byte, error) {
			head, records, err := l.Poll(ctx, after)
			if head-after > 200 {
				records = nil
			}
			return head, records, err
		}}
	}},
	"puts its record before its number is there": {in: "FollowWriters", make: func(l local) tiered.Journal {
		var mu sync.Mutex
		var last []byte
		return altered{local: l, put: func(ctx context.Context, n uint64, record []byte) error {
			mu.Lock()
			defer mu.Unlock()
			if n%11 == 5 && last != nil {
				record = last
			}
			last = record
			return l.Put(ctx, n, record)
		}}
	}},
	"waits whatever its context says": {in: "EndedContext", make: func(l local) tiered.Journal {
		return altered{local: l, poll: func(ctx context.Context, after uint64) (uint64, [][]byte, error) {
			if ctx.Err() != nil {
				select {}
			}
			return l.Poll(ctx, after)
		}}
	}},
	"closes for all": {in: "CloseIsOwn", make: func(l local) tiered.Journal {
		return altered{
			local: l, close: func() { l.mu.Lock(); defer l.mu.Unlock(); l.records = nil; l.head = 0 },
			take: func(ctx context.Context) (uint64, error) {
				if l.records == nil {
					return 0, errClosed
				}
				return l.Take(ctx)
			},
		}
	}},
	"goes on after a loss": {in: "Lost", lose: func(c *carrier) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.records = map[uint64][]byte{}
	}},
	"goes on nearby after a loss": {in: "Lost", lose: func(c *carrier) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.head, c.records = c.head+10, map[uint64][]byte{}
	}},
}

// Each fault fails the suite, in the case that is about it. The suite is run by this test's own program,
// since a test that is to fail cannot be a part of one that is to pass.
func TestFaultsAreFound(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite := exec.Command(os.Args[0], "-test.run=^TestJournal$/^"+fault.in+"$", "-test.v")
			suite.Env = append(os.Environ(), faulty+"="+name)
			out, err := suite.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestJournal/"+fault.in) {
				t.Errorf("a journal that %s passes %s: %v\n%s", name, fault.in, err, out)
			}
		})
	}
}
