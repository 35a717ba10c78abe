package tiered

import (
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/internal/testserver"
)

// Programs with different tags know of each other while their servers are changed: one that is a step ahead reads
// the directory at another server, and both enter what they flush at both.
func TestReleasesAStepApart(t *testing.T) {
	old, new := testserver.Memcached(t).Addr(), testserver.Memcached(t).Addr()
	at := func(step int, first, also string, identities ...uint64) (*process, interface {
		Flushed(uint64) (uint64, bool)
		Confirmed() uint64
	}) {
		o := Options{Servers: []string{first}, Step: step, Timeout: 5 * time.Second}
		if also != "" {
			o.Also = []string{also}
		}
		p := start(t, o)
		return p, p.Register(context.Background(), storetest.All(), identities)
	}
	flushes := func(r interface{ Flushed(uint64) (uint64, bool) }, identity uint64) bool {
		_, ok := r.Flushed(identity)
		return ok
	}
	_, a := at(1, old, new, 1, 2)
	if !flushes(a, 1) || !flushes(a, 2) || a.Confirmed() == 0 {
		t.Fatal("a program alone is not confirmed")
	}
	_, b := at(2, new, old, 2, 3)
	if flushes(b, 3) || !flushes(b, 2) {
		t.Error("the program ahead does not know of the one behind")
	}
	if b.Confirmed() != 0 {
		t.Error("the program ahead is confirmed before the one behind can know of it")
	}
	eventually(t, "the program behind does not hear of the one ahead", func() bool { return !flushes(a, 1) && flushes(a, 2) })
	eventually(t, "they are not confirmed at both servers", func() bool { return a.Confirmed() != 0 && b.Confirmed() != 0 })
	_, c := at(3, new, "", 2, 3)
	if !flushes(c, 2) || flushes(c, 3) {
		t.Error("the program at the last step does not know of the first")
	}
}

// A directory that was left behind by a change of servers, and is gone by again after another: programs that ended meanwhile
// have written without it. What lies under its terms is not found again. behaviours 102 and 110
//
//  1. a program caches a list that another does not flush; its entry lies on a server that stays
//  2. the servers are changed, and the home of the directory with them
//  3. the other program comes, is confirmed by all who are at the new home, writes, and goes
//  4. the servers are changed back
func TestDirectoryLeftBehind(t *testing.T) {
	c := newCluster(t, 3)
	home := func(digits string) byte { return digits[newRing(c.names(digits), nil).server(homeRoute)] }
	for home("012") != '2' {
		c.servers[2] = testserver.Memcached(t)
	}
	run := func(step int, first, also string, identities ...uint64) (terms []uint64) {
		p := start(t, c.options(step, first, also))
		reg := p.Register(context.Background(), storetest.All(), identities)
		for _, id := range identities {
			term, ok := reg.Flushed(id)
			if !ok && step != 4 && step != 5 { // the other program is not forgotten so soon
				t.Fatalf("step %d: %d is not flushed by all", step, id)
			}
			terms = append(terms, term)
		}
		p.within()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		return terms
	}
	before := run(1, "01", "", 1, 2)
	if again := run(2, "01", "012", 1, 2); again[1] != before[1] {
		t.Error("a step of the same home makes new terms")
	}
	run(3, "012", "01", 1, 2)
	run(4, "012", "", 1)
	run(5, "012", "01", 1, 2)
	if again := run(6, "01", "012", 1, 2); again[1] == before[1] {
		t.Error("the terms of before are gone by again")
	}
	last := run(6, "01", "012", 1, 2)
	if again := run(7, "01", "", 1, 2); again[1] != last[1] {
		t.Error("a step of the same home makes new terms")
	}
}
