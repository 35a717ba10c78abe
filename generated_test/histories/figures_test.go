package histories_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// figures are what all rounds did together, some of them at the same time.
type figures struct {
	mu                                               sync.Mutex
	rounds, reads, writes, failedReads, failedWrites int
	first, second, misses                            int64
	forgotten                                        int64
	rows, linearRows, linearSteps, violations        int
	faults                                           map[string]int
	events                                           map[string]int64
}

func newFigures() *figures { return &figures{faults: map[string]int{}, events: map[string]int64{}} }

func (f *figures) add(faults []fault, logs map[int][]record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rounds++
	for _, fault := range faults {
		f.faults[fault.name]++
	}
	for _, records := range logs {
		for _, r := range records {
			switch {
			case r.Kind == statistics:
				f.first, f.second, f.misses = f.first+r.Statistics.First, f.second+r.Statistics.Second, f.misses+r.Statistics.Misses
				f.forgotten += r.Statistics.Forgotten
				for name, n := range r.Statistics.Events {
					f.events[name] += n
				}
			case r.End == 0: // the beginning of a write
			case r.Kind.isRead() && r.Error != "":
				f.failedReads++
			case r.Kind.isRead():
				f.reads++
			case r.Kind.isWrite() && r.Error != "":
				f.failedWrites++
			case r.Kind.isWrite():
				f.writes++
			}
		}
	}
}

// checked adds what a round's checks found.
func (f *figures) checked(rows, linear, steps, violations int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows, f.linearRows, f.linearSteps, f.violations = f.rows+rows, f.linearRows+linear, f.linearSteps+steps, f.violations+violations
}

// String says it in words. Hits are those of the processes that lived to tell them.
func (f *figures) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("%d rounds: %d reads (%d failed), %d writes (%d failed); %d lookups served by the first tier, %d by the second, %d misses; "+
		"stamps forgotten %d times; faults: %s; events: %s; %d rows checked, %d of them by porcupine with %d steps; %d violations",
		f.rounds, f.reads, f.failedReads, f.writes, f.failedWrites, f.first, f.second, f.misses,
		f.forgotten, inWords(f.faults), inWords(f.events), f.rows, f.linearRows, f.linearSteps, f.violations)
}

func inWords[N int | int64](counts map[string]N) string {
	var parts []string
	for name, n := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", n, name))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
