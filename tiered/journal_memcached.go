package tiered

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/cespare/xxhash/v2"
)

// memcachedJournal is the journal on one of the store's servers: a counter that is its head, and an
// item a record.
type memcachedJournal struct {
	server *server
}

const (
	journalHead = "@journal:head"
	// recordTTL is how long a record is kept. A process that was paused for longer finds it missing,
	// and forgets all it knows.
	recordTTL = time.Minute
	// pollRecords is how many records one poll reads.
	pollRecords = 32
)

// newMemcachedJournal returns the journal of a store's servers. Every process with these servers finds it on the same one.
func newMemcachedJournal(s *Store) *memcachedJournal {
	return &memcachedJournal{s.places[s.ring.server(xxhash.Sum64String(journalHead))].(*server)}
}

func recordKey(number uint64) string { return "@journal:" + strconv.FormatUint(number, 10) }

// Take raises the head by one.
func (j *memcachedJournal) Take(ctx context.Context) (number uint64, err error) {
	for range 4 {
		// A second try after a connection that the server had closed may take a second number. The first
		// is closed by readers, who forget what they know: that is dear, and right.
		err = j.server.do(ctx, func(c *memcache.Client) (err error) {
			number, err = c.Increment(journalHead, 1)
			return err
		})
		if !errors.Is(err, errGone) {
			return number, err
		}
		if _, err = j.begin(ctx); err != nil && !errors.Is(err, errNotStored) {
			return 0, err
		}
	}
	return 0, errNoRoom
}

// begin makes a head that is not there. It begins at the present time in microseconds, which is
// above every number from before the journal was lost.
func (j *memcachedJournal) begin(ctx context.Context) (uint64, error) {
	head := uint64(time.Now().UnixMicro())
	return head, j.server.add(ctx, addr{key: journalHead}, strconv.AppendUint(nil, head, 10), 0)
}

func (j *memcachedJournal) Put(ctx context.Context, number uint64, record []byte) error {
	err := j.server.add(ctx, addr{key: recordKey(number)}, record, recordTTL)
	if errors.Is(err, errNotStored) {
		return ErrRecorded
	}
	return err
}

// Poll reads the head and the next records in one multi-get. memcached answers in order: a record
// that is missing was missing after the head was read.
func (j *memcachedJournal) Poll(ctx context.Context, after uint64) (head uint64, records [][]byte, err error) {
	at := []addr{{key: journalHead}}
	if after > 0 {
		for n := range uint64(pollRecords) {
			at = append(at, addr{key: recordKey(after + 1 + n)})
		}
	}
	items, _, err := j.server.read(ctx, at)
	if err != nil {
		return 0, nil, err
	}
	if items[0].state == absent {
		head, err = j.begin(ctx)
		return head, nil, err
	}
	if head, err = strconv.ParseUint(trimRight(items[0].value), 10, 64); err != nil {
		// Foreign bytes, which no writer can raise. It begins anew.
		_ = j.server.swap(ctx, addr{key: journalHead}, strconv.AppendInt(nil, time.Now().UnixMicro(), 10), items[0].seen, 0)
		return 0, nil, errBadHead
	}
	for n, it := range items[1:] {
		if after+1+uint64(n) > head {
			break
		}
		records = append(records, it.value)
	}
	return head, records, nil
}

// trimRight drops the blanks that memcached leaves behind a number that became shorter.
func trimRight(b []byte) string {
	for len(b) > 0 && b[len(b)-1] == ' ' {
		b = b[:len(b)-1]
	}
	return string(b)
}

var errBadHead = errors.New("the journal's head is no number")

// Close does nothing: the server is the store's.
func (j *memcachedJournal) Close() error { return nil }
