package histories_test

import (
	"os"
	"os/exec"
	"path/filepath"
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
	return []mutation{
		{"Intent", plan{setup: three, faults: []string{"slow SQL", "slow COMMIT", "kill in COMMIT", "delay"}}, true},
		{"OtherTokens", plan{setup: three, faults: []string{"slow SQL", "slow COMMIT", "kill in COMMIT", "delay"}}, true},
		{"StampsBefore", plan{setup: two, faults: []string{"slow SQL"}}, true},
		{"EarlyRecord", plan{setup: three, faults: []string{"slow SQL", "slow COMMIT", "kill in COMMIT", "delay"}}, false},
		{"TokenFirst", plan{setup: three, faults: []string{"delay", "late"}}, false},
		{"Stripe", plan{setup: two, faults: []string{"delay", "late"}}, true},
		{"StampedJoins", plan{setup: two, faults: []string{"slow SQL"}}, true},
		{"Closing", plan{setup: three, faults: []string{"late", "frozen memcached", "stop"}}, false},
		{"Wait", plan{setup: three, faults: []string{"kill", "late"}}, false},
		{"NewNumber", plan{setup: three, faults: []string{"kill", "late", "stop"}}, false},
		{"Drop", plan{setup: two, faults: []string{"delay"}}, true},
		{"Hold", plan{setup: setup{servers: 3, processes: 3}, faults: []string{"cut", "hang"}}, true},
		{"Renewal", plan{setup: three, faults: []string{"kill in COMMIT", "late", "stop"}}, false},
		{"Observation", plan{setup: three, faults: []string{"slow SQL", "slow COMMIT", "kill in COMMIT", "delay"}}, true},
		{"CheckedFills", plan{setup: three, faults: []string{"slow SQL", "delay", "late", "stop"}}, false},
	}
}

// A protocol without one of its parts is found out.
func TestWithoutAPart(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "worker")
	build := exec.Command("go", "test", "-c", "-tags", "without", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	seed := *seedFlag
	for _, m := range mutations() {
		switch *withoutFlag {
		case "":
			if !m.short {
				continue
			}
		case "all":
		default:
			if *withoutFlag != m.part {
				continue
			}
		}
		t.Run(m.part, func(t *testing.T) {
			began := clock()
			m.plan.setup.binary, m.plan.setup.environment = binary, []string{"CACHEGEN_WITHOUT=" + m.part}
			m.plan.tracks = 3
			for try := range 4 {
				m.plan.length = time.Duration(4+4*try) * time.Second
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
	_ = os.Remove(binary)
}
