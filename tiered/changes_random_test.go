package tiered

import (
	"context"
	"flag"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
)

var (
	changesSeed = flag.Uint64("changes.seed", 0, "the seed of TestServersChangeUnderWrites; 0 takes a new one")
	changesFor  = flag.Duration("changes.for", 5*time.Second, "how long TestServersChangeUnderWrites runs")
)

// behaviour 102: servers are added, removed and added again by documented changes, with processes one step
// apart, under reads and writes. Nothing that is fetched is older than what was committed when it was asked for.
func TestServersChangeUnderWrites(t *testing.T) {
	seed := *changesSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("replay with -changes.seed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const rows, servers = 12, 4
	c := newCluster(t, servers)
	var database [rows]atomic.Int64 // committed versions
	var locks [rows]sync.Mutex      // a row lock, from the statement to COMMIT

	current := c.options(0, "0", "")
	digits, also := "0", ""
	next := func() {
		current.Step++
		switch {
		case also == "": // a change begins
			for also == "" || also == digits {
				also = ""
				for d := range servers {
					if random.IntN(2) == 0 {
						also += strconv.Itoa(d)
					}
				}
			}
		case random.IntN(4) == 0: // it is given up
			also = ""
		case strings.HasSuffix(also, "!"):
			also = ""
		default: // turned round; then it ends
			digits, also = also, digits+"!"
		}
		current.Servers, current.Also = c.names(digits), c.names(strings.TrimSuffix(also, "!"))
	}

	var reads, hits, writes atomic.Int64
	live := []*process{start(t, current)}
	deadline := time.Now().Add(*changesFor)
	enough := func() bool { return hits.Load() > 0 && writes.Load() > 0 && current.Step >= 4 }
	for phase := uint64(0); (time.Now().Before(deadline) || !enough() && phase < 100) && !t.Failed(); phase++ {
		next()
		live = append(live, start(t, current))
		stop := time.Now().Add(time.Duration(20+random.IntN(150)) * time.Millisecond)
		// A row that is written while its entry lies on a server that is away, and not when it is back.
		var written [rows]bool
		for i := range written {
			written[i] = random.IntN(3) == 0
		}
		var running sync.WaitGroup
		for n, p := range append(live, live...) { // two callers a process
			random := rand.New(rand.NewPCG(seed, phase<<8+uint64(n)+1))
			running.Go(func() {
				for time.Now().Before(stop) && !t.Failed() {
					row := random.IntN(rows)
					r := storetest.Ref(row)
					if written[row] && random.IntN(4) == 0 {
						lists := []flushlist.List{r.List}
						if random.IntN(100) == 0 {
							lists = append(lists, r.All)
						}
						locks[row].Lock()
						in, err := p.Prepare(context.Background(), lists, flushlist.Strict)
						if err != nil {
							t.Error(err)
						} else {
							database[row].Add(1)
							in.Finish(context.Background())
							writes.Add(1)
						}
						locks[row].Unlock()
						continue
					}
					began := database[row].Load()
					f := p.ask(r)
					reads.Add(1)
					if f.Outcome.Hit() {
						hits.Add(1)
						if got, _ := strconv.ParseInt(string(f.Value.Payload), 10, 64); got < began {
							t.Errorf("step %d, %d of %v and %v: row %d is %d behind", p.opts.Step, f.Outcome, p.opts.Servers, p.opts.Also, row, began-got)
						}
						continue
					}
					loaded := database[row].Load()
					if random.IntN(20) == 0 { // a slow load
						timer := time.NewTimer(time.Duration(random.IntN(20)) * time.Millisecond)
						<-timer.C
					}
					p.fill(r, f.Ticket, strconv.FormatInt(loaded, 10))
				}
			})
		}
		running.Wait()
		// The procedure: the next step when every process is at this one.
		for len(live) > 1 {
			live[0].Close()
			live = live[1:]
		}
		for live[0].watch.look(context.Background()) { // somebody else was faster
		}
		if err := live[0].Stats().Outside; err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d steps, %d writes, %d reads, %d hits", current.Step, writes.Load(), reads.Load(), hits.Load())
	if !enough() {
		t.Fatal("nothing was tried")
	}
}
