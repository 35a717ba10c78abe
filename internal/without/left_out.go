//go:build without

package without

import (
	"os"
	"slices"
	"strings"
)

// In this build the environment says what is left out: CACHEGEN_WITHOUT=Intent,Stripe. A name that is
// none of these is nobody's fault but the test's, which will find nothing wrong.
var (
	Intent       = leftOut("Intent")
	OtherTokens  = leftOut("OtherTokens")
	StampsBefore = leftOut("StampsBefore")
	EarlyRecord  = leftOut("EarlyRecord")
	TokenFirst   = leftOut("TokenFirst")
	Stripe       = leftOut("Stripe")
	StampedJoins = leftOut("StampedJoins")
	Closing      = leftOut("Closing")
	Wait         = leftOut("Wait")
	NewNumber    = leftOut("NewNumber")
	Terms        = leftOut("Terms")
	Drop         = leftOut("Drop")
	Hold         = leftOut("Hold")
	Renewal      = leftOut("Renewal")
	Observation  = leftOut("Observation")
	BothRings    = leftOut("BothRings")
	Steps        = leftOut("Steps")
	CheckedFills = leftOut("CheckedFills")
	SecondDrop   = leftOut("SecondDrop")
	LostRecord   = leftOut("LostRecord")
	DeadStamp    = leftOut("DeadStamp")
	NextBatch    = leftOut("NextBatch")
)

func leftOut(part string) bool {
	return slices.Contains(strings.Split(os.Getenv("CACHEGEN_WITHOUT"), ","), part)
}
