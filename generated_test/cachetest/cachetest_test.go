// Package cachetest_test holds the behaviours of the helpers for users' tests.
package cachetest_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/cachetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

var ctx = context.Background()

// openDB opens an empty database for one test.
func openDB(t testing.TB, config gorm.Config) *gorm.DB {
	t.Helper()
	config.Logger = logger.Discard
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "shop.db")+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)"), &config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pool, err := db.DB(); err == nil {
			pool.Close()
		}
	})
	if err := db.AutoMigrate(&shop.Merchant{}, &shop.Croupon{}); err != nil {
		t.Fatal(err)
	}
	return db
}

// kit is what a user's test has.
type kit struct {
	db *gorm.DB
	rt *cacheruntime.Runtime
	m  *shop.Models
}

func open(t testing.TB, config gorm.Config, change ...func(*cacheruntime.Options)) kit {
	t.Helper()
	db := openDB(t, config)
	rt := cachetest.New(t, db, change...)
	m, err := shop.NewModels(rt)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Create(&shop.Croupon{Slug: "pizza", City: "Portland", Category: "food", Active: true}).Error; err != nil {
		t.Fatal(err)
	}
	return kit{db, rt, m}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// recorder is the test of a user, whose failure is what is tested. Fatalf ends its goroutine.
type recorder struct {
	testing.TB
	errors, fatal []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = append(r.fatal, fmt.Sprintf(format, args...))
	panic(r)
}

// recorded runs a user's test to its end.
func recorded(t testing.TB, test func(testing.TB)) *recorder {
	r := &recorder{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(r) {
				panic(p)
			}
		}()
		test(r)
	}()
	return r
}

// A hit passes, a miss fails and is named with its reason.
func TestNoSQL(t *testing.T) {
	t.Parallel()
	k := open(t, gorm.Config{})
	read := func() {
		_, err := k.m.Croupon.Cache.Get(ctx, 1)
		check(t, err)
	}
	cold := recorded(t, func(tb testing.TB) { cachetest.NoSQL(tb, k.rt, read) })
	if len(cold.errors) != 1 || len(cold.fatal) != 0 {
		t.Fatalf("a miss: %q, %q", cold.errors, cold.fatal)
	}
	for _, want := range []string{
		"cachetest.NoSQL: 1 SQL statement was sent:\n\tSELECT * FROM `croupons` WHERE `croupons`.`id` = 1 ",
		"Reads that the cache did not serve, and why:\n\tCroupon.Get: no cell (nothing is known of its flush list: it was not read before)",
		":Get:u1",
	} {
		if !strings.Contains(cold.errors[0], want) {
			t.Errorf("the message lacks %q:\n%s", want, cold.errors[0])
		}
	}
	cachetest.NoSQL(t, k.rt, read)

	check(t, k.db.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error)
	flushed := recorded(t, func(tb testing.TB) { cachetest.NoSQL(tb, k.rt, read) })
	if len(flushed.errors) != 1 || !strings.Contains(flushed.errors[0], "Croupon.Get: list flushed") {
		t.Errorf("after a flush: %q", flushed.errors)
	}
	k.rt.SetBypass(true)
	bypassed := recorded(t, func(tb testing.TB) { cachetest.NoSQL(tb, k.rt, read) })
	if len(bypassed.errors) != 1 || !strings.Contains(bypassed.errors[0], "Croupon.Get: bypassed (in a transaction") {
		t.Errorf("with bypass on: %q", bypassed.errors)
	}
}

// Whatever goes to the database through GORM is seen, and nothing else.
func TestNoSQLSeesEverything(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]gorm.Config{
		"usual":        {},
		"prepared":     {PrepareStmt: true},
		"without a tx": {SkipDefaultTransaction: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := open(t, config)
			var c shop.Croupon
			for _, test := range []struct {
				what string
				run  func(db *gorm.DB) error
				want []string // the beginning of each statement
			}{
				{"nothing", func(*gorm.DB) error { return nil }, nil},
				{"a dry run", func(db *gorm.DB) error { return db.Session(&gorm.Session{DryRun: true}).First(&c).Error }, nil},
				{"Objects", func(*gorm.DB) error { _, err := k.m.Croupon.Objects.Get(ctx, 1); return err }, []string{"SELECT"}},
				{"First", func(db *gorm.DB) error { return db.First(&c).Error }, []string{"SELECT"}},
				{"another context", func(db *gorm.DB) error { return db.WithContext(t.Context()).First(&c).Error }, []string{"SELECT"}},
				{"generics", firstByGenerics, []string{"SELECT"}},
				{"Raw, Scan", func(db *gorm.DB) error { return db.Raw("SELECT 1").Scan(new(int)).Error }, []string{"SELECT 1"}},
				{"Raw, Row", func(db *gorm.DB) error { return db.Raw("SELECT 2").Row().Scan(new(int)) }, []string{"SELECT 2"}},
				{"Exec", func(db *gorm.DB) error { return db.Exec("PRAGMA optimize").Error }, []string{"PRAGMA"}},
				{"Create", func(db *gorm.DB) error {
					return db.Create(&shop.Croupon{Slug: "boots", Merchant: &shop.Merchant{Name: "Shoe shop"}}).Error
				}, []string{"INSERT INTO `merchants`", "INSERT INTO `croupons`"}},
				{"Preload", func(db *gorm.DB) error { return db.Preload("Merchant").First(&c, 2).Error }, []string{"SELECT", "SELECT"}},
				{"Update", func(db *gorm.DB) error { return db.Model(&shop.Croupon{ID: 1}).Update("title", "x").Error }, []string{"UPDATE"}},
				{"Delete", func(db *gorm.DB) error { return db.Delete(&shop.Croupon{}, 99).Error }, []string{"DELETE"}},
				{"a transaction", func(db *gorm.DB) error {
					return db.Transaction(func(tx *gorm.DB) error { return tx.First(&c, 1).Error })
				}, []string{"SELECT"}},
				{"a failure", func(db *gorm.DB) error {
					if db.Raw("SELECT nothing").Scan(new(int)).Error == nil {
						return errors.New("no error")
					}
					return nil
				}, []string{"SELECT nothing"}},
			} {
				got := cachetest.Statements(t, k.rt, func() {
					c = shop.Croupon{} // GORM makes conditions of what is left in it
					if err := test.run(k.db); err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
						t.Errorf("%s: %v", test.what, err)
					}
				})
				ok := len(got) == len(test.want)
				for i := range min(len(got), len(test.want)) {
					ok = ok && strings.HasPrefix(got[i], test.want[i])
				}
				if !ok {
					t.Errorf("%s: %q, want %q", test.what, got, test.want)
				}
			}
		})
	}
}

// A statement of another goroutine is seen too, and a message does not grow without end.
func TestNoSQLFromOtherGoroutines(t *testing.T) {
	t.Parallel()
	k := open(t, gorm.Config{})
	r := recorded(t, func(tb testing.TB) {
		cachetest.NoSQL(tb, k.rt, func() {
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for n := range 5 {
						var c []shop.Croupon
						k.db.Where("title = ?", strings.Repeat("long ", 1000)).Offset(n).Limit(1).Find(&c)
					}
				})
			}
			wg.Wait()
		})
	})
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "20 SQL statements were sent:") || !strings.Contains(r.errors[0], "\n\t10 more\n") ||
		!strings.Contains(r.errors[0], "No read of a Cache went to the database") || len(r.errors[0]) > 10_000 {
		t.Errorf("%d bytes: %q", len(strings.Join(r.errors, "")), r.errors)
	}
}

func TestFlushed(t *testing.T) {
	t.Parallel()
	k := open(t, gorm.Config{})
	c := shop.Croupon{ID: 1}
	rename := func(db *gorm.DB) { check(t, db.Model(&c).Update("title", time.Now().String()).Error) }
	for _, test := range []struct {
		what string
		run  func()
		want []string
	}{
		{"a read", func() { _, _ = k.m.Croupon.Cache.Get(ctx, 1) }, nil},
		{"a title", func() { rename(k.db) }, []string{"test:croupons:1"}},
		{"twice", func() { rename(k.db); rename(k.db) }, []string{"test:croupons:1"}},
		{"a popularity", func() { check(t, k.db.Model(&c).Update("popularity", 5).Error) },
			[]string{"test:croupons.ListPopularInCity(portland)", "test:croupons:1"}},
		{"a commit", func() { check(t, k.db.Transaction(func(tx *gorm.DB) error { rename(tx); return nil })) }, []string{"test:croupons:1"}},
		{"a rollback", func() {
			_ = k.db.Transaction(func(tx *gorm.DB) error { rename(tx); return errors.New("no") })
		}, nil},
		{"another goroutine", func() { done := make(chan bool); go func() { rename(k.db); close(done) }(); <-done }, []string{"test:croupons:1"}},
		{"FlushTable", func() { check(t, k.rt.FlushTable(ctx, "croupons")) }, []string{"test:croupons"}},
		{"without flushing", func() { rename(k.db.WithContext(cacheruntime.WithoutFlush(ctx))) }, nil},
	} {
		if got := cachetest.Flushed(t, k.rt, test.run); !slices.Equal(got, test.want) || got == nil != (test.want == nil) {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}

// Helpers may stand in one another, and each hears only while its function runs.
func TestNested(t *testing.T) {
	t.Parallel()
	k := open(t, gorm.Config{})
	write := func() { check(t, k.db.Model(&shop.Croupon{ID: 1}).Update("title", "x").Error) }
	var inner []string
	outer := cachetest.Flushed(t, k.rt, func() {
		cachetest.NoSQL(t, k.rt, func() { check(t, k.rt.FlushTable(ctx, "merchants")) })
		inner = cachetest.Statements(t, k.rt, write)
	})
	if len(inner) != 1 || !slices.Equal(outer, []string{"test:croupons:1", "test:merchants"}) {
		t.Errorf("inside %q, outside %q", inner, outer)
	}
	// A function that ends its test leaves nothing behind.
	gone := recorded(t, func(tb testing.TB) { cachetest.NoSQL(tb, k.rt, func() { write(); tb.Fatalf("gave up") }) })
	if len(gone.errors) != 0 || len(gone.fatal) != 1 {
		t.Errorf("a function that gives up: %q, %q", gone.errors, gone.fatal)
	}
}

// Runtimes of parallel tests do not hear each other.
func TestParallelRuntimes(t *testing.T) {
	t.Parallel()
	a, b := open(t, gorm.Config{}), open(t, gorm.Config{})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = b.m.Croupon.Objects.Get(ctx, 1)
				_ = b.m.Croupon.Cache.Flush(ctx, 1)
			}
		}
	}()
	_, err := a.m.Croupon.Cache.Get(ctx, 1)
	check(t, err)
	for range 200 {
		if lists := cachetest.Flushed(t, a.rt, func() {
			cachetest.NoSQL(t, a.rt, func() { _, _ = a.m.Croupon.Cache.Get(ctx, 1) })
		}); lists != nil {
			t.Fatalf("another Runtime's flushes: %q", lists)
		}
	}
	close(stop)
	<-stopped
}

// observer is a program's own.
type observer struct {
	mu             sync.Mutex
	reads, flushes int
	events         []flushlist.Event
}

func (o *observer) ObserveRead(context.Context, cacheruntime.ReadEvent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads++
}

func (o *observer) ObserveFlush(context.Context, cacheruntime.FlushEvent) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushes++
}

func (o *observer) ObserveEvent(e flushlist.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

func TestNewChanges(t *testing.T) {
	t.Parallel()
	seen := &observer{}
	k := open(t, gorm.Config{}, func(o *cacheruntime.Options) {
		if o.Namespace != "test" || o.Mode != cacheruntime.Strict {
			t.Errorf("New begins with %+v", *o)
		}
		o.Namespace, o.Observer = "mine", seen
	}, func(o *cacheruntime.Options) { o.Mode = cacheruntime.Available })
	got := cachetest.Flushed(t, k.rt, func() { check(t, k.m.Croupon.Cache.Flush(ctx, 1)) })
	if !slices.Equal(got, []string{"mine:croupons:1"}) {
		t.Errorf("flushed %q", got)
	}
	_, _ = k.m.Croupon.Cache.Get(ctx, 1)
	err := k.db.Transaction(func(tx *gorm.DB) error { // a function that panics is an event
		return cacheruntime.AfterCommit(tx, func(context.Context) { panic("on purpose") })
	})
	check(t, err)
	if seen.reads != 1 || seen.flushes != 2 || len(seen.events) != 1 {
		t.Errorf("the program's observer saw %+v", seen)
	}
}

// What the plugin cannot see fails the test, as Strict does.
func TestStrict(t *testing.T) {
	t.Parallel()
	k := open(t, gorm.Config{})
	var id int
	err := k.db.Raw("UPDATE croupons SET title = 'x' RETURNING id").Scan(&id).Error
	if err == nil || !strings.Contains(err.Error(), "strict mode") {
		t.Errorf("a write whose commit cannot be seen: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	k := open(t, gorm.Config{})
	foreign := &cacheruntime.Runtime{}
	for _, test := range []struct {
		what string
		run  func(testing.TB)
		want string
	}{
		{"no database", func(tb testing.TB) { cachetest.New(tb, nil) }, "cachetest.New: cachegen: New needs a *gorm.DB"},
		{"the same database", func(tb testing.TB) { cachetest.New(tb, k.db) }, "this database has a Runtime already"},
		{"a bad option", func(tb testing.TB) {
			cachetest.New(tb, k.db, func(o *cacheruntime.Options) { o.Namespace = "a b" })
		}, "Options.Namespace"},
		{"a bad observer", func(tb testing.TB) {
			cachetest.New(tb, k.db, func(o *cacheruntime.Options) { o.Observer = observer{} })
		}, "give a pointer"},
		{"another's Runtime", func(tb testing.TB) { cachetest.NoSQL(tb, foreign, func() {}) }, "cachetest.NoSQL: this Runtime is not from cachetest.New"},
		{"no Runtime", func(tb testing.TB) { cachetest.Flushed(tb, nil, func() {}) }, "cachetest.Flushed: this Runtime is not from cachetest.New"},
		{"no function", func(tb testing.TB) { cachetest.Statements(tb, k.rt, nil) }, "cachetest.Statements: the function is nil"},
	} {
		r := recorded(t, test.run)
		if len(r.fatal) != 1 || !strings.Contains(r.fatal[0], test.want) {
			t.Errorf("%s: %q, %q; want %q", test.what, r.fatal, r.errors, test.want)
		}
	}
}

// A Runtime ends with its test.
func TestEnds(t *testing.T) {
	t.Parallel()
	var k kit
	t.Run("inner", func(t *testing.T) { k = open(t, gorm.Config{}) })
	if _, err := k.m.Croupon.Cache.Get(ctx, 1); !errors.Is(err, cacheruntime.ErrClosed) {
		t.Errorf("a read after the test: %v", err)
	}
	r := recorded(t, func(tb testing.TB) { cachetest.NoSQL(tb, k.rt, func() {}) })
	if len(r.fatal) != 1 || !strings.Contains(r.fatal[0], "its test has ended") {
		t.Errorf("a helper after the test: %q", r.fatal)
	}
}

// The helpers serve benchmarks too.
func BenchmarkHit(b *testing.B) {
	k := open(b, gorm.Config{})
	_, err := k.m.Croupon.Cache.Get(ctx, 1)
	check(b, err)
	cachetest.NoSQL(b, k.rt, func() {
		for b.Loop() {
			_, _ = k.m.Croupon.Cache.Get(ctx, 1)
		}
	})
}
