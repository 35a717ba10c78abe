package cacheruntime

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// Stats are counts since the Runtime was made. Minus gives the counts of a span.
type Stats struct {
	// FirstHits, SecondHits and Misses count lookups of entries: a list of 20 rows is 21 lookups.
	FirstHits, SecondHits, Misses int64
	// Reasons counts the misses by their reason, and the hits by tier.
	Reasons [flushlist.Outcomes]int64
	// SharedLoads counts the misses that were served by a load that another caller had begun.
	SharedLoads int64
	// AwaitedLoads counts the loads that waited for one of another process: loads of lists and counts, and of
	// rows whose model is tagged lease.
	AwaitedLoads int64
	// CacheStatements, ObjectStatements and PluginStatements count SQL statements: those that
	// Cache accessors sent for misses, those that Objects accessors sent, and those that the plugin
	// sent to see what a write changes, and to ask the database's catalog.
	CacheStatements, ObjectStatements, PluginStatements int64
	// Sampled is what Options.Sample found, and SampleStatements counts its SQL statements.
	Sampled          Sampled
	SampleStatements int64
	// LoadErrors counts loads that failed.
	LoadErrors int64
	// Flushes counts writes and manual flushes that flushed anything; FlushedLists their lists.
	Flushes, FlushedLists int64
	// LongLists counts reads of lists longer than Options.ListWindow, which are not cached.
	LongLists int64
	// NotStored counts what was loaded under a ticket that allowed no storing.
	NotStored int64
	// AlteredLoads counts loads that were not stored because the application added something to their
	// statement; see docs/tenants.md. Reads that left the cache alone for that reason are among Reasons,
	// as flushlist.Altered.
	AlteredLoads int64
	// UnrecognisedSQL counts SQL texts, given to Exec or Raw, that flushed every model because the plugin
	// could not tell which tables they write; see Options.RawSQL.
	UnrecognisedSQL int64
	// Events counts what the store reported.
	Events [flushlist.EventKinds]int64
}

// Hits is the sum of FirstHits and SecondHits.
func (s Stats) Hits() int64 { return s.FirstHits + s.SecondHits }

// HitRatio is the share of lookups that were hits, from 0 to 1; 0 where there were none.
func (s Stats) HitRatio() float64 {
	if n := s.Hits() + s.Misses; n > 0 {
		return float64(s.Hits()) / float64(n)
	}
	return 0
}

// String returns the counts that are not zero, a line each.
func (s Stats) String() string {
	var b strings.Builder
	line := func(n int64, what string) {
		if n != 0 {
			fmt.Fprintf(&b, "%10d %s\n", n, what)
		}
	}
	for o, n := range s.Reasons {
		if flushlist.Outcome(o).Hit() {
			line(n, "hits: "+flushlist.Outcome(o).String())
		}
	}
	for o, n := range s.Reasons {
		if !flushlist.Outcome(o).Hit() {
			line(n, "misses: "+flushlist.Outcome(o).String())
		}
	}
	line(s.SharedLoads, "loads shared")
	line(s.AwaitedLoads, "loads of another process awaited")
	line(s.LoadErrors, "loads failed")
	line(s.NotStored, "values not stored")
	line(s.AlteredLoads, "loads altered by the application")
	line(s.LongLists, "reads of long lists")
	line(s.CacheStatements, "SQL statements of Cache")
	line(s.ObjectStatements, "SQL statements of Objects")
	line(s.PluginStatements, "SQL statements of the plugin")
	line(s.SampleStatements, "SQL statements of the sampler")
	line(s.Sampled.Hits, "hits compared with the database")
	line(s.Sampled.Behind, "of them behind, as allowed")
	line(s.Sampled.Stale, "of them stale")
	if s.Sampled.WorstAge > 0 {
		fmt.Fprintf(&b, "%10s the worst of them, %s\n", s.Sampled.WorstAge.Round(time.Millisecond), s.Sampled.WorstKey)
	}
	line(s.Sampled.Dropped, "samples dropped")
	line(s.Flushes, "flushes")
	line(s.FlushedLists, "lists flushed")
	line(s.UnrecognisedSQL, "SQL texts not recognised")
	for k, n := range s.Events {
		line(n, "events: "+flushlist.EventKind(k).String())
	}
	return b.String()
}

// Minus returns what was counted since t was taken.
func (s Stats) Minus(t Stats) Stats { return s.combine(t, -1) }

// Plus returns the counts of s and t together, as for several runtimes.
func (s Stats) Plus(t Stats) Stats { return s.combine(t, 1) }

func (s Stats) combine(t Stats, sign int64) Stats {
	s.FirstHits += sign * t.FirstHits
	s.SecondHits += sign * t.SecondHits
	s.Misses += sign * t.Misses
	s.SharedLoads += sign * t.SharedLoads
	s.AwaitedLoads += sign * t.AwaitedLoads
	s.CacheStatements += sign * t.CacheStatements
	s.ObjectStatements += sign * t.ObjectStatements
	s.PluginStatements += sign * t.PluginStatements
	s.SampleStatements += sign * t.SampleStatements
	s.Sampled = s.Sampled.combine(t.Sampled, sign)
	s.LoadErrors += sign * t.LoadErrors
	s.Flushes += sign * t.Flushes
	s.FlushedLists += sign * t.FlushedLists
	s.LongLists += sign * t.LongLists
	s.NotStored += sign * t.NotStored
	s.AlteredLoads += sign * t.AlteredLoads
	s.UnrecognisedSQL += sign * t.UnrecognisedSQL
	for i := range s.Reasons {
		s.Reasons[i] += sign * t.Reasons[i]
	}
	for i := range s.Events {
		s.Events[i] += sign * t.Events[i]
	}
	return s
}

// counters are Stats as they are counted, by any goroutine.
type counters struct {
	reasons                                             [flushlist.Outcomes]atomic.Int64
	sharedLoads, awaitedLoads                           atomic.Int64
	cacheStatements, objectStatements, pluginStatements atomic.Int64
	sampleStatements                                    atomic.Int64
	loadErrors                                          atomic.Int64
	flushes, flushedLists                               atomic.Int64
	longLists, notStored, alteredLoads                  atomic.Int64
	unrecognisedSQL                                     atomic.Int64
	events                                              [flushlist.EventKinds]atomic.Int64
}

func (c *counters) read(o flushlist.Outcome, shared bool) {
	c.reasons[o].Add(1)
	if shared {
		c.sharedLoads.Add(1)
	}
}

func (c *counters) event(k flushlist.EventKind) {
	if int(k) < len(c.events) {
		c.events[k].Add(1)
	}
}

// pluginStatement counts a statement of the plugin's own.
func (c *counters) pluginStatement() { c.pluginStatements.Add(1) }

// Stats returns the counts so far. Counts that belong together may be a moment apart.
func (rt *Runtime) Stats() Stats {
	c := &rt.stats
	s := Stats{
		SharedLoads:      c.sharedLoads.Load(),
		AwaitedLoads:     c.awaitedLoads.Load(),
		CacheStatements:  c.cacheStatements.Load(),
		ObjectStatements: c.objectStatements.Load(),
		PluginStatements: c.pluginStatements.Load(),
		SampleStatements: c.sampleStatements.Load(),
		Sampled:          rt.sampler.stats(),
		LoadErrors:       c.loadErrors.Load(),
		Flushes:          c.flushes.Load(),
		FlushedLists:     c.flushedLists.Load(),
		LongLists:        c.longLists.Load(),
		NotStored:        c.notStored.Load(),
		AlteredLoads:     c.alteredLoads.Load(),
		UnrecognisedSQL:  c.unrecognisedSQL.Load(),
	}
	for i := range s.Reasons {
		n := c.reasons[i].Load()
		s.Reasons[i] = n
		switch o := flushlist.Outcome(i); {
		case o == flushlist.HitFirst:
			s.FirstHits = n
		case o == flushlist.HitSecond:
			s.SecondHits = n
		default:
			s.Misses += n
		}
	}
	for i := range s.Events {
		s.Events[i] = c.events[i].Load()
	}
	return s
}

// namesOf returns the names of lists, sorted.
func namesOf(lists []flushlist.List) []string {
	names := make([]string, len(lists))
	for i, l := range lists {
		names[i] = l.Name
	}
	slices.Sort(names)
	return names
}
