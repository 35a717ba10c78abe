package tiered

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// A cell is the item of one flush list, in memcached or in this process:
//
//	0  magic       2 bytes
//	2  layout      1 byte
//	3  zero        1 byte
//	4  stamp       8 bytes, never 0
//	12 previous    8 bytes, 0 where there was none
//	20 changed-at  8 bytes, Unix milliseconds
//	28 tokens      12 bytes each: a random number, and its writer's IntentTTL in milliseconds
//
// Tokens come last and have a fixed size, so that memcached's append leaves one. Numbers are
// little-endian. All releases of all programs read and write this layout; another one needs
// other keys.
const (
	cellMagic  = "\xc6L"
	cellLayout = 1
	cellHead   = 28
	tokenSize  = 12

	// mostTokens is more writes than can be under way on one list; a cell with more is broken, and
	// healed as such.
	mostTokens = 4096
)

// cell is the parsed form of a cell. tokens is a part of the bytes that were parsed: it costs
// nothing, however many tokens they claim to hold, and must not be written to.
type cell struct {
	stamp, previous flushlist.Stamp
	changed         int64 // Unix milliseconds
	tokens          []byte
}

// parseCell reads a cell. The bytes may be anything: what is not exactly a cell is refused.
func parseCell(b []byte) (cell, bool) {
	if len(b) < cellHead || string(b[:2]) != cellMagic || b[2] != cellLayout || b[3] != 0 ||
		(len(b)-cellHead)%tokenSize != 0 || len(b) > cellHead+mostTokens*tokenSize {
		return cell{}, false
	}
	c := cell{
		stamp:    flushlist.Stamp(binary.LittleEndian.Uint64(b[4:])),
		previous: flushlist.Stamp(binary.LittleEndian.Uint64(b[12:])),
		changed:  int64(binary.LittleEndian.Uint64(b[20:])),
		tokens:   b[cellHead:],
	}
	return c, c.stamp != 0
}

// bytes returns the cell as an item of its own.
func (c cell) bytes() []byte {
	b := make([]byte, cellHead, cellHead+len(c.tokens)+tokenSize)
	copy(b, cellMagic)
	b[2] = cellLayout
	binary.LittleEndian.PutUint64(b[4:], uint64(c.stamp))
	binary.LittleEndian.PutUint64(b[12:], uint64(c.previous))
	binary.LittleEndian.PutUint64(b[20:], uint64(c.changed))
	return append(b, c.tokens...)
}

// freshCell returns a cell that nothing was ever stored under.
func freshCell() cell {
	return cell{stamp: newStamp(), changed: time.Now().UnixMilli()}
}

// flushed returns c with a new stamp.
func (c cell) flushed() cell {
	return cell{stamp: newStamp(), previous: c.stamp, changed: time.Now().UnixMilli(), tokens: c.tokens}
}

// newStamp returns a random stamp that is not zero.
func newStamp() flushlist.Stamp { return flushlist.Stamp(newToken()) }

// newToken returns a random token that is not zero.
func newToken() uint64 {
	for {
		if t := rand.Uint64(); t != 0 {
			return t
		}
	}
}

// tokenBytes returns a token as a cell holds it.
func tokenBytes(token uint64, ttl time.Duration) []byte {
	b := make([]byte, tokenSize)
	binary.LittleEndian.PutUint64(b, token)
	binary.LittleEndian.PutUint32(b[8:], uint32(ttl.Milliseconds()))
	return b
}

// count returns the number of tokens.
func (c cell) count() int { return len(c.tokens) / tokenSize }

// token returns the i-th token and how long it is respected. A ttl beyond what Options allow
// was not written by this package, and is cut to that.
func (c cell) token(i int) (token uint64, ttl time.Duration) {
	b := c.tokens[i*tokenSize:]
	ttl = time.Duration(binary.LittleEndian.Uint32(b[8:])) * time.Millisecond
	return binary.LittleEndian.Uint64(b), min(ttl, maxIntentTTL)
}

// without returns c without the tokens for which drop is true, and how many those were.
func (c cell) without(drop func(token uint64, ttl time.Duration) bool) (cell, int) {
	var kept []byte
	dropped := 0
	for i := range c.count() {
		if drop(c.token(i)) {
			dropped++
			continue
		}
		kept = append(kept, c.tokens[i*tokenSize:(i+1)*tokenSize]...)
	}
	c.tokens = kept
	return c, dropped
}
