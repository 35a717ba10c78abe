package histories_test

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"
)

// The interval check.
//
// A row's states s0, s1 … sn are known in the order of their COMMITs, and of the write of each when it began and when it
// had returned. Its COMMIT took effect in between. So
//
//	earliest(v) = max of start(u), u <= v:  sv was not the row's before that, since su was committed before it;
//	latest(v)   = min of end(u),   u > v:   sv was not the row's after that, since su was committed after it;
//	              also of when the first read that returned su had ended, since su was committed by then.
//
// Both grow with v. The promise: a read within [a, b] returns a state that was the row's at some time within [a - M, b],
// where M is 0 without the first tier, and MaxStale with it. If there is such a time t, then earliest(v) <= t <= b and
// a - M <= t <= latest(v). So a read of sv with earliest(v) > b or latest(v) < a - M breaks the promise, whatever happened
// between the times that were written down: no alarm is false. The states that a read may return are those
// from the first whose latest is at least a - M to the last whose earliest is at most b.
//
// A write that returned before it could be delivered to all (mode Available) counts for its own process from when it
// returned, and for others from when it was delivered. A write whose outcome its writer does not know, or did not live
// to say, never returned: it is over when a read has returned what it wrote, or the database has ended its writer's sessions.
//
// What such a write did not tell of, a later write of the same row need not tell of either: one that leaves a row on its
// shelf, with its code, flushes the row, and not the lists it is in. Where writes went undelivered, only those that
// brought the row to a list or took it away say when it was there.
//
// A list is checked row by row: each row in it was on the shelf, with what the list shows of it, and each that is
// not in it was not, at some time that the read allows. A count lies between the fewest and the most
// rows that those states put on the shelf. Both follow from the promise for the lists, and do not say all of it: the rows of
// one list may be of different times within the bound.

// violation is a read that the promise does not allow.
type violation struct {
	read record
	row  uint64 // 0: several
	text string
}

// checkBounds checks every read.
func (h *history) checkBounds() (violations []violation) {
	shelves := map[int64][]uint64{} // rows that were ever there
	for id, states := range h.rows {
		for _, s := range states {
			if s.Present && !slices.Contains(shelves[s.Shelf], id) {
				shelves[s.Shelf] = append(shelves[s.Shelf], id)
			}
		}
	}
	for _, r := range h.reads {
		for _, o := range h.observations(r, shelves[r.Shelf]) {
			if text := h.check(r, o); text != "" {
				violations = append(violations, violation{r, o.row, text})
			}
		}
		if r.Kind == count {
			if text := h.checkCount(r, shelves[r.Shelf]); text != "" {
				violations = append(violations, violation{r, 0, text})
			}
		}
	}
	return violations
}

// observation is what a read says about one row.
type observation struct {
	row    uint64
	what   string
	listed bool // says what a list names, and not what the row holds
	fits   func(state) bool
}

// observations returns what a read says about each row. shelf are the rows that were ever on the shelf it lists.
func (h *history) observations(r record, shelf []uint64) (all []observation) {
	if r.Kind == getByCode && len(r.Rows) == 0 {
		id := rowOf(r.Code)
		all = append(all, observation{id, "no row with code " + r.Code, true, func(s state) bool { return !s.Present || s.Code != r.Code }})
	}
	for _, row := range r.Rows {
		o := observation{row: row.ID, what: "absent", fits: func(s state) bool { return !s.Present }}
		if row.Value != 0 {
			o.what = fmt.Sprintf("%s on shelf %d with code %s", writeName(row.Value), row.Shelf, row.Code)
			o.fits = func(s state) bool {
				return s.Present && s.Write == row.Value && s.Shelf == row.Shelf && s.Code == row.Code &&
					(r.Kind != list || s.Shelf == r.Shelf) && (r.Kind != getByCode || s.Code == r.Code)
			}
		}
		all = append(all, o)
	}
	if r.Kind != list {
		return all
	}
	for _, id := range shelf {
		if !slices.ContainsFunc(r.Rows, func(s seen) bool { return s.ID == id }) {
			all = append(all, observation{id, fmt.Sprintf("not on shelf %d", r.Shelf), true, func(s state) bool { return !s.Present || s.Shelf != r.Shelf }})
		}
	}
	return all
}

// rowOf returns the row that may have a code.
func rowOf(code string) (id uint64) {
	_, _ = fmt.Sscanf(code[:strings.IndexByte(code, '-')], "%d", &id)
	return id
}

// allowed returns the first and the last state of a row that a read may return. listed is nil where it reads
// the row, else it says whether a list that it reads names the row.
func (h *history) allowed(r record, row uint64, listed func(state) bool) (first, last int) {
	late := h.latest(row, r.worker)
	if listed != nil && (!h.strict || slices.ContainsFunc(h.rows[row], func(s state) bool { return s.delivered != s.end })) {
		late = h.latestListed(row, r.worker, listed)
	}
	from := r.Start
	if !r.Fresh {
		from -= int64(h.maxStale)
	}
	first = sort.Search(len(late), func(i int) bool { return late[i] >= from })
	early := h.earliest(row)
	last = sort.Search(len(early), func(i int) bool { return early[i] > r.End }) - 1
	return first, last
}

// check returns what is wrong with one observation; "" where it is allowed.
func (h *history) check(r record, o observation) string {
	states := h.rows[o.row]
	if len(states) == 0 { // never written
		states = []state{{ID: o.row, start: math.MinInt64, end: math.MinInt64, delivered: math.MinInt64}}
		h.rows[o.row] = states
	}
	var listed func(state) bool
	if o.listed {
		listed = o.fits
	}
	first, last := h.allowed(r, o.row, listed)
	if slices.ContainsFunc(states[first:last+1], o.fits) {
		return ""
	}
	var b strings.Builder
	tier := ", with the first tier"
	if r.Fresh {
		tier = ", without the first tier"
	}
	fmt.Fprintf(&b, "process %d: %s%s, from %s to %s, says of row %d: %s\n", r.worker, r.Kind, tier, ms(r.Start), ms(r.End), o.row, o.what)
	fmt.Fprintf(&b, "  it may say, from %s on:\n", ms(states[first].start))
	for _, s := range states[first : last+1] {
		fmt.Fprintf(&b, "    %s\n", s.told())
	}
	if i := slices.IndexFunc(states, o.fits); i >= 0 {
		for i+1 < len(states) && i+1 < first && o.fits(states[i+1]) {
			i++
		}
		fmt.Fprintf(&b, "  what it says was so as of\n    %s\n", states[i].told())
		if i+1 < len(states) {
			fmt.Fprintf(&b, "  and no more after\n    %s\n", states[i+1].told())
		}
		if late := h.latest(o.row, r.worker)[i]; late < r.Start {
			fmt.Fprintf(&b, "  which is %v before the read began\n", time.Duration(r.Start-late).Round(time.Microsecond))
		}
	} else {
		fmt.Fprintf(&b, "  which was never so\n")
	}
	return b.String()
}

// told says a state and its write in words.
func (s state) told() string {
	if s.Write == 0 {
		return "absent from the beginning"
	}
	end := "of unknown outcome"
	if s.end != never {
		end = "returned at " + ms(s.end)
		if s.delivered != s.end {
			end += ", delivered at " + ms(s.delivered)
		}
	}
	return fmt.Sprintf("%v: begun at %s, %s", s, ms(s.start), end)
}

// ms is a time of clock in milliseconds.
func ms(at int64) string {
	if at == never {
		return "never"
	}
	return fmt.Sprintf("%d.%03d ms", at/1e6, at/1e3%1e3)
}

// checkCount returns what is wrong with a count.
func (h *history) checkCount(r record, shelf []uint64) string {
	var fewest, most int64
	on := func(s state) bool { return s.Present && s.Shelf == r.Shelf }
	for _, id := range shelf {
		first, last := h.allowed(r, id, on)
		always, ever := true, false
		for _, s := range h.rows[id][first : last+1] {
			always, ever = always && on(s), ever || on(s)
		}
		if always {
			fewest++
		}
		if ever {
			most++
		}
	}
	if fewest <= r.Count && r.Count <= most {
		return ""
	}
	return fmt.Sprintf("process %d: count (fresh: %v), from %s to %s, says %d rows are on shelf %d: at least %d and at most %d were\n",
		r.worker, r.Fresh, ms(r.Start), ms(r.End), r.Count, r.Shelf, fewest, most)
}
