package tiered

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/cachegen/cachegen/internal/without"
	"github.com/cespare/xxhash/v2"
)

// A directory is the item of one table in the registry:
//
//	0  magic    2 bytes
//	2  layout   1 byte
//	3  sets     1 byte: their number
//	4  terms    2 bytes: their number
//	6  zero     2 bytes
//	8  step     4 bytes: of the changes of servers, the highest that was told of
//	12 terms    16 bytes each: an identity, and the term of its entries
//	   sets     each: name 8 bytes, born 8, mark 8, IntentTTL in milliseconds 4, flags 1, zero 1,
//	            number of identities 2, identities 8 each
//
// Numbers are little-endian; terms and identities are in ascending order. All releases of all programs read and
// write this layout; another one needs other keys.
const (
	directoryMagic  = "\xc6R"
	directoryLayout = 1
	directoryHead   = 12
	setHead         = 32

	// mostSets is more releases than live at a time, mostIdentities more accessors than a table has.
	// What is above is not cached, and its writes flush `all`.
	mostSets       = 32
	mostIdentities = 512
	mostTerms      = 4096
	mostDirectory  = 48 << 10 // bytes; a poll reads it twice a second
)

// directory is the parsed form of a directory.
type directory struct {
	step  int      // the highest at which a process has gone by it
	terms []termOf // by identity, of each that some set has
	sets  []listSet
}

type termOf struct{ identity, term uint64 }

// listSet is what one release of one program flushes, whatever the number of its processes.
type listSet struct {
	name    uint64 // of its identities; ghost is a set of nothing
	born    uint64 // random, of when it was put in
	mark    uint64 // random, of when nobody was found who renews it; else 0
	ttl     time.Duration
	settled bool // everybody knows of it since registryPatience
	has     []uint64
}

// ghost is the name of a set that stands for whom a lost directory may have held.
const ghost = 0

// nameOfSet returns the name of a set of identities, in ascending order.
func nameOfSet(identities []uint64) uint64 {
	b := make([]byte, 0, 8*len(identities))
	for _, id := range identities {
		b = binary.LittleEndian.AppendUint64(b, id)
	}
	if h := xxhash.Sum64(b); h != ghost {
		return h
	}
	return 1
}

func (d *directory) set(name uint64) *listSet {
	for i := range d.sets {
		if d.sets[i].name == name {
			return &d.sets[i]
		}
	}
	return nil
}

// enter puts a set in. An identity that no other set has gets a new term: what lies under an older one
// may have missed writes.
func (d *directory) enter(s listSet) bool {
	if len(d.sets) >= mostSets || len(s.has) > mostIdentities {
		return false
	}
	d.sets = append(d.sets, s)
	for _, id := range s.has {
		if i, ok := d.find(id); !ok {
			d.terms = slices.Insert(d.terms, i, termOf{id, newToken()})
		}
	}
	return len(d.terms) <= mostTerms && len(d.bytes()) <= mostDirectory
}

// remove takes a set out. What it did not flush gets new terms.
func (d *directory) remove(name uint64) {
	gone := d.set(name)
	has := gone.has
	d.sets = slices.DeleteFunc(slices.Clone(d.sets), func(s listSet) bool { return s.name == name })
	var terms []termOf
	for _, t := range d.terms {
		if _, flushed := slices.BinarySearch(has, t.identity); !flushed && !without.Terms {
			t.term = newToken()
		} else if !slices.ContainsFunc(d.sets, func(s listSet) bool { return slices.Contains(s.has, t.identity) }) {
			continue
		}
		terms = append(terms, t)
	}
	d.terms = terms
}

// goOn takes in that a process at a step goes by the directory, and reports whether that is news. The home of
// directories may move to another server with a step, and back with a later one. Of steps at which nobody went by this
// one it is not known what programs flushed, so that everything gets new terms.
func (d *directory) goOn(step int) bool {
	if step <= d.step {
		return false
	}
	if step > d.step+1 {
		d.terms = slices.Clone(d.terms)
		for i := range d.terms {
			d.terms[i].term = newToken()
		}
	}
	d.step = step
	return true
}

func (d *directory) find(identity uint64) (int, bool) {
	return slices.BinarySearchFunc(d.terms, identity, func(t termOf, id uint64) int {
		switch {
		case t.identity < id:
			return -1
		case t.identity > id:
			return 1
		}
		return 0
	})
}

// flushed returns the identities that every set has, with their terms.
func (d *directory) flushed() []termOf {
	var all []termOf
	for _, t := range d.terms {
		if !slices.ContainsFunc(d.sets, func(s listSet) bool {
			_, has := slices.BinarySearch(s.has, t.identity)
			return !has
		}) {
			all = append(all, t)
		}
	}
	return all
}

func (d *directory) bytes() []byte {
	b := make([]byte, directoryHead, 256)
	copy(b, directoryMagic)
	b[2], b[3] = directoryLayout, byte(len(d.sets))
	binary.LittleEndian.PutUint16(b[4:], uint16(len(d.terms)))
	binary.LittleEndian.PutUint32(b[8:], uint32(d.step))
	for _, t := range d.terms {
		b = binary.LittleEndian.AppendUint64(b, t.identity)
		b = binary.LittleEndian.AppendUint64(b, t.term)
	}
	for _, s := range d.sets {
		b = binary.LittleEndian.AppendUint64(b, s.name)
		b = binary.LittleEndian.AppendUint64(b, s.born)
		b = binary.LittleEndian.AppendUint64(b, s.mark)
		b = binary.LittleEndian.AppendUint32(b, uint32(s.ttl.Milliseconds()))
		flags := byte(0)
		if s.settled {
			flags = 1
		}
		b = append(b, flags, 0)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(s.has)))
		for _, id := range s.has {
			b = binary.LittleEndian.AppendUint64(b, id)
		}
	}
	return b
}

// parseDirectory reads a directory. The bytes may be anything: what is not exactly a directory is refused.
func parseDirectory(b []byte) (d directory, ok bool) {
	if len(b) < directoryHead || string(b[:2]) != directoryMagic || b[2] != directoryLayout || b[6] != 0 || b[7] != 0 {
		return d, false
	}
	sets, terms := int(b[3]), int(binary.LittleEndian.Uint16(b[4:]))
	step := binary.LittleEndian.Uint32(b[8:])
	d.step = int(step)
	b = b[directoryHead:]
	// Whoever writes a directory has put itself in, or somebody else.
	if sets == 0 || step > maxStep || sets > mostSets || terms > mostTerms || len(b) < 16*terms || len(b) > mostDirectory {
		return d, false
	}
	for ; terms > 0; terms-- {
		t := termOf{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
		if n := len(d.terms); t.term == 0 || n > 0 && d.terms[n-1].identity >= t.identity {
			return directory{}, false
		}
		d.terms = append(d.terms, t)
		b = b[16:]
	}
	for ; sets > 0; sets-- {
		var s listSet
		if s, b, ok = parseSet(b); !ok || d.set(s.name) != nil {
			return directory{}, false
		}
		d.sets = append(d.sets, s)
	}
	return d, len(b) == 0
}

// parseSet reads one set, and returns what is behind it.
func parseSet(b []byte) (s listSet, rest []byte, ok bool) {
	if len(b) < setHead || b[28] > 1 || b[29] != 0 {
		return s, nil, false
	}
	n := int(binary.LittleEndian.Uint16(b[30:]))
	s = listSet{
		name: binary.LittleEndian.Uint64(b),
		born: binary.LittleEndian.Uint64(b[8:]),
		mark: binary.LittleEndian.Uint64(b[16:]),
		// What Options do not allow was not written by this package, and is cut to that.
		ttl:     min(time.Duration(binary.LittleEndian.Uint32(b[24:]))*time.Millisecond, maxIntentTTL),
		settled: b[28] == 1,
	}
	b = b[setHead:]
	if n > mostIdentities || len(b) < 8*n || s.born == 0 {
		return s, nil, false
	}
	for i := range n {
		id := binary.LittleEndian.Uint64(b[8*i:])
		if i > 0 && s.has[i-1] >= id {
			return s, nil, false
		}
		s.has = append(s.has, id)
	}
	if s.name != ghost && s.name != nameOfSet(s.has) || s.name == ghost && n > 0 {
		return s, nil, false
	}
	return s, b[8*n:], true
}
