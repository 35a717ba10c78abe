// Package replicas_test holds the cache under gorm.io/plugin/dbresolver: what it stores comes from the primary, whatever lags; a
// COMMIT is seen on whichever source it is made; and plugins in the wrong order are refused.
package replicas_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"
)

func TestMain(m *testing.M) { fixture.Main(m) }

var ctx = context.Background()

// world is one program with dbresolver behind the plugin.
type world struct {
	testing.TB
	*fixture.Fixture
	source *gorm.DB // of the croupons, without a cache
}

func newWorld(t testing.TB, d fixture.Database, g gorm.Config, o cacheruntime.Options) *world {
	t.Helper()
	o.Mode = flushlist.Strict // so that a write whose COMMIT is not seen is an error
	return &world{TB: t, source: d.Open(t, nil), Fixture: fixture.New(t, fixture.Options{
		Servers: []string{testserver.Memcached(t).Addr()}, DB: &d, GORM: &g, Runtime: o,
		Tiered: tiered.Options{IntentTTL: 10 * time.Minute, Timeout: 30 * time.Second, BreakerFailures: -1},
	})}
}

// use registers dbresolver, whose pools are closed when the test ends.
func (w *world) use(r *dbresolver.DBResolver) {
	w.Helper()
	w.ok(w.DB.Use(r))
	w.Cleanup(func() {
		w.ok(r.Call(func(pool gorm.ConnPool) error {
			if db := bare(pool); db != nil && db.Stats().InUse > 0 {
				w.Errorf("%d connections are in use", db.Stats().InUse)
			} else if db != nil {
				return db.Close()
			}
			return nil
		}))
	})
}

// bare is the pool of connections behind a wrapper.
func bare(pool gorm.ConnPool) *sql.DB {
	if db, ok := pool.(*sql.DB); ok {
		return db
	}
	if c, ok := pool.(gorm.GetDBConnector); ok {
		db, _ := c.GetDBConn()
		return db
	}
	return nil
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// title is what a croupon's title is read as.
func title(c *shop.Croupon, err error) string {
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return "absent"
	case err != nil:
		return err.Error()
	}
	return c.Title
}

func titles(cs []*shop.Croupon, err error) string {
	if err != nil {
		return err.Error()
	}
	all := ""
	for _, c := range cs {
		all += c.Title
	}
	return all
}

// eventually polls until ok, or fails with what.
func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			w.Fatal(what)
		}
	}
}
