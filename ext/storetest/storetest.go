// Package storetest is the conformance suite of the store that package cacheruntime asks for:
// what every implementation must do, whatever its entries and cells lie in. Run a store of your
// own through [Run]; the names of the cases say what is demanded, and each is short enough to be
// read when it fails.
//
// The suite demands that no order of reads, writes, evictions and cuts makes the store serve what
// a finished write has flushed. It demands nothing of speed.
package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// Harness makes the stores of one suite, and does to their data what a test needs done. Open and
// Close are required. The other fields are what not every store, or not every test of one, can do:
// where one is nil or 0, the cases that need it are skipped, and the skip names the field.
//
// Its functions are called one at a time.
type Harness struct {
	// Open makes a store on data that nobody else uses, with the given IntentTTL. 0 is the
	// store's default, which must be some seconds at least: in a case that does not ask for less,
	// no write may be taken for dead.
	Open func(tb testing.TB, intentTTL time.Duration) cacheruntime.Store

	// Close closes a store that Open or Second made. It is called twice for some.
	Close func(cacheruntime.Store)

	// Second makes one more store on the data of the last that Open made, as another process
	// has it. Nil where a store's data is its own.
	Second func(tb testing.TB, intentTTL time.Duration) cacheruntime.Store

	// Evict makes the data of the last store that Open made lose the cells of a list, as memory
	// pressure or a restart would. Nil where cells are never lost.
	Evict func(tb testing.TB, l flushlist.List)

	// Cut puts the servers of the last store that Open made out of its reach, until mend is
	// called: every request fails, or is not answered within the store's time-out. What the
	// servers hold is there when they are back. Nil where there is no server. A store that leaves
	// a failing server alone for a while should not do so for long here: the cases wait for it.
	Cut func(tb testing.TB) (mend func())

	// Lease is how long the stores' leases last where they are not released: some seconds, since the case that
	// needs it waits for that. 0 where Second is nil, or leases last too long for a test.
	Lease time.Duration

	// TooLarge is the size in bytes of a payload that the store does not take; one of half that size
	// it must. 0 where there is no limit.
	TooLarge int
}

// needs is what a case needs of the Harness.
type needs uint8

const (
	nothing needs = iota
	second
	evict
	cut
	tooLargeOf
	leaseTime
)

// missing returns the name of the field that the Harness lacks, or "".
func (n needs) missing(h Harness) string {
	switch {
	case n == second && h.Second == nil:
		return "Second"
	case n == evict && h.Evict == nil:
		return "Evict"
	case n == cut && h.Cut == nil:
		return "Cut"
	case n == tooLargeOf && h.TooLarge == 0:
		return "TooLarge"
	case n == leaseTime && h.Second == nil:
		return "Second"
	case n == leaseTime && h.Lease == 0:
		return "Lease"
	}
	return ""
}

// Run runs the suite, each case as a subtest with a store of its own, one after the other. Run the
// tests that call it with -race.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.Open == nil || h.Close == nil {
		t.Fatal("storetest: Harness.Open and Harness.Close are required")
	}
	for _, c := range []struct {
		name  string
		run   func(t *testing.T, h Harness)
		needs needs
	}{
		{"MissFillHit", missFillHit, nothing},
		{"Absent", absent, nothing},
		{"ManyInOrder", manyInOrder, nothing},
		{"FetchOfMix", fetchOfMix, nothing},
		{"FillOfMany", fillOfMany, nothing},
		{"PrivateCopies", privateCopies, nothing},
		{"KeysAreWhole", keysAreWhole, nothing},
		{"FlushOfList", flushOfList, nothing},
		{"FlushOfAll", flushOfAll, nothing},
		{"AbortFlushesNothing", abortFlushesNothing, nothing},
		{"SlowReaderOfOldRow", slowReaderOfOldRow, nothing},
		{"SlowReaderOfNoRow", slowReaderOfNoRow, nothing},
		{"EvictedCell", evictedCell, evict},
		{"EvictedIntent", evictedIntent, evict},
		{"OverlappingWriters", overlappingWriters, nothing},
		{"SlowLoaderLosesToNewer", slowLoaderLosesToNewer, nothing},
		{"Expiry", expiry, nothing},
		{"LongTTL", longTTL, nothing},
		{"TooLarge", tooLarge, tooLargeOf},
		{"DeadWriter", deadWriter, nothing},
		{"LeftWriteIsFlushedAgain", leftWriteIsFlushedAgain, nothing},
		{"RenewAndLate", renewAndLate, nothing},
		{"WriteOfSeveral", writeOfSeveral, nothing},
		{"AbortOfSeveral", abortOfSeveral, nothing},
		{"LeaveOfSeveral", leaveOfSeveral, nothing},
		{"RenewOfSeveral", renewOfSeveral, nothing},
		{"EndAfterRenew", endAfterRenew, nothing},
		{"EndedContext", endedContext, nothing},
		{"PrepareWithEndedContext", prepareWithEndedContext, nothing},
		{"EndIsDetached", endIsDetached, nothing},
		{"Claim", claim, nothing},
		{"Closed", closed, nothing},
		{"ManyWritersOfOneList", manyWritersOfOneList, nothing},
		{"RegisteredAlone", registeredAlone, nothing},
		{"RegisteredAnew", registeredAnew, nothing},
		{"RegisteredBySeveral", registeredBySeveral, second},
		{"RegisteredWhileCut", registeredWhileCut, cut},
		{"LeaseOfMiss", leaseOfMiss, nothing},
		{"LeaseOfUnstorable", leaseOfUnstorable, nothing},
		{"LeaseOfOther", leaseOfOther, second},
		{"LeaseAfterFlush", leaseAfterFlush, second},
		{"LeaseOfTheDead", leaseOfTheDead, leaseTime},
		{"LeaseWhileCut", leaseWhileCut, cut},
		{"OtherProcess", otherProcess, second},
		{"OtherProcessOfSeveral", otherProcessOfSeveral, second},
		{"ReadsWhileCut", readsWhileCut, cut},
		{"StrictWhileCut", strictWhileCut, cut},
		{"AvailableWhileCut", availableWhileCut, cut},
		{"AbortWhileCut", abortWhileCut, cut},
		{"CutBeforeFinish", cutBeforeFinish, cut},
	} {
		t.Run(c.name, func(t *testing.T) {
			if field := c.needs.missing(h); field != "" {
				t.Skipf("Harness.%s is not set", field)
			}
			c.run(t, h)
		})
	}
}

// All is the `all` list of the suite's table.
func All() flushlist.List {
	l := List("shop:croupons")
	l.All = true
	return l
}

// List returns the flush list of a name.
func List(name string) flushlist.List {
	return flushlist.List{Name: name, ID: xxhash.Sum64String(name)}
}

// Ref returns the n-th entry of the suite's table.
func Ref(n int) flushlist.Ref {
	l := List(fmt.Sprintf("shop:croupons:%d", n))
	return flushlist.Ref{Key: fmt.Sprintf("%016x::shop::croupons.f:get:%d", l.ID, n), List: l, All: All()}
}
