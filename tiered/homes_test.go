package tiered

import (
	"context"
	"errors"
	"testing"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
)

// recordsOf returns the lists that a process's first journal names after a number.
func (p *process) recordsOf(after uint64) (lists [][]uint64) {
	p.Helper()
	_, records, err := p.journal.journal.Poll(context.Background(), after)
	if err != nil {
		p.Fatal(err)
	}
	for _, b := range records {
		if r, ok := parseRecord(b); ok && r.kind == recordFlush {
			lists = append(lists, r.lists)
		}
	}
	return lists
}

// A write's record is put into both journals, also where a reader has closed its number in one of them.
func TestRecordsGoToBothJournals(t *testing.T) {
	c := newCluster(t, 2)
	ahead, behind := c.at(1, "0", "1"), c.at(2, "1", "0")
	if homes := ahead.homes(); len(homes) != 2 || homes[0] != ahead.home() || homes[1].name() != behind.home().name() {
		t.Fatalf("%v", homes)
	}
	r := storetest.Ref(1)
	for _, closed := range []string{"neither", "its own", "the other"} {
		own, other := ahead.journal.at, behind.journal.at
		number, err := ahead.journal.take(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		tombstone := journalRecord{kind: recordClosed}.bytes()
		switch closed {
		case "its own":
			err = ahead.journal.journal.Put(context.Background(), number, tombstone)
		case "the other":
			err = behind.journal.journal.Put(context.Background(), ahead.journal.two.taken[number], tombstone)
		}
		if err == nil {
			err = ahead.journal.put(context.Background(), number, ahead.now(), recordOf(ahead.cellsOf([]flushlist.List{r.List})))
		}
		if err != nil {
			t.Fatalf("%s is closed: %v", closed, err)
		}
		for name, lists := range map[string][][]uint64{"its own": ahead.recordsOf(own), "the other": behind.recordsOf(other)} {
			if len(lists) == 0 || len(lists[0]) != 1 || lists[len(lists)-1][0] != r.List.ID {
				t.Fatalf("%s is closed: %s journal has %v", closed, name, lists)
			}
		}
		if len(ahead.journal.two.taken) != 0 {
			t.Fatalf("%d numbers wait for a record", len(ahead.journal.two.taken))
		}
		ahead.poll()
		behind.poll()
	}
	// A number that is given back is given back in both.
	number, err := ahead.journal.take(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ahead.journal.void(context.Background(), number)
	ahead.poll()
	behind.poll()
	if ahead.journal.open != 0 || behind.journal.open != 0 {
		t.Fatal("a number stays open")
	}
}

// Where one of two journals gives no number, the other's is given back.
func TestOneOfTwoJournalsIsDown(t *testing.T) {
	c := newCluster(t, 2)
	p := c.at(1, "0", "1")
	working := p.journal.two.also
	for _, broken := range []*brokenJournal{{Journal: working, takes: false}, {Journal: working, takes: true}} {
		p.journal.two.also = broken
		if _, err := p.Prepare(context.Background(), []flushlist.List{storetest.Ref(1).List}, flushlist.Strict); !errors.Is(err, flushlist.ErrFlush) {
			t.Fatal(err)
		}
	}
	p.journal.two.also = working
	p.poll()
	if p.journal.open != 0 {
		t.Fatal("a number stays open")
	}
	p.write(storetest.Ref(1).List)
}
