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
