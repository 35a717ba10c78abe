package faults_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// listener is an observer that keeps what it is told.
type listener struct {
	mu    sync.Mutex
	reads []cacheruntime.ReadEvent
}

func (l *listener) ObserveRead(_ context.Context, e cacheruntime.ReadEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads = append(l.reads, e)
}

// A trace says of each lookup when it began and how long it took: a miss with its load, the rows of a
// list together. Observers are told before, and not of times.
func TestTraceTimes(t *testing.T) {
	l := &listener{}
	fixture.BothWith(t, fixture.Options{Runtime: cacheruntime.Options{Observer: l}}, func(t *testing.T, f *fixture.Fixture) {
		for _, slug := range []string{"a", "b", "c"} {
			f.Create(t, croupon(slug))
		}
		g := newGate(t, f)
		g.armed.Store(true)
		before := time.Now()
		traced, trace := cacheruntime.WithTrace(ctx)
		after := time.Now() // the trace's clock began in between
		listed := make(chan error, 1)
		go func() {
			_, err := f.M.Croupon.Cache.ListPopularInCity(traced, "Portland")
			listed <- err
		}()
		<-g.reached
		for len(trace.Reads()) == 0 { // the outcome is known, the value is not
			runtime.Gosched()
		}
		known := trace.Reads()[0]
		opened := time.Since(after)
		close(g.open)
		if err := <-listed; err != nil {
			t.Fatal(err)
		}
		took := time.Since(before)

		reads := trace.Reads()
		if len(reads) != 4 {
			t.Fatalf("want the list and its three rows, got\n%s", trace)
		}
		list := reads[0]
		if list.Began != known.Began || list.Took <= known.Took || list.Began+list.Took < opened || list.Began+list.Took > took {
			t.Errorf("the list: %s + %s, and %s + %s up to its outcome; its load was let go at %s, the call took %s",
				list.Began, list.Took, known.Began, known.Took, opened, took)
		}
		for _, row := range reads[1:] {
			if row.Began != reads[1].Began || row.Began < list.Began+list.Took || row.Began+row.Took > took {
				t.Errorf("after the list at %s + %s a row at %s + %s, the first at %s; the call took %s",
					list.Began, list.Took, row.Began, row.Took, reads[1].Began, took)
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, e := range l.reads {
			if e.Began != 0 || e.Took != 0 {
				t.Errorf("the observer was told of %s + %s", e.Began, e.Took)
			}
		}
	})
}

// Who gives up waiting for a load has the time of the wait in the trace.
func TestTraceTimeOfWhoGivesUp(t *testing.T) {
	fixture.Both(t, func(t *testing.T, f *fixture.Fixture) {
		f.Create(t, croupon("a"))
		g := newGate(t, f)
		g.armed.Store(true)
		impatient, cancel := context.WithCancel(ctx)
		traced, trace := cacheruntime.WithTrace(impatient)
		got := make(chan error, 1)
		go func() { _, err := f.M.Croupon.Cache.Get(traced, 1); got <- err }()
		<-g.reached
		for len(trace.Reads()) == 0 {
			runtime.Gosched()
		}
		known := trace.Reads()[0]
		cancel()
		if err := <-got; err == nil {
			t.Error("want the context's error")
		}
		if gaveUp := trace.Reads()[0]; gaveUp.Took <= known.Took {
			t.Errorf("took %s, and %s up to its outcome", gaveUp.Took, known.Took)
		}
		close(g.open)
		must(f.M.Croupon.Cache.Get(ctx, 1))(t)
	})
}
