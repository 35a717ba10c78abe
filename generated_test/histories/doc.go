// Package histories runs several processes at random over real servers that fail, writes down what each read and
// wrote and when, and looks for an answer that the promise does not allow.
//
// The test binary is also the worker: started with its plan in the environment, it reads and writes Registers through
// the cache until it is told to end, and logs every operation with the time of its beginning and of its end, by the one
// monotonic clock of the machine. The test starts several of them over one PostgreSQL and one or three memcached, each
// behind relays of its own, and does to them what happens to programs: they are killed and stopped, their
// connections cut, held and delayed, their COMMITs held back in the database, memcached restarted, flushed and
// filled up.
//
// What really happened is known from the database: a trigger writes down each state of each row in the order
// in which they were committed (truth_test.go). So every write of unknown outcome is known to have happened, or not, and the
// order of a row's states is given. What is checked:
//
//   - With WithFresh, each row is linearizable: porcupine says so (linear_test.go).
//   - Nothing is older than the promise allows: an interval check for every read of a row, a list or a
//     count, with the first tier or without (bounds_test.go, where it is proved).
//   - No write that returned ErrFlush was committed, and nothing hangs.
//
// Beside the random rounds there are directed tests, whose workers do what they are told, step by step, at exactly the points
// that the behaviours name; what they read is checked in the same way (told_test.go, directed_test.go, lost_test.go).
// And what the checks are worth is shown by leaving out one part of the protocol after the other, which they must
// notice: in random rounds, or in scripts, which lead workers to where the part is needed (without_test.go, scripts_test.go).
//
// The flags are
//
//	-histories.seed     of the first round; printed by each, so that a round can be run again
//	-histories.for      how long rounds of random histories are run; the default is one round of each plan
//	-histories.workers  the number of processes
//	-histories.without  which parts of the protocol to leave out: names with commas between them, "all", or "" for a few
//	-histories.plan     only the plan of this name
//	-histories.hour     how long the count of forgotten stamps runs
//	-histories.keep     a folder for the histories of failed rounds; the default is a temporary one
package histories
