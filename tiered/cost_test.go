package tiered

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// farm is a process with some servers, each behind a relay.
type farm struct {
	*process
	relays  []*testserver.Relay
	refs    []flushlist.Ref // spread evenly over the servers
	journal *journaling     // followed by nobody but the test
}

// newFarm returns a process and n entries, whose tables' `all` cells are there. Nothing else is.
func newFarm(t *testing.T, servers, n int) *farm {
	f := &farm{}
	var addrs []string
	for range servers {
		_, relay := proxied(t)
		f.relays, addrs = append(f.relays, relay), append(addrs, relay.Addr())
	}
	f.process = start(t, patient(addrs...)).quiet()
	t.Cleanup(func() { f.Close() })
	for k := 0; len(f.refs) < n; k++ {
		if r := storetest.Ref(k); f.ring.server(r.List.ID) == len(f.refs)%servers {
			f.refs = append(f.refs, r)
		}
	}
	for k, made := 0, 0; made < servers; k++ { // one other entry a server
		if r := storetest.Ref(-1 - k); f.ring.server(r.List.ID) == made {
			f.load(r, "row")
			made++
		}
	}
	return f
}

func (f *farm) lists() (lists []flushlist.List) {
	for _, r := range f.refs {
		lists = append(lists, r.List)
	}
	return lists
}

// warm stores every entry.
func (f *farm) warm() {
	for _, r := range f.refs {
		f.load(r, "row")
	}
}

// hits reads entries from the second tier.
func (f *farm) hits(refs []flushlist.Ref) {
	for i, found := range f.Fetch(context.Background(), refs) {
		if found.Outcome != flushlist.HitSecond {
			f.Errorf("%s: %v", refs[i].Key, found.Outcome)
		}
	}
}

// miss reads an entry as a process does that alone wants it.
func (f *farm) miss(r flushlist.Ref, lease bool) {
	ticket := f.ask(r).Ticket
	if lease {
		release, granted := f.Lease(context.Background(), r, ticket)
		if !granted {
			f.Error("the lease is not granted")
			return
		}
		defer release()
	}
	f.fill(r, ticket, "row")
}

// What reads and writes cost, in round trips one after the other and in requests: not timed. docs/cost.md has
// the table.
func TestCost(t *testing.T) {
	write := func(f *farm) { f.write(f.lists()...) }
	rollback := func(f *farm) { f.prepare(flushlist.Strict, f.lists()...).Abort(context.Background()) }
	follow := func(f *farm) {
		f.warm()
		f.journal = newJournaling(f.Store)
		f.journal.poll(context.Background())
	}
	poll := func(f *farm) { f.journal.poll(context.Background()) }
	warm := (*farm).warm
	cold := func(*farm) {}
	cells := func(f *farm) { f.Fetch(context.Background(), f.refs) }
	const conns = 32
	costs := []struct {
		what    string
		servers int
		entries int
		before  func(*farm)
		do      func(*farm)
		waves   []int // requests that are out at once
		why     string
	}{
		{"a hit in the first tier", 3, 1, warm, func(f *farm) {
			if !f.inFirst(f.refs[0]) {
				f.Error("not in the first tier")
			}
		}, nil, "the stamps are known here"},
		{"a hit in the second tier", 3, 1, warm, func(f *farm) { f.hits(f.refs) }, []int{1},
			"entry and cells, one multi-get"},
		{"20 rows in the second tier", 1, 20, warm, func(f *farm) { f.hits(f.refs) }, []int{1}, "one multi-get a server"},
		{"20 rows in the second tier", 3, 20, warm, func(f *farm) { f.hits(f.refs) }, []int{3}, "one multi-get a server"},
		{"a list of 50 rows in the second tier", 3, 51, warm, func(f *farm) { f.hits(f.refs[:1]); f.hits(f.refs[1:]) },
			[]int{1, 3}, "the list; its rows"},
		{"a row that is not cached", 3, 1, cells, func(f *farm) { f.miss(f.refs[0], false) }, []int{1, 1},
			"look; store"},
		{"a row that was never asked for", 3, 1, cold, func(f *farm) { f.miss(f.refs[0], false) }, []int{1, 1, 1},
			"look; make its cell; store"},
		{"a list or a count that is not cached", 3, 1, cells, func(f *farm) { f.miss(f.refs[0], true) }, []int{1, 1, 1, 1},
			"look; take the lease; store; give the lease back"},
		{"a write of 1 list", 1, 1, warm, write, []int{2, 1, 1, 1},
			"token and number; record; COMMIT; gets; cas"},
		{"a write of 1 list", 3, 1, warm, write, []int{2, 1, 1, 1}, "the same"},
		{"a write of 1 list without a cell", 3, 1, cold, write, []int{2, 1, 1, 1, 1},
			"append and number; add; record; COMMIT; gets; cas"},
		{"a write of 64 lists", 3, 64, warm, write, []int{65, 1, 3, 64}, "the gets are one multi-get a server"},
		{"a write of 64 lists without cells", 3, 64, cold, write, []int{65, 64, 1, 3, 64},
			"append and number; add; record; COMMIT; gets; cas"},
		{"a write of 31 lists", 1, 31, warm, write, []int{32, 1, 1, 31}, "as many as connections"},
		{"a write of 64 lists", 1, 64, warm, write, []int{conns, conns, 1, 1, 1, conns, conns},
			"32 connections take 32 at a time"},
		{"a rollback after tokens for 64 lists", 3, 64, warm, rollback, []int{65, 1, 3, 64}, "tokens; record; gets; cas"},
		{"a poll of the journal", 3, 64, follow, poll, []int{1}, "four in `MaxStale`, whatever is cached"},
		{"a poll that finds 100 writes", 3, 1, func(f *farm) {
			follow(f)
			for range 100 {
				write(f)
			}
		}, poll, []int{1, 1, 1, 1}, "the counter and 32 records, in one multi-get"},
	}
	var table strings.Builder
	for _, c := range costs {
		t.Run(fmt.Sprintf("%s/%d servers", c.what, c.servers), func(t *testing.T) {
			f := newFarm(t, c.servers, c.entries)
			c.before(f)
			testserver.Waves(t, f.relays, c.waves, func() { c.do(f) })
			for _, r := range f.relays {
				if n := r.Accepted(); n > f.opts.MaxIdleConns {
					t.Errorf("%d connections, want at most %d", n, f.opts.MaxIdleConns)
				}
			}
			if n := f.count(flushlist.IntentLost); n != 0 {
				t.Errorf("%d intents were lost", n)
			}
		})
		requests := 0
		for _, n := range c.waves {
			requests += n
		}
		fmt.Fprintf(&table, "| %s | %d | %d | %d | %s |\n", c.what, c.servers, len(c.waves), requests, c.why)
	}
	t.Logf("\n%s", &table)
	page, err := os.ReadFile("../docs/cost.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/cost.md has another table than this:\n%s", &table)
	}
}
