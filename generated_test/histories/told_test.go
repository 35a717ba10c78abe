package histories_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/histories"
	"github.com/cachegen/cachegen/internal/testserver"
)

// told starts a cluster whose processes do what the test tells them, one in each place. Requests have long to be
// answered, and writers to come to their COMMIT, so that none fails but by what the test does.
func told(t *testing.T, s setup) (*cluster, []*worker) {
	t.Helper()
	s.processes, s.timeout, s.lockTimeout = 3, cmp.Or(s.timeout, 30*time.Second), time.Minute
	s.intentTTL = cmp.Or(s.intentTTL, 20*time.Second)
	c := newCluster(t, s)
	var all []*worker
	for _, p := range c.places {
		w := c.start(p)
		w.saves(uint64(1000+w.number), 0) // with its first writes a process asks the database and the servers for what it goes by
		w.saves(uint64(1000+w.number), 1)
		all = append(all, w)
	}
	return c, all
}

// settle ends the processes and checks all that they have read.
func (c *cluster) settle(lossy ...[2]int64) {
	c.t.Helper()
	c.history(newFigures(), nil, lossy).judge(c.t, c.t.Name(), "", newFigures())
}

// bearAway kills the process in a place, and waits until the database has ended what it left behind.
func (c *cluster) bearAway(p *place) {
	c.t.Helper()
	p.worker.kill()
	c.bury(p)
	p.worker = nil
}

// saving is the command that gives a row one of its two codes, and puts it on one of its two shelves.
func saving(id uint64, which int) record {
	return record{Kind: save, ID: id, Code: codeOf(id, which), Shelf: shelfOf(id, which)}
}

// shelfOf is one of the shelves that a row has to itself.
func shelfOf(id uint64, which int) int64 { return int64(id)*10 + int64(which) }

// made is the row that a save has made.
func (r record) made() seen { return seen{r.ID, r.Write, r.Code, r.Shelf} }

// saves has a process save a row, and returns it.
func (w *worker) saves(id uint64, which int) seen {
	w.t.Helper()
	r := w.do(saving(id, which))
	if r.Error != "" {
		w.t.Fatalf("process %d: %s", w.number, r.Error)
	}
	return r.made()
}

// expected is a read and what it is to return.
type expected struct {
	read  record
	rows  []seen
	count int64
}

// ways are all ways to read a row that was made by saving: by where it is, and by where it was.
func ways(row seen, fresh bool) []expected {
	other := 1 - int(row.Shelf%10)
	code, shelf := codeOf(row.ID, other), shelfOf(row.ID, other)
	one := []seen{row}
	all := []expected{
		{read: record{Kind: get, ID: row.ID}, rows: one},
		{read: record{Kind: getMany, IDs: []uint64{row.ID}}, rows: one},
		{read: record{Kind: getByCode, Code: row.Code}, rows: one},
		{read: record{Kind: getByCode, Code: code}},
		{read: record{Kind: list, Shelf: row.Shelf}, rows: one},
		{read: record{Kind: list, Shelf: shelf}},
		{read: record{Kind: count, Shelf: row.Shelf}, count: 1},
		{read: record{Kind: count, Shelf: shelf}},
	}
	for i := range all {
		all[i].read.Fresh = fresh
	}
	return all
}

// is fails the test where an answer is another than expected.
func (e expected) is(t *testing.T, w *worker, got record) {
	t.Helper()
	if got.Error != "" || !slices.Equal(got.Rows, e.rows) || got.Count != e.count {
		t.Errorf("process %d: %s of row %d, code %q, shelf %d, from %s to %s, by %s: %v, %d (%s); want %v, %d", w.number,
			e.read.Kind, e.read.ID, e.read.Code, e.read.Shelf, ms(got.Start), ms(got.End), got.Tier, got.Rows, got.Count, got.Error, e.rows, e.count)
	}
}

// shows fails the test unless a process reads a row as it is, in all ways, and returns the tiers that served it. So it was
// since a time, which the first tier may be MaxStale behind; what it says before that, settle judges.
func (c *cluster) shows(w *worker, row seen, since int64) (first, second []string) {
	c.t.Helper()
	for _, e := range ways(row, false) {
		w.do(e.read)
	}
	second = w.reads(row, true)
	waitUntil(since+int64(c.setup.maxStale), nil)
	return w.reads(row, false), second
}

// reads fails the test unless a process reads a row as it is, in all ways, and returns the tiers that served it.
func (w *worker) reads(row seen, fresh bool) (tiers []string) {
	w.t.Helper()
	for _, e := range ways(row, fresh) {
		r := w.do(e.read)
		e.is(w.t, w, r)
		tiers = append(tiers, strings.Split(r.Tier, ", ")...)
	}
	return tiers
}

// serves waits until a process serves a row, in all ways, from its first tier, and so from its second before that. It
// returns when the second had served something.
func (c *cluster) serves(w *worker, row seen) (from int64) {
	c.t.Helper()
	eventually(c.t, time.Minute, "what was read is not cached", func() bool {
		if second := w.reads(row, true); from == 0 && slices.Contains(second, "second tier") {
			from = clock()
		}
		first := w.reads(row, false)
		if c.t.Failed() {
			c.t.FailNow()
		}
		return !slices.ContainsFunc(first, func(tier string) bool { return tier != "first tier" })
	})
	return from
}

// follows waits until a process goes by the journal: it serves from its first tier what it has not asked for since MaxStale.
func (c *cluster) follows(w *worker, row seen) {
	c.t.Helper()
	asked := clock()
	eventually(c.t, time.Minute, "a process does not follow the journal", func() bool {
		r := w.do(record{Kind: get, ID: row.ID})
		if r.Tier != "first tier" {
			asked = r.End
		} else if r.Start-asked > int64(c.setup.maxStale) {
			return true
		}
		return false
	})
}

// meets waits until a process meets a write's token when it reads a row, and returns when it first can have seen it.
func (c *cluster) meets(w *worker, id uint64) (at int64) {
	c.t.Helper()
	eventually(c.t, time.Minute, "no token is left", func() bool {
		r := w.do(record{Kind: get, ID: id, Fresh: true})
		at = r.Start
		return r.Tier == "under write"
	})
	return at
}

// waits returns when a COMMIT of a place stands before its gate.
func (c *cluster) waits(p *place) {
	c.t.Helper()
	eventually(c.t, time.Minute, "no COMMIT is held back", func() bool { return p.gate.waiting(c.t) > 0 })
}

// stored returns a row as the database has it.
func (c *cluster) stored(id uint64) seen {
	c.t.Helper()
	var row histories.Register
	must(c.t, c.db.Take(&row, id).Error)
	return seen{row.ID, row.Value, row.Code, row.Shelf}
}

// agrees fails the test unless a process reads rows as the database has them, and has had them for MaxStale.
func (c *cluster) agrees(w *worker, ids []uint64) {
	c.t.Helper()
	var rows []seen
	for _, id := range ids {
		rows = append(rows, c.stored(id))
	}
	waitUntil(clock()+int64(c.setup.maxStale), nil)
	for _, fresh := range []bool{false, true} {
		e := expected{read: record{Kind: getMany, IDs: ids, Fresh: fresh}, rows: rows}
		e.is(c.t, w, w.do(e.read))
	}
}

// journal returns the server that the journal lies on.
func (c *cluster) journal() int {
	for i, s := range c.servers {
		client := testserver.Client(s.Addr())
		_, err := client.Get("@journal:head")
		client.Close()
		if err == nil {
			return i
		}
	}
	c.t.Fatal("no server has the journal")
	return 0
}

// besideJournal returns a place's ways to the servers that the journal does not lie on.
func (c *cluster) besideJournal(p *place) (relays []*testserver.Relay) {
	at := c.journal()
	for i, r := range p.relays {
		if i != at {
			relays = append(relays, r)
		}
	}
	return relays
}
