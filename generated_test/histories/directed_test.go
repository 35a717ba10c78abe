package histories_test

import (
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
)

// Writers that are killed, and processes that are stopped, at the points that the protocol is made for.

// mourning is the setup for writers that die: their tokens stand for IntentTTL, within which the test has done its steps.
var mourning = setup{servers: 3, strict: true, maxStale: 100 * time.Millisecond, intentTTL: 10 * time.Second}

// behaviour 66: a writer is killed when it has left its tokens, before its COMMIT.
func TestKilledBeforeCommit(t *testing.T) {
	t.Parallel()
	c, w := told(t, mourning)
	writer, reader, other := w[0], w[1], w[2]
	old := writer.saves(1, 0)
	c.serves(reader, old)
	for _, r := range c.places[0].relays {
		r.Hang() // what it asks for is done, and it never hears of it
	}
	writer.begin(saving(1, 1))
	met := c.meets(reader, 1)
	c.bearAway(c.places[0])
	// Nobody is kept from reading it, nor from writing it.
	c.shows(reader, old, clock())
	c.shows(other, old, clock())
	changed := other.saves(1, 1)
	c.shows(reader, changed, clock())
	c.cachedAfter(met, changed, reader, other)
	c.settle()
}

// behaviour 66: a writer is killed while the database commits, which takes effect after that.
func TestKilledInCommit(t *testing.T) {
	t.Parallel()
	c, w := told(t, mourning)
	writer, reader, other := w[0], w[1], w[2]
	place := c.places[0]
	old := writer.saves(1, 0)
	c.serves(reader, old)
	place.gate.shut(t)
	writer.begin(saving(1, 1))
	c.waits(place)
	met := c.meets(reader, 1)
	place.worker.kill()
	c.shows(reader, old, clock())
	place.gate.open(t)
	c.bearAway(place)
	changed := c.stored(1)
	if changed.Value == old.Value {
		t.Fatal("the COMMIT did not take effect")
	}
	c.shows(reader, changed, clock())
	c.shows(other, changed, clock())
	c.cachedAfter(met, changed, reader, other)
	c.settle()
}

// behaviour 66: a writer is killed after its COMMIT, before it has taken its tokens out, or when it has done so on some
// of the servers.
func TestKilledBeforeFinish(t *testing.T) {
	for name, hung := range map[string]func(p *place) []*testserver.Relay{
		"everywhere":    func(p *place) []*testserver.Relay { return p.relays },
		"on one server": func(p *place) []*testserver.Relay { return p.relays[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, w := told(t, mourning)
			writer, reader, other := w[0], w[1], w[2]
			place := c.places[0]
			var ids []uint64 // of which each server has some
			for id := uint64(1); id <= 24; id++ {
				writer.saves(id, 0)
				reader.do(record{Kind: get, ID: id})
				ids = append(ids, id)
			}
			place.gate.shut(t)
			writer.begin(record{Kind: several, IDs: ids, ID: ids[0], Code: codeOf(ids[0], 1), Shelf: shelfOf(ids[0], 1)})
			c.waits(place)
			for _, r := range hung(place) {
				r.Hang()
			}
			place.gate.open(t)
			eventually(t, time.Minute, "the COMMIT does not take effect", func() bool { return c.stored(ids[0]).Shelf == shelfOf(ids[0], 1) })
			var standing, gone []uint64 // rows whose tokens stand, and those that are flushed
			met := clock()
			look := func() bool {
				standing, gone = nil, nil
				for _, id := range ids {
					if r := reader.do(record{Kind: get, ID: id, Fresh: true}); r.Tier == "under write" {
						standing = append(standing, id)
					} else {
						gone = append(gone, id)
					}
				}
				return len(standing) > 0 && (len(hung(place)) == len(place.relays) || len(gone) > 0)
			}
			eventually(t, time.Minute, "the tokens are not as they should be", look)
			c.bearAway(place)
			// Some of them may have been on their way out: now nobody takes them out but readers, after IntentTTL.
			if !look() {
				t.Fatalf("behind the writer's death the tokens of rows %v stand, those of %v are out", standing, gone)
			}
			t.Logf("the tokens of rows %v stand, those of %v are out", standing, gone)
			c.agrees(reader, ids)
			c.agrees(other, ids)
			eventually(t, time.Minute, "a row is not cached again", func() bool {
				r := reader.do(record{Kind: get, ID: standing[0], Fresh: true})
				if r.Tier == "second tier" && r.End-met < int64(c.setup.intentTTL) {
					t.Fatalf("row %d was cached %v after its writer was killed", standing[0], time.Duration(r.End-met))
				}
				return r.Tier == "second tier"
			})
			c.settle()
		})
	}
}

// cachedAfter waits until processes have a row in both tiers again, which a token kept out of them that was met at a time.
func (c *cluster) cachedAfter(met int64, row seen, workers ...*worker) {
	c.t.Helper()
	for _, w := range workers {
		if took := time.Duration(c.serves(w, row) - met); took < c.setup.intentTTL {
			c.t.Errorf("process %d served from memcached %v after it had met the token, and IntentTTL is %v", w.number, took, c.setup.intentTTL)
		}
	}
}

// behaviour 68: a process that was stopped for longer than MaxStale serves nothing from before, neither where it can
// catch up nor where it cannot.
func TestStoppedReader(t *testing.T) {
	t.Parallel()
	c, w := told(t, setup{servers: 3, strict: true, maxStale: 100 * time.Millisecond})
	writer, reader := w[0], w[1]
	place := c.places[1]
	row := writer.saves(1, 0)
	c.follows(reader, row)
	for i := range 6 {
		c.serves(reader, row)
		reader.stop()
		row = writer.saves(1, 1-i%2)
		waitUntil(clock()+int64(c.setup.maxStale)+1, nil)
		if i%3 == 1 { // it catches up
			reader.goOn()
			waitUntil(clock()+int64(c.setup.maxStale), nil)
			reader.reads(row, false)
			continue
		}
		if i%3 == 2 { // it cannot
			for _, r := range place.relays {
				r.Cut()
			}
		}
		all := ways(row, false)
		answers := make([]<-chan record, len(all))
		for i, e := range all {
			answers[i] = reader.begin(e.read) // the first that it does when it goes on
		}
		reader.goOn()
		for i, e := range all {
			e.is(t, reader, reader.answer(answers[i]))
		}
		for _, r := range place.relays {
			r.Mend()
		}
	}
	c.settle()
}

// behaviours 66 and 68: a writer is stopped between its tokens and its COMMIT for so long that others take it for dead; it leaves
// its tokens anew.
func TestStoppedWriter(t *testing.T) {
	t.Parallel()
	c, w := told(t, setup{
		servers: 1, strict: true, maxStale: 100 * time.Millisecond, intentTTL: 5 * time.Second, timeout: time.Minute,
	})
	writer, reader, other := w[0], w[1], w[2]
	relay := c.places[0].relays[0]
	old := writer.saves(1, 0)
	c.serves(reader, old)
	relay.Hang()
	answer := writer.begin(saving(1, 1))
	c.meets(reader, 1)
	writer.stop()
	relay.Mend()
	for _, w := range []*worker{reader, other} {
		eventually(t, time.Minute, "the writer is not taken for dead", func() bool {
			r := w.do(record{Kind: get, ID: 1, Fresh: true})
			expected{read: r, rows: []seen{old}}.is(t, w, r)
			return r.Tier == "second tier"
		})
	}
	writer.goOn()
	changed := writer.answer(answer)
	if changed.Error != "" {
		t.Fatal(changed.Error)
	}
	c.shows(reader, changed.made(), changed.End)
	c.shows(other, changed.made(), changed.End)
	c.serves(reader, changed.made())
	c.settle()
}
