package modes_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// The journal's server cannot be reached by one program, which reaches those of the rows that are looked at.

// maxStale is long enough for two reads to come within it on a busy machine.
const maxStale = time.Second

func withMaxStale(o *fixture.Options) { o.Tiered.MaxStale = maxStale }

// journalCut returns a world whose first program does not reach the journal, and the rows on another server.
func journalCut(t *testing.T, mode cacheruntime.Mode) (w *world, server int, kept []uint64) {
	w = newWorld(t, 3, mode, withMaxStale)
	server = w.journal()
	kept = w.at((server + 1) % 3)
	for _, p := range []*program{w.a, w.b} {
		p.eventually("the journal is not followed", func() bool { return p.Store.Stats().Journal })
	}
	w.a.relays[server].Cut()
	return w, server, kept
}

// Entries and lists are served from the second tier as usual. From the first a stamp counts for MaxStale from when it
// was asked for, so that what another program writes is seen as soon as with a journal.
func journalReads(t *testing.T) {
	w, server, kept := journalCut(t, cacheruntime.Available)
	w.a.eventually("the journal counts as followed", func() bool { return !w.a.Store.Stats().Journal })
	w.a.isCached(kept[0], "old")
	before := w.a.RT.Stats()
	w.a.eventually("nothing is served by the first tier", func() bool {
		w.a.read(ctx, kept[0])
		return w.a.RT.Stats().Minus(before).FirstHits > 0
	})
	// What programs with other tags flush is not known any more after a while: lists are right, and loaded.
	w.a.eventually("lists are cached without the registry", func() bool {
		before := w.a.RT.Stats()
		for _, id := range kept {
			c, err := w.a.M.Croupon.Objects.Get(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := w.a.M.Croupon.Cache.ListByCity(fresh, c.City); err != nil || len(got) != 1 || got[0].ID != id {
				t.Errorf("a list is %v, %v", got, err)
			}
		}
		return w.a.RT.Stats().Minus(before).Reasons[flushlist.Unregistered] == int64(len(kept))
	})
	w.a.isCached(kept[0], "old")
	// The first tier again, while the other program writes.
	w.b.writes(kept[0], "new")
	written := time.Now()
	w.a.eventually("the write is not seen", func() bool {
		began := time.Now()
		got := w.a.read(ctx, kept[0])
		if got == "old" && began.Sub(written) > maxStale {
			t.Errorf("a read that began %v after the write is behind", began.Sub(written))
		}
		return got == "new"
	})
	t.Logf("the write was seen after %v, MaxStale is %v", time.Since(written), maxStale)
	w.a.relays[server].Mend()
	w.a.eventually("the journal is not followed again", func() bool { return w.a.Store.Stats().Journal })
	w.a.isCached(kept[0], "new")
}

func journalStrict(t *testing.T) {
	w, server, kept := journalCut(t, cacheruntime.Strict)
	w.a.refuses(kept[0])
	if err := w.a.retitle(kept[0], "refused"); err == nil || !strings.Contains(err.Error(), "journal") {
		t.Errorf("the error does not say that it is the journal: %v", err)
	}
	// The tokens were taken out: the entry is still there for everybody.
	w.b.isCached(kept[0], "old")
	w.a.isCached(kept[0], "old")
	w.b.writes(kept[1], "new")
	w.a.sees(kept[1], "new")
	w.a.relays[server].Mend()
	w.a.writesAgain(kept[0], "new")
	w.b.sees(kept[0], "new")
}

func journalAvailable(t *testing.T) {
	w, server, kept := journalCut(t, cacheruntime.Available)
	w.b.wants(kept[0], "old") // it is in the other's first tier now
	w.a.writes(kept[0], "new")
	w.a.wants(kept[0], "new")
	if n := w.a.events(flushlist.JournalUndelivered); n != 1 {
		t.Errorf("%d records are reported undelivered", n)
	}
	// The other's first tier goes by a journal that has no record of the write; its flush has reached its server.
	t.Logf("from its first tier the other program reads %q", w.b.read(ctx, kept[0]))
	if got := w.b.title(kept[1]); got != "old" {
		t.Errorf("another row is %q", got)
	}
	w.a.relays[server].Mend()
	back := time.Now()
	w.a.eventually("the record is not delivered", func() bool { return w.a.events(flushlist.JournalDelivered) == 1 })
	t.Logf("the journal was told %v after its server was back", time.Since(back))
	w.b.eventually("the other's first tier is behind", func() bool { return w.b.read(ctx, kept[0]) == "new" })
	t.Logf("the other's first tier was right %v after that", time.Since(back))
	w.b.wants(kept[0], "new")
	// Past its first tier it is right at once, however long the journal is out of reach.
	w.a.relays[server].Cut()
	w.a.writes(kept[1], "new")
	if got := w.b.title(kept[1]); got != "new" {
		t.Errorf("past its first tier the other program reads %q", got)
	}
}
