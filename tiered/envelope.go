package tiered

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// An entry lies in both tiers in an envelope:
//
//	0  magic       2 bytes
//	2  layout      1 byte
//	3  flags       1 byte
//	4  filled-at   8 bytes, Unix milliseconds
//	12 expires-at  8 bytes, Unix milliseconds, 0 for never
//	20 list stamp  8 bytes, never 0
//	28 all stamp   8 bytes, never 0
//	36 key length  2 bytes
//	38 payload length  4 bytes
//	42 step        4 bytes, of the servers' changes, when it was stored
//	46 key, payload
//	   crc32c      4 bytes, of all bytes before
//
// The full key is in it since memcached and bigcache both find items by a hash; the checksum
// is compared in the second tier only, where bytes come from outside. Numbers are
// little-endian.
const (
	entryMagic  = "\xc6E"
	entryLayout = 2
	entryHead   = 46
	entryTail   = 4

	flagAbsent = 1 << 0
	knownFlags = flagAbsent
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// envelope is the parsed form of an entry. payload is a part of the bytes that were parsed.
type envelope struct {
	absent    bool
	filledAt  int64 // Unix milliseconds
	expiresAt int64 // Unix milliseconds, 0 for never
	list, all flushlist.Stamp
	step      int // of the changes of servers, at which it was stored
	payload   []byte
}

// seal returns the bytes of an entry.
func seal(key string, e envelope) []byte {
	b := make([]byte, entryHead, entryHead+len(key)+len(e.payload)+entryTail)
	copy(b, entryMagic)
	b[2] = entryLayout
	if e.absent {
		b[3] |= flagAbsent
	}
	binary.LittleEndian.PutUint64(b[4:], uint64(e.filledAt))
	binary.LittleEndian.PutUint64(b[12:], uint64(e.expiresAt))
	binary.LittleEndian.PutUint64(b[20:], uint64(e.list))
	binary.LittleEndian.PutUint64(b[28:], uint64(e.all))
	binary.LittleEndian.PutUint16(b[36:], uint16(len(key)))
	binary.LittleEndian.PutUint32(b[38:], uint32(len(e.payload)))
	binary.LittleEndian.PutUint32(b[42:], uint32(e.step))
	b = append(b, key...)
	b = append(b, e.payload...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// open reads the entry of key, all but its checksum. The bytes may be anything: what is not
// exactly an entry of that key is refused.
func open(b []byte, key string) (envelope, bool) {
	if len(b) < entryHead+len(key)+entryTail || string(b[:2]) != entryMagic || b[2] != entryLayout ||
		b[3]&^knownFlags != 0 ||
		int(binary.LittleEndian.Uint16(b[36:])) != len(key) || string(b[entryHead:entryHead+len(key)]) != key {
		return envelope{}, false
	}
	payload := len(b) - entryTail
	if uint64(binary.LittleEndian.Uint32(b[38:])) != uint64(payload-entryHead-len(key)) {
		return envelope{}, false
	}
	e := envelope{
		absent:    b[3]&flagAbsent != 0,
		filledAt:  int64(binary.LittleEndian.Uint64(b[4:])),
		expiresAt: int64(binary.LittleEndian.Uint64(b[12:])),
		list:      flushlist.Stamp(binary.LittleEndian.Uint64(b[20:])),
		all:       flushlist.Stamp(binary.LittleEndian.Uint64(b[28:])),
		step:      int(binary.LittleEndian.Uint32(b[42:])),
		// The capacity is cut, so that an append by the receiver cannot run into the checksum.
		payload: b[entryHead+len(key) : payload : payload],
	}
	if e.list == 0 || e.all == 0 || e.absent && len(e.payload) > 0 {
		return envelope{}, false
	}
	return e, true
}

// openChecked is open with the checksum.
func openChecked(b []byte, key string) (envelope, bool) {
	e, ok := open(b, key)
	if !ok || checksum(b) != crc32.Checksum(b[:len(b)-entryTail], castagnoli) {
		return envelope{}, false
	}
	return e, true
}

// checksum returns the checksum that an envelope carries, 0 for bytes too short to have one.
func checksum(b []byte) uint32 {
	if len(b) < entryTail {
		return 0
	}
	return binary.LittleEndian.Uint32(b[len(b)-entryTail:])
}

// expired reports whether the entry's ttl is past at a wall-clock time in Unix milliseconds.
func (e envelope) expired(now int64) bool { return e.expiresAt != 0 && now >= e.expiresAt }

// value returns what the entry holds.
func (e envelope) value() flushlist.Value {
	if e.absent {
		return flushlist.Value{Absent: true}
	}
	return flushlist.Value{Payload: e.payload}
}

// envelopeOf returns the entry that a fill stores at a step.
func envelopeOf(f flushlist.Fill, step int) envelope {
	now := time.Now()
	e := envelope{
		absent: f.Value.Absent, filledAt: now.UnixMilli(),
		list: f.Ticket.List, all: f.Ticket.All, step: step, payload: f.Value.Payload,
	}
	if e.absent {
		e.payload = nil
	}
	if f.TTL > 0 {
		// A ttl below a millisecond must not read as "never", nor one of centuries run over.
		e.expiresAt = max(now.Add(min(f.TTL, maxTTL)).UnixMilli(), e.filledAt+1)
	}
	return e
}

// maxTTL is a hundred years, beyond which an entry's time could run over.
const maxTTL = 100 * 365 * 24 * time.Hour
