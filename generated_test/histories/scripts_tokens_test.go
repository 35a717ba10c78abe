package histories_test

import (
	"strings"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
)

// The scripts of tokens that are lost, replaced or too old, and of loads that are late.

// tokensLost: the servers lose the cells with a writer's tokens before its COMMIT takes effect, and all processes make
// them anew.
func tokensLost(c *cluster, w []*worker) {
	writer, place := w[0], c.places[0]
	c.begins(w[1], writer)
	c.follows(w[1], seen{ID: inScripts[0]})
	place.gate.shut(c.t)
	answer := writer.begin(rewriting())
	c.waits(place)
	at := c.journal()
	for i, s := range c.servers {
		if i != at {
			must(c.t, testserver.Client(s.Addr()).DeleteAll())
		}
	}
	for _, w := range w {
		for range 2 {
			w.do(record{Kind: getMany, IDs: inScripts, Fresh: true})
		}
	}
	place.gate.open(c.t)
	writer.answer(answer)
	for _, w := range w {
		c.agesAndReads(w)
	}
}

// secondWriter: a writer's COMMIT is under way, and another writer of the same list comes and goes; then the first is killed.
func secondWriter(c *cluster, w []*worker) {
	const shelf = 7777
	list := record{Kind: list, Shelf: shelf, Fresh: true}
	onShelf := func(id uint64) record { return record{Kind: save, ID: id, Code: codeOf(id, 1), Shelf: shelf} }
	place, reader := c.places[0], w[2]
	w[0].do(onShelf(1))
	reader.do(list)
	place.gate.shut(c.t)
	w[0].begin(onShelf(2))
	c.waits(place)
	w[1].do(onShelf(3))
	reader.do(list)
	reader.do(list)
	place.worker.kill()
	place.gate.open(c.t)
	c.bearAway(place)
	reader.do(list)
}

// tooOldTokens: a writer's record takes longer than IntentTTL after its tokens, which others have taken out by then; it
// dies in its COMMIT.
func tooOldTokens(c *cluster, w []*worker) {
	writer, reader, place := w[0], w[1], c.places[0]
	c.makes(writer)
	read := record{Kind: getMany, IDs: inScripts, Fresh: true}
	reader.do(read)
	way := place.relays[c.journal()]
	way.Late(1500 * time.Millisecond)
	place.gate.shut(c.t)
	writer.begin(rewriting())
	met := false
	eventually(c.t, time.Minute, "the writer is not taken for dead", func() bool {
		under := strings.Contains(reader.do(read).Tier, "under write")
		met = met || under
		return met && !under
	})
	reader.do(read)
	way.Late(0)
	c.waits(place)
	place.worker.kill()
	place.gate.open(c.t)
	c.bearAway(place)
	c.agesAndReads(reader)
}

// lateLoads: a reader has loaded a row, and the database's answer is on its way; a write of the row returns, and another reader
// in the same process begins.
func lateLoads(c *cluster, w []*worker) {
	writer, reader, way := w[0], w[1], c.places[1].sql
	read := record{Kind: get, ID: 1, Fresh: true}
	for i := range 4 {
		writer.saves(1, i%2)
		reader.do(read)
		writer.saves(1, i%2)
		way.Delay(600 * time.Millisecond)
		asked := way.Requests()
		first := reader.begin(read)
		eventually(c.t, time.Minute, "nothing is loaded", func() bool { return way.Requests() > asked })
		waitUntil(clock()+int64(20*time.Millisecond), nil) // for the database to answer
		writer.saves(1, 1-i%2)
		second := reader.begin(read)
		reader.answer(first)
		reader.answer(second)
		way.Delay(0)
		reader.do(read)
	}
}
