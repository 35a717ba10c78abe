package modes_test

import (
	"errors"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// onPostgres returns a world whose programs reach their database, a PostgreSQL, through a relay.
func onPostgres(t *testing.T, mode cacheruntime.Mode) (*world, *testserver.Relay) {
	d := fixture.Postgres(t)
	relay := testserver.Proxy(t, d.Address())
	through := d.Through(t, relay.Addr())
	return newWorld(t, 1, mode, func(o *fixture.Options) { o.DB = &through }), relay
}

// What is cached is served, and what is not is the database's error.
func databaseReads(t *testing.T) {
	w, relay := onPostgres(t, cacheruntime.Available)
	if got, err := w.a.M.Croupon.Cache.ListByCity(ctx, "city3"); err != nil || len(got) != 1 {
		t.Fatalf("a list is %v, %v", got, err)
	}
	relay.Cut()
	for id := uint64(1); id <= rows; id++ {
		if first, second := w.a.read(ctx, id), w.a.title(id); first != "old" || second != "old" {
			t.Errorf("row %d is %q and %q", id, first, second)
		}
	}
	if got, err := w.a.M.Croupon.Cache.ListByCity(ctx, "city3"); err != nil || len(got) != 1 {
		t.Errorf("a cached list is %v, %v", got, err)
	}
	for range 3 { // an error is not cached, and neither is absence
		if c, err := w.a.M.Croupon.Cache.Get(ctx, rows+1); err == nil || errors.Is(err, cacheruntime.ErrFlush) {
			t.Errorf("a row that is not cached is %v, %v", c, err)
		}
		if n, err := w.a.M.Croupon.Cache.CountByCity(ctx, "city3"); err == nil {
			t.Errorf("a count that is not cached is %d", n)
		}
	}
	relay.Mend()
	w.a.eventually("the database is not asked again", func() bool {
		n, err := w.a.M.Croupon.Cache.CountByCity(ctx, "city3")
		return err == nil && n == 1
	})
}

// The write's error is the database's, nothing has changed, and nothing is lost from the cache.
func databaseWrites(t *testing.T, mode cacheruntime.Mode) {
	w, relay := onPostgres(t, mode)
	relay.Cut()
	for range 3 {
		if err := w.a.retitle(1, "lost"); err == nil || errors.Is(err, cacheruntime.ErrFlush) {
			t.Errorf("writing without a database: %v", err)
		}
	}
	// Nothing was flushed.
	for _, p := range []*program{w.a, w.b} {
		if statements := p.SQL.Of(func() { p.title(1) }); len(statements) != 0 {
			t.Errorf("a row that was not written is loaded again: %q", statements)
		}
	}
	relay.Mend()
	for _, p := range []*program{w.a, w.b} {
		pool, err := p.DB.DB()
		if err != nil {
			t.Fatal(err)
		}
		pool.SetMaxIdleConns(0) // those from before the cut would have their errors first
	}
	w.a.eventually("the database does not come back", func() bool { return w.a.retitle(1, "new") == nil })
	w.a.wants(1, "new")
	w.b.sees(1, "new")
}
