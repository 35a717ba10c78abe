package tiered

import (
	"context"
	"errors"
	"time"
)

// Journal tells every process on the same servers which flush lists are being written, so that
// each drops its own copies. It is a sequence of numbered records: a writer takes a number, and puts its
// record there before its COMMIT; every process reads what is new.
//
// A Journal in Options.Journal takes the place of the one that a store keeps on its memcached servers, with
// NATS, Redis or LISTEN/NOTIFY, say, behind the same four methods. Every implementation must pass
// ext/journaltest. All methods must be safe for concurrent use, and return when ctx is done, which is after
// Options.Timeout at the latest. A record has at most 32776 bytes; one of 256 lists, the most that a write
// of this project's runtime names one by one, has 2056.
type Journal interface {
	// Take returns a number above every one that was taken before it was called.
	Take(ctx context.Context) (uint64, error)
	// Put puts a record at a number, where there is none yet; else its error matches
	// [ErrRecorded]. After any other error the record may be there or not.
	Put(ctx context.Context, number uint64, record []byte) error
	// Poll returns the journal's head, the highest number taken so far, and the records that
	// follow number after, in their order: nil for one that is missing, and no more than the
	// journal reads at a time. after 0 asks for the head alone. What was taken and put before
	// Poll was called is in its answer. A journal that has been lost begins anew, far above or
	// below where it was, which tells its readers.
	Poll(ctx context.Context, after uint64) (head uint64, records [][]byte, err error)
	// Close lets go of what the journal holds. A write that ends after it gets an error from the others.
	Close() error
}

// ErrRecorded says that a number has its record already: a reader who waited too long for it
// closed the number. The writer takes a new one.
var ErrRecorded = errors.New("tiered: the journal's number has a record already")

// boundedJournal is a journal each of whose answers is waited for no longer than a server's: a COMMIT waits for them.
type boundedJournal struct {
	Journal
	timeout time.Duration
}

func (b boundedJournal) Take(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.Journal.Take(ctx)
}

func (b boundedJournal) Put(ctx context.Context, number uint64, record []byte) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.Journal.Put(ctx, number, record)
}

func (b boundedJournal) Poll(ctx context.Context, after uint64) (uint64, [][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	return b.Journal.Poll(ctx, after)
}
