package histories_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"sync"
)

// kind says what an operation does.
type kind string

const (
	get        kind = "get"         // of ID
	getMany    kind = "get many"    // of IDs
	getByCode  kind = "get by code" // of Code
	list       kind = "list"        // of Shelf
	count      kind = "count"       // of Shelf
	save       kind = "save"        // the whole of row ID, which is made where it is absent
	update     kind = "update"      // Value and Shelf of row ID
	touch      kind = "touch"       // Value of row ID
	bulk       kind = "bulk"        // Value of all rows on Shelf
	several    kind = "several"     // save of IDs in one transaction
	create     kind = "create"      // row ID
	remove     kind = "delete"      // row ID
	abandon    kind = "abandon"     // save of row ID, rolled back
	raw        kind = "raw"         // Value of row ID, by SQL text
	paid       kind = "paid"        // no operation: what could not be delivered has been
	event      kind = "event"       // no operation: what the store reported, in Error
	statistics kind = "statistics"  // no operation: at the worker's end
)

func (k kind) isRead() bool {
	return k == get || k == getMany || k == getByCode || k == list || k == count
}

func (k kind) isWrite() bool {
	switch k {
	case save, update, touch, bulk, several, create, remove, abandon, raw:
		return true
	}
	return false
}

// record is one operation, or something else that a worker has to tell. A write is logged before it begins,
// without End, and again when it has ended; a read only then.
type record struct {
	Kind  kind     `json:"kind"`
	ID    uint64   `json:"id,omitempty"`
	IDs   []uint64 `json:"ids,omitempty"`
	Code  string   `json:"code,omitempty"`
	Shelf int64    `json:"shelf,omitempty"`
	Fresh bool     `json:"fresh,omitempty"` // without the first tier
	Write int64    `json:"write,omitempty"` // the write's number, which is its rows' Value

	Start int64 `json:"start,omitempty"` // by clock
	End   int64 `json:"end,omitempty"`

	Rows    []seen `json:"rows,omitempty"`
	Count   int64  `json:"count,omitempty"`
	Error   string `json:"error,omitempty"`
	Refused bool   `json:"refused,omitempty"` // the error matches ErrFlush
	Owing   bool   `json:"owing,omitempty"`   // something could not be delivered when it had ended
	Tier    string `json:"tier,omitempty"`    // of a command's read: its lookups' outcomes

	Statistics *totals `json:"statistics,omitempty"`
	Call       int     `json:"call,omitempty"` // of a command: which one an answer is to

	worker int // the Number of the process that logged it; set by the test
}

// seen is a row as a read returned it. Value 0: it was absent.
type seen struct {
	ID    uint64 `json:"id"`
	Value int64  `json:"v"`
	Code  string `json:"c,omitempty"`
	Shelf int64  `json:"s,omitempty"`
}

// totals are a worker's counts.
type totals struct {
	Reads, Writes, First, Second, Misses, Statements, Forgotten int64

	Events  map[string]int64
	Reasons map[string]int64
}

// logFile takes a worker's records, each in one write to the system, so that what was logged outlives
// the process.
type logFile struct {
	mu   sync.Mutex
	file *os.File
}

func (l *logFile) add(r record) {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // it holds nothing that JSON does not
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.file.Write(append(b, '\n')); err != nil {
		panic(err)
	}
}

// readLog reads a worker's records. The last line of one that was killed may be half a line.
func readLog(name string) ([]record, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var records []record
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			records = append(records, r)
		}
	}
	return records, lines.Err()
}
