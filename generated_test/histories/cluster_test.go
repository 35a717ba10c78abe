package histories_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	"gorm.io/gorm"
)

// setup says how a cluster is put together. What is zero has a default.
type setup struct {
	servers             int // memcached
	memory              string
	processes           int
	strict              bool
	maxStale, intentTTL time.Duration
	timeout             time.Duration
	lockTimeout         time.Duration // of the workers' statements, COMMIT among them
	binary              string        // the workers' program; this test's by default
	environment         []string      // of the workers
	change              func(*workerPlan)
	rings               [][]int // of servers, from one to the next of which the places are taken in steps; else all servers are used
}

// cluster is a database and memcached servers, and the processes that use them.
type cluster struct {
	t        *testing.T
	setup    setup
	dir      string
	database fixture.Database
	db       *gorm.DB
	servers  []*testserver.Server
	places   []*place
	started  int
	all      []*worker // also those that have ended
	stalls   *stalls
}

// place is where one process runs, with its ways to the servers; after a process has ended another takes its place.
type place struct {
	name   string              // application_name of its sessions
	relays []*testserver.Relay // by server
	sql    *testserver.Relay
	gate   *gate
	worker *worker // that runs there; nil while none does
	step   int     // of the changes of servers, for the next worker
}

func newCluster(t *testing.T, s setup) *cluster {
	t.Helper()
	if s.binary == "" {
		var err error
		s.binary, err = os.Executable()
		must(t, err)
	}
	if s.maxStale == 0 {
		s.maxStale = 150 * time.Millisecond
	}
	if s.intentTTL == 0 {
		s.intentTTL = 3 * time.Second
	}
	if s.timeout == 0 {
		s.timeout = 250 * time.Millisecond
	}
	if s.lockTimeout == 0 {
		s.lockTimeout = time.Second
	}
	c := &cluster{t: t, setup: s, dir: t.TempDir(), stalls: watchStalls(t, s.intentTTL/2)}
	c.database, c.db = openTruth(t)
	host, port := fixtureAddr(c.database.DSN())
	for range s.servers {
		var args []string
		if s.memory != "" {
			args = []string{"-m", s.memory}
		}
		c.servers = append(c.servers, testserver.Memcached(t, args...))
	}
	for i := range s.processes {
		p := &place{name: fmt.Sprint("worker", i), sql: testserver.Proxy(t, host+":"+port)}
		p.gate = newGate(t, c.database, p.name)
		for _, server := range c.servers {
			p.relays = append(p.relays, testserver.Proxy(t, server.Addr()))
		}
		c.places = append(c.places, p)
	}
	t.Cleanup(func() {
		for _, p := range c.places {
			if p.worker != nil {
				p.worker.kill()
			}
		}
	})
	return c
}

// fixtureAddr takes the server's address out of a DSN of key=value pairs.
func fixtureAddr(dsn string) (host, port string) {
	for _, field := range strings.Fields(dsn) {
		if v, ok := strings.CutPrefix(field, "host="); ok {
			host = v
		}
		if v, ok := strings.CutPrefix(field, "port="); ok {
			port = v
		}
	}
	return host, port
}

// worker is one process.
type worker struct {
	t      *testing.T
	number int
	log    string
	cmd    *exec.Cmd
	input  io.WriteCloser
	said   bytes.Buffer  // on standard error; read once it has ended
	ended  chan struct{} // closed when it has ended

	mu      sync.Mutex
	calls   int
	waiting map[int]chan record
	lines   chan struct{} // closed when its output has ended

	// Which the test notes, by clock.
	stops [][2]int64 // from SIGSTOP to SIGCONT
	gone  int64      // when the database had ended all sessions of a process that was killed; 0: it was not
}

// start starts a process in a place, and returns when it is ready.
func (c *cluster) start(p *place) *worker {
	c.t.Helper()
	c.started++
	plan := workerPlan{
		Number: c.started,
		DSN: fmt.Sprintf("%s host=127.0.0.1 port=%s application_name=%s deadlock_timeout=50ms lock_timeout=%d",
			c.database.DSN(), portOf(p.sql.Addr()), p.name, c.setup.lockTimeout.Milliseconds()),
		Relays: map[string]string{}, Strict: c.setup.strict,
		MaxStale: c.setup.maxStale, IntentTTL: c.setup.intentTTL, Timeout: c.setup.timeout,
		Log: filepath.Join(c.dir, fmt.Sprintf("worker-%d.log", c.started)),
	}
	for i, s := range c.servers {
		plan.Relays[s.Addr()] = p.relays[i].Addr()
	}
	plan.Servers, plan.Also, plan.Step = c.rings(p.step)
	if c.setup.change != nil {
		c.setup.change(&plan)
	}
	text, err := json.Marshal(plan)
	must(c.t, err)
	w := &worker{t: c.t, number: plan.Number, log: plan.Log, ended: make(chan struct{}), waiting: map[int]chan record{}, lines: make(chan struct{})}
	w.cmd = exec.Command(c.setup.binary)
	w.cmd.Env = append(append(os.Environ(), c.setup.environment...), workerEnv+"="+string(text))
	w.cmd.Stderr = &w.said
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	w.input, err = w.cmd.StdinPipe()
	must(c.t, err)
	output, err := w.cmd.StdoutPipe()
	must(c.t, err)
	must(c.t, w.cmd.Start())
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	ready := lines.Scan() && lines.Text() == "ready"
	go func() {
		w.listen(lines)
		_ = w.cmd.Wait()
		close(w.ended)
	}()
	if !ready {
		<-w.ended
		c.t.Fatalf("worker %d did not start: %v\n%s", w.number, w.cmd.ProcessState, w.said.String())
	}
	p.worker = w
	c.all = append(c.all, w)
	return w
}

// rings returns the servers of a step, by the procedure of docs/servers.md.
func (c *cluster) rings(step int) (first, also []string, number int) {
	if c.setup.rings == nil {
		for _, s := range c.servers {
			first = append(first, s.Addr())
		}
		return first, nil, 0
	}
	ring := func(k int) (names []string) {
		for _, i := range c.setup.rings[k%len(c.setup.rings)] {
			names = append(names, c.servers[i].Addr())
		}
		return names
	}
	switch k := step / 3; step % 3 {
	case 0:
		return ring(k), nil, step
	case 1:
		return ring(k), ring(k + 1), step
	default:
		return ring(k + 1), ring(k), step
	}
}

// roll ends the process in a place, and starts one there that is a step further in the change of servers.
func (c *cluster) roll(p *place) *worker {
	c.t.Helper()
	p.worker.end()
	p.step++
	return c.start(p)
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// listen hands the answers to commands to who waits for them.
func (w *worker) listen(lines *bufio.Scanner) {
	defer close(w.lines)
	for lines.Scan() {
		var r record
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue
		}
		w.mu.Lock()
		w.waiting[r.Call] <- r
		delete(w.waiting, r.Call)
		w.mu.Unlock()
	}
}

// begin gives the worker a command, and returns where its answer will be.
func (w *worker) begin(r record) <-chan record {
	w.t.Helper()
	answer := make(chan record, 1)
	w.mu.Lock()
	w.calls++
	r.Call = w.calls
	w.waiting[r.Call] = answer
	w.mu.Unlock()
	b, err := json.Marshal(r)
	must(w.t, err)
	_, err = w.input.Write(append(b, '\n'))
	must(w.t, err)
	return answer
}

// do gives the worker a command, and returns its answer.
func (w *worker) do(r record) record {
	w.t.Helper()
	return w.answer(w.begin(r))
}

// answer waits for an answer.
func (w *worker) answer(from <-chan record) record {
	w.t.Helper()
	timer := time.NewTimer(3 * time.Minute)
	defer timer.Stop()
	select {
	case r := <-from:
		return r
	case <-w.lines:
		w.t.Fatalf("worker %d has ended", w.number)
	case <-timer.C:
		w.t.Fatalf("worker %d does not answer", w.number)
	}
	return record{}
}

// kill ends the worker at once, by SIGKILL.
func (w *worker) kill() {
	_ = w.cmd.Process.Signal(syscall.SIGKILL)
	<-w.ended
}

// bury waits until the database has ended what a process that was killed has left behind: each of its writes has happened
// by then, or never will.
func (c *cluster) bury(p *place) {
	c.t.Helper()
	awaitNoSessions(c.t, c.db, p.name)
	p.worker.gone = clock()
}

// stop stops the worker in its tracks; goOn lets it go on.
func (w *worker) stop() {
	w.stops = append(w.stops, [2]int64{clock(), never})
	must(w.t, testserver.Halt(w.cmd.Process))
}

func (w *worker) goOn() {
	must(w.t, w.cmd.Process.Signal(syscall.SIGCONT))
	w.stops[len(w.stops)-1][1] = clock()
}

// end asks the worker to end, and waits until it has; it fails the test where the worker hangs or says that
// something is wrong.
func (w *worker) end() {
	w.t.Helper()
	w.input.Close()
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	select {
	case <-w.ended:
	case <-timer.C:
		_ = w.cmd.Process.Signal(syscall.SIGQUIT) // it prints its goroutines
		<-w.ended
		w.t.Fatalf("worker %d hangs:\n%s", w.number, w.said.String())
	}
	if !w.cmd.ProcessState.Success() {
		w.t.Errorf("worker %d: %v\n%s", w.number, w.cmd.ProcessState, w.said.String())
	}
}
