package histories_test

import (
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/cachegen/cachegen/internal/testserver"
)

// scenes are faults of several steps, each of which leads to where one part of the protocol is needed.
func scenes() []faultKind {
	const msec = time.Millisecond
	return []faultKind{
		// The servers lose the cells with a writer's tokens before its COMMIT takes effect, and others make them anew.
		{"token lost", false, false, 150 * msec, 150 * msec, func(d *draw) (_, _ func(*cluster)) {
			p := d.c.places[0]
			return func(c *cluster) {
				c.shutUntilWaiting(p)
				at := c.journal()
				for i, s := range c.servers {
					if i != at {
						must(c.t, memcache.New(s.Addr()).DeleteAll())
					}
				}
			}, func(c *cluster) { p.gate.open(c.t) }
		}},
		// A writer's record takes longer than IntentTTL after its token; it dies in its COMMIT.
		{"dies after a late COMMIT", false, false, 2500 * msec, 2500 * msec, func(d *draw) (_, _ func(*cluster)) {
			p := d.c.places[0]
			return func(c *cluster) {
					p.gate.shut(c.t)
					p.relays[c.journal()].Late(700 * msec)
				}, func(c *cluster) {
					p.worker.kill()
					p.relays[c.journal()].Late(0)
					p.gate.open(c.t)
					c.bury(p)
					c.start(p)
				}
		}},
	}
}

// journal returns the server that the journal lies on.
func (c *cluster) journal() int {
	for i, s := range c.servers {
		client := memcache.New(s.Addr())
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
