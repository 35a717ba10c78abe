package tiered

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
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

func recordKey(number uint64) string { return "@journal:" + strconv.FormatUint(number, 10) }

// Take raises the head by one.
func (j *memcachedJournal) Take(ctx context.Context) (number uint64, err error) {
	for range 4 {
		foreign := false
		// A second try after a connection that the server had closed may take a second number. The first
		// is closed by readers, who forget what they know: that is dear, and right.
		err = j.server.do(ctx, func(c *memcache.Client) (err error) {
			number, err = c.Increment(journalHead, 1)
			if foreign = err != nil && strings.Contains(err.Error(), "client error"); foreign {
				return nil // it holds no number; the server has done its part
			}
			return err
		})
		switch {
		case errors.Is(err, errGone):
			_, err = j.begin(ctx)
		case err != nil:
			return 0, err
		case !foreign && validHead(number):
			return number, nil
		default:
			err = j.beginAnew(ctx)
		}
		if err != nil && !errors.Is(err, errNotStored) {
			return 0, err
		}
	}
	return 0, errNoRoom
}

// begin makes a head that is not there.
func (j *memcachedJournal) begin(ctx context.Context) (uint64, error) {
	head := newHead()
	return head, j.server.add(ctx, addr{key: journalHead}, strconv.AppendUint(nil, head, 10), 0)
}

// beginAnew replaces a head that no writer can raise, or that would soon begin again at 0. Where others are doing
// that, or have done it, it leaves theirs.
func (j *memcachedJournal) beginAnew(ctx context.Context) error {
	items, _, err := j.server.read(ctx, []addr{{key: journalHead}})
	if err != nil {
		return err
	}
	if it := items[0]; it.state == present {
		if _, ok := parseHead(it.value); ok {
			return nil
		}
		err = j.server.swap(ctx, addr{key: journalHead}, strconv.AppendUint(nil, newHead(), 10), it.seen, 0)
	}
	if errors.Is(err, errConflict) || errors.Is(err, errGone) {
		return nil
	}
	return err
}

// newHead returns where a journal begins: anywhere, so that its numbers are not those of a journal that was lost, and
// no clock is asked. That it is within farHead of where another left off has a chance of one in 10^15.
func newHead() uint64 { return rand.Uint64N(maxHead-1) + 1 }

// parseHead reads a head. The bytes may be anything.
func parseHead(b []byte) (head uint64, ok bool) {
	head, err := strconv.ParseUint(trimRight(b), 10, 64)
	return head, err == nil && validHead(head)
}

// validHead reports whether a head is one that a journal has: it begins below maxHead, and there are not as many
// writes again as would lead beyond twice that.
func validHead(head uint64) bool { return head > 0 && head < 2*maxHead }

const maxHead = 1 << 62

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
		if head, err = j.begin(ctx); !errors.Is(err, errNotStored) {
			return head, nil, err
		}
		// Another began it meanwhile.
		if items, _, err = j.server.read(ctx, at); err != nil {
			return 0, nil, err
		}
	}
	head, ok := parseHead(items[0].value)
	if !ok {
		return 0, nil, cmp.Or(j.beginAnew(ctx), errBadHead)
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
