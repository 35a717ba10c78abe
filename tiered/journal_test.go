package tiered

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// followed starts a process whose poller answers for every stamp from now on, as it does
// recordPatience after it began. Its next poll is the test's.
func followed(tb testing.TB, servers ...string) *process {
	tb.Helper()
	p := start(tb, patient(servers...)).quiet()
	p.journal.since.Store(0)
	return p
}

// aged makes every stamp that a process knows older than MaxStale, so that only the journal answers for it.
func (p *process) aged() {
	for i := range p.known.stripes {
		s := &p.known.stripes[i]
		s.mu.Lock()
		for id, k := range s.stamps {
			k.sent -= 2 * p.opts.MaxStale
			s.stamps[id] = k
		}
		s.mu.Unlock()
	}
	p.journal.since.Store(-int64(10 * p.opts.MaxStale))
}

func (p *process) poll() { p.journal.poll(context.Background()) }

// behaviour 67
func TestOtherProcessIsTold(t *testing.T) {
	m := testserver.Memcached(t)
	p, other := followed(t, m.Addr()), followed(t, m.Addr())
	r, untouched := storetest.Ref(1), storetest.Ref(2)
	p.load(r, "old")
	p.load(untouched, "row")
	p.aged()
	if !p.inFirst(r) || !p.inFirst(untouched) {
		t.Fatal("the journal answers for nothing")
	}
	p.poll()
	if !p.inFirst(r) {
		t.Fatal("a poll that finds nothing drops stamps")
	}
	other.write(r.List)
	p.poll()
	if p.inFirst(r) || !p.inFirst(untouched) {
		t.Fatalf("after another process's write of it: %v, of another list: %v", p.inFirst(r), !p.inFirst(untouched))
	}

	// `all` lists fall at every place.
	other.write(untouched.All)
	p.poll()
	if p.inFirst(untouched) {
		t.Fatal("served after `all` fell")
	}
}

// A poll is sent four times in MaxStale, and what it learns is dropped by itself.
func TestPolledInTime(t *testing.T) {
	m := testserver.Memcached(t)
	o := patient(m.Addr())
	o.MaxStale = 200 * time.Millisecond
	p, other := start(t, o), start(t, patient(m.Addr()))
	p.quiet()
	p.journal.since.Store(0)
	r := storetest.Ref(1)
	p.load(r, "old")
	trip := time.Now()
	eventually(t, "the first tier forgets what the journal answers for", func() bool {
		return time.Since(trip) > 3*o.MaxStale && p.inFirst(r) || !p.inFirst(r) && time.Since(trip) > o.MaxStale
	})
	if !p.inFirst(r) {
		// A machine that was held up for MaxStale has no current journal for a moment.
		eventually(t, "the first tier stays off", func() bool { return p.inFirst(r) })
	}
	other.write(r.List)
	wrote := time.Now()
	eventually(t, "the first tier is behind for ever", func() bool {
		began := time.Now()
		in := p.inFirst(r)
		if in && began.Sub(wrote) >= o.MaxStale {
			t.Fatalf("served %v after another process's write", began.Sub(wrote))
		}
		return !in
	})
}

// A number without a record is closed once it has been open for MaxStale; its writer takes another.
func TestOpenNumberIsClosed(t *testing.T) {
	m := testserver.Memcached(t)
	p, other := followed(t, m.Addr()), followed(t, m.Addr())
	r := storetest.Ref(1)
	p.load(r, "old")
	taken := p.now()
	number, err := other.journal.take(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	good := p.journal.good.Load()
	p.poll()
	if p.journal.good.Load() != good {
		t.Fatal("a poll that met an open number counts")
	}
	p.poll()
	if (p.journal.at == number || p.count(flushlist.StampsForgotten) != 0) && p.now()-taken < recordPatience {
		t.Fatal("closed before its time")
	}
	p.journal.opened -= recordPatience
	p.poll()
	if p.journal.at != number || p.journal.good.Load() == good || p.count(flushlist.StampsForgotten) != 1 {
		t.Fatalf("not closed: at %d of %d", p.journal.at, number)
	}
	c := cellOf(r.List, 0)
	if err := other.journal.put(context.Background(), number, other.now(), recordOf([]cellAt{c})); err != nil {
		t.Fatal(err)
	}
	p.journal.since.Store(0)
	p.wants(r, flushlist.HitSecond, "old")
	p.poll()
	if p.inFirst(r) || p.journal.at != number+1 {
		t.Fatal("the record's second number was not followed")
	}
	// Who reads the tombstone forgets too: the record may have been there, and lost.
	other.journal.at = number - 1
	other.poll()
	if other.count(flushlist.StampsForgotten) != 1 {
		t.Fatal("a tombstone is passed over")
	}
	// A number that a writer gives back costs nobody anything.
	void, err := other.journal.take(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	other.journal.void(context.Background(), void)
	p.poll()
	if p.journal.at != void || p.count(flushlist.StampsForgotten) != 1 {
		t.Fatal("a number given back is not passed over")
	}
}

// A head that is lost, goes back or runs ahead ends what the journal answered for.
func TestHeadIsLost(t *testing.T) {
	m := testserver.Memcached(t)
	client := testserver.Client(m.Addr())
	heads := map[string]func(head uint64){
		"vanished": func(uint64) {
			if err := client.Delete(journalHead); err != nil {
				t.Fatal(err)
			}
		},
		"back":   func(head uint64) { put(t, m.Addr(), journalHead, []byte(strconv.FormatUint(head-1, 10))) },
		"far":    func(head uint64) { put(t, m.Addr(), journalHead, []byte(strconv.FormatUint(head+farHead+1, 10))) },
		"broken": func(uint64) { put(t, m.Addr(), journalHead, []byte("one")) },
	}
	for name, lose := range heads {
		t.Run(name, func(t *testing.T) {
			p := followed(t, m.Addr())
			p.write(storetest.Ref(2).List)
			p.poll()
			r := storetest.Ref(1)
			if p.ask(r).Outcome != flushlist.HitSecond {
				p.load(r, "row")
			}
			p.aged()
			if !p.inFirst(r) {
				t.Fatal("not in the first tier")
			}
			lose(p.journal.at)
			p.poll()
			p.poll()
			if p.inFirst(r) || p.count(flushlist.StampsForgotten) != 1 {
				t.Fatalf("%d events", p.count(flushlist.StampsForgotten))
			}
			good := p.journal.good.Load()
			p.write(storetest.Ref(2).List)
			p.poll()
			if p.journal.good.Load() == good {
				t.Fatal("the journal is not followed any more")
			}
		})
	}
}

// What memcached may be made to hold in a record's place ends what the journal answered for, and nothing else.
func TestForeignRecord(t *testing.T) {
	m := testserver.Memcached(t)
	whole := recordOf([]cellAt{cellOf(storetest.Ref(1).List, 0), cellOf(storetest.Ref(1).All, 0)}).bytes()
	for name, b := range map[string][]byte{
		"empty": {}, "short": whole[:recordHead-1], "cut": whole[:len(whole)-1], "foreign": []byte("<html></html>"),
		"more lists than it has": append([]byte(recordMagic+"\x01\x00\xff\xff\xff\xff"), whole[recordHead:]...),
		"unknown kind":           []byte(recordMagic + "\x01\x09\x00\x00\x00\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			p := followed(t, m.Addr())
			number, err := p.journal.take(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			put(t, m.Addr(), recordKey(number), b)
			p.poll()
			if p.journal.at != number || p.count(flushlist.StampsForgotten) != 1 {
				t.Fatalf("at %d of %d, %d events", p.journal.at, number, p.count(flushlist.StampsForgotten))
			}
		})
	}
	if r, ok := parseRecord(whole); !ok || len(r.lists) != 1 || len(r.alls) != 1 {
		t.Fatalf("%+v", r)
	}
}

// A write whose record cannot be put fails in mode Strict; in mode Available the others are told as
// soon as the journal answers.
func TestJournalOutOfReach(t *testing.T) {
	m := testserver.Memcached(t)
	p, other := followed(t, m.Addr()), followed(t, m.Addr())
	r := storetest.Ref(1)
	p.load(r, "old")
	other.opts.BreakerPause = time.Minute // it pays when it is told to
	broken := &brokenJournal{Journal: other.journal.journal}
	other.journal.journal = broken
	for _, broken.takes = range []bool{false, true} {
		if _, err := other.Prepare(context.Background(), []flushlist.List{r.List}, flushlist.Strict); !errors.Is(err, flushlist.ErrFlush) {
			t.Fatalf("mode Strict: %v", err)
		}
		p.wants(r, flushlist.HitSecond, "old") // its token is out again
	}
	for _, broken.takes = range []bool{false, true} {
		other.prepare(flushlist.Available, r.List).Finish(context.Background())
	}
	if n := other.Stats().Unrecorded; n != 2 {
		t.Fatalf("%d writes without a record, want 2", n)
	}
	other.journal.pay(context.Background())
	if n := other.Stats().Unrecorded; n != 2 {
		t.Fatalf("%d writes without a record after one try more, want 2", n)
	}
	if other.count(flushlist.JournalUndelivered) != 1 {
		t.Fatalf("%d events for one record that is owed", other.count(flushlist.JournalUndelivered))
	}
	p.journal.since.Store(0)
	p.load(r, "new")
	p.aged()
	p.journal.good.Store(int64(p.now()) + 1) // closed numbers are another test's
	if !p.inFirst(r) {
		t.Fatal("not in the first tier")
	}
	other.journal.journal = broken.Journal
	other.journal.pay(context.Background())
	head, records, err := other.journal.journal.Poll(context.Background(), p.journal.at)
	if err != nil || len(records) == 0 {
		t.Fatal(head, records, err)
	}
	if n := other.Stats().Unrecorded; n != 0 {
		t.Fatalf("%d writes without a record once it is put", n)
	}
	last, ok := parseRecord(records[len(records)-1])
	if !ok || !reflect.DeepEqual(last.lists, []uint64{r.List.ID}) || other.count(flushlist.JournalDelivered) != 1 {
		t.Fatalf("the record that was owed: %+v", last)
	}
}

// Close tries once more to put a record that is owed, and says where it could not: the flush itself is delivered.
func TestCloseSaysWhatIsUnrecorded(t *testing.T) {
	m := testserver.Memcached(t)
	for _, mended := range []bool{true, false} {
		p := followed(t, m.Addr())
		broken := &brokenJournal{Journal: p.journal.journal}
		p.journal.journal = broken
		for range 3 {
			p.prepare(flushlist.Available, storetest.Ref(1).List).Finish(context.Background())
		}
		if st := p.Stats(); st.Undelivered != 0 || st.Unrecorded != 3 {
			t.Fatalf("%+v", st)
		}
		if mended {
			p.journal.journal = broken.Journal
		}
		err := p.Close()
		if mended && err != nil || !mended && (!errors.Is(err, ErrUndelivered) || !strings.Contains(err.Error(), "no record of 3 writes") ||
			strings.Contains(err.Error(), "did not reach")) {
			t.Errorf("mended %v: Close says %v", mended, err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("the second Close says %v", err)
		}
	}
}

// What is owed is told soon after the journal answers, however rare polls are. behaviour 69
func TestRarePollsPaySoon(t *testing.T) {
	_, relay := proxied(t)
	o := hasty(relay.Addr())
	p := start(t, o).quiet()
	began := p.now()
	relay.Cut()
	for range 3 {
		p.prepare(flushlist.Available, storetest.Ref(1).List).Finish(context.Background())
	}
	relay.Mend()
	eventually(t, "the others are not told", func() bool { return p.count(flushlist.JournalDelivered) > 0 })
	if p.now()-began >= p.journal.every {
		t.Errorf("they are told after %v, by the next poll", p.now()-began)
	}
}

// brokenJournal is one whose numbers, or records, the network swallows.
type brokenJournal struct {
	Journal
	takes bool
}

var errSwallowed = errors.New("swallowed")

func (b *brokenJournal) Take(ctx context.Context) (uint64, error) {
	if b.takes {
		return b.Journal.Take(ctx)
	}
	return 0, errSwallowed
}

func (b *brokenJournal) Put(context.Context, uint64, []byte) error { return errSwallowed }

// Own records are passed over: what they name was dropped when its token was in.
func TestOwnRecord(t *testing.T) {
	m := testserver.Memcached(t)
	p := followed(t, m.Addr())
	r := storetest.Ref(1)
	p.write(r.List)
	p.load(r, "row")
	p.poll()
	if !p.inFirst(r) {
		t.Fatal("dropped by its own record")
	}
	if len(p.journal.own) != 0 {
		t.Fatal("own numbers are kept for ever")
	}
}

// A write of more lists than a record names makes the others forget all.
func TestRecordOfEverything(t *testing.T) {
	var cells []cellAt
	for n := range recordLists + 1 {
		cells = append(cells, cellOf(storetest.Ref(n).List, 0))
	}
	if r := recordOf(cells[:recordLists]); r.kind != recordFlush || len(r.lists) != recordLists {
		t.Fatalf("kind %d with %d lists", r.kind, len(r.lists))
	}
	if r, ok := parseRecord(recordOf(cells).bytes()); !ok || r.kind != recordEverything || len(r.lists) != 0 {
		t.Fatalf("kind %d with %d lists", r.kind, len(r.lists))
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add(recordOf([]cellAt{cellOf(storetest.Ref(1).List, 0), cellOf(storetest.Ref(1).All, 0)}).bytes())
	f.Add(journalRecord{kind: recordClosed}.bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := parseRecord(b)
		if !ok {
			return
		}
		again, ok := parseRecord(r.bytes())
		if !ok || !reflect.DeepEqual(r, again) {
			t.Fatalf("%+v reads back as %+v", r, again)
		}
	})
}
