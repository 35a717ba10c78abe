package seams_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/seams"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"
)

type tenantKey struct{}

func of(tenant string) context.Context {
	return context.WithValue(context.Background(), tenantKey{}, tenant)
}

func tenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}

// tenants are the tenants of the tests, beside nobody. Their rows have equal keys.
var tenants = []string{"a", "b"}

// byPool has each tenant's statements sent to a database of its own, by a callback that puts another pool in the place of the program's.
func byPool(t testing.TB, of map[string]fixture.Database) func(*gorm.DB) {
	return func(db *gorm.DB) {
		pools := map[string]gorm.ConnPool{}
		for tenant, d := range of {
			pools[tenant] = d.Open(t, nil).ConnPool
		}
		choose := func(db *gorm.DB) {
			_, inTx := db.Statement.ConnPool.(gorm.TxCommitter)
			if pool := pools[tenantOf(db.Statement.Context)]; pool != nil && !inTx {
				db.Statement.ConnPool = pool
			}
		}
		cb := db.Callback()
		if err := errors.Join(
			cb.Query().Before("*").Register("app:tenant", choose), cb.Row().Before("*").Register("app:tenant", choose),
			cb.Raw().Before("*").Register("app:tenant", choose), cb.Create().Before("*").Register("app:tenant", choose),
			cb.Update().Before("*").Register("app:tenant", choose), cb.Delete().Before("*").Register("app:tenant", choose),
		); err != nil {
			t.Fatal(err)
		}
	}
}

// byResolver is byPool by dbresolver and a callback.
func byResolver(t testing.TB, of map[string]fixture.Database) func(*gorm.DB) {
	return func(db *gorm.DB) {
		r := dbresolver.Register(dbresolver.Config{})
		for tenant, d := range of {
			r.Register(dbresolver.Config{Sources: []gorm.Dialector{d.Dialector()}}, tenant)
		}
		use(t, db, r)
		choose := func(db *gorm.DB) {
			_, inTx := db.Statement.ConnPool.(gorm.TxCommitter)
			if tenant := tenantOf(db.Statement.Context); tenant != "" && !inTx {
				db.Clauses(dbresolver.Use(tenant))
			}
		}
		cb := db.Callback()
		if err := errors.Join(
			cb.Query().After("gorm:db_resolver").Before("cachegen:before_sql").Register("app:tenant", choose),
			cb.Row().After("gorm:db_resolver").Before("cachegen:before_sql").Register("app:tenant", choose),
			cb.Raw().After("gorm:db_resolver").Before("cachegen:before_sql").Register("app:tenant", choose),
			cb.Create().After("gorm:db_resolver").Before("cachegen:begin").Register("app:tenant", choose),
			cb.Update().After("gorm:db_resolver").Before("cachegen:begin").Register("app:tenant", choose),
			cb.Delete().After("gorm:db_resolver").Before("cachegen:begin").Register("app:tenant", choose),
		); err != nil {
			t.Fatal(err)
		}
	}
}

// forTenant is a tenant's session, in which transactions are begun where its rows are.
func (p *program) forTenant(tenant string) *gorm.DB {
	db := p.db.WithContext(of(tenant))
	if tenant == "" {
		return db
	}
	return db.Clauses(dbresolver.Use(tenant)).Session(&gorm.Session{})
}

// alikeFor fails the test unless the cache says to a tenant, in each program, what its database does.
func alikeFor(t *testing.T, what, tenant string, ps ...*program) {
	t.Helper()
	var cached [][]look
	for _, p := range ps {
		cached = append(cached, p.looks(true))
	}
	for i, l := range ps[0].looks(false) {
		want := l.seen(t, of(tenant))
		for k := range ps {
			if got := cached[k][i].seen(t, cacheruntime.WithFresh(of(tenant))); got != want {
				t.Errorf("%s: tenant %q: program %d: %s:\n\tcached   %s\n\tdatabase %s", what, tenant, k, l.name, got, want)
			}
		}
	}
}

// behaviours 16, 33, 40, 98: a database for each tenant, with equal keys: what hangs on a row that a tenant's write deletes or changes falls
// for that tenant, in every program, and for no other; rows that come with others, and queries, are each tenant's own.
func TestTenantsWithForeignKeys(t *testing.T) {
	eachKind(t, func(t *testing.T, another func() fixture.Database) {
		nobodys, own := another(), map[string]fixture.Database{}
		for _, tenant := range tenants {
			own[tenant] = bareTables(t, another(), true)
		}
		for name, way := range map[string]func(testing.TB, map[string]fixture.Database) func(*gorm.DB){"dbresolver": byResolver, "pools": byPool} {
			t.Run(name, func(t *testing.T) {
				servers := []string{testserver.Memcached(t).Addr()}
				o := cacheruntime.Options{Partition: tenantOf}
				p := launch(t, nobodys, servers, gorm.Config{}, o, way(t, own))
				o.Mode = cacheruntime.Strict
				q := launch(t, nobodys, servers, gorm.Config{PrepareStmt: name == "dbresolver", SkipDefaultTransaction: true}, o, way(t, own))
				writes := hangingWrites
				if writes = writes[:6]; name == "pools" {
					writes = writes[:3]
				}
				foreignKeysOfTenants(t, p, q, writes, tenants...)
				if n := p.rt.Stats().Reasons[flushlist.Uncacheable]; n != 0 {
					t.Errorf("%d queries were not cached", n)
				}
			})
		}
	})
}

func foreignKeysOfTenants(t *testing.T, p, q *program, writes []hangingWrite, tenants ...string) {
	everybody := append([]string{""}, tenants...)
	warm := func(tenant string) { // both, in either tier
		for _, r := range []*program{p, q} {
			for _, l := range r.looks(true) {
				l.seen(t, of(tenant))
			}
		}
	}
	for _, tenant := range everybody {
		p.fillBy(p.db.WithContext(of(tenant)))
		warm(tenant)
	}
	for i, w := range writes {
		by, writer := []*program{p, q}[i%2], everybody[i%3]
		p.fillBy(p.db.WithContext(of(writer)))
		warm(writer)
		ctx, trace := cacheruntime.WithTrace(of(writer))
		if tx := w.write(by.db.WithContext(ctx)); tx.Error != nil || tx.RowsAffected == 0 {
			t.Fatalf("%s: %d rows, %v", w.name, tx.RowsAffected, tx.Error)
		}
		prefix := "seams:"
		if writer != "" {
			prefix = "seams@" + writer + ":"
		}
		for _, f := range trace.Flushes() {
			for _, list := range f.Lists {
				if !strings.HasPrefix(list, prefix) {
					t.Errorf("%s by %q flushed %s", w.name, writer, list)
				}
			}
		}
		alikeFor(t, w.name, writer, p, q)
		before := p.rt.Stats()
		for _, tenant := range everybody {
			if tenant != writer {
				for _, l := range p.looks(true) {
					l.seen(t, of(tenant))
				}
			}
		}
		// Whose tables a query's text names is not known where they have the tenant's schema.
		if s := p.rt.Stats().Minus(before); s.Misses != s.Reasons[flushlist.Uncacheable] || s.CacheStatements != s.Misses {
			t.Errorf("%s by %q flushed entries of others:\n%s", w.name, writer, s)
		}
	}
	for _, tenant := range everybody {
		alikeFor(t, "at last", tenant, p)
	}
}

// behaviours 16, 98: a query whose chain has got another tenant's context reads, and is kept for, that tenant.
func TestQueryWithAnotherTenantsContext(t *testing.T) {
	eachKind(t, func(t *testing.T, another func() fixture.Database) {
		own := map[string]fixture.Database{}
		for _, tenant := range tenants {
			own[tenant] = bareTables(t, another(), true)
		}
		p := launch(t, another(), nil, gorm.Config{}, cacheruntime.Options{Partition: tenantOf}, byPool(t, own))
		for _, tenant := range tenants {
			p.must(p.db.WithContext(of(tenant)).Create(&seams.Town{ID: 1, Name: tenant}).Error)
		}
		name := func(ctx context.Context, chain func(q *gorm.DB) *gorm.DB) string {
			t.Helper()
			towns, err := p.m.Town.Cache.Query(ctx, chain)
			p.must(err)
			if len(towns) != 1 {
				return fmt.Sprint(len(towns), " towns")
			}
			return towns[0].Name
		}
		own1 := func(q *gorm.DB) *gorm.DB { return q.Where("id = 1") }
		others := func(q *gorm.DB) *gorm.DB { return q.WithContext(of("b")).Where("id = 1") }
		for range 2 {
			if got := name(of("a"), others); got != "b" {
				t.Errorf("with b's context: %s", got)
			}
			if got := name(of("a"), own1); got != "a" {
				t.Errorf("a reads what is %s's", got)
			}
			if got := name(of("b"), own1); got != "b" {
				t.Errorf("b reads what is %s's", got)
			}
		}
		p.must(p.db.WithContext(of("b")).Model(&seams.Town{ID: 1}).Update("name", "c").Error)
		if got := name(of("a"), others); got != "c" {
			t.Errorf("after a write of b's: %s", got)
		}
	})
}

// behaviours 40, 98: a callback that stands behind the plugin's first one sends a write to a tenant's database: what hangs on its rows is what
// refers to them there.
func TestSentElsewhereBehindThePlugin(t *testing.T) {
	eachKind(t, func(t *testing.T, another func() fixture.Database) {
		nobodys, own := bareTables(t, another(), false), map[string]fixture.Database{"a": bareTables(t, another(), true)}
		config := gorm.Config{DisableForeignKeyConstraintWhenMigrating: true}
		p := launch(t, nobodys, nil, config, cacheruntime.Options{Partition: tenantOf, Mode: cacheruntime.Strict}, byResolver(t, own))
		choose := p.db.Callback().Delete().Get("app:tenant")
		p.must(p.db.Callback().Delete().Remove("app:tenant"))
		p.must(p.db.Callback().Delete().After("cachegen:begin").Before("gorm:begin_transaction").Register("app:late", choose))
		db := p.db.WithContext(of("a"))
		for _, w := range hangingWrites {
			if !strings.HasPrefix(w.name, "delete") {
				continue
			}
			p.fillBy(db)
			alikeFor(t, "before "+w.name, "a", p)
			if tx := w.write(db); tx.Error != nil || tx.RowsAffected == 0 {
				t.Fatalf("%s: %d rows, %v", w.name, tx.RowsAffected, tx.Error)
			}
			alikeFor(t, w.name, "a", p)
		}
	})
}
