package histories_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/cachegen/cachegen/internal/testserver"
)

// fault is something that is done to a cluster for a while. Its begin and end run on the test's goroutine.
type fault struct {
	name       string
	loses      bool
	from, to   time.Duration // since the round began
	begin, end func(*cluster)
}

// faultKind makes faults of one kind.
type faultKind struct {
	name string
	// severs says that a process may be cut off from a server, or killed; loses that a server may lose items. The two are
	// never done together: a write whose token is lost, and whose writer is dead or cannot reach the server,
	// leaves others behind until its retry, or the ttl (docs/coherence.md).
	severs, loses bool
	least, most   time.Duration
	make          func(d *draw) (begin, end func(*cluster))
}

// draw is where a fault is drawn. What it takes is not taken by another fault at the same time.
type draw struct {
	*rand.Rand
	c     *cluster
	taken []string
}

func (d *draw) place(what ...string) *place {
	p := d.c.places[d.IntN(len(d.c.places))]
	for _, w := range what {
		d.taken = append(d.taken, w+" "+p.name)
	}
	return p
}

// victim is a place whose process may be killed. The last one's never is: a process that has just begun does not go by
// the journal for 5 seconds.
func (d *draw) victim(what ...string) *place {
	for {
		before := len(d.taken)
		if p := d.place(what...); p != d.c.places[len(d.c.places)-1] || len(d.c.places) == 1 {
			return p
		}
		d.taken = d.taken[:before]
	}
}

func (d *draw) relay(what string) *testserver.Relay {
	p := d.place()
	i := d.IntN(len(p.relays))
	d.taken = append(d.taken, fmt.Sprint(what, " ", p.name, " ", i))
	return p.relays[i]
}

func (d *draw) server() *testserver.Server {
	i := d.IntN(len(d.c.servers))
	d.taken = append(d.taken, fmt.Sprint("server ", i))
	return d.c.servers[i]
}

// faultKinds are the faults by name.
func faultKinds() []faultKind {
	const msec = time.Millisecond
	return []faultKind{
		{"kill", true, false, 50 * msec, 800 * msec, func(d *draw) (_, _ func(*cluster)) {
			p := d.victim("process", "gate")
			return func(*cluster) { p.worker.kill() }, func(c *cluster) {
				c.bury(p)
				c.start(p)
			}
		}},
		{"kill in COMMIT", true, false, 100 * msec, 600 * msec, func(d *draw) (_, _ func(*cluster)) {
			p := d.victim("process", "gate")
			return func(c *cluster) {
					c.shutUntilWaiting(p)
					p.worker.kill()
				}, func(c *cluster) {
					p.gate.open(c.t) // now it takes effect
					c.bury(p)
					c.start(p)
				}
		}},
		{"stop", false, false, 20 * msec, 700 * msec, stopped},
		{"long stop", false, false, 3300 * msec, 4000 * msec, stopped},
		{"slow COMMIT", false, false, 20 * msec, 1200 * msec, func(d *draw) (_, _ func(*cluster)) {
			p := d.place("gate")
			return func(c *cluster) { p.gate.shut(c.t) }, func(c *cluster) { p.gate.open(c.t) }
		}},
		{"cut", true, false, 50 * msec, 1500 * msec, func(d *draw) (_, _ func(*cluster)) {
			r := d.relay("way")
			return func(*cluster) { r.Cut() }, func(*cluster) { r.Mend() }
		}},
		{"hang", true, false, 50 * msec, 1000 * msec, func(d *draw) (_, _ func(*cluster)) {
			r := d.relay("way")
			return func(*cluster) { r.Hang() }, func(*cluster) { r.Mend() }
		}},
		{"delay", false, false, 200 * msec, 1000 * msec, func(d *draw) (_, _ func(*cluster)) {
			r, by := d.relay("delay"), time.Duration(1+d.IntN(30))*msec
			return func(*cluster) { r.Delay(by) }, func(*cluster) { r.Delay(0) }
		}},
		{"late", false, false, 200 * msec, 1000 * msec, func(d *draw) (_, _ func(*cluster)) {
			r, by := d.relay("late"), time.Duration(1+d.IntN(60))*msec
			return func(*cluster) { r.Late(by) }, func(*cluster) { r.Late(0) }
		}},
		{"drop", false, false, 0, 0, func(d *draw) (_, _ func(*cluster)) {
			r := d.relay("drop")
			return func(*cluster) { r.Drop() }, nil
		}},
		{"slow SQL", false, false, 200 * msec, 1000 * msec, func(d *draw) (_, _ func(*cluster)) {
			p, by := d.place("sql"), time.Duration(1+d.IntN(20))*msec
			return func(*cluster) { p.sql.Delay(by) }, func(*cluster) { p.sql.Delay(0) }
		}},
		{"SQL cut in COMMIT", true, false, 100 * msec, 600 * msec, func(d *draw) (_, _ func(*cluster)) {
			p := d.place("gate")
			return func(c *cluster) {
				c.shutUntilWaiting(p)
				p.sql.Drop()
			}, func(c *cluster) { p.gate.open(c.t) }
		}},
		{"frozen memcached", true, false, 50 * msec, 600 * msec, func(d *draw) (_, _ func(*cluster)) {
			s := d.server()
			return func(*cluster) { s.Pause() }, func(*cluster) { s.Resume() }
		}},
		{"memcached restarted", false, true, 1, 200 * msec, func(d *draw) (_, _ func(*cluster)) {
			s := d.server()
			return func(*cluster) { s.Stop() }, func(*cluster) { s.Start() }
		}},
		// The process that is furthest behind in a change of servers is replaced by one that is a step further.
		{"rolled", false, false, 0, 0, func(d *draw) (_, _ func(*cluster)) {
			return func(c *cluster) {
				c.roll(slices.MinFunc(c.places, func(a, b *place) int { return cmp.Compare(a.step, b.step) }))
			}, nil
		}},
		{"flush_all", false, true, 0, 0, func(d *draw) (_, _ func(*cluster)) {
			s := d.server()
			return func(c *cluster) { must(c.t, testserver.Client(s.Addr()).DeleteAll()) }, nil
		}},
		{"filler", false, true, 0, 0, func(d *draw) (_, _ func(*cluster)) {
			s, seed := d.server(), d.Int64()
			return func(c *cluster) { fill(c, s.Addr(), seed) }, nil
		}},
	}
}

func stopped(d *draw) (_, _ func(*cluster)) {
	p := d.place("process")
	return func(*cluster) { p.worker.stop() }, func(*cluster) { p.worker.goOn() }
}

// shutUntilWaiting shuts a place's gate, and waits until a COMMIT stands before it, if one comes soon.
func (c *cluster) shutUntilWaiting(p *place) {
	p.gate.shut(c.t)
	until := clock() + int64(300*time.Millisecond)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for p.gate.waiting(c.t) == 0 && clock() < until {
		<-tick.C
	}
}

// fill puts more into a server of 2 MB than it holds, in sizes from a cell's to a small entry's.
func fill(c *cluster, addr string, seed int64) {
	client := testserver.Client(addr)
	defer client.Close()
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	for i := range 3000 {
		key := fmt.Sprintf("filler:%d:%d", seed, i)
		if err := client.Set(&memcache.Item{Key: key, Value: make([]byte, 20+r.IntN(600))}); err != nil &&
			!strings.Contains(err.Error(), "SERVER_ERROR") {
			c.t.Fatalf("filler: %v", err)
		}
	}
}

// schedule draws a round's faults: in every track one after the other, and those that sever and those that lose in turns.
func schedule(r *rand.Rand, c *cluster, names []string, tracks int, start, length time.Duration) (faults []fault) {
	var kinds []faultKind // one that is named twice comes twice as often
	for _, name := range names {
		all := faultKinds()
		kinds = append(kinds, all[slices.IndexFunc(all, func(k faultKind) bool { return k.name == name })])
	}
	turns := drawTurns(r, start, length)
	type use struct{ from, to time.Duration }
	uses := map[string][]use{} // of what a fault takes
	for range tracks {
		for at := start; at < length; {
			k := kinds[r.IntN(len(kinds))]
			lasts := k.least
			if k.most > k.least {
				lasts += time.Duration(r.Int64N(int64(k.most - k.least)))
			}
			d := &draw{Rand: r, c: c}
			begin, end := k.make(d)
			free := turns.allow(k, at, at+lasts)
			for _, what := range d.taken {
				free = free && !slices.ContainsFunc(uses[what], func(u use) bool { return u.from <= at+lasts && at <= u.to })
			}
			if !free {
				at += 20 * time.Millisecond
				continue
			}
			for _, what := range d.taken {
				uses[what] = append(uses[what], use{at, at + lasts})
			}
			faults = append(faults, fault{k.name, k.loses, at, at + lasts, begin, end})
			at += lasts + time.Duration(r.Int64N(int64(300*time.Millisecond)))
		}
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return cmp.Compare(a.from, b.from) })
	return faults
}

// turns are the spans of a round: in each, faults that sever may be done, or faults that lose.
type turns []turn

type turn struct {
	from, to time.Duration
	loses    bool
}

func drawTurns(r *rand.Rand, from, to time.Duration) (ts turns) {
	for from < to {
		t := turn{from, from + time.Second + time.Duration(r.Int64N(int64(2*time.Second))), r.IntN(2) == 0}
		ts = append(ts, t)
		from = t.to
	}
	return ts
}

// allow reports whether a fault fits in its turn, with some time left before the next.
func (ts turns) allow(k faultKind, from, to time.Duration) bool {
	const guard = 300 * time.Millisecond
	return !k.severs && !k.loses || slices.ContainsFunc(ts, func(t turn) bool {
		return t.loses == k.loses && t.from <= from && to+guard <= t.to
	})
}

// inflict does the faults to a cluster, each when it is due, and returns when memcached may have lost items. It ends those
// that it has begun.
func (c *cluster) inflict(faults []fault, began int64) (lossy [][2]int64) {
	type moment struct {
		at  time.Duration
		of  int
		end bool
	}
	var moments []moment
	for i, f := range faults {
		moments = append(moments, moment{f.from, i, false})
		if f.end != nil {
			moments = append(moments, moment{f.to, i, true})
		}
	}
	slices.SortStableFunc(moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	since := make([]int64, len(faults))
	for _, m := range moments {
		waitUntil(began+int64(m.at), nil)
		f := faults[m.of]
		if m.end {
			f.end(c)
		} else {
			since[m.of] = clock()
			f.begin(c)
		}
		if f.loses && (m.end || f.end == nil) {
			lossy = append(lossy, [2]int64{since[m.of], clock()})
		}
	}
	return lossy
}
