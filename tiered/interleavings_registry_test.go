package tiered

import (
	"fmt"
	"testing"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// listNotFlushedForAWhile: NO_TERM. behaviour 110
//
//  1. a: caches a list that is in its tags alone, under the list's term
//  2. b, a program without that tag: registers, and is known to all from here on
//  3. b: a whole write, of a row that enters the list; b flushes the lists that it knows
//  4. b: ends; a finds out, and caches the list again
//  5. a must not find what it had cached
func listNotFlushedForAWhile(t *testing.T, m *testserver.Server) {
	a := register(t, m, 1, 2)
	under := func() flushlist.Ref { // as the runtime makes keys
		r := storetest.Ref(1)
		r.Key = fmt.Sprintf("%s:%016x", r.Key, a.term(1))
		return r
	}
	r := under()
	a.load(r, "old")
	b := register(t, m, 2, 3)
	eventually(t, "the second program is not confirmed", func() bool { return b.Confirmed() != 0 })
	if a.flushes(1) {
		t.Fatal("a list that a live program does not flush is cached")
	}
	b.write(storetest.Ref(2).List)
	b.lose(b.setKey(b.own.name))
	_ = b.Close()
	eventually(t, "the registration never lapses", func() bool { return a.flushes(1) })
	a.never(under(), "old")
}
