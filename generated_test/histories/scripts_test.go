package histories_test

import (
	"strings"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
)

// script leads processes that do what they are told to where one part of the protocol is needed, which random faults
// would take long to find. It asserts nothing: what the processes read is judged by the same checks.
type script struct {
	setup setup
	steps func(c *cluster, w []*worker)
}

// inScripts are the rows of scripts: so many that some lie on each server.
var inScripts = []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}

// scripts are the scripts by the part that is needed.
func scripts() map[string]script {
	journaled := setup{servers: 3, strict: true, maxStale: 100 * time.Millisecond, intentTTL: 20 * time.Second}
	dying := journaled
	dying.intentTTL = 1500 * time.Millisecond
	hasty := journaled
	hasty.intentTTL = time.Second
	joined := setup{servers: 1, strict: true, maxStale: 100 * time.Millisecond}
	late := journaled
	// The writer looks at the journal each 7 seconds, and so does not close its own number before it puts its record.
	late.maxStale, late.intentTTL, late.timeout = 28*time.Second, 40*time.Second, 20*time.Second
	begun := journaled
	begun.maxStale = 4 * time.Second // nor does it here, before its tokens are there
	available := setup{servers: 3, maxStale: 100 * time.Millisecond}
	changing := setup{servers: 3, strict: true, maxStale: 100 * time.Millisecond, rings: [][]int{{0, 1, 2}, {0, 1}}}
	return map[string]script{
		"EarlyRecord":  {journaled, diesInCommit},
		"DeadStamp":    {dying, diesInText},
		"TokenFirst":   {journaled, func(c *cluster, w []*worker) { lateTokens(c, w, 500*time.Millisecond) }},
		"Closing":      {journaled, func(c *cluster, w []*worker) { lateTokens(c, w, 1800*time.Millisecond) }},
		"NewNumber":    {late, func(c *cluster, w []*worker) { beginsMeanwhile(c, w, 6*time.Second) }},
		"Wait":         {begun, func(c *cluster, w []*worker) { beginsMeanwhile(c, w, 3*time.Second) }},
		"Hold":         {available, cutOffFromCells},
		"Drop":         {journaled, written},
		"SecondDrop":   {journaled, tokensLost},
		"LostRecord":   {journaled, tokensLost},
		"OtherTokens":  {journaled, secondWriter},
		"Renewal":      {hasty, tooOldTokens},
		"StampedJoins": {joined, lateLoads},
		"Stripe":       {journaled, flushedWhileAnswersAreLate},
		"NextBatch":    {joined, readsWhileAnswersAreLate},
		"BothRings":    {changing, oneStepApart},
		"Steps":        {changing, awayAndBack},
		"CheckedFills": {journaled, fillsLate},
	}
}

// rewriting is the command that writes all rows of a script. It flushes the rows and none of the lists that they are in, so
// that no server has more tokens to take at once than there are connections to it.
func rewriting() record { return record{Kind: bulk, Shelf: shelfOf(inScripts[0], 1)} }

// makes makes the rows, all on one shelf.
func (c *cluster) makes(writer *worker) {
	c.t.Helper()
	if r := writer.do(record{Kind: several, IDs: inScripts, ID: inScripts[0], Code: codeOf(inScripts[0], 1), Shelf: shelfOf(inScripts[0], 1)}); r.Error != "" {
		c.t.Fatal(r.Error)
	}
}

// begins makes the rows, and waits until a process has them in its first tier and goes by the journal.
func (c *cluster) begins(writer, reader *worker) {
	c.t.Helper()
	c.makes(writer)
	reader.do(record{Kind: getMany, IDs: inScripts})
	c.follows(reader, seen{ID: inScripts[0]})
	reader.do(record{Kind: getMany, IDs: inScripts})
}

// agesAndReads reads the rows when what was so before is past MaxStale.
func (c *cluster) agesAndReads(w *worker) {
	waitUntil(clock()+int64(c.setup.maxStale)+int64(50*time.Millisecond), nil)
	w.do(record{Kind: getMany, IDs: inScripts})
	w.do(record{Kind: getMany, IDs: inScripts, Fresh: true})
}

// written: a process writes what another has in its first tier.
func written(c *cluster, w []*worker) {
	c.begins(w[0], w[1])
	w[0].do(rewriting())
	c.agesAndReads(w[1])
}

// diesInCommit: the writer is killed while the database commits. What others had in their first tiers falls by its record.
func diesInCommit(c *cluster, w []*worker) {
	c.begins(w[0], w[1])
	c.killInCommit(w[0], rewriting())
	c.agesAndReads(w[1])
}

// killInCommit kills the writer while the database commits a write, which takes effect.
func (c *cluster) killInCommit(writer *worker, write record) {
	c.t.Helper()
	place := c.places[0]
	place.gate.shut(c.t)
	writer.begin(write)
	c.waits(place)
	place.worker.kill()
	place.gate.open(c.t)
	c.bearAway(place)
}

// diesInText: the same with SQL text, which flushes the whole table. The token is taken out by who reads other rows than
// the one that was written.
func diesInText(c *cluster, w []*worker) {
	reader := w[1]
	c.begins(w[0], reader)
	c.killInCommit(w[0], record{Kind: raw, ID: inScripts[0]})
	eventually(c.t, time.Minute, "a dead writer's token stands", func() bool {
		return !strings.Contains(reader.do(record{Kind: getMany, IDs: inScripts[1:], Fresh: true}).Tier, "under write")
	})
	c.agesAndReads(reader)
}

// lateTokens: the writer has taken its number, and its tokens take long to some of the servers; meanwhile a reader goes on
// reading the journal, and the rows.
func lateTokens(c *cluster, w []*worker, by time.Duration) {
	writer, reader := w[0], w[1]
	c.begins(writer, reader)
	for _, r := range c.besideJournal(c.places[0]) {
		r.Late(by)
	}
	c.browsesUntilWritten(reader, writer.begin(rewriting()))
	c.agesAndReads(reader)
}

// browsesUntilWritten has a process ask memcached for the rows, and keep in its first tier what it may, until it has
// met all tokens of the first process's write; and returns when that has returned.
func (c *cluster) browsesUntilWritten(w *worker, answer <-chan record) {
	c.t.Helper()
	met := map[int]bool{} // by row: its token
	var written *record
	eventually(c.t, time.Minute, "a write does not end", func() bool {
		r := w.do(record{Kind: getMany, IDs: inScripts, Fresh: true})
		for i, tier := range strings.Split(r.Tier, ", ") {
			if tier == "under write" {
				met[i] = true
			}
		}
		select {
		case r := <-answer: // a slow process may have missed some
			written = &r
		default:
		}
		return len(met) == len(inScripts) || written != nil
	})
	for _, r := range c.places[0].relays {
		r.Late(0)
	}
	if written == nil {
		r := c.all[0].answer(answer)
		written = &r
	}
	if written.Error != "" {
		c.t.Fatal(written.Error)
	}
}

// beginsMeanwhile: the writer has taken its number, and its tokens are late; a process begins, at a head past the number,
// and reads the rows.
func beginsMeanwhile(c *cluster, w []*worker, by time.Duration) {
	writer, place := w[0], c.places[1]
	c.makes(writer)
	c.alone()
	for _, r := range c.besideJournal(c.places[0]) {
		r.Late(by)
	}
	client := testserver.Client(c.servers[c.journal()].Addr())
	defer client.Close()
	head := func() string {
		it, err := client.Get("@journal:head")
		must(c.t, err)
		return string(it.Value)
	}
	before := head()
	answer := writer.begin(rewriting())
	eventually(c.t, time.Minute, "the writer takes no number", func() bool { return head() != before })
	reader := c.start(place)
	c.browsesUntilWritten(reader, answer)
	c.agesAndReads(reader)
}

// readsWhileAnswersAreLate: a write returns while the answer to a read of before is on its way, and then another read begins.
func readsWhileAnswersAreLate(c *cluster, w []*worker) {
	writer, reader, place := w[0], w[1], c.places[1]
	read := record{Kind: get, ID: 1, Fresh: true}
	for i := range 4 {
		writer.saves(1, i%2)
		reader.do(read)
		place.relays[0].Delay(800 * time.Millisecond)
		asked := place.relays[0].Requests()
		first := reader.begin(read)
		eventually(c.t, time.Minute, "nothing is asked", func() bool { return place.relays[0].Requests() > asked })
		waitUntil(clock()+int64(20*time.Millisecond), nil) // what was asked may have been something else
		writer.saves(1, 1-i%2)
		second := reader.begin(read)
		reader.answer(first)
		reader.answer(second)
		place.relays[0].Delay(0)
	}
}

// flushedWhileAnswersAreLate: a process hears of a write while memcached's answer of before, with the stamps of before, is on
// its way to it.
func flushedWhileAnswersAreLate(c *cluster, w []*worker) {
	writer, reader := w[0], w[1]
	c.begins(writer, reader)
	for _, r := range c.besideJournal(c.places[1]) {
		r.Delay(800 * time.Millisecond)
	}
	answer := reader.begin(record{Kind: getMany, IDs: inScripts, Fresh: true})
	waitUntil(clock()+int64(100*time.Millisecond), nil) // for it to be asked
	if r := writer.do(rewriting()); r.Error != "" {
		c.t.Fatal(r.Error)
	}
	reader.answer(answer)
	for _, r := range c.places[1].relays {
		r.Delay(0)
	}
	c.agesAndReads(reader)
}

// cutOffFromCells: in mode Available a process writes rows whose servers it does not reach, and reads them.
func cutOffFromCells(c *cluster, w []*worker) {
	c.begins(w[1], w[0])
	for _, r := range c.besideJournal(c.places[0]) {
		r.Cut()
	}
	if r := w[0].do(rewriting()); r.Error != "" {
		c.t.Fatal(r.Error)
	}
	c.agesAndReads(w[0])
	for _, r := range c.places[0].relays {
		r.Mend()
	}
}

// oneStepApart: two processes are one step apart in a change of servers, and either writes.
func oneStepApart(c *cluster, w []*worker) {
	c.places[2].worker.end() // it would be left behind
	c.places[2].worker = nil
	for _, steps := range [][2]int{{0, 1}, {1, 2}, {2, 3}} {
		for i, p := range c.places[:2] {
			for p.step < steps[i] {
				w[i] = c.roll(p)
			}
		}
		for i := range 2 {
			c.makes(w[i])
			w[1-i].do(record{Kind: getMany, IDs: inScripts})
			if r := w[i].do(rewriting()); r.Error != "" {
				c.t.Fatal(r.Error)
			}
			c.agesAndReads(w[1-i])
		}
	}
}

// awayAndBack: rows move to other servers, are written there, and move back.
func awayAndBack(c *cluster, w []*worker) {
	c.alone()
	one := w[0]
	c.makes(one)
	one.do(record{Kind: getMany, IDs: inScripts})
	for step := 1; step <= 6; step++ {
		one = c.roll(c.places[0])
		if step == 3 {
			one.do(rewriting())
		}
		c.agesAndReads(one)
	}
}

// alone ends all processes but the first.
func (c *cluster) alone() {
	c.t.Helper()
	for _, p := range c.places[1:] {
		p.worker.end()
		p.worker = nil
	}
}

// fillsLate: a slow load ends after a newer value was stored. What it stores is under the stamps of before, so that it is
// never served: the part keeps a newer entry where it is, and spares its readers a load.
func fillsLate(c *cluster, w []*worker) {
	writer, reader, other := w[0], w[1], w[2]
	c.begins(writer, reader)
	writer.do(rewriting())
	c.places[1].sql.Delay(300 * time.Millisecond)
	slow := reader.begin(record{Kind: getMany, IDs: inScripts, Fresh: true})
	waitUntil(clock()+int64(100*time.Millisecond), nil)
	c.makes(writer)
	other.do(record{Kind: getMany, IDs: inScripts, Fresh: true})
	reader.answer(slow)
	c.places[1].sql.Delay(0)
	c.agesAndReads(reader)
	c.agesAndReads(other)
}
