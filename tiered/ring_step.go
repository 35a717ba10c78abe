package tiered

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// step is one step of the changes of servers that a namespace has seen: the ring that reads go by, and
// the one that writes flush on also. Two processes may be at different steps only where each flushes on
// the ring that the other reads, which holds from one step to the next if its first ring was first or
// also before it, and the other way round:
//
//	{old} -> {old, also new} -> {new, also old} -> {new}
//
// The number goes up by one with each step.
type step struct {
	number      int
	first, also shares
	disputed    bool // two processes have given it different rings; it has none then

	once            sync.Once
	firstAt, alsoAt ringAt
}

// shares are the servers of a ring with their weights, sorted by name.
type shares []share

type share struct {
	server string
	weight int
}

// maxStep is the highest number of a step.
const maxStep = math.MaxInt32

// sharesOf returns the ring of servers as Options have it: without weights they are equal.
func sharesOf(servers []string, weights []int) shares {
	r := make(shares, 0, len(servers))
	for i, s := range servers {
		w := 1
		if len(weights) > 0 {
			w = weights[i]
		}
		r = append(r, share{s, w})
	}
	slices.SortFunc(r, func(a, b share) int { return cmp.Compare(a.server, b.server) })
	return r
}

// String returns the ring as it stands in a record: "10.0.0.1:11211*1,10.0.0.2:11211*2".
func (r shares) String() string {
	var b strings.Builder
	for i, s := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s*%d", s.server, s.weight)
	}
	return b.String()
}

// parseShares reads a ring. The text may be anything.
func parseShares(text string) (shares, bool) {
	var r shares
	for part := range strings.SplitSeq(text, ",") {
		server, weight, _ := strings.Cut(part, "*")
		w, err := strconv.Atoi(weight)
		if err != nil || w < 1 || w > maxWeight || validServer(server) != nil ||
			len(r) > 0 && r[len(r)-1].server >= server || len(r) == maxServers {
			return nil, false
		}
		r = append(r, share{server, w})
	}
	return r, true
}

// String returns the step as a line of a record: its number, its first ring, and the other if it has
// one; or a question mark.
func (s *step) String() string {
	switch {
	case s.disputed:
		return strconv.Itoa(s.number) + " ?"
	case len(s.also) == 0:
		return strconv.Itoa(s.number) + " " + s.first.String()
	}
	return strconv.Itoa(s.number) + " " + s.first.String() + " " + s.also.String()
}

// rings says the same for people.
func (s *step) rings() string {
	switch {
	case s.disputed:
		return "different servers from different processes"
	case len(s.also) == 0:
		return "Servers " + s.first.String()
	}
	return "Servers " + s.first.String() + " and Also " + s.also.String()
}

// parseStep reads a line of a record. The text may be anything.
func parseStep(line string) (*step, bool) {
	f := strings.SplitN(line, " ", 4)
	if len(line) > stepBytes || len(f) < 2 || len(f) > 3 {
		return nil, false
	}
	n, err := strconv.Atoi(f[0])
	if err != nil || n < 0 || n > maxStep {
		return nil, false
	}
	s := &step{number: n}
	if f[1] == "?" && len(f) == 2 {
		s.disputed = true
		return s, true
	}
	ok := false
	if s.first, ok = parseShares(f[1]); !ok {
		return nil, false
	}
	if len(f) == 3 {
		if s.also, ok = parseShares(f[2]); !ok {
			return nil, false
		}
	}
	return s, true
}

// same reports whether two steps have the same rings.
func (s *step) same(t *step) bool {
	return s.disputed == t.disputed && slices.Equal(s.first, t.first) && slices.Equal(s.also, t.also)
}

// flushes reports whether a process at the step flushes on all of a ring.
func (s *step) flushes(r shares) bool { return slices.Equal(s.first, r) || slices.Equal(s.also, r) }

// precedes reports whether t may come after s: each flushes on the ring that the other reads.
func (s *step) precedes(t *step) bool { return s.flushes(t.first) && t.flushes(s.first) }

// keeps reports whether a process at the step flushes, at a place, the list of a route that lies there.
func (s *step) keeps(route uint64, place int, places map[string]int) bool {
	if s.disputed {
		return false
	}
	s.once.Do(func() { s.firstAt, s.alsoAt = s.first.at(places), s.also.at(places) })
	return s.firstAt.at(route) == place || s.alsoAt.at(route) == place
}

// at returns the ring over the places of a store, by name.
func (r shares) at(places map[string]int) ringAt {
	var servers []string
	var weights []int
	var a ringAt
	for _, s := range r {
		place, here := places[s.server]
		if !here {
			place = -1
		}
		servers, weights, a.places = append(servers, s.server), append(weights, s.weight), append(a.places, place)
	}
	a.ring = newRing(servers, weights)
	return a
}
