package tiered

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// unpolled starts a process that writes to the journal, and follows it only when the test says so.
func unpolled(tb testing.TB, server string) *process {
	tb.Helper()
	o := patient(server)
	o.MaxStale = -1
	return start(tb, o)
}

func (p *process) number() uint64 {
	p.Helper()
	n, err := p.journal.take(context.Background())
	if err != nil {
		p.Fatal(err)
	}
	return n
}

// A head that no writer could raise, or that would soon begin again at 0, costs no write, and not the server's breaker.
func TestForeignHead(t *testing.T) {
	m := testserver.Memcached(t)
	for name, head := range map[string]string{
		"text": "one", "empty": "", "zero": "0", "negative": "-1", "blanks": "   ", "long": strings.Repeat("9", 30),
		"the last number": "18446744073709551615", "near the end": "18446744073709551000", "item": string(freshCell().bytes()),
	} {
		t.Run(name, func(t *testing.T) {
			p := unpolled(t, m.Addr())
			put(t, m.Addr(), journalHead, []byte(head))
			for range 2 * p.opts.BreakerFailures {
				p.write(storetest.Ref(1).List)
			}
			if n := p.count(flushlist.BreakerOpened); n != 0 {
				t.Error("the breaker opened")
			}
			other := followed(t, m.Addr())
			number := p.number()
			if !validHead(number) || other.journal.at+1 != number {
				t.Errorf("number %d, for a reader at %d", number, other.journal.at)
			}
			put(t, m.Addr(), journalHead, []byte(head)) // and found by a reader
			other.poll()
			other.poll()
			if !validHead(other.journal.at) || other.count(flushlist.StampsForgotten) == 0 {
				t.Errorf("a reader is at %d, and has forgotten nothing", other.journal.at)
			}
		})
	}
}

// Two journals never have the same numbers: where one begins has nothing to do with where another did, or with a clock.
func TestHeadsBeginAnywhere(t *testing.T) {
	for range 1000 {
		a, b := newHead(), newHead()
		if !validHead(a) || max(a, b)-min(a, b) <= 1000*farHead {
			t.Fatalf("heads %d and %d", a, b)
		}
	}
}

// A reader with a short MaxStale does not take the numbers of writers that are slower:
//
//  1. writer: takes a number; its token is under way
//  2. reader in a hurry: finds it open twice
//  3. writer: its token is in; it puts its record at its number
func TestReaderInAHurry(t *testing.T) {
	m := testserver.Memcached(t)
	writer, hasty := unpolled(t, m.Addr()), unpolled(t, m.Addr()) // less than no MaxStale
	hasty.poll()
	began := hasty.now()
	number := writer.number()
	hasty.poll()
	hasty.poll()
	if hasty.journal.at >= number && hasty.now()-began < recordPatience {
		t.Fatalf("closed after %v", hasty.now()-began)
	}
}

// A journal that answers slowly is no reason to close numbers that were taken just before it answered.
//
//  1. poller: asks for the head, and its answer is a long time on its way
//  2. writer: takes a number just before the head is read
//  3. poller: has the answer, with an open number, and asks again at once
//  4. the number has been open for a moment only
func TestSlowAnswerClosesNothing(t *testing.T) {
	m := testserver.Memcached(t)
	writer, p := unpolled(t, m.Addr()), unpolled(t, m.Addr())
	p.poll()
	slow := &slowJournal{Journal: p.journal.journal, p: p}
	p.journal.journal = slow
	slow.before = func() { writer.number() }
	p.poll()
	at, opened := p.journal.at, p.now()
	slow.before = nil
	p.poll()
	if p.journal.at != at && p.now()-opened < recordPatience {
		t.Fatal("closed at its second sight")
	}
}

// slowJournal is a journal whose polls are held up on their way to it.
type slowJournal struct {
	Journal
	p      *process
	before func()
}

func (s *slowJournal) Poll(ctx context.Context, after uint64) (uint64, [][]byte, error) {
	if s.before != nil {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for until := s.p.now() + recordPatience + time.Second; s.p.now() < until; {
			<-tick.C
		}
		s.before()
	}
	return s.Journal.Poll(ctx, after)
}

// A process that dies with many writes under way leaves as many numbers open. They are waited for together.
func TestManyOpenNumbers(t *testing.T) {
	m := testserver.Memcached(t)
	dying, p, other := unpolled(t, m.Addr()), followed(t, m.Addr()), followed(t, m.Addr())
	var last uint64
	for range 3 * pollRecords {
		last = dying.number()
	}
	p.poll()
	p.journal.opened -= recordPatience
	late := dying.number() // which has not been open for as long
	p.poll()
	if p.journal.at != last {
		t.Fatalf("%d numbers behind, after the patience for all", last-p.journal.at)
	}
	p.journal.opened -= recordPatience
	good := p.journal.good.Load()
	p.poll()
	if p.journal.at != late || p.journal.good.Load() == good {
		t.Fatal("the last number is not closed in its time")
	}
	other.poll() // finds them closed
	if other.journal.at != late {
		t.Fatalf("another reader is %d behind", late-other.journal.at)
	}
}

// A journal that was lost and begins anew below its old numbers gives them again, to others:
//
//  1. this process: puts its record at number 7, and has yet to pass it
//  2. the journal is lost, and begins anew at 5
//  3. other process: writes a list, with record 7
//  4. this process must not pass that over as its own
func TestOwnNumberOfALostJournal(t *testing.T) {
	m := testserver.Memcached(t)
	p, other := followed(t, m.Addr()).byJournal(), unpolled(t, m.Addr())
	client := testserver.Client(m.Addr())
	p.write(storetest.Ref(2).List)
	own := p.number() - 1
	for _, n := range []uint64{own, own + 1} {
		if err := client.Delete(recordKey(n)); err != nil && !errors.Is(err, memcache.ErrCacheMiss) {
			t.Fatal(err)
		}
	}
	put(t, m.Addr(), journalHead, []byte(strconv.FormatUint(own-1, 10)))
	p.journal.at = own + 2 // as if there had been more
	p.poll()
	p.journal.since.Store(0)
	r := storetest.Ref(1)
	p.load(r, "old")
	if !p.inFirst(r) {
		t.Fatal("not in the first tier")
	}
	other.write(r.List)
	p.poll()
	if p.journal.at != own {
		t.Fatalf("at %d, and the record has number %d", p.journal.at, own)
	}
	p.never(r, "old")
}

// A record that is too large for its server says less, and is not lost.
func TestRecordOverTheItemLimit(t *testing.T) {
	m := testserver.Memcached(t, "-I", "16k", "-o", "slab_chunk_max=8192")
	p, other := unpolled(t, m.Addr()), followed(t, m.Addr())
	var lists []flushlist.List
	for n := range 3000 {
		lists = append(lists, storetest.Ref(n).List)
	}
	p.write(lists...)
	other.poll()
	if other.count(flushlist.StampsForgotten) != 1 || other.journal.at != p.number()-1 {
		t.Fatalf("%d events", other.count(flushlist.StampsForgotten))
	}
}

// A journal of the application's that does not answer keeps no COMMIT waiting for longer than a server does.
func TestJournalThatHangs(t *testing.T) {
	o := patient(testserver.Memcached(t).Addr())
	o.Timeout, o.Journal = 50*time.Millisecond, hangingJournal{}
	p := start(t, o)
	done := make(chan error, 1)
	go func() {
		_, err := p.Prepare(context.Background(), []flushlist.List{storetest.Ref(1).List}, flushlist.Strict)
		done <- err
	}()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	select {
	case err := <-done:
		if !errors.Is(err, flushlist.ErrFlush) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	case <-limit.C:
		t.Fatal("a write waits for ever")
	}
}

// hangingJournal answers nothing until it is given up.
type hangingJournal struct{}

func (hangingJournal) Take(ctx context.Context) (uint64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func (hangingJournal) Put(ctx context.Context, _ uint64, _ []byte) error {
	<-ctx.Done()
	return ctx.Err()
}

func (hangingJournal) Poll(ctx context.Context, _ uint64) (uint64, [][]byte, error) {
	<-ctx.Done()
	return 0, nil, ctx.Err()
}

func (hangingJournal) Close() error { return nil }

// With a MaxStale of a minute, what comes after a number that a dead writer has taken is read before it is dropped
// by memcached: else the next number would be found missing when the first is closed, and so on for ever.
//
//  1. a writer takes a number, and dies
//  2. others go on writing; their records are kept for recordTTL
//  3. poller: waits for the first, closes it, and finds the others
func TestLongMaxStaleCatchesUp(t *testing.T) {
	m := testserver.Memcached(t)
	p, other := followed(t, m.Addr()), followed(t, m.Addr()) // MaxStale is as long as recordTTL
	if _, err := other.journal.take(context.Background()); err != nil {
		t.Fatal(err)
	}
	p.poll()
	for n := range 3 {
		other.write(storetest.Ref(n).List)
	}
	p.journal.opened -= recordTTL / 4 // polls are as far apart as this
	sent := p.now()
	p.poll()
	if good := time.Duration(p.journal.good.Load() - 1); good < sent || p.count(flushlist.StampsForgotten) != 1 {
		t.Errorf("not followed to its end; stamps were forgotten %d times", p.count(flushlist.StampsForgotten))
	}
}
