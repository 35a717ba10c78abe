package tenants

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

// behaviour 98: two databases with two namespaces never meet on one memcached, in reads or writes; a second runtime
// with the namespace of a first is refused on one store.
func TestNamespaces(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		servers := []string{testserver.Memcached(t).Addr()}
		other := fixture.SQLite(t)
		p, q := start(t, d, options{servers: servers, namespace: "one"}), start(t, other, options{servers: servers, namespace: "two"})
		ok(t, p.db.Create(&Note{ID: 1, Slug: "s0", Topic: "go", Tenant: "one"}).Error)
		ok(t, q.db.Create(&Note{ID: 1, Slug: "s0", Topic: "go", Tenant: "two"}).Error)
		for range 2 {
			alike(t, p, nobody)
			alike(t, q, nobody)
		}
		ok(t, p.db.Model(&Note{ID: 1}).Update("topic", "rust").Error)
		if n := hits(q, func() { alike(t, q, nobody) }); n == 0 {
			t.Error("a write to the one database flushed the other's entries")
		}
		alike(t, p, nobody)
		if _, err := cacheruntime.New(other.Open(t, nil), p.store, cacheruntime.Options{Namespace: "one"}); err == nil || !strings.Contains(err.Error(), `"one"`) {
			t.Errorf("a second runtime with the same namespace: %v", err)
		}
	})
}

// behaviour 98: partitions never meet, in reads and writes, in both tiers; a tenant's callback is trusted then.
func TestPartitions(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		seed(t, start(t, d, options{namespace: "none"}))
		bothStores(t, func(t *testing.T, servers []string) {
			o := options{servers: servers, partition: tenantOf, before: query(t, onlyOwn), namespace: "n" + fmt.Sprint(len(servers))}
			p := start(t, d, o)
			a, b := of("a"), of("b")
			all := []context.Context{a, b, nobody, of("c")}
			alike(t, p, all...)
			before := p.rt.Stats()
			alike(t, p, all...)
			if s := p.rt.Stats().Minus(before); s.Misses != 0 || s.CacheStatements != 0 {
				t.Errorf("the second reads were no hits:\n%s", s)
			}
			for _, fresh := range all { // the second tier, where there is one
				alike(t, p, cacheruntime.WithFresh(fresh))
			}
			if heard := p.heard.take(); len(heard) != 0 {
				t.Errorf("%q", heard)
			}

			ctx, trace := cacheruntime.WithTrace(a)
			ok(t, p.db.WithContext(ctx).Model(&Note{ID: 1}).Update("rank", 100).Error)
			want := []string{o.namespace + "@a:notes.ListOpen(go)", o.namespace + "@a:notes:1"}
			if f := trace.Flushes(); len(f) != 1 || !slices.Equal(f[0].Lists, want) {
				t.Errorf("a's write flushed %v", f)
			}
			if n := hits(p, func() { alike(t, p, a) }); n == 0 {
				t.Error("a's write flushed all of a's entries")
			}
			before = p.rt.Stats()
			_ = reads(b, p.m.Note.Cache)
			if s := p.rt.Stats().Minus(before); s.Misses != 0 {
				t.Errorf("a's write flushed b's entries:\n%s", s)
			}

			// Each by a write of each kind, in the tenant's own context.
			tx := func(ctx context.Context, fn func(tx *gorm.DB) error) { ok(t, p.db.WithContext(ctx).Transaction(fn)) }
			tx(b, func(tx *gorm.DB) error { return tx.Create(&Note{ID: 70, Tenant: "b", Slug: "s3", Topic: "go"}).Error })
			alike(t, p, a, b)
			tx(a, func(tx *gorm.DB) error { return tx.Where("topic = ? AND tenant = 'a'", "go").Delete(&Note{}).Error })
			alike(t, p, a, b)
			ok(t, p.db.WithContext(a).Exec("UPDATE notes SET deleted_at = NULL, rank = 3 WHERE tenant = 'a'").Error)
			ok(t, p.db.WithContext(b).Unscoped().Delete(&Note{ID: 70}).Error)
			alike(t, p, a, b)

			// What is written past GORM is flushed a partition at a time.
			pool, err := p.db.DB()
			ok(t, err)
			if _, err := pool.Exec("UPDATE notes SET text = 'past'"); err != nil {
				t.Fatal(err)
			}
			for _, flush := range []func(ctx context.Context) error{
				func(ctx context.Context) error { return p.rt.FlushTable(ctx, "notes") },
				p.m.Note.Cache.FlushAll,
			} {
				ok(t, flush(a))
				alike(t, p, a)
				ctx, trace := cacheruntime.WithTrace(b)
				if n, _ := p.m.Note.Cache.Get(ctx, 2); n == nil || n.Text == "past" {
					t.Errorf("flushing a's entries flushed b's: %s\n%s", shown(n), trace)
				}
			}
			ok(t, p.m.Note.Cache.Flush(b, 2))
			ok(t, p.m.Note.Cache.FlushListByTopic(b, "go"))
			if n, _ := p.m.Note.Cache.Get(b, 2); n == nil || n.Text != "past" {
				t.Errorf("after Flush: %s", shown(n))
			}
			if _, err := pool.Exec("UPDATE notes SET text = 'for the next'"); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// The names of partitions: any text will do, and none meets another, nor the unpartitioned.
func TestPartitionNames(t *testing.T) {
	names := []string{"", "a", "A", "a:notes", "@a", "a b", "ä", strings.Repeat("x", 33), strings.Repeat("x", 1000), "\x00\n", "#" + strings.Repeat("0", 32)}
	bothStores(t, func(t *testing.T, servers []string) {
		p := start(t, fixture.SQLite(t), options{servers: servers, partition: tenantOf})
		ok(t, p.db.Create(&Note{ID: 1, Slug: "s0", Topic: strings.Repeat("ü", 100), Text: "0"}).Error)
		pool, err := p.db.DB()
		ok(t, err)
		for i, name := range names {
			_, err := pool.Exec("UPDATE notes SET text = ?", fmt.Sprint(i))
			ok(t, err)
			for _, earlier := range names[:i+1] {
				_, _ = p.m.Note.Cache.ListByTopic(of(earlier), strings.Repeat("ü", 100))
				n, err := p.m.Note.Cache.Get(of(earlier), 1)
				if err != nil || n.Text != fmt.Sprint(slices.Index(names, earlier)) {
					t.Errorf("partition %q, after %q: %s, %v", earlier, name, shown(n), err)
				}
			}
		}
		before := p.rt.Stats()
		for _, name := range names {
			_, _ = p.m.Note.Cache.ListByTopic(of(name), strings.Repeat("ü", 100))
		}
		if s := p.rt.Stats().Minus(before); s.Misses != 0 || s.Hits() != int64(2*len(names)) {
			t.Errorf("stats:\n%s", s)
		}
	})
}

// A Partition that panics refuses reads and writes, and takes nothing with it.
func TestPartitionPanics(t *testing.T) {
	p := start(t, fixture.SQLite(t), options{partition: func(ctx context.Context) string {
		if ctx.Value(tenantKey{}) == nil {
			panic("no tenant")
		}
		return tenantOf(ctx)
	}})
	ok(t, p.db.WithContext(of("a")).Create(&Note{ID: 1}).Error)
	var errs []error
	_, err := p.m.Note.Cache.Get(nobody, 1)
	errs = append(errs, err)
	_, err = p.m.Note.Cache.ListByTopic(nobody, "go")
	errs = append(errs, err)
	_, err = p.m.Note.Cache.CountByTopic(nobody, "go")
	errs = append(errs, err, p.rt.FlushTable(nobody, "notes"), p.m.Note.Cache.Flush(nobody, 1), p.m.Note.Cache.FlushListByTopic(nobody, "go"),
		p.db.Create(&Note{ID: 2}).Error, p.db.Model(&Note{ID: 1}).Update("text", "x").Error, p.db.Delete(&Note{ID: 1}).Error,
		p.db.Exec("UPDATE notes SET text = 'x'").Error)
	for i, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "Options.Partition panicked") {
			t.Errorf("%d: %v", i, err)
		}
	}
	n, err := p.m.Note.Objects.Get(nobody, 1)
	if err != nil || n.Text != "" {
		t.Errorf("%s, %v", shown(n), err)
	}
}

// Programs without a Partition share the entries and the flushes of the empty one.
func TestEmptyPartition(t *testing.T) {
	servers := []string{testserver.Memcached(t).Addr()}
	d := fixture.SQLite(t)
	p, q := start(t, d, options{servers: servers}), start(t, d, options{servers: servers, partition: tenantOf})
	seed(t, p)
	alike(t, p, nobody)
	if n := hits(q, func() { alike(t, q, nobody) }); n == 0 {
		t.Error("nothing is shared")
	}
	ok(t, p.db.Model(&Note{ID: 1}).Update("topic", "rust").Error)
	alike(t, q, cacheruntime.WithFresh(nobody))
}

// bySchema is an application's callback: each tenant has a schema with tables of its own. It sits on every
// processor.
func bySchema(t testing.TB) func(db *gorm.DB) {
	move := func(db *gorm.DB) {
		if st := db.Statement; st.Table == "pages" && tenantOf(st.Context) != "" {
			st.Table = tenantOf(st.Context) + ".pages"
		}
	}
	return func(db *gorm.DB) {
		t.Helper()
		cb := db.Callback()
		ok(t, errors.Join(
			cb.Query().Before("gorm:query").Register("app:schema", move), cb.Row().Before("gorm:row").Register("app:schema", move),
			cb.Create().Before("gorm:create").Register("app:schema", move), cb.Update().Before("gorm:update").Register("app:schema", move),
			cb.Delete().Before("gorm:delete").Register("app:schema", move)))
	}
}

// behaviours 98, 99: a schema for each tenant, by a callback that names it; on MariaDB that is a database.
func TestSchemas(t *testing.T) {
	for name, d := range map[string]fixture.Database{"postgres": fixture.Postgres(t), "mariadb": fixture.MariaDB(t)} {
		t.Run(name, func(t *testing.T) {
			db := d.Open(t, nil)
			suffix := fmt.Sprintf("t%d", len(name))
			ta, tb := "a"+suffix, "b"+suffix
			for _, s := range []string{ta, tb} {
				ok(t, db.Exec("CREATE SCHEMA "+s).Error)
				t.Cleanup(func() { db.Exec("DROP SCHEMA " + s + map[bool]string{true: " CASCADE"}[name == "postgres"]) })
				ok(t, db.Exec("CREATE TABLE "+s+".pages (id bigint primary key, slug varchar(50) unique, topic varchar(50), text varchar(50))").Error)
			}
			for _, first := range []bool{true, false} { // before New and after it
				t.Run(fmt.Sprint("callback first ", first), func(t *testing.T) { schemas(t, d, name == "mariadb", ta, tb, first) })
			}
		})
	}
}

func schemas(t *testing.T, d fixture.Database, shared bool, ta, tb string, first bool) {
	gormDB := d.Open(t, nil)
	if first {
		bySchema(t)(gormDB)
	}
	store, err := tiered.Open(tiered.Options{})
	ok(t, err)
	t.Cleanup(func() { ok(t, store.Close()) })
	rt, err := cacheruntime.New(gormDB, store, cacheruntime.Options{Namespace: "pages", Partition: tenantOf, Mode: cacheruntime.Strict})
	ok(t, err)
	t.Cleanup(func() { ok(t, rt.Close()) })
	m, err := NewModels(rt)
	ok(t, err)
	if !first {
		bySchema(t)(gormDB)
	}
	a, b := of(ta), of(tb)
	both := func(what string) {
		t.Helper()
		for _, ctx := range []context.Context{a, b} {
			for _, topic := range []string{"x", "z"} {
				got, err := m.Page.Cache.ListByTopic(ctx, topic)
				want, err2 := m.Page.Objects.ListByTopic(ctx, topic)
				if err != nil || err2 != nil || pages(got) != pages(want) {
					t.Errorf("%s: tenant %s, %s: %s, %v; in the database %s, %v", what, tenantOf(ctx), topic, pages(got), err, pages(want), err2)
				}
				n, _ := m.Page.Cache.CountByTopic(ctx, topic)
				if n != int64(len(want)) {
					t.Errorf("%s: tenant %s, %s: count %d, not %d", what, tenantOf(ctx), topic, n, len(want))
				}
			}
		}
	}
	write := func(what string, ctx context.Context, rows int64, fn func(db *gorm.DB) *gorm.DB, lists ...string) {
		t.Helper()
		both("before " + what)
		ctx, trace := cacheruntime.WithTrace(ctx)
		if tx := fn(gormDB.WithContext(ctx)); tx.Error != nil || tx.RowsAffected != rows {
			t.Errorf("%s: %d rows, %v", what, tx.RowsAffected, tx.Error)
		}
		for i := range lists {
			lists[i] = "pages@" + tenantOf(ctx) + ":" + lists[i]
		}
		slices.Sort(lists)
		if f := trace.Flushes(); len(f) != 1 || !slices.Equal(f[0].Lists, lists) {
			t.Errorf("%s flushed %v, want %q", what, f, lists)
		}
		both(what)
	}
	for i, ctx := range []context.Context{a, b} {
		id := uint64(1)
		write("create", ctx, 2, func(db *gorm.DB) *gorm.DB {
			return db.Create([]*Page{{ID: id, Slug: "s", Topic: "x", Text: fmt.Sprint(i)}, {ID: 2, Slug: "r", Topic: "z"}})
		}, "pages:1", "pages:2", "pages.GetBySlug(s)", "pages.GetBySlug(r)", "pages.ListByTopic(x)", "pages.ListByTopic(z)", "pages.CountByTopic(x)", "pages.CountByTopic(z)")
	}
	write("update by key", a, 1, func(db *gorm.DB) *gorm.DB { return db.Model(&Page{ID: 1}).Update("text", "new") }, "pages:1")
	write("update by condition", b, 1, func(db *gorm.DB) *gorm.DB { return db.Model(&Page{}).Where("topic = ?", "x").Update("topic", "z") },
		"pages:1", "pages.ListByTopic(x)", "pages.ListByTopic(z)", "pages.CountByTopic(x)", "pages.CountByTopic(z)")
	write("save", a, 1, func(db *gorm.DB) *gorm.DB { return db.Save(&Page{ID: 2, Slug: "q", Topic: "z"}) },
		"pages:2", "pages.GetBySlug(q)", "pages.GetBySlug(r)")
	write("delete", b, 2, func(db *gorm.DB) *gorm.DB { return db.Where("topic = ?", "z").Delete(&Page{}) },
		"pages:1", "pages:2", "pages.GetBySlug(s)", "pages.GetBySlug(r)", "pages.ListByTopic(z)", "pages.CountByTopic(z)")
	write("a table by name", a, 1, func(db *gorm.DB) *gorm.DB { return db.Table(ta+".pages").Where("id = 1").Update("topic", "z") },
		"pages")
	write("delete by key", a, 1, func(db *gorm.DB) *gorm.DB { return db.Delete(&Page{ID: 2}) },
		"pages:2", "pages.GetBySlug(q)", "pages.ListByTopic(z)", "pages.CountByTopic(z)")
	ok(t, gormDB.WithContext(a).Delete(&Page{ID: 1}).Error)
}

func pages(all []*Page) string {
	var s []string
	for _, p := range all {
		s = append(s, fmt.Sprintf("%+v", *p))
	}
	return strings.Join(s, " ")
}

// behaviour 98: a schema for each tenant, by PostgreSQL's search path: each tenant has a pool with its own, and a
// callback chooses it. The statements' texts and values are alike.
func TestSearchPath(t *testing.T) {
	d := fixture.Postgres(t)
	pools := map[string]gorm.ConnPool{}
	for _, tenant := range []string{"a", "b"} {
		db := d.Open(t, nil)
		pool, err := db.DB()
		ok(t, err)
		pool.SetMaxOpenConns(1) // on which the path stays
		ok(t, db.Exec("CREATE SCHEMA "+tenant).Error)
		ok(t, db.Exec("SET search_path = "+tenant).Error)
		ok(t, db.AutoMigrate(&Page{}))
		pools[tenant] = db.ConnPool
	}
	choose := func(db *gorm.DB) {
		if _, inTx := db.Statement.ConnPool.(gorm.TxCommitter); inTx {
			return
		}
		if pool := pools[tenantOf(db.Statement.Context)]; pool != nil {
			db.Statement.ConnPool = pool
		}
	}
	p := start(t, d, options{partition: tenantOf, before: func(db *gorm.DB) {
		cb := db.Callback()
		ok(t, errors.Join(
			cb.Query().Before("*").Register("app:pool", choose), cb.Create().Before("*").Register("app:pool", choose),
			cb.Update().Before("*").Register("app:pool", choose), cb.Delete().Before("*").Register("app:pool", choose)))
	}})
	var wg sync.WaitGroup
	for tenant := range pools {
		wg.Go(func() {
			ctx := of(tenant)
			for i := range 20 {
				if err := p.db.WithContext(ctx).Save(&Page{ID: 1, Slug: "s", Topic: fmt.Sprint(i % 2), Text: fmt.Sprint(tenant, i)}).Error; err != nil {
					t.Error(err)
				}
				for range 2 {
					got, err := p.m.Page.Cache.ListByTopic(ctx, fmt.Sprint(i%2))
					if err != nil || len(got) != 1 || got[0].Text != fmt.Sprint(tenant, i) {
						t.Errorf("tenant %s, %d: %s, %v", tenant, i, pages(got), err)
					}
				}
			}
		})
	}
	wg.Wait()
	if s := p.rt.Stats(); s.Hits() == 0 || len(p.heard.take()) != 0 {
		t.Errorf("stats:\n%s", s)
	}
}
