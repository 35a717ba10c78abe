package histories_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// throttles are the parts of every 100 ms in which a process of the hour is stopped, each for a minute in turn: what
// Linux does to the processes of a group that has used up its cpu.max.
var throttles = []time.Duration{0, 50 * time.Millisecond, 70 * time.Millisecond, 80 * time.Millisecond}

// How often do processes under load, with garbage collections and too little of a processor, forget the stamps they
// know, though nothing fails? With -histories.hour=1h it runs so long, and must not find it at all; without, it
// shows that the count works.
//
// The servers are given a second to answer: one that does not in time is a failure, after which stamps are rightly
// forgotten, and on a machine that does other things too it must not be taken for one.
//
//	go test -timeout 2h -run TestForgottenStamps -v ./histories -histories.hour=1h
func TestForgottenStamps(t *testing.T) {
	length, minute := *hourFlag, time.Minute
	if length == 0 {
		t.Parallel()
		length, minute = 4*time.Second, time.Second
	}
	base := clock()
	c := newCluster(t, setup{
		servers: 3, processes: 3, maxStale: 200 * time.Millisecond, intentTTL: 10 * time.Second, timeout: time.Second,
		change: func(w *workerPlan) {
			w.Seed, w.Base, w.Epoch, w.Rows, w.Shelves = *seedFlag, base, 100*time.Hour, 60, 6
			w.Readers, w.Writers, w.Pace, w.WritePace = 3, 2, 40*time.Millisecond, 200*time.Millisecond
			w.GCPercent, w.Tell = 20, minute/20
			for server := range w.Relays {
				w.Relays[server] = server
			}
		},
	})
	for _, p := range c.places {
		c.start(p)
	}
	for i := 0; clock()-base < int64(length); i++ {
		from, share := clock(), throttles[i%len(throttles)]
		c.throttle(share, minute, *seedFlag+int64(i))
		c.tellForgotten(fmt.Sprintf("minute %d, stopped for %v of every 100 ms", i, share), from)
	}
	for _, p := range c.places {
		p.worker.end()
		p.worker = nil
	}
	all := c.tellForgotten("in all", 0)
	switch {
	case all.Writes == 0 || all.Reads == 0 || all.First == 0 && *hourFlag > 0:
		t.Error("the cache was not used")
	case all.Forgotten > 0 && *hourFlag > 0:
		t.Errorf("stamps were forgotten %d times", all.Forgotten)
	}
}

// throttle stops each process for a share of every 100 ms, at times of its own.
func (c *cluster) throttle(share, length time.Duration, seed int64) {
	const period = 100 * time.Millisecond
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	var throttling sync.WaitGroup
	for _, p := range c.places {
		at, process := clock()+r.Int64N(int64(period)), p.worker.cmd.Process
		until := at + int64(length)
		throttling.Go(func() {
			for ; at < until; at += int64(period) {
				waitUntil(at, nil)
				if share == 0 {
					continue
				}
				if process.Signal(syscall.SIGSTOP) != nil {
					return // it has ended; its end will tell
				}
				waitUntil(at+int64(share), nil)
				_ = process.Signal(syscall.SIGCONT)
			}
		})
	}
	throttling.Wait()
}

// tellForgotten prints what the processes have counted since they began, and which stamps were forgotten since a time.
func (c *cluster) tellForgotten(when string, since int64) (all totals) {
	c.t.Helper()
	events := map[string]int{}
	var told strings.Builder
	for _, w := range c.all {
		records, err := readLog(w.log)
		must(c.t, err)
		var last totals
		for _, r := range records {
			switch {
			case r.Kind == statistics:
				last = *r.Statistics
			case r.Kind == event && r.End >= since:
				events[eventKind(r.Error)]++
				if since != 0 {
					fmt.Fprintf(&told, "  process %d at %s: %s\n", w.number, ms(r.End), r.Error)
				}
			}
		}
		all.Reads, all.Writes, all.First, all.Second = all.Reads+last.Reads, all.Writes+last.Writes, all.First+last.First, all.Second+last.Second
		all.Misses, all.Forgotten = all.Misses+last.Misses, all.Forgotten+last.Forgotten
	}
	fmt.Printf("%s: %d reads, %d writes; %d lookups served by the first tier, %d by the second, %d misses; stamps forgotten %d times; events: %s\n%s",
		when, all.Reads, all.Writes, all.First, all.Second, all.Misses, all.Forgotten, inWords(events), told.String())
	return all
}

// eventKind returns the kind of an event that was logged.
func eventKind(text string) string {
	for k := range flushlist.EventKinds {
		if name := flushlist.EventKind(k).String(); strings.HasPrefix(text, name) {
			return name
		}
	}
	return text
}
