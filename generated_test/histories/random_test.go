package histories_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// plan is a kind of round.
type plan struct {
	name    string
	setup   setup
	length  time.Duration // of a short round
	tracks  int           // of faults at the same time
	faults  []string
	evicted bool // memcached may lose an item at any time
	slower  int  // how many times longer than else the processes wait between operations
}

// plans are the rounds that are run in turns.
func plans() []plan {
	return []plan{
		{
			name: "processes", setup: setup{servers: 3, strict: true}, length: 8 * time.Second, tracks: 3,
			faults: []string{"kill", "kill in COMMIT", "stop", "slow COMMIT", "delay", "late", "drop", "slow SQL", "SQL cut in COMMIT", "long stop"},
		},
		{
			name: "servers", setup: setup{servers: 3, strict: true}, length: 8 * time.Second, tracks: 3,
			faults: []string{"cut", "hang", "frozen memcached", "memcached restarted", "flush_all", "delay", "late", "stop", "slow COMMIT", "slow SQL"},
		},
		{
			name: "evictions", setup: setup{servers: 1, strict: true, memory: "2"}, length: 6 * time.Second, tracks: 2, evicted: true,
			faults: []string{"filler", "delay", "late", "stop", "slow COMMIT", "slow SQL"},
		},
		{
			name: "tight", length: 7 * time.Second, tracks: 2,
			setup:  setup{servers: 6, maxStale: time.Millisecond, change: func(w *workerPlan) { w.Tight = true }},
			faults: []string{"kill", "cut", "hang", "memcached restarted", "stop", "drop", "slow COMMIT", "slow SQL"},
		},
		{
			name: "available", setup: setup{servers: 3}, length: 7 * time.Second, tracks: 3,
			faults: []string{"kill", "cut", "hang", "frozen memcached", "memcached restarted", "stop", "delay", "late", "slow COMMIT", "slow SQL"},
		},
		{
			name: "changes of servers", setup: setup{servers: 3, strict: true, rings: [][]int{{0, 1, 2}, {0, 1}, {1, 2}}}, length: 7 * time.Second, tracks: 1,
			faults: []string{"rolled", "rolled", "rolled", "rolled", "rolled", "kill", "delay", "late", "slow COMMIT", "slow SQL"},
		},
	}
}

// behaviours 66, 68, 69, 71, 102, 109: histories of reads and writes at random, while processes and servers fail.
func TestHistories(t *testing.T) {
	short := *forFlag == 0
	if short {
		t.Parallel()
	}
	began, first, figures := clock(), *seedFlag, newFigures()
	t.Cleanup(func() {
		t.Log(figures)
		if figures.reads > 0 && (figures.first == 0 || figures.second == 0) {
			t.Error("the cache was not used")
		}
	})
	for done := false; !done; done = clock()-began >= int64(*forFlag) {
		for i, p := range plans() {
			if *planFlag != "" && *planFlag != p.name {
				continue
			}
			seed := first + int64(i)
			t.Run(fmt.Sprint(p.name, "/", seed), func(t *testing.T) {
				if short { // and gentle, since others run beside it
					t.Parallel()
					p.length, p.slower = p.length*2/3, 2
				} else {
					p.length = 30 * time.Second
				}
				round(t, p, seed, figures)
			})
		}
		first += int64(len(plans()))
		if !short {
			fmt.Printf("%s after %s\n", figures, time.Duration(clock()-began).Round(time.Second))
		}
	}
}

// round runs one round and checks it.
func round(t *testing.T, p plan, seed int64, figures *figures) {
	c := newCluster(t, p.random(seed))
	h := c.run(p, seed, figures)
	h.judge(t, fmt.Sprint(p.name, "-", seed), fmt.Sprintf("-histories.seed=%d -histories.plan=%s runs it again", seed, p.name), figures)
}

// random returns the plan's setup with workers that work at random.
func (p plan) random(seed int64) setup {
	s := p.setup
	if s.processes == 0 {
		s.processes = *workersFlag
	}
	base := clock()
	change := s.change
	s.change = func(w *workerPlan) {
		pace := 3 * time.Millisecond * time.Duration(max(p.slower, 1))
		w.Seed, w.Readers, w.Writers, w.Pace, w.WritePace = seed, 6, 2, pace, pace
		w.Base, w.Epoch, w.Rows, w.Shelves = base, 2*time.Second, 8, 2
		if change != nil {
			change(w)
		}
	}
	return s
}

// run starts the processes, does the plan's faults to them, and returns what happened.
func (c *cluster) run(p plan, seed int64, figures *figures) *history {
	for _, place := range c.places {
		c.start(place)
	}
	began := clock()
	faults := schedule(rand.New(rand.NewPCG(uint64(seed), 0)), c, p.faults, p.tracks, 300*time.Millisecond, p.length-500*time.Millisecond)
	lossy := c.inflict(faults, began)
	if p.evicted {
		lossy = append(lossy, [2]int64{0, never})
	}
	waitUntil(began+int64(p.length), nil)
	return c.history(figures, faults, lossy)
}

// history ends the processes that live, and returns what happened.
func (c *cluster) history(figures *figures, faults []fault, lossy [][2]int64) *history {
	logs, stops, gone := map[int][]record{}, map[int][][2]int64{}, map[int]int64{}
	for _, place := range c.places {
		if place.worker != nil {
			place.worker.end()
			place.worker = nil
		}
	}
	rows := readTruth(c.t, c.db)
	for _, w := range c.all {
		records, err := readLog(w.log)
		must(c.t, err)
		logs[w.number], stops[w.number], gone[w.number] = records, c.stalls.and(w.stops), w.gone
	}
	figures.add(faults, logs)
	return newHistory(c.setup, rows, logs, stops, gone, lossy)
}

// judge checks a history, and keeps what is needed to see why it is wrong. again says how to run it again.
func (h *history) judge(t *testing.T, name, again string, figures *figures) {
	t.Helper()
	violations := h.checkBounds()
	rows, operations, bad := h.checkLinear()
	figures.checked(len(h.rows), rows, operations, len(violations)+len(bad)+len(h.problems))
	t.Logf("%d reads of %d rows, %d of them checked by porcupine with %d steps", len(h.reads), len(h.rows), rows, operations)
	if len(violations)+len(bad)+len(h.problems) == 0 {
		return
	}
	dir := h.keep(t, name, violations, bad)
	for _, p := range h.problems {
		t.Error(p)
	}
	for _, v := range violations[:min(len(violations), 3)] {
		t.Error(v.text)
	}
	for _, l := range bad[:min(len(bad), 3)] {
		t.Errorf("row %d is not linearizable (%s)", l.row, l.result)
	}
	t.Errorf("%d reads are not within their bounds, %d rows are not linearizable; what happened is in %s; %s", len(violations), len(bad), dir, again)
}

// keep writes the history of each row concerned into a folder, and returns it.
func (h *history) keep(t *testing.T, name string, violations []violation, bad []linearity) string {
	t.Helper()
	root := *keepFlag
	if root == "" {
		root = os.TempDir()
	}
	must(t, os.MkdirAll(root, 0o755))
	dir, err := os.MkdirTemp(root, fmt.Sprintf("histories-%s-", strings.ReplaceAll(name, "/", "-")))
	must(t, err)
	var text strings.Builder
	for _, v := range violations {
		text.WriteString(v.text)
	}
	must(t, os.WriteFile(filepath.Join(dir, "violations.txt"), []byte(text.String()), 0o644))
	for _, l := range bad {
		must(t, porcupine.VisualizePath(registerModel, l.info, filepath.Join(dir, fmt.Sprintf("row-%d.html", l.row))))
	}
	var all bytes.Buffer
	lines := json.NewEncoder(&all)
	for _, r := range h.all {
		must(t, lines.Encode(struct {
			Worker int `json:"worker"`
			record
		}{r.worker, r}))
	}
	must(t, os.WriteFile(filepath.Join(dir, "history.jsonl"), all.Bytes(), 0o644))
	var rows []uint64
	for id := range h.rows {
		rows = append(rows, id)
	}
	slices.Sort(rows)
	var states strings.Builder
	for _, id := range rows {
		fmt.Fprintf(&states, "row %d\n", id)
		for i, s := range h.rows[id] {
			fmt.Fprintf(&states, "%6d %s\n", i, s.told())
		}
	}
	must(t, os.WriteFile(filepath.Join(dir, "states.txt"), []byte(states.String()), 0o644))
	return dir
}
