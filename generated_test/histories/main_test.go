package histories_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
)

// The flags; doc.go says what they are for.
var (
	seedFlag    = flag.Int64("histories.seed", 0, "the first round's seed; 0 is one by the clock")
	forFlag     = flag.Duration("histories.for", 0, "how long rounds of random histories are run; 0 is one of each plan")
	workersFlag = flag.Int("histories.workers", 3, "the number of worker processes")
	withoutFlag = flag.String("histories.without", "", "the parts of the protocol to leave out: names, or \"all\"; \"\" is a few")
	hourFlag    = flag.Duration("histories.hour", 0, "how long the count of forgotten stamps runs")
	keepFlag    = flag.String("histories.keep", "", "a folder for the histories of failed rounds")
	planFlag    = flag.String("histories.plan", "", "only the plan of this name")
)

func TestMain(m *testing.M) {
	if plan := os.Getenv(workerEnv); plan != "" {
		os.Exit(work(plan))
	}
	flag.Parse()
	parallel := false // the flag is set
	flag.Visit(func(f *flag.Flag) { parallel = parallel || f.Name == "test.parallel" })
	if !parallel {
		_ = flag.Set("test.parallel", "8") // those that run in parallel wait more than they work
	}
	if *seedFlag == 0 {
		*seedFlag = time.Now().UnixNano() % 1e9
	}
	fixture.Main(m)
}
