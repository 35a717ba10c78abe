package histories_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
)

// Servers that lose what they have, or are lost to one process, while the others go on.

// behaviour 69: memcached is restarted, or flushed, when a write has left its tokens and before its COMMIT takes effect.
func TestServersLoseTokens(t *testing.T) {
	restart := func(s *testserver.Server) {
		s.Stop()
		s.Start()
	}
	flush := func(s *testserver.Server) { must(t, testserver.Client(s.Addr()).DeleteAll()) }
	for name, does := range map[string]struct {
		lose    func(*testserver.Server)
		journal bool // is lost too
	}{"restarted": {restart, true}, "flushed": {flush, true}, "cells flushed": {flush, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, w := told(t, setup{servers: 3, strict: true, maxStale: 100 * time.Millisecond})
			writer, place := w[0], c.places[0]
			c.begins(writer, w[1])
			c.follows(w[2], seen{ID: inScripts[0]})
			place.gate.shut(t)
			answer := writer.begin(rewriting())
			c.waits(place)
			began, at := clock(), c.journal()
			for i, s := range c.servers {
				if does.journal || i != at {
					does.lose(s)
				}
			}
			lossy := [2]int64{began, clock()}
			// Nothing says any more that the rows are being written, and what is read now is cached.
			for _, w := range w {
				eventually(t, time.Minute, "no row is cached anew", func() bool {
					w.do(record{Kind: getMany, IDs: inScripts, Fresh: true})
					return strings.Contains(w.do(record{Kind: getMany, IDs: inScripts}).Tier, "first tier")
				})
				c.agrees(w, inScripts)
			}
			place.gate.open(t)
			if changed := writer.answer(answer); changed.Error != "" {
				t.Fatal(changed.Error)
			}
			for _, w := range w {
				c.agrees(w, inScripts)
			}
			c.settle(lossy)
		})
	}
}

// behaviour 69: one of three servers is cut off from one process, and back. In mode Strict nothing is stale, and what that
// process writes there fails; in mode Available others are behind its writes until it reaches the server again.
func TestCutOff(t *testing.T) {
	for _, strict := range []bool{true, false} {
		for _, journal := range []bool{true, false} {
			t.Run(fmt.Sprintf("strict=%v/journal=%v", strict, journal), func(t *testing.T) {
				t.Parallel()
				cutOff(t, strict, journal)
			})
		}
	}
}

func cutOff(t *testing.T, strict, journal bool) {
	c, w := told(t, setup{servers: 3, strict: strict, maxStale: 100 * time.Millisecond})
	apart, other, third := w[0], w[1], w[2]
	const rows = 40 // of which each server has some
	state := map[uint64]seen{}
	for id := uint64(1); id <= rows; id++ {
		state[id] = other.saves(id, 0)
		apart.do(record{Kind: get, ID: id})
	}
	at := c.journal()
	if !journal {
		at = (at + 1) % len(c.servers)
	}
	relay := c.places[0].relays[at]
	relay.Cut()
	var there []uint64 // the rows that it does not find any more
	for id := uint64(1); id <= rows; id++ {
		r := apart.do(record{Kind: get, ID: id, Fresh: true})
		expected{read: r, rows: []seen{state[id]}}.is(t, apart, r)
		if r.Tier == "unreachable" {
			there = append(there, id)
		}
	}
	if len(there) < 2 {
		t.Fatalf("rows %v of %d lie on the server", there, rows)
	}
	theirs, its := there[0], there[1]
	// The others write, and it is right at once.
	state[theirs] = other.saves(theirs, 1)
	c.shows(apart, state[theirs], clock())
	c.shows(third, state[theirs], clock())
	// It writes.
	answer := apart.do(saving(its, 1))
	switch {
	case strict:
		if !answer.Refused || c.stored(its) != state[its] {
			t.Errorf("a write where a token cannot be left returns %q, and the database has %v", answer.Error, c.stored(its))
		}
		c.shows(third, state[its], clock())
	case answer.Error != "":
		t.Errorf("a write in mode Available: %s", answer.Error)
	default:
		state[its] = answer.made()
	}
	c.shows(apart, state[its], 0)
	relay.Mend()
	mended := clock()
	if strict {
		eventually(t, time.Minute, "it cannot write again", func() bool {
			answer = apart.do(saving(its, 1))
			return answer.Error == ""
		})
		state[its] = answer.made()
	} else {
		for _, w := range []*worker{other, third} {
			eventually(t, time.Minute, "others are not told", func() bool {
				r := w.do(record{Kind: list, Shelf: state[its].Shelf, Fresh: true})
				return len(r.Rows) == 1 && r.Rows[0] == state[its]
			})
		}
		t.Logf("others were told %v after it reached the server again", time.Duration(clock()-mended))
	}
	for _, w := range []*worker{apart, third} {
		c.serves(w, state[theirs])
		eventually(t, time.Minute, "what was written is not read", func() bool {
			r := w.do(record{Kind: get, ID: its})
			return len(r.Rows) == 1 && r.Rows[0] == state[its]
		})
	}
	c.serves(third, state[its])
	c.settle()
}
