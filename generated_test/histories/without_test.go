package histories_test

import (
	"cmp"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// mutation leaves out one part of the protocol (internal/without), under faults that make it missed.
type mutation struct {
	part  string
	plan  plan
	short bool // is among the few that are run always
}

// mutations are the parts that a history can miss.
func mutations() []mutation {
	two := setup{servers: 1, processes: 2, strict: true}
	three := setup{servers: 3, processes: 3, strict: true}
	commits := []string{"slow SQL", "slow COMMIT", "kill in COMMIT", "delay"}
	return []mutation{
		{"Intent", plan{setup: three, faults: commits}, true},
		{"OtherTokens", plan{setup: three, faults: commits}, false},
		{"StampsBefore", plan{setup: two, faults: []string{"slow SQL"}}, true},
		{"EarlyRecord", followed(2, "kill in COMMIT"), false},
		{"TokenFirst", followed(3, "late"), false},
		{"Stripe", followed(3, "delay"), false},
		{"StampedJoins", plan{setup: two, faults: []string{"slow SQL"}}, true},
		{"Closing", followed(3, "late"), false},
		{"Wait", scene("begins while a token is late", nil), false},
		{"NewNumber", scene("stopped with a number", func(s *setup) {
			s.processes, s.timeout, s.intentTTL = 2, 20*time.Second, time.Minute
		}), false},
		{"Drop", followed(1, "delay"), true},
		{"Hold", plan{setup: setup{servers: 3, processes: 3}, faults: []string{"cut", "hang"}}, true},
		{"Renewal", scene("dies after a late COMMIT", func(s *setup) { s.timeout, s.intentTTL = 2*time.Second, 500*time.Millisecond }), false},
		{"Observation", plan{setup: three, faults: commits}, true},
		{"SecondDrop", scene("token lost", nil), false},
		{"LostRecord", scene("token lost", nil), false},
		{"DeadStamp", scene("kill in COMMIT", func(s *setup) { s.intentTTL = 600 * time.Millisecond }), false},
		{"NextBatch", plan{setup: two, faults: []string{"delay"}}, false},
		{"CheckedFills", plan{setup: three, faults: []string{"slow SQL", "delay", "late", "stop"}}, false},
	}
}

// followed is a plan that shows what the journal is for: a process goes by it after its first 5 seconds, and what it was not told of shows
// while the row is not written again.
func followed(tracks int, faults ...string) plan {
	return plan{
		setup: setup{
			servers: 3, processes: 3, strict: true, maxStale: 40 * time.Millisecond,
			change: func(w *workerPlan) {
				w.Epoch, w.Rows, w.Shelves, w.WritePace, w.Pace = time.Hour, 12, 4, 60*time.Millisecond, 3*time.Millisecond
			},
		},
		tracks: tracks, faults: faults, calm: 6 * time.Second, length: 13 * time.Second,
	}
}

// scene is a plan of one fault, over and over.
func scene(fault string, change func(*setup)) plan {
	p := followed(1, fault)
	if change != nil {
		change(&p.setup)
	}
	return p
}

// A protocol without one of its parts is found out.
func TestWithoutAPart(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "worker")
	build := exec.Command("go", "test", "-c", "-tags", "without", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	seed, wanted := *seedFlag, strings.Split(*withoutFlag, ",")
	for _, m := range mutations() {
		if *withoutFlag == "" && !m.short || *withoutFlag != "" && *withoutFlag != "all" && !slices.Contains(wanted, m.part) {
			continue
		}
		t.Run(m.part, func(t *testing.T) {
			began := clock()
			m.plan.setup.binary, m.plan.setup.environment = binary, []string{"CACHEGEN_WITHOUT=" + m.part}
			m.plan.tracks = cmp.Or(m.plan.tracks, 3)
			for try := range 4 {
				m.plan.length = max(m.plan.length, time.Duration(4+4*try)*time.Second)
				c := newCluster(t, m.plan.random(seed))
				h := c.run(m.plan, seed, newFigures())
				violations := h.checkBounds()
				rows, _, bad := h.checkLinear()
				seed++
				if len(violations)+len(bad)+len(h.problems) > 0 {
					t.Logf("found after %v: %d reads out of bounds, %d of %d rows not linearizable; seed %d",
						time.Duration(clock()-began).Round(100*time.Millisecond), len(violations), len(bad), rows, seed-1)
					if len(violations) > 0 {
						t.Log(violations[0].text)
					}
					return
				}
			}
			t.Errorf("not found in %v", time.Duration(clock()-began).Round(time.Second))
		})
	}
}
