package tiered

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// place is where items lie: one memcached server, or this process. It knows nothing of what
// cells and entries mean, and answers as memcached does.
//
// All methods are safe for concurrent use. An error that is none of the four below means that
// the place could not be asked in time: what was asked may yet happen.
type place interface {
	// name returns the server's address, or "" for this process.
	name() string
	// read looks items up and answers in the order of at. sent is the time on the store's
	// clock when the request went out. An error leaves items unknown, those that were read
	// excepted.
	read(ctx context.Context, at []addr) (items []item, sent time.Duration, err error)
	// add stores an item where there is none: errNotStored.
	add(ctx context.Context, at addr, value []byte, ttl time.Duration) error
	// append puts bytes at the end of an item: errNotStored where there is none.
	append(ctx context.Context, at addr, value []byte) error
	// swap replaces an item that is still the one read under seen: errConflict where it has
	// changed, errGone where it is absent.
	swap(ctx context.Context, at addr, value []byte, seen uint64, ttl time.Duration) error
	// limit is the most bytes that the place takes for one entry.
	limit() int
	// close lets go of what the place holds.
	close()
}

var (
	errNotStored = errors.New("item not stored")
	errConflict  = errors.New("item changed meanwhile")
	errGone      = errors.New("item is gone")
	errTooLarge  = errors.New("item is too large")
)

// addr addresses one item of a place.
type addr struct {
	key  string // in memcached
	id   uint64 // of a cell: what this process knows it by
	cell bool   // a cell, not an entry
}

// item is what a place answered about one address.
type item struct {
	state itemState
	value []byte // belongs to the reader, but for cells, which nobody may write to
	seen  uint64 // what swap wants to be told
}

type itemState uint8

const (
	unknown itemState = iota // the place did not say
	absent
	present
)

// cellAt is a flush list's cell at one of the places that keep it.
type cellAt struct {
	list  flushlist.List
	place int // index into Store.places
	// id is the list's ID; for an `all`, and for a cell that only writes go to, one of its own for each place.
	id uint64
}

// alsoCellOf returns the cell of a list at the place where the ring that writes flush on also keeps it.
func alsoCellOf(l flushlist.List, place int) cellAt {
	return cellAt{list: l, place: place, id: allID(l.ID, place)}
}

// cellOf returns the cell of a list at a place of the first ring, which is where reads go.
func cellOf(l flushlist.List, place int) cellAt {
	id := l.ID
	if l.All {
		id = allID(l.ID, place)
	}
	return cellAt{list: l, place: place, id: id}
}

// allID is what this process knows the cell of an `all` list at a place by: the lists of the
// servers have one name, and stamps of their own. So have the two cells of a list that is kept on two rings.
func allID(id uint64, place int) uint64 {
	return id + (uint64(place)+1)*0x9e3779b97f4a7c15
}

// addr returns the address of a cell at a place of the given name.
func (c cellAt) addr(name string) addr {
	a := addr{id: c.id, cell: true}
	if c.list.All {
		a.key = allKey(name, c.list.Name)
	} else {
		a.key = cellKey(c.list)
	}
	return a
}

// cellKey is the key of a list's cell: its route, a colon, its name.
func cellKey(l flushlist.List) string {
	b := make([]byte, 0, 17+len(l.Name))
	b = appendRoute(b, l.ID)
	b = append(b, ':')
	return string(append(b, l.Name...))
}

// maxServerName is how long a server's name may be in a key of memcached's 250 bytes, beside
// the 200 of a list's name and two marks.
const maxServerName = 48

// allKey is the key of an `all` cell: "@", the server it lies on, a colon, its name.
func allKey(server, name string) string { return "@" + keyName(server) + ":" + name }

// keyName is a server's name as it stands in keys.
func keyName(server string) string {
	if len(server) > maxServerName {
		sum := md5.Sum([]byte(server))
		server = hex.EncodeToString(sum[:])
	}
	return server
}

// appendRoute appends the 16 hex digits that server selection looks at.
func appendRoute(b []byte, id uint64) []byte {
	const zeros = "0000000000000000"
	start := len(b)
	b = strconv.AppendUint(b, id, 16)
	if n := len(b) - start; n < 16 {
		b = append(b, zeros[:16-n]...)
		copy(b[start+16-n:], b[start:start+n])
		copy(b[start:], zeros[:16-n])
	}
	return b
}

// legalKey reports whether memcached takes a key: at most 250 bytes, no blank, no control byte.
func legalKey(key string) bool {
	if key == "" || len(key) > 250 {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] == 0x7f {
			return false
		}
	}
	return true
}
