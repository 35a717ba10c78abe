package journaltest

import (
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/tiered"
)

// MaxRecord is the size of the largest record that a store puts.
const MaxRecord = 32776

// patience is how long a journal may take over what the suite asks of it.
const patience = 10 * time.Second

// fixture is one journal under test.
type fixture struct {
	testing.TB
	h    Harness
	open func() tiered.Journal
}

// journal opens the journal once more, as one process has it.
func (f *fixture) journal() *process {
	f.Helper()
	j := f.open()
	f.Cleanup(func() { _ = j.Close() })
	return &process{f.TB, j}
}

// process is the journal as one process has it.
type process struct {
	testing.TB
	tiered.Journal
}

// patiently is the context of a request.
func patiently() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// take takes a number.
func (p *process) take() uint64 {
	p.Helper()
	ctx, cancel := patiently()
	defer cancel()
	n, err := p.Take(ctx)
	if err != nil {
		p.Fatalf("Take: %v", err)
	}
	return n
}

// put puts a record, and returns what Put does.
func (p *process) put(n uint64, record string) error {
	ctx, cancel := patiently()
	defer cancel()
	return p.Put(ctx, n, []byte(record))
}

// mustPut puts a record where there is none.
func (p *process) mustPut(n uint64, record string) {
	p.Helper()
	if err := p.put(n, record); err != nil {
		p.Fatalf("Put(%d): %v", n, err)
	}
}

// poll polls, and checks what holds for every answer: no record is beyond the head.
func (p *process) poll(after uint64) (head uint64, records [][]byte) {
	p.Helper()
	ctx, cancel := patiently()
	defer cancel()
	head, records, err := p.Poll(ctx, after)
	if err != nil {
		p.Fatalf("Poll(%d): %v", after, err)
	}
	if len(records) > 0 && (after == 0 || head < after || uint64(len(records)) > head-after) {
		p.Fatalf("Poll(%d) has %d records, and the head is %d", after, len(records), head)
	}
	return head, records
}

// wants demands the records that follow number after: "" is one that is missing. They may come in several polls.
func (p *process) wants(after uint64, want ...string) {
	p.Helper()
	var got [][]byte
	for at := after; len(got) < len(want); {
		head, records := p.poll(at)
		if len(records) == 0 {
			p.Fatalf("Poll(%d) has no record, the head is %d; after %d there are %d", at, head, after, len(want))
		}
		got = append(got, records...)
		at += uint64(len(records))
	}
	for i, w := range want {
		if w == "" && got[i] != nil || w != "" && string(got[i]) != w {
			p.Fatalf("number %d has %s, want %s", after+1+uint64(i), shown(got[i]), shown([]byte(w)))
		}
	}
}

// shown is a record in a message.
func shown(b []byte) string {
	switch {
	case len(b) == 0:
		return "nothing"
	case len(b) > 40:
		return string(b[:40]) + "…"
	}
	return string(b)
}
