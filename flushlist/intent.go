package flushlist

import (
	"context"
	"errors"
)

// Mode says what a write does when a server cannot be told of it.
type Mode uint8

const (
	// Available lets the write proceed. The lists concerned are not served from this process
	// until a retry in the background has flushed them; other processes may serve what they
	// have until then.
	Available Mode = iota
	// Strict fails the write: its transaction is rolled back and Commit returns an error
	// matching [ErrFlush].
	Strict
)

// String returns "available" or "strict".
func (m Mode) String() string {
	if m == Strict {
		return "strict"
	}
	return "available"
}

// ErrFlush matches the error of a write that was rolled back in mode Strict because a cache server
// could not be told of it. Nothing was written to the database. GORM may have set RowsAffected, and
// primary keys in the caller's struct, before that; they mean nothing then. ErrFlush also matches
// the error of a manual flush that did not reach a server.
var ErrFlush = errors.New("cachegen: flush not delivered")

// Intent is the mark of one write on its lists, from before its COMMIT until after. Exactly
// one of Finish, Abort and Leave ends it. It is used by one goroutine at a time.
type Intent interface {
	// Late reports that half of IntentTTL has passed since the tokens were left. Readers may
	// soon take the writer for dead: Renew before going on.
	Late() bool
	// Renew leaves fresh tokens beside the first ones; the end takes out both. Its error is
	// as Prepare's.
	Renew(ctx context.Context) error
	// Finish ends a write that was committed: the tokens go out and new stamps come in. When
	// it returns, no entry from before is served by this process, nor by any other that asks
	// the servers. A server that does not answer keeps the token, and the flush is retried
	// in the background.
	Finish(ctx context.Context)
	// Abort ends a write that was certainly not committed: the tokens go out and the stamps
	// stay, so that nothing was flushed.
	Abort(ctx context.Context)
	// Leave ends a write whose outcome is not known: the tokens stay, and readers go to the
	// database until IntentTTL has passed.
	Leave()
}
