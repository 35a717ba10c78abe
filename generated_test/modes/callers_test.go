package modes_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// gate stops the next SELECT after the database has answered it, until it is opened.
func gate(t *testing.T, p *program) (reached, open chan struct{}) {
	t.Helper()
	reached, open = make(chan struct{}), make(chan struct{})
	var passed atomic.Bool
	err := p.DB.Callback().Query().After("gorm:query").Register("test:gate", func(*gorm.DB) {
		if passed.CompareAndSwap(false, true) {
			close(reached)
			<-open
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return reached, open
}

// behaviour 73: a caller whose context ends gets its error; the load that others wait for goes on, and is stored.
func contextReads(t *testing.T) {
	w := newWorld(t, 1, cacheruntime.Available)
	if err := w.a.M.Croupon.Cache.Flush(ctx, 1); err != nil {
		t.Fatal(err)
	}
	reached, open := gate(t, w.a)
	leader, cancel := context.WithCancel(ctx)
	given := make(chan error)
	go func() {
		_, err := w.a.M.Croupon.Cache.Get(leader, 1)
		given <- err
	}()
	<-reached
	follower, trace := cacheruntime.WithTrace(ctx)
	got := make(chan string)
	go func() {
		c, err := w.a.M.Croupon.Cache.Get(follower, 1)
		if err != nil {
			t.Error(err)
			c = &shop.Croupon{}
		}
		got <- c.Title
	}()
	w.a.eventually("the second caller does not join", func() bool { return len(trace.Reads()) > 0 })
	cancel()
	if err := <-given; !errors.Is(err, context.Canceled) {
		t.Errorf("the first caller's error is %v", err)
	}
	close(open)
	if title := <-got; title != "old" || trace.Statements() != 0 {
		t.Errorf("the second caller has %q, with %d statements of its own", title, trace.Statements())
	}
	w.a.isCached(1, "old")

	// One that is done already, and one that ends while a server hangs.
	if _, err := w.a.M.Croupon.Cache.Get(cacheruntime.WithFresh(leader), 2); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that is done gets %v", err)
	}
	w.a.relays[0].Hang()
	defer w.a.relays[0].Mend()
	asked := w.a.relays[0].Requests()
	waiting, end := context.WithCancel(fresh)
	go func() {
		_, err := w.a.M.Croupon.Cache.Get(waiting, 3)
		given <- err
	}()
	w.a.eventually("the server is not asked", func() bool { return w.a.relays[0].Requests() > asked })
	end()
	if err := <-given; !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that ends while a server hangs gets %v", err)
	}
}

// A write under a context that is done, or ends before the COMMIT, is rolled back and flushes nothing.
func contextWrites(t *testing.T, mode cacheruntime.Mode) {
	w := newWorld(t, 1, mode)
	done, cancel := context.WithCancel(ctx)
	err := w.a.DB.WithContext(done).Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&shop.Croupon{ID: 1}).Update("title", "lost").Error; err != nil {
			t.Error(err)
		}
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) && !errors.Is(err, sql.ErrTxDone) { // as database/sql has it
		t.Errorf("a transaction whose context ended: %v", err)
	}
	if err := w.a.DB.WithContext(done).Model(&shop.Croupon{ID: 1}).Update("title", "lost").Error; !errors.Is(err, context.Canceled) {
		t.Errorf("a write whose context was done: %v", err)
	}
	for _, p := range []*program{w.a, w.b} {
		if statements := p.SQL.Of(func() { p.title(1) }); len(statements) != 0 {
			t.Errorf("a row that was not written is loaded again: %q", statements)
		}
		p.wants(1, "old")
	}
	w.a.writes(1, "new")
	w.a.isCached(1, "new")
}

// bomb is an observer that panics once it is armed, in whatever goroutine of ours it is called.
type bomb struct{ armed atomic.Bool }

func (b *bomb) blow() {
	if b.armed.Load() {
		panic("an observer's own")
	}
}

func (b *bomb) ObserveRead(context.Context, cacheruntime.ReadEvent)   { b.blow() }
func (b *bomb) ObserveFlush(context.Context, cacheruntime.FlushEvent) { b.blow() }
func (b *bomb) ObserveEvent(flushlist.Event)                          { b.blow() }

// A load that panics is its callers' error and leaves the key free; an observer that panics is nobody's.
func panicReads(t *testing.T) {
	b := &bomb{}
	w := newWorld(t, 1, cacheruntime.Available, func(o *fixture.Options) { o.Runtime.Observer = b })
	if err := w.a.M.Croupon.Cache.Flush(ctx, 1); err != nil {
		t.Fatal(err)
	}
	var armed atomic.Bool
	armed.Store(true)
	err := w.a.DB.Callback().Query().Before("gorm:query").Register("test:fault", func(*gorm.DB) {
		if armed.Swap(false) {
			panic("the loader's own")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.a.M.Croupon.Cache.Get(ctx, 1); err == nil || !strings.Contains(err.Error(), "the loader's own") {
		t.Errorf("the error is %v", err)
	}
	w.a.isCached(1, "old")
	b.armed.Store(true)
	defer b.armed.Store(false)
	w.a.wants(1, "old")
	if w.a.events(flushlist.Fault) == 0 {
		t.Error("the observer's panic was not counted")
	}
}

// brittle is a second model of the croupons' table, in whose generated code the naming of lists panics.
type brittle struct {
	ID   uint64
	Slug string
}

func (brittle) TableName() string { return "croupons" }

func withBrittle(t *testing.T, rt *cacheruntime.Runtime) {
	t.Helper()
	type arg = cacheruntime.Arg
	table := cacheruntime.NewTable(rt, cacheruntime.TableSpec{
		Model:   "brittle",
		Fields:  []cacheruntime.Field{{Path: "ID", Type: "uint64", PrimaryKey: true}, {Path: "Slug", Type: "string"}},
		New:     func() any { return new(brittle) },
		KeyArgs: func(to []arg, row any) []arg { return append(to, cacheruntime.Uint(row.(*brittle).ID)) },
		Encode: func(b []byte, row any) []byte {
			return cacheruntime.AppendText(cacheruntime.AppendUint(b, row.(*brittle).ID), row.(*brittle).Slug)
		},
		Decode: func(d *cacheruntime.Decoder, row any) {
			row.(*brittle).ID = cacheruntime.DecodeUint[uint64](d)
			row.(*brittle).Slug = cacheruntime.DecodeText[string](d)
		},
	})
	table.List(cacheruntime.IndexSpec{Name: "ListBySlug", By: []string{"Slug"}, Args: func(to []arg, row any) []arg {
		panic("in code that names lists")
	}})
	if err := table.Register(); err != nil {
		t.Fatal(err)
	}
}

// A panic in our own code is not the writer's: the write is GORM's, and the table's `all` list falls.
func panicWrites(t *testing.T, mode cacheruntime.Mode) {
	w := newWorld(t, 1, mode)
	withBrittle(t, w.a.RT)
	traced, trace := cacheruntime.WithTrace(ctx)
	if err := w.a.DB.WithContext(traced).Model(&shop.Croupon{ID: 1}).Updates(map[string]any{"slug": "z", "title": "new"}).Error; err != nil {
		t.Errorf("the write: %v", err)
	}
	if f := trace.Flushes(); len(f) != 1 || len(f[0].Lists) != 1 || f[0].Lists[0] != "shop:croupons" || f[0].Reason != "panic" {
		t.Errorf("flushed %+v", f)
	}
	if w.a.events(flushlist.Fault) == 0 {
		t.Error("the panic was not reported")
	}
	w.a.wants(1, "new")
	w.b.sees(1, "new")
	w.a.Expect(t, "another row of the table", 1, func() { w.a.title(2) })
}
