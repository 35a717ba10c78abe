package tiered

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
)

// A ring record holds the steps that a namespace's servers have gone through, the newest hundred. It is
// text, so that people can read it:
//
//	cachegen-ring 1 5d41402a
//	3 10.0.0.1:11211*1,10.0.0.2:11211*1 10.0.0.1:11211*1,10.0.0.3:11211*1
//	4 10.0.0.1:11211*1,10.0.0.3:11211*1 10.0.0.1:11211*1,10.0.0.2:11211*1
//
// The first line has the layout and the crc32c of the others, each of which is a step.
//
// There is one on every server, and not beside the journal's head alone, since processes that name
// different servers may have different journals, and meet on the servers that they have in common. A
// server that loses its record has lost its entries with it; the next process that looks puts it back
// from what it knows. What several processes put there is merged: records only grow, and two rings for one step
// make it disputed for ever, in whatever order they are merged.
const (
	ringMagic = "cachegen-ring 1 "
	ringSteps = 100
	// ringBytes bounds a record; older steps are left out of a larger one.
	ringBytes = 256 << 10
	// stepBytes bounds one step of it.
	stepBytes = 64 << 10
)

// ringKey returns the key of a namespace's ring record.
func ringKey(namespace string) string {
	key := "@ring:" + namespace
	if !legalKey(key) {
		sum := md5.Sum([]byte(namespace))
		key = "@ring:" + hex.EncodeToString(sum[:])
	}
	return key
}

// history is the steps that a process has heard of, in the order of their numbers. It is never written to.
type history []*step

// at returns a step by its number, nil where it is not recorded.
func (h history) at(number int) *step {
	if i, ok := slices.BinarySearchFunc(h, number, func(s *step, n int) int { return cmp.Compare(s.number, n) }); ok {
		return h[i]
	}
	return nil
}

// merge returns the steps of both: those of h, where both have them.
func (h history) merge(other history) history {
	var m history
	for i, j := 0, 0; i < len(h) || j < len(other); {
		switch {
		case j == len(other) || i < len(h) && h[i].number < other[j].number:
			m = append(m, h[i])
			i++
		case i == len(h) || other[j].number < h[i].number:
			m = append(m, other[j])
			j++
		default:
			s := h[i]
			if !s.same(other[j]) && !s.disputed {
				s = &step{number: s.number, disputed: true}
			}
			m = append(m, s)
			i, j = i+1, j+1
		}
	}
	return m[max(len(m)-ringSteps, 0):]
}

// bytes returns the record of h.
func (h history) bytes() []byte {
	var lines []string
	for i, size := len(h)-1, 0; i >= 0; i-- {
		line := h[i].String() + "\n"
		if size += len(line); size > ringBytes-len(ringMagic)-9 || len(lines) == ringSteps {
			break
		}
		lines = append(lines, line)
	}
	slices.Reverse(lines)
	body := strings.Join(lines, "")
	return fmt.Appendf(nil, "%s%08x\n%s", ringMagic, crc32.Checksum([]byte(body), castagnoli), body)
}

// parseHistory reads a record. The bytes may be anything: what is not exactly a record is refused.
func parseHistory(b []byte) (history, bool) {
	if len(b) > ringBytes {
		return nil, false
	}
	head, body, ok := strings.Cut(string(b), "\n")
	if !ok || !strings.HasPrefix(head, ringMagic) {
		return nil, false
	}
	var h history
	for line := range strings.Lines(body) {
		s, ok := parseStep(strings.TrimSuffix(line, "\n"))
		if !ok || len(h) == ringSteps || len(h) > 0 && h[len(h)-1].number >= s.number {
			return nil, false
		}
		h = append(h, s)
	}
	// There is one way to write a record. Whatever is written otherwise is none of ours.
	if !bytes.Equal(h.bytes(), b) {
		return nil, false
	}
	return h, true
}

// judge says why a process at a step may not serve from servers that have gone through the steps of h,
// and what to do; nil where it may. Each of the other processes judges alike, so that those who stay flush where the
// others read. Until all servers have said what they know, a step that is missing may yet be heard of: one
// that was put back knows nothing of what happened while it was away.
func (s *step) judge(h history, all bool) error {
	if len(h) == 0 {
		return nil
	}
	newest := h[len(h)-1]
	switch before, there, after := h.at(s.number-1), h.at(s.number), h.at(s.number+1); {
	case newest.number > s.number+1:
		return fmt.Errorf("%w: it is at step %d, and step %d is on record with %s: give it those, or, if the servers are to be changed, step %d",
			errOutside, s.number, newest.number, newest.rings(), newest.number+1)
	case all && newest.number < s.number-1:
		return fmt.Errorf("%w: it is at step %d, and the newest on record is %d with %s: take step %d first, and the next when every process is there; or, where none of before runs any more, delete the record from every server",
			errOutside, s.number, newest.number, newest.rings(), newest.number+1)
	case there != nil && there.disputed:
		return fmt.Errorf("%w: processes at step %d name different servers: stop all of them, give them the same ones, delete the record from every server, and start them with step %d",
			errOutside, s.number, newest.number+1)
	case there != nil && !there.same(s):
		return fmt.Errorf("%w: step %d is on record with %s, and this process has %s: give it those; to change the servers take step %d, "+
			"with the servers on record as Servers and those to come as Also", errOutside, s.number, there.rings(), s.rings(), newest.number+1)
	case after != nil && (after.disputed || !s.precedes(after)):
		return fmt.Errorf("%w: it is at step %d with %s, and step %d is on record with %s, which does not follow: give it the servers of that step",
			errOutside, s.number, s.rings(), after.number, after.rings())
	case before != nil && !before.disputed && !before.precedes(s):
		return fmt.Errorf("%w: it is at step %d with %s, which does not follow step %d with %s: a step keeps the Servers of the one before, "+
			"or takes its Also in their place", errOutside, s.number, s.rings(), before.number, before.rings())
	}
	return nil
}
