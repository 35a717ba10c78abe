package histories_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	// spares says that the part only spares loads: without it nothing stale is served, and there is nothing that a history
	// could show. TestInterleaving of tiered finds it out.
	spares bool
	// releases says that the part is between programs with different tags, of which histories have none. TestInterleaving of
	// tiered finds it out.
	releases bool
}

// wanted reports whether the flag asks for a mutation.
func (m mutation) wanted() bool {
	return !m.releases && (*withoutFlag == "" && m.short || *withoutFlag == "all" || slices.Contains(strings.Split(*withoutFlag, ","), m.part))
}

// mutations are the parts that a history can miss.
func mutations() []mutation {
	two := setup{servers: 1, processes: 2, strict: true}
	three := setup{servers: 3, processes: 3, strict: true}
	commits := []string{"slow SQL", "slow COMMIT", "kill in COMMIT", "delay"}
	return []mutation{
		// By histories at random.
		{part: "Intent", plan: plan{setup: three, faults: commits}},
		{part: "StampsBefore", plan: plan{setup: two, faults: []string{"slow SQL"}}},
		{part: "Observation", plan: plan{setup: three, faults: commits}},
		// By a script.
		{part: "OtherTokens"},
		{part: "StampedJoins", short: true},
		{part: "Renewal"},
		{part: "Drop"},
		{part: "SecondDrop"},
		{part: "LostRecord"},
		{part: "Wait"},
		{part: "Hold", short: true},
		{part: "Stripe"},
		{part: "EarlyRecord", short: true},
		{part: "DeadStamp"},
		{part: "TokenFirst"},
		{part: "Closing"},
		{part: "NewNumber"},
		{part: "NextBatch"},
		{part: "BothRings"},
		{part: "Steps", short: true},
		{part: "CheckedFills", spares: true},
		{part: "Terms", releases: true},
	}
}

// Each part has its mutation.
func TestMutationsAreOfAllParts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "internal", "without", "without.go"))
	must(t, err)
	var have, want []string
	for _, m := range mutations() {
		have = append(have, m.part)
		if _, scripted := scripts()[m.part]; !m.releases && scripted == (m.plan.faults != nil) {
			t.Errorf("%s wants a plan or a script", m.part)
		}
	}
	for _, found := range regexp.MustCompile(`(?m)^\t(\w+) += false`).FindAllSubmatch(text, -1) {
		want = append(want, string(found[1]))
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("there are mutations of %q, and parts %q", have, want)
	}
}

// A protocol without one of its parts is found out.
func TestWithoutAPart(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "worker")
	build := exec.Command("go", "test", "-c", "-tags", "without", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, m := range mutations() {
		if !m.wanted() {
			continue
		}
		t.Run(m.part, func(t *testing.T) {
			if *withoutFlag == "" {
				t.Parallel()
			}
			began, seed := clock(), *seedFlag
			for try := range 10 {
				h := m.try(t, binary, m.part, seed+int64(try))
				violations := h.checkBounds()
				rows, _, bad := h.checkLinear()
				if len(violations)+len(bad)+len(h.problems) > 0 {
					t.Logf("found after %v: %d reads out of bounds, %d of %d rows not linearizable; seed %d",
						time.Duration(clock()-began).Round(100*time.Millisecond), len(violations), len(bad), rows, seed+int64(try))
					if len(violations) > 0 {
						t.Log(violations[0].text)
					}
					if m.spares {
						t.Error("it is more than a matter of cost")
					}
					return
				}
				if m.spares {
					return
				}
			}
			t.Errorf("not found in %v", time.Duration(clock()-began).Round(time.Second))
		})
	}
}

// try runs one round, or the script, without a part.
func (m mutation) try(t *testing.T, binary, part string, seed int64) *history {
	if s, ok := scripts()[m.part]; ok {
		s.setup.binary, s.setup.environment = binary, []string{"CACHEGEN_WITHOUT=" + part}
		c, w := told(t, s.setup)
		s.steps(c, w)
		return c.history(newFigures(), nil, nil)
	}
	p := m.plan
	p.setup.binary, p.setup.environment = binary, []string{"CACHEGEN_WITHOUT=" + part}
	p.tracks, p.length = cmp.Or(p.tracks, 3), cmp.Or(p.length, 8*time.Second)
	c := newCluster(t, p.random(seed))
	return c.run(p, seed, newFigures())
}

// The scripts find nothing where nothing is left out.
func TestScripts(t *testing.T) {
	for _, m := range mutations() {
		if _, scripted := scripts()[m.part]; !scripted || !m.wanted() {
			continue
		}
		t.Run(m.part, func(t *testing.T) {
			t.Parallel()
			m.try(t, "", "", 0).judge(t, m.part, "", newFigures())
		})
	}
}
