package endings_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// behaviour 66: a COMMIT whose answer is lost on the way.
//
//  1. another program has the old row from the cache
//  2. writer: leaves its tokens; COMMIT is sent
//  3. the connection is cut, before or after PostgreSQL has received it: the driver's error is the same
//  4. the other program reads what the database has, and caches nothing while the tokens stand
//  5. after IntentTTL the row is cached again
func TestCommitUnanswered(t *testing.T) {
	t.Parallel() // most of it is waiting
	for name, committed := range map[string]bool{"committed": true, "not committed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const ttl = 4 * time.Second // half of it may pass before COMMIT
			w := newWorld(t, ttl, flushlist.Strict)
			// COMMIT waits for the tokens, and those for their answers.
			w.toCache.Hang()
			left := time.Now()
			done := w.updating("new")
			eventually(t, "no token is left", w.underWrite)
			if committed {
				w.toSQL.Hang()
			} else {
				w.toSQL.Cut()
			}
			w.toCache.Mend()
			want := "old"
			if committed {
				want = "new"
				eventually(t, "COMMIT does not reach the database", func() bool { return w.inDatabase() == want })
				w.toSQL.Drop()
			}
			err := <-done
			if err == nil || errors.Is(err, cacheruntime.ErrFlush) {
				t.Fatalf("a COMMIT without an answer: %v", err)
			}
			t.Logf("the driver says: %v", err)
			w.toSQL.Mend()
			before := w.reader.RT.Stats().CacheStatements
			w.reads(want)
			w.reads(want)
			if made := w.reader.RT.Stats().CacheStatements - before; made < 2 && time.Since(left) < ttl {
				t.Errorf("%d statements for two reads, while the tokens stand", made)
			}
			w.cached(want)
		})
	}
}

// slowCommit makes every COMMIT of a change of croupons wait until release.
func (w *world) slowCommit() (waiting func() bool, release func()) {
	w.Helper()
	for _, statement := range []string{
		`CREATE FUNCTION wait() RETURNS trigger AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$ LANGUAGE plpgsql`,
		`CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON croupons DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()`,
	} {
		if err := w.sql.Exec(statement).Error; err != nil {
			w.Fatal(err)
		}
	}
	lock := w.sql.Begin()
	if err := lock.Exec(`SELECT pg_advisory_xact_lock(42)`).Error; err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { lock.Rollback() })
	return func() bool {
			var n int
			row := w.sql.Raw(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Row()
			return row.Scan(&n) == nil && n > 0
		}, func() {
			if err := lock.Commit().Error; err != nil {
				w.Fatal(err)
			}
		}
}

// behaviour 66: a COMMIT that takes longer than IntentTTL.
//
//  1. writer: leaves its tokens; the database takes its time over COMMIT
//  2. another program: takes the tokens for a dead writer's, loads the old row, and caches it
//  3. the COMMIT takes effect, and is answered
//  4. the write returns; from here on nobody is served the old row
func TestCommitOutlivesIntentTTL(t *testing.T) {
	t.Parallel() // most of it is waiting
	w := newWorld(t, 2*time.Second, flushlist.Strict)
	waiting, release := w.slowCommit()
	done := w.updating("new")
	eventually(t, "COMMIT does not wait", waiting)
	w.cached("old")
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.reads("new")
	w.cached("new")
}

// behaviour 66: the same, and the answer is lost.
//
//  1. writer: leaves its tokens; the database takes its time over COMMIT
//  2. another program: takes the tokens for a dead writer's, loads the old row, and caches it
//  3. the connection is cut; the writer leaves fresh tokens, since its first ones may be gone
//  4. other program: reads the old row
//  5. the COMMIT takes effect
//  6. readers are not served the old row; without step 3 they were, until the writer's next flush
func TestUnansweredCommitOutlivesIntentTTL(t *testing.T) {
	t.Parallel() // most of it is waiting
	const ttl = 2 * time.Second
	w := newWorld(t, ttl, flushlist.Available)
	waiting, release := w.slowCommit()
	done := w.updating("new")
	eventually(t, "COMMIT does not wait", waiting)
	w.cached("old")
	left := time.Now()
	w.toSQL.Cut() // for good: the driver would cancel the COMMIT on another connection
	if err := <-done; err == nil {
		t.Fatal("a COMMIT without an answer has no error")
	}
	for time.Since(left) < ttl/4 { // again and again, and caches nothing
		w.reads("old")
	}
	release()
	eventually(t, "the COMMIT takes no effect", func() bool { return w.inDatabase() == "new" })
	// On a machine so slow that the fresh tokens may be gone too, what holds is that a later flush follows.
	if title := w.title(); title != "new" && time.Since(left) < ttl {
		t.Fatalf("read %q", title)
	}
	eventually(t, "stale for good", func() bool { return w.title() == "new" })
	w.cached("new")
}

// behaviour 66: tokens are left so slowly that others may take the writer for dead before its COMMIT begins. It leaves them
// again and again; then mode Strict refuses, and mode Available goes on.
func TestTokensAreLeftTooSlowly(t *testing.T) {
	t.Parallel() // most of it is waiting
	for name, mode := range map[string]flushlist.Mode{"strict": flushlist.Strict, "available": flushlist.Available} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const ttl = 100 * time.Millisecond
			w := newWorld(t, ttl, mode)
			w.toCache.Delay(ttl)
			trips := w.toCache.RoundTrips()
			err := w.writer.DB.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error
			w.toCache.Delay(0)
			want := "new"
			if mode == flushlist.Strict {
				want = "old"
				if !errors.Is(err, cacheruntime.ErrFlush) {
					t.Fatalf("tokens that are left too slowly: %v", err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if n := w.toCache.RoundTrips() - trips; n < 2*3 { // token, number and record
				t.Errorf("%d round trips: the tokens were not left again", n)
			}
			w.reads(want)
			w.cached(want)
		})
	}
}
