package writes_test

import (
	"context"
	"database/sql"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	"gorm.io/gorm"
)

// panicking is a database whose driver panics once, when a COMMIT has taken effect.
type panicking struct {
	*sql.DB
	armed *atomic.Bool
}

func (p panicking) BeginTx(ctx context.Context, o *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := p.DB.BeginTx(ctx, o)
	return panickingTx{tx, p.armed}, err
}

func (p panicking) GetDBConn() (*sql.DB, error) { return p.DB, nil }

type panickingTx struct {
	*sql.Tx
	armed *atomic.Bool
}

func (t panickingTx) Commit() error {
	err := t.Tx.Commit()
	if t.armed.CompareAndSwap(true, false) {
		panic("the driver's")
	}
	return err
}

// behaviours 56, 66: a panic between a COMMIT and its answer. What becomes of the write is as little known as with an answer
// that is lost: its lists are not served until they are flushed again, which they are.
//
//  1. memcached is cut off; a write in mode Available takes its lists out of service here
//  2. the COMMIT takes effect, and the driver panics
//  3. memcached is back; the lists are flushed after IntentTTL, and in service again
func TestDriverPanics(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		relay := testserver.Proxy(t, testserver.Memcached(t).Addr())
		var armed atomic.Bool
		w := newWorld(t, d, func(s *setup) {
			s.tiered.Servers, s.tiered.IntentTTL, s.tiered.Timeout = []string{relay.Addr()}, 200*time.Millisecond, 30*time.Second
			s.tiered.BreakerFailures, s.tiered.MaxStale = -1, -1
			s.pool = func(db *sql.DB) gorm.ConnPool { return panicking{db, &armed} }
		})
		w.seed(&Croupon{ID: 1, Slug: "a", Title: "old"})
		w.title(cached, 1)
		relay.Cut()
		armed.Store(true)
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the driver's panic is swallowed")
				}
			}()
			w.db.Model(&Croupon{ID: 1}).Update("title", "new")
		}()
		relay.Mend()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		deadline := time.Now().Add(time.Minute)
		for hit := false; !hit; <-tick.C {
			before := w.rt.Stats().CacheStatements
			if got := w.title(cached, 1); got != "new" {
				t.Fatalf("read %q", got)
			}
			hit = w.rt.Stats().CacheStatements == before
			if time.Now().After(deadline) {
				t.Fatal("the row is never cached again")
			}
		}
	})
}
