package tiered

import (
	"context"
	"net"
	"testing"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// dialer reaches every server at one address.
func dialer(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

// slowTokens is a place whose tokens are held back until let.
type slowTokens struct {
	place
	reached, let chan struct{}
}

// holdTokens holds back the tokens that a process leaves, one write's.
func (p *process) holdTokens() *slowTokens {
	s := &slowTokens{place: p.places[0], reached: make(chan struct{}), let: make(chan struct{})}
	p.places[0] = s
	return s
}

func (s *slowTokens) append(ctx context.Context, at addr, value []byte) error {
	close(s.reached)
	<-s.let
	return s.place.append(ctx, at, value)
}

// preparing begins a write whose tokens are held back, and returns once it has its number of the journal.
func (p *process) preparing(lists ...flushlist.List) (tokens *slowTokens, prepared <-chan flushlist.Intent) {
	p.Helper()
	before := rawItem(p, p.places[0].name(), journalHead)
	tokens = p.holdTokens()
	done := make(chan flushlist.Intent, 1)
	go func() {
		in, err := p.Prepare(context.Background(), lists, flushlist.Strict)
		if err != nil {
			p.Error(err)
		}
		done <- in
	}()
	<-tokens.reached
	eventually(p, "no number is taken", func() bool {
		return string(rawItem(p, tokens.name(), journalHead)) != string(before)
	})
	return tokens, done
}

// writerDiesAfterCommit: LATE_JOURNAL. behaviour 66
//
//  1. another process has the old row in its first tier
//  2. writer: leaves its token, puts its record
//  3. the COMMIT takes effect, and the writer dies
//  4. other process: polls the journal, and must not serve the old row from here on
func writerDiesAfterCommit(t *testing.T, m *testserver.Server) {
	writer, other := followed(t, m.Addr()), followed(t, m.Addr()).byJournal()
	r := storetest.Ref(1)
	other.load(r, "old")
	if !other.inFirst(r) {
		t.Fatal("not in the first tier")
	}
	writer.prepare(flushlist.Strict, r.List)
	other.poll()
	other.never(r, "old")
}

// recordBeforeToken: EARLY
//
//  1. another process has the old row in its first tier
//  2. writer: its token is under way
//  3. other process: polls; if the record were there already, it would drop the stamp, and pass it
//  4. other process: reads, and learns the old stamp again, since there is no token yet
//  5. writer: its token is in; it puts its record, commits and returns
//  6. other process: polls, and must not serve the old row from here on
func recordBeforeToken(t *testing.T, m *testserver.Server) {
	writer, other := followed(t, m.Addr()), followed(t, m.Addr()).byJournal()
	r := storetest.Ref(1)
	other.load(r, "old")
	tokens, prepared := writer.preparing(r.List)
	other.poll()
	other.wants(r, flushlist.HitSecond, "old")
	close(tokens.let)
	(<-prepared).Finish(context.Background())
	other.poll()
	other.never(r, "old")
}

// recordBehindPoller: NO_TOMB
//
//  1. writer: takes number 7, and its token is under way for long
//  2. another process: finds 7 without a record, poll after poll, and goes past it
//  3. other process: reads, and learns the old stamp, since there is no token yet
//  4. writer: its token is in; it would put its record at 7; it commits and returns
//  5. other process: polls behind 7, and must not serve the old row
func recordBehindPoller(t *testing.T, m *testserver.Server) {
	writer, other := followed(t, m.Addr()), followed(t, m.Addr()).byJournal()
	r := storetest.Ref(1)
	other.load(r, "old")
	tokens, prepared := writer.preparing(r.List)
	number := other.journal.at + 1
	other.poll()
	if other.journal.at == number {
		t.Fatal("an open number is passed at first sight")
	}
	other.journal.opened -= recordPatience
	other.poll()
	if other.journal.at != number {
		t.Fatal("an open number is never passed")
	}
	other.wants(r, flushlist.HitSecond, "old")
	if !other.inFirst(r) {
		t.Fatal("not in the first tier")
	}
	close(tokens.let)
	(<-prepared).Finish(context.Background())
	other.poll()
	other.never(r, "old")
}

// numberFromBeforePoller: NO_WAIT
//
//  1. writer: takes number 7, and its token is under way
//  2. another process: begins to follow the journal, at 7
//  3. other process: reads, and learns the old stamp
//  4. writer: its token is in; it puts record 7, commits and returns
//  5. other process: polls behind 7, and must not serve the old row
func numberFromBeforePoller(t *testing.T, m *testserver.Server) {
	writer := followed(t, m.Addr())
	r := storetest.Ref(1)
	writer.load(r, "old")
	tokens, prepared := writer.preparing(r.List)
	other := start(t, patient(m.Addr())).quiet().byJournal()
	other.wants(r, flushlist.HitSecond, "old")
	close(tokens.let)
	(<-prepared).Finish(context.Background())
	other.poll()
	other.never(r, "old")
}

// recordPastPatience: NO_RETAKE
//
//  1. writer: takes number 7, and is held up for more than recordPatience
//  2. another process: begins to follow the journal, at 7, and waits for recordPatience
//  3. other process: reads, and learns the old stamp, for which the journal answers now
//  4. writer: its token is in; it would put record 7; it commits and returns
//  5. other process: polls behind 7, and must not serve the old row
func recordPastPatience(t *testing.T, m *testserver.Server) {
	writer := followed(t, m.Addr())
	r := storetest.Ref(1)
	writer.load(r, "old")
	ctx, c := context.Background(), cellOf(r.List, 0)
	taken := writer.now()
	number, err := writer.journal.take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// Time is not waited for: what began recordPatience ago is said to have.
	taken -= recordPatience
	other := followed(t, m.Addr()).byJournal()
	other.wants(r, flushlist.HitSecond, "old")
	if !other.inFirst(r) {
		t.Fatal("not in the first tier")
	}
	token := newToken()
	if err := writer.leaveToken(ctx, c, token); err != nil {
		t.Fatal(err)
	}
	if err := writer.journal.put(ctx, number, taken, recordOf([]cellAt{c})); err != nil {
		t.Fatal(err)
	}
	if err := writer.flush(ctx, c, []uint64{token}, writer.readCell(ctx, c)); err != nil {
		t.Fatal(err)
	}
	other.poll()
	other.never(r, "old")
}

// otherProcessIsTold: behaviour 67
//
//  1. another process has the old row in its first tier
//  2. writer: a whole write, which returns
//  3. other process: polls, and must not serve the old row from here on
func otherProcessIsTold(t *testing.T, m *testserver.Server) {
	writer, other := followed(t, m.Addr()), followed(t, m.Addr()).byJournal()
	r := storetest.Ref(1)
	other.load(r, "old")
	writer.write(r.List)
	other.poll()
	other.never(r, "old")
}

// lostTokenAndOtherProcess: EVICT. behaviour 64
//
//  1. writer: leaves its token, puts its record; another process passes it
//  2. memcached: loses the cell
//  3. other process: makes a fresh cell, loads the old row, and has it in its first tier
//  4. writer: commits, finds its token gone, puts a new stamp, and returns
//  5. other process: polls, and must not serve the old row from here on
func lostTokenAndOtherProcess(t *testing.T, m *testserver.Server) {
	writer, other := followed(t, m.Addr()), followed(t, m.Addr()).byJournal()
	r := storetest.Ref(1)
	in := writer.prepare(flushlist.Strict, r.List)
	other.poll()
	if err := testserver.Client(m.Addr()).Delete(cellKey(r.List)); err != nil {
		t.Fatal(err)
	}
	other.ask(r) // makes the cells
	other.load(r, "old")
	if !other.inFirst(r) {
		t.Fatal("not in the first tier")
	}
	in.Finish(context.Background())
	other.poll()
	other.never(r, "old")
}
