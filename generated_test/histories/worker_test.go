package histories_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/histories"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// workerEnv is set in a worker's environment, to its plan.
const workerEnv = "CACHEGEN_HISTORIES_WORKER"

// workerPlan is all that a worker is told. Times are nanoseconds in JSON.
type workerPlan struct {
	Number int               // of the process, from 1, never given twice: the upper part of its writes' numbers
	DSN    string            // of the database, through the worker's relay
	Relays map[string]string // by server: the address at which this process reaches it

	Servers, Also       []string
	Step                int
	Strict              bool
	MaxStale, IntentTTL time.Duration
	Timeout             time.Duration
	Tight               bool // one connection to a server, and as little memory as there may be

	Log string // the file for its records

	// A random history.
	Seed      int64
	Readers   int           // goroutines that only read
	Writers   int           // goroutines that write, and read a little
	Pace      time.Duration // from the beginning of an operation to that of the next, in one goroutine
	WritePace time.Duration // the same in goroutines that write
	Base      int64         // when epoch 0 begins, by clock
	Epoch     time.Duration // each has rows of its own
	Rows      int
	Shelves   int

	GCPercent int           // where not 0; then collections are forced too
	Tell      time.Duration // where not 0: only events are logged, and the totals so often
}

// process is what a worker works with.
type process struct {
	plan  workerPlan
	db    *gorm.DB
	store *tiered.Store
	rt    *cacheruntime.Runtime
	m     *histories.Models
	log   *logFile

	written      atomic.Int64 // writes begun
	finished     atomic.Int64 // reads that returned something
	owing        atomic.Bool  // a write has ended with something undelivered
	journalOwing atomic.Bool
}

// work is a worker's main function. It works until its input ends.
func work(text string) (code int) {
	var p process
	if err := json.Unmarshal([]byte(text), &p.plan); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 2
	}
	if err := p.run(); err != nil {
		fmt.Fprintf(os.Stderr, "worker %d: %v\n", p.plan.Number, err)
		return 1
	}
	return 0
}

func (p *process) run() (err error) {
	if err := p.open(); err != nil {
		return err
	}
	defer func() {
		if e := p.store.Close(); e != nil && !errors.Is(e, tiered.ErrUndelivered) { // servers were stopped
			err = errors.Join(err, e)
		}
	}()
	stop := make(chan struct{})
	commands := make(chan record)
	go func() {
		defer close(stop)
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			var r record
			if json.Unmarshal(lines.Bytes(), &r) == nil {
				commands <- r
			}
		}
	}()
	fmt.Println("ready")
	var running sync.WaitGroup
	ended := make(chan struct{})
	running.Go(func() { p.watchDebts(ended) })
	if p.plan.GCPercent != 0 {
		debug.SetGCPercent(p.plan.GCPercent)
		running.Go(func() { collect(ended) })
	}
	if p.plan.Tell != 0 {
		running.Go(func() { p.tell(ended) })
	}
	var working sync.WaitGroup
	for g := range p.plan.Readers + p.plan.Writers {
		working.Go(func() { p.generate(g, stop) })
	}
	if p.plan.Readers+p.plan.Writers == 0 {
		p.obey(commands, stop)
	}
	working.Wait()
	close(ended)
	running.Wait()
	p.log.add(record{Kind: statistics, End: clock(), Statistics: p.totals()})
	return nil
}

// obey does what it is told, each command in a goroutine of its own, and answers with its record.
func (p *process) obey(commands <-chan record, stop <-chan struct{}) {
	var out sync.Mutex
	for {
		select {
		case r := <-commands:
			go func() {
				p.do(&r)
				b, _ := json.Marshal(r)
				out.Lock()
				defer out.Unlock()
				fmt.Printf("%s\n", b)
			}()
		case <-stop:
			return
		}
	}
}

func (p *process) open() error {
	file, err := os.OpenFile(p.plan.Log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	p.log = &logFile{file: file}
	if p.db, err = gorm.Open(postgres.Open(p.plan.DSN), &gorm.Config{Logger: logger.Discard}); err != nil {
		return err
	}
	pool, err := p.db.DB()
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(16)
	o := tiered.Options{
		Servers: p.plan.Servers, Also: p.plan.Also, Step: p.plan.Step,
		MaxStale: p.plan.MaxStale, IntentTTL: p.plan.IntentTTL, Timeout: p.plan.Timeout,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.plan.Relays[address])
		},
		Lease: time.Second,
	}
	if p.plan.Tight {
		o.MaxIdleConns, o.Cells, o.FirstTierMB = 1, 1024, 1
		for i := range o.Servers {
			o.Weights = append(o.Weights, 1+999*(i%2))
		}
	}
	p.store, err = tiered.Open(o)
	if err != nil {
		return err
	}
	options := cacheruntime.Options{Namespace: "histories", LoadTimeout: 5 * time.Second, Observer: p}
	if p.told() {
		options.LoadTimeout = 0 // the default, which is long
	}
	if p.plan.Strict {
		options.Mode = cacheruntime.Strict
	}
	if p.rt, err = cacheruntime.New(p.db, p.store, options); err != nil {
		return err
	}
	p.m, err = histories.NewModels(p.rt)
	return err
}

// ObserveEvent logs what the store reports.
func (p *process) ObserveEvent(e flushlist.Event) {
	switch e.Kind {
	case flushlist.JournalUndelivered:
		p.journalOwing.Store(true)
	case flushlist.JournalDelivered:
		p.journalOwing.Store(false)
	case flushlist.FillLost:
		return // every day's business
	}
	p.log.add(record{Kind: event, End: clock(), Code: e.Name, Error: fmt.Sprintf("%v %s %v", e.Kind, e.Server, e.Err)})
}

// owes reports whether something of this process's writes has not been delivered.
func (p *process) owes() bool { return p.store.Stats().Undelivered > 0 || p.journalOwing.Load() }

// watchDebts logs when nothing is owed any more: all that was owed at Start has been delivered by End.
func (p *process) watchDebts(ended <-chan struct{}) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ended:
			return
		}
		start := clock()
		if !p.owing.Swap(false) {
			continue
		}
		if p.owes() {
			p.owing.Store(true)
			continue
		}
		p.log.add(record{Kind: paid, Start: start, End: clock()})
	}
}

// collect forces garbage collections.
func collect(ended <-chan struct{}) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			runtime.GC()
		case <-ended:
			return
		}
	}
}

// tell logs the totals now and then.
func (p *process) tell(ended <-chan struct{}) {
	tick := time.NewTicker(p.plan.Tell)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.log.add(record{Kind: statistics, End: clock(), Statistics: p.totals()})
		case <-ended:
			return
		}
	}
}

func (p *process) totals() *totals {
	st := p.rt.Stats()
	t := &totals{
		Reads: p.finished.Load(), Writes: p.written.Load(), First: st.FirstHits, Second: st.SecondHits, Misses: st.Misses, Statements: st.CacheStatements,
		Forgotten: int64(p.store.Stats().Forgotten), Events: map[string]int64{}, Reasons: map[string]int64{},
	}
	for k, n := range st.Events {
		if n > 0 {
			t.Events[flushlist.EventKind(k).String()] = n
		}
	}
	for o, n := range st.Reasons {
		if n > 0 {
			t.Reasons[flushlist.Outcome(o).String()] = n
		}
	}
	return t
}
