package replicas_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"
)

// lagging is a program that reads a PostgreSQL replica, whose replay can be held.
type lagging struct {
	*world
	replica *gorm.DB
}

func newLagging(t testing.TB, g gorm.Config, o cacheruntime.Options) *lagging {
	t.Helper()
	primary, replica := fixture.PostgresReplica(t)
	w := &lagging{world: newWorld(t, primary, g, o)}
	w.use(dbresolver.Register(dbresolver.Config{Replicas: []gorm.Dialector{replica.Dialector()}}))
	w.Create(t, &shop.Croupon{ID: 1, Slug: "a", Title: "old", City: "Portland", Active: true})
	w.replica = replica.Open(t, nil)
	w.caughtUp("the row", func() bool { return w.onReplica(1) == "old" })
	w.hold()
	t.Cleanup(w.resume)
	return w
}

func (w *lagging) caughtUp(what string, ok func() bool) {
	w.Helper()
	w.eventually("the replica never gets "+what, ok)
}

// onReplica is a row's title as the replica has it.
func (w *lagging) onReplica(id uint64) string {
	var title string
	_ = w.replica.Raw("SELECT title FROM croupons WHERE id = ?", id).Row().Scan(&title)
	return title
}

// hold keeps the replica from showing what is written from here on.
func (w *lagging) hold() {
	w.Helper()
	w.ok(w.replica.Exec("SELECT pg_wal_replay_pause()").Error)
	w.eventually("replay is not paused", func() bool {
		var state string
		w.ok(w.replica.Raw("SELECT pg_get_wal_replay_pause_state()").Row().Scan(&state))
		return state == "paused"
	})
}

func (w *lagging) resume() { w.replica.Exec("SELECT pg_wal_replay_resume()") }

// behaviour 60: nothing that a lagging replica has is cached, or returned by a Cache.
//
//  1. the replica shows the old row, and no more from here on
//  2. a write returns
//  3. a Cache reads, of every accessor, with every option, in bypass: what the primary has
//  4. Objects read the replica's old row: that is the program's own routing
//  5. the replica catches up; nothing that was stored is old
func TestLaggingReplica(t *testing.T) {
	for name, g := range map[string]gorm.Config{"plain": {}, "prepared": {PrepareStmt: true}, "no default transaction": {SkipDefaultTransaction: true}} {
		t.Run(name, func(t *testing.T) {
			w := newLagging(t, g, cacheruntime.Options{Sample: 1})
			w.ok(w.DB.Model(&shop.Croupon{ID: 1}).Updates(map[string]any{"title": "new", "slug": "b", "city": "Eugene"}).Error)
			w.Create(t, &shop.Croupon{ID: 2, Slug: "c", Title: "two", City: "Eugene", Active: true})
			if got := w.onReplica(1); got != "old" {
				t.Fatalf("the replica has %q: this test tests nothing", got)
			}
			bypassed := func(ctx context.Context) context.Context { return cacheruntime.WithBypass(ctx) }
			for round, with := range []func(context.Context) context.Context{
				bypassed, cacheruntime.WithFresh, cacheruntime.WithRefresh, func(ctx context.Context) context.Context { return ctx }, bypassed,
			} {
				w.readsAll(fmt.Sprint("round ", round), with(ctx))
			}
			w.RT.SetBypass(true)
			w.readsAll("in bypass", ctx)
			w.RT.SetBypass(false)
			if got := title(w.M.Croupon.Objects.Get(ctx, 1)); got != "old" {
				t.Errorf("Objects read %q: not from the replica, as GORM would", got)
			}
			if got := title(w.M.Croupon.Objects.Get(ctx, 2)); got != "absent" {
				t.Errorf("Objects read %q: not from the replica, as GORM would", got)
			}
			w.readsAll("after Objects", ctx)
			w.resume()
			w.caughtUp("the rest", func() bool { return w.onReplica(2) == "two" })
			before := w.RT.Stats().CacheStatements // and not the sampler's, which still compares
			w.readsAll("at last", ctx)
			if n := w.RT.Stats().CacheStatements - before; n != 0 {
				t.Errorf("%d statements for what was read before", n)
			}
			w.ok(w.RT.Close()) // the comparisons under way are made
			if s := w.RT.Stats().Sampled; s.Stale != 0 {
				t.Errorf("the samples were compared with the replica: %+v", s)
			}
		})
	}
}

// readsAll reads with every kind of accessor of the Cache what the primary has.
func (w *lagging) readsAll(what string, ctx context.Context) {
	w.Helper()
	m := w.M.Croupon.Cache
	n, err := m.CountByCity(ctx, "Eugene")
	for _, c := range []struct{ accessor, got, want string }{
		{"Get", title(m.Get(ctx, 1)), "new"},
		{"Get of a new row", title(m.Get(ctx, 2)), "two"},
		{"GetMany", titles(m.GetMany(ctx, 1, 2)), "newtwo"},
		{"GetBySlug of before", title(m.GetBySlug(ctx, "a")), "absent"},
		{"GetBySlug", title(m.GetBySlug(ctx, "b")), "new"},
		{"GetManyBySlug", titles(m.GetManyBySlug(ctx, "a", "b", "c")), "newtwo"},
		{"ListByCity of before", titles(m.ListByCity(ctx, "Portland")), ""},
		{"ListByCity", titles(m.ListByCity(ctx, "Eugene")), "newtwo"},
		{"ListPopularInCityPage", titles(m.ListPopularInCityPage(ctx, "Eugene", 0, 10)), "newtwo"},
		{"OneNewest", title(m.OneNewest(ctx, "Portland")), "absent"},
		{"CountByCity", fmt.Sprint(n, err), "2 <nil>"},
	} {
		if c.got != c.want {
			w.Errorf("%s: %s: %q, not %q", what, c.accessor, c.got, c.want)
		}
	}
}

// behaviours 60, 99: a callback sends loads to the replica. What it brings is returned to its caller, and stored for nobody, with
// Options.Partition too: a partition does not make a replica current.
func TestCallbackReadsReplica(t *testing.T) {
	type reports struct{}
	for name, partition := range map[string]func(context.Context) string{"no partition": nil, "a partition": func(context.Context) string { return "p" }} {
		t.Run(name, func(t *testing.T) {
			w := newLagging(t, gorm.Config{}, cacheruntime.Options{Partition: partition})
			w.ok(w.DB.Callback().Query().Before("gorm:query").Register("app:reports", func(db *gorm.DB) {
				if db.Statement.Context.Value(reports{}) != nil {
					db.Clauses(dbresolver.Read)
				}
			}))
			w.ok(w.DB.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error)
			for round := range 2 {
				got := title(w.M.Croupon.Cache.Get(context.WithValue(ctx, reports{}, true), 1))
				if hit := partition != nil && round == 1; got != "old" && !hit { // with a partition, hits are served
					t.Errorf("the callback's own read: %q: not from the replica", got)
				}
				if got := title(w.M.Croupon.Cache.Get(ctx, 1)); got != "new" {
					t.Errorf("read %q: what the replica had was stored", got)
				}
			}
		})
	}
}
