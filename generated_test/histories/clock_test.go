package histories_test

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock is CLOCK_MONOTONIC in nanoseconds: one clock for all processes of the machine, also for those that
// were stopped for a while. What time.Now holds of it counts from the start of each process.
func clock() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // every kernel has it
	}
	return ts.Nano()
}

// waitUntil returns when the clock shows at, or stop is closed.
func waitUntil(at int64, stop <-chan struct{}) {
	timer := time.NewTimer(time.Duration(at - clock()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-stop:
	}
}
