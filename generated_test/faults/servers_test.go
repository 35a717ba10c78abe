package faults_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

// onRecord waits until a step is on record on servers.
func onRecord(t *testing.T, step int, servers []string) {
	t.Helper()
	for _, s := range servers {
		client := testserver.Client(s)
		eventually(t, fmt.Sprintf("step %d is not on record on %s", step, s), func() bool {
			it, err := client.Get("@ring:shop")
			return err == nil && strings.Contains(string(it.Value), fmt.Sprintf("\n%d ", step))
		})
		client.Close()
	}
}

// behaviour 102: a server is added, removed and added again, in documented steps. At each, a program of
// the step before is still there; each sees the other's writes at once, to rows and to lists.
func TestServersChange(t *testing.T) {
	var servers []string
	for range 3 {
		servers = append(servers, testserver.Memcached(t).Addr())
	}
	two, three := servers[:2], servers
	steps := []struct{ first, also []string }{
		{two, nil}, {two, three}, {three, two}, {three, nil}, {three, two}, {two, three}, {two, nil}, {two, three}, {three, two}, {three, nil},
	}
	at := func(n int, path string) *fixture.Fixture {
		return fixture.New(t, fixture.Options{
			Servers: steps[n].first, Path: path, Tiered: tiered.Options{Also: steps[n].also, Step: n},
			Runtime: cacheruntime.Options{Mode: cacheruntime.Strict},
		})
	}
	program := at(0, "")
	const rows = 24
	for i := range rows {
		program.Create(t, croupon(fmt.Sprint("c", i)))
	}
	fresh := cacheruntime.WithFresh(ctx)
	title := make([]string, rows+1)
	check := func(f *fixture.Fixture, id uint64, what string) {
		t.Helper()
		if c := must(f.M.Croupon.Cache.Get(fresh, id))(t); title[id] != "" && c.Title != title[id] {
			t.Fatalf("%s: row %d is %q, want %q", what, id, c.Title, title[id])
		}
	}
	for n := 1; n < len(steps); n++ {
		onRecord(t, n-1, slices.Concat(steps[n-1].first, steps[n-1].also))
		next := at(n, program.Path)
		for i, pair := range [][2]*fixture.Fixture{{program, next}, {next, program}} {
			reader, writer := pair[0], pair[1]
			for id := uint64(1); id <= rows; id++ {
				what := fmt.Sprintf("step %d, pair %d", n, i)
				check(reader, id, what)
				count := must(reader.M.Croupon.Cache.CountByCity(fresh, "Portland"))(t)
				if (id+uint64(n))%3 != 0 || id%2 != uint64(i) {
					continue // some are written while their server is away, and not when it is back
				}
				title[id] = what
				if err := writer.DB.Model(&shop.Croupon{ID: id}).Update("title", what).Error; err != nil {
					t.Fatal(err)
				}
				check(reader, id, what)
				check(writer, id, what)
				if err := writer.DB.Create(croupon(fmt.Sprint(what, id))).Error; err != nil {
					t.Fatal(err)
				}
				if got := must(reader.M.Croupon.Cache.CountByCity(fresh, "Portland"))(t); got != count+1 {
					t.Fatalf("%s: counted %d, want %d", what, got, count+1)
				}
			}
		}
		for _, f := range []*fixture.Fixture{program, next} {
			if err := f.Store.Stats().Outside; err != nil {
				t.Fatal(err)
			}
		}
		if err := program.RT.Close(); err != nil {
			t.Fatal(err)
		}
		if err := program.Store.Close(); err != nil {
			t.Fatal(err)
		}
		program = next
	}
}

// events are those of a runtime.
type events struct {
	mu  sync.Mutex
	all []flushlist.Event
}

func (e *events) ObserveEvent(ev flushlist.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

// behaviour 102: a program that names other servers at the same step reads from the database, and its strict
// writes fail; it says why. The others do not notice.
func TestOtherServersAtTheSameStep(t *testing.T) {
	a, b := testserver.Memcached(t).Addr(), testserver.Memcached(t).Addr()
	right := fixture.New(t, fixture.Options{Servers: []string{a, b}})
	right.Create(t, croupon("a"))
	if c := must(right.M.Croupon.Cache.Get(ctx, 1))(t); c.Title == "" {
		t.Fatal(c)
	}
	onRecord(t, 0, []string{a, b})
	told := &events{}
	wrong := fixture.New(t, fixture.Options{Servers: []string{a}, Path: right.Path,
		Runtime: cacheruntime.Options{Mode: cacheruntime.Strict, Observer: told}})
	for range 2 {
		if c := must(wrong.M.Croupon.Cache.Get(ctx, 1))(t); c.ID != 1 {
			t.Fatal(c)
		}
	}
	if err := wrong.DB.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error; !errors.Is(err, cacheruntime.ErrFlush) {
		t.Fatalf("a strict write: %v", err)
	}
	if wrong.Store.Stats().Outside == nil {
		t.Fatal("not in its Stats")
	}
	stats := wrong.RT.Stats()
	if stats.Reasons[flushlist.Outside] == 0 || stats.Hits() != 0 {
		t.Fatalf("%v", stats)
	}
	eventually(t, "it is not reported", func() bool {
		told.mu.Lock()
		defer told.mu.Unlock()
		n := 0
		for _, e := range told.all {
			if e.Kind == flushlist.Fault {
				n++
			}
		}
		return n == 1
	})
	if err := right.Store.Stats().Outside; err != nil {
		t.Fatal(err)
	}
}
