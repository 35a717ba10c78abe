package histories_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// The check of linearizability, by porcupine, row by row.
//
// A row is a register whose states come in a given order: write v leads from state v-1 to state v. A read of the row,
// of a list it may be on or of a code it may have, says which states it can have met. Reads with the first tier are left out.
//
// Rows are left out that were written while memcached lost items, or by a process that was stopped for
// IntentTTL in the middle of a write. There the promise is that of the interval check: nothing is older than a write that
// has returned. While such a write has not, a reader that finds no entry may be given its row, and another one after it
// an entry from before.

// step is what porcupine is told of an operation.
type step struct {
	write int // leads to this state; 0 for a read
	what  string
	fits  func(state int) bool
}

// registerModel is a row as porcupine knows it: its state is the number of the write that it is at.
var registerModel = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(at, input, _ any) (bool, any) {
		s := input.(step)
		if s.write > 0 {
			return at.(int) == s.write-1, s.write
		}
		return s.fits(at.(int)), at
	},
	DescribeOperation: func(input, _ any) string { return input.(step).what },
	DescribeState:     func(at any) string { return fmt.Sprint("state ", at) },
}

// linearity is the answer for one row.
type linearity struct {
	row    uint64
	result porcupine.CheckResult
	info   porcupine.LinearizationInfo
}

// checkLinear checks the rows that it can say something about, and returns how many those were, their operations, and
// which of them are not linearizable.
func (h *history) checkLinear() (rows, operations int, bad []linearity) {
	if !h.strict {
		return 0, 0, nil
	}
	steps := h.steps()
	for id, ops := range steps {
		if len(ops) == 0 || h.excused(id) {
			continue
		}
		rows++
		operations += len(ops)
		if porcupine.CheckOperationsTimeout(registerModel, ops, 5*time.Minute) != porcupine.Ok {
			result, info := porcupine.CheckOperationsVerbose(registerModel, ops, 5*time.Minute)
			bad = append(bad, linearity{id, result, info})
		}
	}
	return rows, operations, bad
}

// steps returns the operations on each row.
func (h *history) steps() map[uint64][]porcupine.Operation {
	steps := map[uint64][]porcupine.Operation{}
	shelves := map[int64][]uint64{}
	for id, states := range h.rows {
		for v, s := range states {
			if s.Present && !slices.Contains(shelves[s.Shelf], id) {
				shelves[s.Shelf] = append(shelves[s.Shelf], id)
			}
			if v > 0 {
				steps[id] = append(steps[id], porcupine.Operation{
					ClientId: s.writer, Call: s.start, Return: s.end, Input: step{write: v, what: fmt.Sprint("write ", s)},
				})
			}
		}
	}
	for _, r := range h.reads {
		if !r.Fresh {
			continue
		}
		for _, o := range h.observations(r, shelves[r.Shelf]) {
			states := h.rows[o.row]
			steps[o.row] = append(steps[o.row], porcupine.Operation{
				ClientId: r.worker, Call: r.Start, Return: r.End,
				Input: step{what: fmt.Sprintf("%s: %s", r.Kind, o.what), fits: func(at int) bool { return o.fits(states[at]) }},
			})
		}
	}
	return steps
}

// excused reports whether a row's writes met what linearizability is not promised for.
func (h *history) excused(row uint64) bool {
	return slices.ContainsFunc(h.rows[row][1:], func(s state) bool {
		end := s.end
		if end == never {
			end = s.start + int64(10*time.Second) // a COMMIT that was under way has ended long before
		}
		return h.wasLossy(s.start, end) || slices.ContainsFunc(h.stops[s.writer], func(stop [2]int64) bool {
			return stop[1]-stop[0] >= int64(h.intentTTL)*3/4 && stop[0] <= end && s.start <= stop[1]
		})
	})
}
