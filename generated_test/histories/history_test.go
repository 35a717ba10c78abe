package histories_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"
)

// history is what happened in one round.
type history struct {
	strict    bool
	maxStale  time.Duration
	intentTTL time.Duration
	rows      map[uint64][]state // by ID, each oldest first
	reads     []record           // that returned something
	all       []record
	lossy     [][2]int64         // when memcached may have lost items
	stops     map[int][][2]int64 // by process
	gone      map[int]int64      // by process that was killed: its writes had happened by then, or never will
	problems  []string

	bounds   map[boundsOf][]int64
	observed map[uint64][]int64 // by row and state: when a read of it had returned, never where none did
}

// A write that could not tell every process of itself has told them this long after the store says so at the latest: its
// record goes into the journal after its last flush.
const deliverySlack = int64(time.Second)

// newHistory puts together what the workers logged and what the database wrote down.
func newHistory(s setup, rows map[uint64][]state, logs map[int][]record, stops map[int][][2]int64, gone map[int]int64, lossy [][2]int64) *history {
	h := &history{
		strict: s.strict, maxStale: s.maxStale, intentTTL: s.intentTTL, rows: rows, lossy: lossy, stops: stops, gone: gone,
		bounds: map[boundsOf][]int64{}, observed: map[uint64][]int64{},
	}
	writes := map[int64]record{}
	payments := map[int][]record{} // by worker, in order
	for number, records := range logs {
		for _, r := range records {
			r.worker = number
			switch {
			case r.Kind.isWrite():
				writes[r.Write] = r // the second takes the place of the first
			case r.Kind.isRead() && r.Error == "":
				h.reads = append(h.reads, r)
			case r.Kind == paid:
				payments[number] = append(payments[number], r)
			}
			h.all = append(h.all, r)
		}
	}
	for id, row := range rows {
		for i := range row {
			if st := &row[i]; st.Write != 0 {
				w, ok := writes[st.Write]
				if !ok {
					h.problem("row %d has a state of write %s, which nobody has logged", id, writeName(st.Write))
				}
				h.enter(st, w, payments[w.worker])
			}
		}
	}
	h.observe()
	slices.SortFunc(h.reads, func(a, b record) int { return cmp.Compare(a.Start, b.Start) })
	slices.SortFunc(h.all, func(a, b record) int { return cmp.Compare(cmp.Or(a.Start, a.End), cmp.Or(b.Start, b.End)) })
	return h
}

// enter takes what a writer logged into the state that it made.
func (h *history) enter(st *state, w record, payments []record) {
	st.start, st.end, st.writer = w.Start, w.End, w.worker
	if w.End == 0 || w.Error != "" {
		st.end = never // it has happened, and its writer does not know when
	}
	if w.Kind == abandon {
		h.problem("write %s was rolled back, and row %d has its value", writeName(w.Write), st.ID)
	}
	if w.Refused {
		h.problem("write %s returned an error that says it was rolled back, and row %d has its value: %s", writeName(w.Write), st.ID, w.Error)
	}
	st.delivered = st.end
	if !w.Owing || st.end == never {
		return
	}
	delivered := int64(never)
	i := sort.Search(len(payments), func(i int) bool { return payments[i].Start >= w.End })
	if i < len(payments) {
		delivered = payments[i].End + deliverySlack
	}
	// In mode Strict every token was left and the record put before the COMMIT, so that nobody is behind until
	// what the tokens stood in is lost.
	if !h.strict || h.wasLossy(w.Start, delivered) {
		st.delivered = delivered
	}
}

// observe notes by when each state had been read, or its writer was killed and gone: its COMMIT had taken effect by then,
// also where the writer did not live to say so. For rows that linearizability is not promised for, that is no bound.
func (h *history) observe() {
	if !h.strict {
		return
	}
	of := map[seen]int{} // state, by row and write
	for id, states := range h.rows {
		if h.excused(id) {
			continue
		}
		h.observed[id] = slices.Repeat([]int64{never}, len(states))
		for i, s := range states {
			of[seen{ID: id, Value: s.Write}] = i
			if at := h.gone[s.writer]; at != 0 {
				h.observed[id][i] = at
			}
		}
	}
	for _, r := range h.reads {
		for _, row := range r.Rows {
			if i, ok := of[seen{ID: row.ID, Value: row.Value}]; ok && row.Value != 0 {
				h.observed[row.ID][i] = min(h.observed[row.ID][i], r.End)
			}
		}
	}
}

func (h *history) problem(format string, args ...any) {
	h.problems = append(h.problems, fmt.Sprintf(format, args...))
}

// wasLossy reports whether memcached may have lost items between two times.
func (h *history) wasLossy(from, to int64) bool {
	return slices.ContainsFunc(h.lossy, func(l [2]int64) bool { return l[0] <= to && from <= l[1] })
}

// boundsOf names the bounds of a row as a reader sees them; reader 0 is one that made none of its writes.
type boundsOf struct {
	row    uint64
	reader int
	early  bool
}

// earliest returns, by state, the time before which it was not the row's.
func (h *history) earliest(row uint64) []int64 {
	k := boundsOf{row: row, early: true}
	b, ok := h.bounds[k]
	if !ok {
		at := int64(math.MinInt64)
		for _, st := range h.rows[row] {
			at = max(at, st.start)
			b = append(b, at)
		}
		h.bounds[k] = b
	}
	return b
}

// latest returns, by state, the time after which a reader is not to be given it: the earliest time by which a later
// write had returned, or, where it could not tell the reader's process, had been delivered; or a later state had been read.
func (h *history) latest(row uint64, reader int) []int64 {
	states := h.rows[row]
	if !slices.ContainsFunc(states, func(s state) bool { return s.writer == reader && s.delivered != s.end }) {
		reader = 0
	}
	k := boundsOf{row: row, reader: reader}
	b, ok := h.bounds[k]
	if !ok {
		b = make([]int64, len(states))
		at := int64(never)
		for i := len(states) - 1; i >= 0; i-- {
			b[i] = at
			end := states[i].delivered
			if states[i].writer == reader {
				end = states[i].end
			}
			at = min(at, end)
			if seen := h.observed[row]; seen != nil {
				at = min(at, seen[i])
			}
		}
		h.bounds[k] = b
	}
	return b
}

// latestListed is latest by those writes alone that brought the row to a list or took it away.
func (h *history) latestListed(row uint64, reader int, listed func(state) bool) []int64 {
	states := h.rows[row]
	b := make([]int64, len(states))
	at := int64(never)
	for i := len(states) - 1; i >= 0; i-- {
		b[i] = at
		switch {
		case i == 0 || listed(states[i]) == listed(states[i-1]):
		case states[i].writer == reader:
			at = min(at, states[i].end)
		default:
			at = min(at, states[i].delivered)
		}
	}
	return b
}
