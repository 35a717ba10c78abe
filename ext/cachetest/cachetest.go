package cachetest

import (
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

// firstTierMB is enough for a test, and little enough for many of them in parallel. A value of 1 MiB still
// fits, as it does in memcached.
const firstTierMB = 8

// New returns a Runtime on db for one test, with a store in the process: nothing is cached at first,
// and nothing outlives the test, which closes both. Give each test a database of its own; one
// database has one Runtime.
//
// Two options differ from the defaults of cacheruntime.New. The namespace is "test", so that the
// names of flush lists are the same in every run: "test:croupons:42". The mode is Strict, so that a
// write whose COMMIT cannot be seen fails the test instead of leaving readers to the database for a
// while. Each change may alter these and all other options. An Observer set there is told what
// happens as ever; a Fault, which says that something is not cached and what to do, is also written
// into the test's log.
//
// Tests may run in parallel, each with Runtimes of its own. New fails tb where there can be no
// Runtime.
func New(tb testing.TB, db *gorm.DB, change ...func(*cacheruntime.Options)) *cacheruntime.Runtime {
	tb.Helper()
	w := &watch{tb: tb}
	tb.Cleanup(w.end) // the last of the cleanups
	o := cacheruntime.Options{Namespace: "test", Mode: cacheruntime.Strict}
	for _, f := range change {
		f(&o)
	}
	if err := w.observe(&o); err != nil {
		tb.Fatalf("cachetest.New: %v", err)
	}
	store, err := tiered.Open(tiered.Options{FirstTierMB: firstTierMB})
	if err != nil {
		tb.Fatalf("cachetest.New: %v", err)
	}
	tb.Cleanup(func() {
		if err := store.Close(); err != nil {
			tb.Errorf("cachetest: closing the store: %v", err)
		}
	})
	rt, err := cacheruntime.New(db, store, o)
	if err != nil {
		tb.Fatalf("cachetest.New: %v", err)
	}
	watches.Store(rt, w)
	tb.Cleanup(func() {
		watches.Delete(rt)
		if err := rt.Close(); err != nil {
			tb.Errorf("cachetest: closing the Runtime: %v", err)
		}
	})
	if err := w.register(db); err != nil {
		tb.Fatalf("cachetest.New: callbacks cannot be registered: %v", err)
	}
	return rt
}

// NoSQL fails tb if an SQL statement is sent while f runs, and names the statements and the reads
// that the cache did not serve. rt is from [New].
//
// It sees every statement that GORM sends through the database given to New, whichever goroutine
// sends it: loads of Cache accessors, reads of Objects accessors, and what the program queries and
// writes by itself. So let nothing else use the database at the time, and wait in f for the
// goroutines that it starts. NoSQL does not see the BEGIN and COMMIT of a transaction, nor what is
// sent past GORM, through db.DB(). For what the cache alone loads, compare CacheStatements of
// rt.Stats before and after.
func NoSQL(tb testing.TB, rt *cacheruntime.Runtime, f func()) {
	tb.Helper()
	s := during(tb, "NoSQL", rt, f)
	if len(s.statements) > 0 {
		tb.Errorf("cachetest.NoSQL: %s", s.report())
	}
}

// Statements returns the SQL statements that are sent while f runs, with their values, in the order in
// which they ended, for example to test that an uncached page takes two. It sees what [NoSQL] sees. rt
// is from [New].
func Statements(tb testing.TB, rt *cacheruntime.Runtime, f func()) []string {
	tb.Helper()
	return during(tb, "Statements", rt, f).statements
}

// Flushed returns the names of the flush lists that fall while f runs, sorted, each once; nil where none
// does. They are the names that a trace shows:
//
//	test:croupons:42                           a row's
//	test:croupons.ListPopularInCity(portland)  an accessor's, with its arguments
//	test:croupons                              the table's `all`: every entry of it
//
// A list falls when its transaction commits, so the COMMIT must be in f; what is rolled back makes
// none fall. Flushes by hand count too, and so do those of other goroutines. The generated CacheKeys
// say which lists a model has. rt is from [New].
func Flushed(tb testing.TB, rt *cacheruntime.Runtime, f func()) []string {
	tb.Helper()
	lists := during(tb, "Flushed", rt, f).flushed
	slices.Sort(lists)
	return slices.Compact(lists)
}

// during runs f and returns what happened meanwhile.
func during(tb testing.TB, caller string, rt *cacheruntime.Runtime, f func()) *span {
	tb.Helper()
	w, ok := watches.Load(rt)
	switch {
	case !ok:
		tb.Fatalf("cachetest.%s: this Runtime is not from cachetest.New, or its test has ended: make it with cachetest.New(t, db)", caller)
	case f == nil:
		tb.Fatalf("cachetest.%s: the function is nil", caller)
	}
	s := w.(*watch).begin()
	defer s.end() // also where f ends the test
	f()
	return s
}

// What a message shows at most.
const (
	mostLines = 10
	mostRunes = 400
)

// report says which statements were sent, and why.
func (s *span) report() string {
	var b strings.Builder
	b.WriteString(counted(len(s.statements), "SQL statement was", "SQL statements were"))
	b.WriteString(" sent:")
	lines(&b, s.statements)
	if len(s.misses) == 0 {
		b.WriteString("\nNo read of a Cache went to the database: they are reads of Objects, writes, or the program's own.")
		return b.String()
	}
	b.WriteString("\nReads that the cache did not serve, and why:")
	lines(&b, s.misses)
	return b.String()
}

// lines appends lines, as far as somebody would read them.
func lines(b *strings.Builder, all []string) {
	for i, l := range all {
		b.WriteString("\n\t")
		if i == mostLines {
			b.WriteString(counted(len(all)-i, "more", "more"))
			return
		}
		if r := []rune(l); len(r) > mostRunes {
			l = string(r[:mostRunes]) + "…"
		}
		b.WriteString(l)
	}
}
