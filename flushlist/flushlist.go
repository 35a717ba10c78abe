// Package flushlist holds the words that the rooms of cachegen share: flush lists, stamps,
// and what a reader and a store tell each other about an entry.
//
// A flush list is a named set of cached entries that fall together. It has no members: it
// has a stamp, a random number that stands for its present state. An entry records the
// stamps its lists had before its value was loaded, and is served only while they are still
// the same. Flushing a list is one write, whatever hangs on it.
//
// The package imports only the standard library, so that runtime and tiered can both use it
// without knowing each other. What a store must do with these words is written as tests: run
// ext/storetest on a store of your own.
package flushlist

import "time"

// Stamp is a random number standing for the present state of a flush list. The zero Stamp
// means "not known".
type Stamp uint64

// List is one flush list.
type List struct {
	// Name is the list's full name, "<namespace>:<table>:<key>" for a row's list,
	// "<namespace>:<table>.<accessor>(<arguments>)" for an accessor's, and
	// "<namespace>:<table>" for a table's `all`. It is legal as part of a memcached key: at
	// most 200 bytes, none of them a blank or a control byte.
	Name string
	// ID is the 64-bit xxhash of Name. Two lists whose IDs collide fall together, which is
	// always safe.
	ID uint64
	// All marks a table's `all` list, which is kept once a server and stamps every entry of
	// the table there.
	All bool
	// Table is the Name of the table's `all` list. It is set in lists that a write flushes: a store
	// that owes more flushes than it can remember makes that one fall in their place. "" elsewhere.
	Table string
}

// Ref addresses one cached entry.
type Ref struct {
	// Key is the entry's key. It starts with the 16 lower-case hex digits of List.ID, which
	// are all that server selection looks at, and a colon.
	Key string
	// List is the flush list that the entry hangs on.
	List List
	// All is the `all` list of the entry's table.
	All List
}

// Value is what an entry holds.
type Value struct {
	// Payload is the encoded value. It belongs to whoever receives it.
	Payload []byte
	// Absent says that the database was asked and has no such row. Payload is then empty.
	Absent bool
}

// Outcome says what became of the lookup of one entry.
type Outcome uint8

// The outcomes of a lookup. Everything but the hits is a miss, and says why.
const (
	Unread       Outcome = iota // the entry was not looked up
	HitFirst                    // served from the first tier
	HitSecond                   // served from the second tier
	NoEntry                     // no entry is there
	Expired                     // the entry's ttl is past
	ListFlushed                 // the stamp of its list has changed
	AllFlushed                  // the stamp of its table's `all` list has changed
	NoCell                      // the cell of one of its lists was absent; a fresh one is there now
	UnderWrite                  // a write of one of its lists is being committed
	BadEntry                    // its bytes are truncated, foreign, corrupt or another key's
	BadCell                     // the bytes of one of its cells are
	Unreachable                 // the server did not answer in time, or its breaker is open
	Undelivered                 // a flush of its list is still on its way to the server
	Bypassed                    // the caller asked for the database, or reads in a transaction
	LoadedAgain                 // the entry named rows that no longer fit it
	Altered                     // the application adds something to the accessor's statements
	Unregistered                // not every live program is known to flush its list
	Moved                       // since it was stored, the servers were changed in a way that flushes may have passed it by
	Outside                     // the process is outside the procedure for changes of servers
	Uncacheable                 // the result of a query is not one that can be kept

	// Outcomes is the number of outcomes.
	Outcomes = int(Uncacheable) + 1
)

var outcomeNames = [...]string{
	"unread", "first tier", "second tier", "no entry", "expired", "list flushed", "all flushed", "no cell",
	"under write", "bad entry", "bad cell", "unreachable", "undelivered", "bypassed", "loaded again",
	"altered", "unregistered", "moved", "outside", "uncacheable",
}

// String returns the outcome in words.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// Hit reports whether the outcome is a hit in either tier.
func (o Outcome) Hit() bool { return o == HitFirst || o == HitSecond }

// Ticket is what a reader who missed carries from the lookup to the fill: the stamps that
// were read before the load. A value is stored only under them, so a value older than a
// flush is never served after it.
//
// A ticket is made by a store and given back to it unchanged. Only Storable and the two
// stamps are for others to read.
type Ticket struct {
	// Storable says that what is loaded under this ticket may be stored. It is false under a
	// write being committed, after a lost race for a fresh cell, and when the server did
	// not answer.
	Storable bool
	// List and All are the stamps read before the load. Loads of one key may be shared only
	// between readers whose stamps are equal. They are zero where Storable is false.
	List, All Stamp

	// Entry is the cas number of the entry that was seen, and Seen whether there was one:
	// the fill replaces exactly that entry, or adds where none was.
	Entry uint64
	Seen  bool
	// Stripes are the first tier's counters of flushes, read before the lookup.
	Stripes [2]uint64
}

// Found is the answer to the lookup of one Ref.
type Found struct {
	Outcome Outcome
	Value   Value // set for a hit
	// Ticket is for the fill after a miss. A hit has one too, so that a value that turns out to be
	// of no use can be replaced.
	Ticket Ticket
}

// Fill is a loaded value on its way into the store.
type Fill struct {
	Ref    Ref
	Ticket Ticket
	Value  Value
	// TTL is how long the entry may be served; zero or less is forever.
	TTL time.Duration
}

// Event is something a store reports besides its answers.
type Event struct {
	Kind   EventKind
	Server string // the server's address, where there is one
	Name   string // the list or the key that it is about
	Err    error  // what went wrong, where something did
}

// EventKind says what an Event is about.
type EventKind uint8

// The kinds of events.
const (
	BreakerOpened      EventKind = iota // a server failed repeatedly: it is left alone for a while
	BreakerClosed                       // it answers again
	FlushUndelivered                    // a flush did not reach its server; it is retried, and the list is not served from this process meanwhile
	FlushDelivered                      // the retry reached it
	EntryTooLarge                       // an entry is over the item limit: served, not stored
	EntryBad                            // truncated, foreign, corrupt or another key's bytes
	IntentLost                          // a write found its token gone when it finished, and flushed again
	FillLost                            // another fill or a write came first: served, not stored
	JournalUndelivered                  // other processes could not be told of a flush; they are told as soon as the journal takes it, and their first tiers are behind until then
	JournalDelivered                    // they have been told
	StampsForgotten                     // the journal could not be followed, so that the first tier begins anew
	StaleHit                            // a sampled hit was one that the promise does not allow; Err says for how long, and Name is the entry's key
	// Fault: something is not cached or not judged, and Err says what to do: a table that is not there, a callback that
	// adds to queries, a type whose values do not come back, a program without models; or a panic was recovered, ours or
	// an observer's.
	Fault

	// EventKinds is the number of kinds.
	EventKinds = int(Fault) + 1
)

var eventNames = [...]string{
	"breaker opened", "breaker closed", "flush undelivered", "flush delivered", "entry too large", "entry bad",
	"intent lost", "fill lost", "journal undelivered", "journal delivered", "stamps forgotten",
	"stale hit", "fault",
}

// String returns the kind in words.
func (k EventKind) String() string {
	if int(k) < len(eventNames) {
		return eventNames[k]
	}
	return "unknown"
}
