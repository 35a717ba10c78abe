// Package journaltest is the conformance suite of tiered.Journal: what every implementation must do, whatever
// carries it. Run a journal of your own through [Run]; the names of the cases say what is demanded.
//
// The suite demands that no record is lost on the way to a reader without the reader seeing that: by a gap, or
// by the head. It demands nothing of speed.
package journaltest

import (
	"testing"

	"github.com/cachegen/cachegen/tiered"
)

// Harness makes the journals of one suite.
type Harness struct {
	// Open makes a journal that nobody else uses, and returns a function that opens it once more, as
	// another process does. The suite closes what it opens. Required.
	Open func(tb testing.TB) (open func() tiered.Journal)

	// Lose makes the journal that Open made last lose all it holds, as a restart of what carries it would. Nil
	// where it cannot be lost.
	Lose func(tb testing.TB)
}

// Run runs the suite, each case as a subtest with a journal of its own, one after the other. Run the tests that
// call it with -race.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.Open == nil {
		t.Fatal("journaltest: Harness.Open is required")
	}
	for _, c := range []struct {
		name string
		run  func(f *fixture)
	}{
		{"TakeRises", takeRises},
		{"TakesAtOnce", takesAtOnce},
		{"PutOnce", putOnce},
		{"PutsAtOnce", putsAtOnce},
		{"BytesComeBack", bytesComeBack},
		{"RecordsAreCopies", recordsAreCopies},
		{"PollOfHead", pollOfHead},
		{"PollInOrder", pollInOrder},
		{"GapIsFilledLater", gapIsFilledLater},
		{"PollFromAnywhere", pollFromAnywhere},
		{"FollowLong", followLong},
		{"FollowWriters", followWriters},
		{"EndedContext", endedContext},
		{"CloseIsOwn", closeIsOwn},
		{"Lost", lost},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "Lost" && h.Lose == nil {
				t.Skip("Harness.Lose is not set")
			}
			c.run(&fixture{TB: t, h: h, open: h.Open(t)})
		})
	}
}
