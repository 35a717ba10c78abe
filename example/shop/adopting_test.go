package shop_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/example/shop"
	"github.com/cachegen/cachegen/ext/cachetest"
	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// This file is what docs/adopting.md and docs/what-to-cache.md show, at work.

// watcher logs the writes that flush every entry of a table, and what the runtime and the store report. It is for
// Options.Observer.
type watcher struct{ log *log.Logger }

// ObserveFlush is told of every flush.
func (w watcher) ObserveFlush(_ context.Context, e cacheruntime.FlushEvent) {
	if e.Reason != "" {
		w.log.Printf("whole tables were flushed (%s), by a write of %v: %v", e.Reason, e.Columns, e.Lists)
	}
}

// ObserveEvent is told of what happens besides reads and writes: of servers that do not answer, and of faults.
func (w watcher) ObserveEvent(e flushlist.Event) {
	if e.Kind != flushlist.FillLost { // somebody else was faster, as happens under load
		w.log.Printf("cache: %s server=%q name=%q %v", e.Kind, e.Server, e.Name, e.Err)
	}
}

// crouponsFor returns what reads croupons for a visitor: the cache for percent of all visitors, always the
// same ones, and the database for the others.
func crouponsFor(m *shop.Models, visitor string, percent uint32) shop.CrouponReader {
	h := fnv.New32a()
	io.WriteString(h, visitor)
	if h.Sum32()%100 < percent {
		return m.Croupon.Cache
	}
	return m.Croupon.Objects
}

// flushTable lets jobs in other languages say which table they have changed. Keep it from the public.
func flushTable(rt *cacheruntime.Runtime) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch err := rt.FlushTable(r.Context(), r.PathValue("table")); {
		case errors.Is(err, cacheruntime.ErrNoModel):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}
}

// tally counts lookups by accessor and outcome. It is for Options.Observer.
type tally struct {
	mu    sync.Mutex
	reads map[string]*[flushlist.Outcomes]int
}

// ObserveRead is told of every lookup of an entry, on the reader's goroutine: it must be quick.
func (t *tally) ObserveRead(_ context.Context, e cacheruntime.ReadEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reads == nil {
		t.reads = map[string]*[flushlist.Outcomes]int{}
	}
	if t.reads[e.Accessor] == nil {
		t.reads[e.Accessor] = new([flushlist.Outcomes]int)
	}
	t.reads[e.Accessor][e.Outcome]++
}

// String returns a line for each accessor: the share of hits, and what the misses were for.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, accessor := range slices.Sorted(maps.Keys(t.reads)) {
		hits, all, misses := 0, 0, ""
		for o, n := range t.reads[accessor] {
			if all += n; flushlist.Outcome(o).Hit() {
				hits += n
			} else if n > 0 {
				misses += fmt.Sprintf(", %d %s", n, flushlist.Outcome(o))
			}
		}
		fmt.Fprintf(&b, "%s: %d %% of %d%s\n", accessor, 100*hits/all, all, misses)
	}
	return b.String()
}

func setUp(t *testing.T, observer any) (rt *cacheruntime.Runtime, m *shop.Models) {
	t.Helper()
	db := openTest(t)
	rt = cachetest.New(t, db, func(o *cacheruntime.Options) { o.Observer = observer })
	m, err := shop.NewModels(rt)
	if err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"pizza", "books"} {
		if err := db.Create(&shop.Croupon{Slug: slug, City: "Portland", Active: true}).Error; err != nil {
			t.Fatal(err)
		}
	}
	return rt, m
}

func TestWholeTablesAreLogged(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	var out strings.Builder
	rt := cachetest.New(t, db, func(o *cacheruntime.Options) {
		o.Observer, o.BulkRows = watcher{log.New(&out, "", 0)}, 1
	})
	if err := db.Exec("DELETE FROM reviews").Error; err != nil {
		t.Fatal(err)
	}
	if want := "cache: fault server=\"\" name=\"\" cachegen: this program writes and flushes nothing"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("a write without models logged %q, want %q", out.String(), want)
	}
	out.Reset()
	if _, err := shop.NewModels(rt); err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"pizza", "books"} {
		if err := db.Create(&shop.Croupon{Slug: slug}).Error; err != nil {
			t.Fatal(err)
		}
	}
	if out.Len() > 0 {
		t.Errorf("writes of one row logged %q", out.String())
	}
	if err := db.Model(&shop.Croupon{}).Where("id > 0").Update("popularity", 1).Error; err != nil {
		t.Fatal(err)
	}
	if want := "whole tables were flushed (over BulkRows), by a write of [croupons.popularity"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("a write of more rows than BulkRows logged %q, want %q", out.String(), want)
	}
}

// With bypass on nothing is served from the cache or stored there, and writes flush.
func TestBypassStoresNothing(t *testing.T) {
	t.Parallel()
	rt, m := setUp(t, nil)
	rt.SetBypass(true)
	read := func() {
		if _, err := m.Croupon.Cache.Get(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	read()
	rt.SetBypass(false)
	if n := len(cachetest.Statements(t, rt, read)); n != 1 {
		t.Errorf("the first read after bypass takes %d statements, want 1", n)
	}
	cachetest.NoSQL(t, rt, read)
}

func TestPercentOfVisitors(t *testing.T) {
	t.Parallel()
	_, m := setUp(t, nil)
	cached := 0
	for n := range 1000 {
		visitor := fmt.Sprint("visitor ", n)
		if crouponsFor(m, visitor, 20) == shop.CrouponReader(m.Croupon.Cache) {
			cached++
			if crouponsFor(m, visitor, 30) == shop.CrouponReader(m.Croupon.Objects) {
				t.Fatal("more percent take a visitor from the cache")
			}
		}
	}
	if cached < 120 || cached > 280 {
		t.Errorf("20 %% of 1000 visitors are %d", cached)
	}
}

// What a program without the plugin writes is not seen until somebody says so.
func TestOtherProgram(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	rt := cachetest.New(t, db)
	m, err := shop.NewModels(rt)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Create(&shop.Croupon{Slug: "pizza", Title: "old", City: "Portland"}).Error; err != nil {
		t.Fatal(err)
	}
	title := func() string {
		c, err := m.Croupon.Cache.Get(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return c.Title
	}
	title()
	pool, err := db.DB() // past GORM, as another program
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec("UPDATE croupons SET title = 'new'"); err != nil {
		t.Fatal(err)
	}
	if got := title(); got != "old" {
		t.Fatalf("a write past the plugin was seen: %q", got)
	}

	mux := http.NewServeMux()
	mux.Handle("POST /flush/{table}", flushTable(rt))
	for table, want := range map[string]int{"croupons": http.StatusOK, "voucher": http.StatusNotFound} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/flush/"+table, nil))
		if w.Code != want {
			t.Errorf("flushing %s: %d %s, want %d", table, w.Code, w.Body, want)
		}
	}
	if got := title(); got != "new" {
		t.Errorf("after FlushTable: %q", got)
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	seen := &tally{}
	_, m := setUp(t, seen)
	for range 4 {
		if _, err := m.Croupon.Cache.CountByCity(t.Context(), "Portland"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Croupon.Cache.Get(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	want := "Croupon.CountByCity: 75 % of 4, 1 no cell\nCroupon.Get: 75 % of 4, 1 no entry\n"
	if got := seen.String(); got != want {
		t.Errorf("tally is\n%swant\n%s", got, want)
	}
}
