package tiered

import "encoding/binary"

// A record of the journal says which lists a write flushes:
//
//	0  magic    2 bytes
//	2  layout   1 byte
//	3  what     1 byte, a recordKind
//	4  lists    4 bytes: the number of lists that are kept once
//	8  IDs      8 bytes each: first of those lists, then of the `all` lists
//
// Numbers are little-endian. All releases of all programs read and write this layout.
const (
	recordMagic  = "\xc6J"
	recordLayout = 1
	recordHead   = 8
	// recordLists is the most lists that one record names; a write of more makes the others forget all.
	recordLists = 4096
)

type recordKind byte

const (
	recordFlush      recordKind = iota // the lists named are flushed
	recordEverything                   // any list may be: too many to name
	recordVoid                         // the writer does not use its number
	recordClosed                       // a reader closed the number: the record was never there, or lost
)

// journalRecord is the parsed form of a record.
type journalRecord struct {
	kind  recordKind
	lists []uint64 // by flushlist.List.ID
	alls  []uint64 // `all` lists, by flushlist.List.ID
}

// recordOf returns the record of a write.
func recordOf(cells []cellAt) journalRecord {
	var r journalRecord
	for _, c := range cells {
		r.add(c)
	}
	return r
}

// add takes in one more cell. The cells of an `all` list are one list to other processes.
func (r *journalRecord) add(c cellAt) {
	switch {
	case r.kind == recordEverything:
	case len(r.lists)+len(r.alls) == recordLists:
		*r = journalRecord{kind: recordEverything}
	case !c.list.All && len(r.lists) > 0 && r.lists[len(r.lists)-1] == c.list.ID: // its cell on the other ring
	case !c.list.All:
		r.lists = append(r.lists, c.list.ID)
	case len(r.alls) == 0 || r.alls[len(r.alls)-1] != c.list.ID: // one cell a place, in a row
		r.alls = append(r.alls, c.list.ID)
	}
}

func (r *journalRecord) empty() bool {
	return r.kind == recordFlush && len(r.lists) == 0 && len(r.alls) == 0
}

func (r journalRecord) bytes() []byte {
	b := make([]byte, recordHead, recordHead+8*(len(r.lists)+len(r.alls)))
	copy(b, recordMagic)
	b[2], b[3] = recordLayout, byte(r.kind)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(r.lists)))
	for _, id := range r.lists {
		b = binary.LittleEndian.AppendUint64(b, id)
	}
	for _, id := range r.alls {
		b = binary.LittleEndian.AppendUint64(b, id)
	}
	return b
}

// parseRecord reads a record. The bytes may be anything: what is not exactly a record is refused.
func parseRecord(b []byte) (r journalRecord, ok bool) {
	if len(b) < recordHead || string(b[:2]) != recordMagic || b[2] != recordLayout || recordKind(b[3]) > recordClosed ||
		(len(b)-recordHead)%8 != 0 || len(b) > recordHead+8*recordLists {
		return r, false
	}
	r.kind = recordKind(b[3])
	lists := uint64(binary.LittleEndian.Uint32(b[4:]))
	ids := b[recordHead:]
	if lists > uint64(len(ids)/8) {
		return journalRecord{}, false
	}
	for i := 0; i < len(ids); i += 8 {
		id := binary.LittleEndian.Uint64(ids[i:])
		if uint64(i/8) < lists {
			r.lists = append(r.lists, id)
		} else {
			r.alls = append(r.alls, id)
		}
	}
	return r, true
}
