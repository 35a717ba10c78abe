package seams_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/seams"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// named is a table's name in SQL text: with the schema of the tenant's, where tenants have their tables in schemas.
func named(db *gorm.DB, table string) string {
	if s, _ := db.Get("test:schemas"); s == true && tenantOf(db.Statement.Context) != "" {
		return tenantOf(db.Statement.Context) + "." + table
	}
	return table
}

// schemasOf makes two schemas with tables in a database, each a tenant's; on MariaDB those are databases.
func schemasOf(t *testing.T, d fixture.Database) (tenants []string) {
	t.Helper()
	for _, schema := range []string{"a", "b"} {
		p := &program{t: t}
		if d.Name == "postgres" {
			p.db = d.Open(t, nil)
			pool, err := p.db.DB()
			p.must(err)
			pool.SetMaxOpenConns(1) // on which the path stays
			p.must(p.db.Exec("CREATE SCHEMA " + schema).Error)
			p.must(p.db.Exec("SET search_path = " + schema).Error)
		} else {
			p.db = fixture.MariaDB(t).Open(t, nil)
			p.must(p.db.Raw("SELECT DATABASE()").Row().Scan(&schema))
		}
		p.makeTables()
		tenants = append(tenants, schema)
	}
	return tenants
}

// byName has each tenant's statements sent to the tables of its schema, by a callback that names it.
func byName(t testing.TB) func(*gorm.DB) {
	return func(db *gorm.DB) {
		move := func(db *gorm.DB) {
			st := db.Statement
			if tenant := tenantOf(st.Context); tenant != "" && st.SQL.Len() == 0 && st.Schema != nil && st.Table == st.Schema.Table {
				st.Table = tenant + "." + st.Table
			}
		}
		cb := db.Callback()
		if err := errors.Join(
			cb.Query().Before("gorm:query").Register("app:schema", move), cb.Row().Before("gorm:row").Register("app:schema", move),
			cb.Create().Before("gorm:create").Register("app:schema", move), cb.Update().Before("gorm:update").Register("app:schema", move),
			cb.Delete().Before("gorm:delete").Register("app:schema", move),
		); err != nil {
			t.Fatal(err)
		}
	}
}

// eachWithSchemas runs a test on the databases that have schemas, one of nobody's and two of tenants'.
func eachWithSchemas(t *testing.T, test func(t *testing.T, nobodys fixture.Database, tenants []string)) {
	t.Helper()
	for name, kind := range map[string]func(testing.TB) fixture.Database{"postgres": fixture.Postgres, "mariadb": fixture.MariaDB} {
		t.Run(name, func(t *testing.T) {
			d := kind(t)
			test(t, d, schemasOf(t, d))
		})
	}
}

// behaviours 16, 33, 40, 98: a schema for each tenant, by a callback that names it, with equal keys, beside tables of nobody's with the same
// names: what hangs on a row falls for the tenant whose row it is, in every program, and for no other.
func TestSchemasWithForeignKeys(t *testing.T) {
	eachWithSchemas(t, func(t *testing.T, nobodys fixture.Database, tenants []string) {
		servers := []string{testserver.Memcached(t).Addr()}
		o := cacheruntime.Options{Partition: tenantOf}
		p := launch(t, nobodys, servers, gorm.Config{}, o, byName(t))
		o.Mode = cacheruntime.Strict
		q := launch(t, nobodys, servers, gorm.Config{PrepareStmt: true, SkipDefaultTransaction: true}, o, byName(t))
		p.db, q.db = p.db.Set("test:schemas", true).Session(&gorm.Session{}), q.db.Set("test:schemas", true).Session(&gorm.Session{})
		foreignKeysOfTenants(t, p, q, hangingWrites[:6], tenants...)
	})
}

// behaviours 16, 98: a query's text names a tenant's table, of which nobody knows whose it is, unless DependsOn says so: then it is kept for
// the tenant, and falls with its writes.
func TestQueryInSchemas(t *testing.T) {
	eachWithSchemas(t, func(t *testing.T, nobodys fixture.Database, tenants []string) {
		p := launch(t, nobodys, nil, gorm.Config{}, cacheruntime.Options{Partition: tenantOf}, byName(t))
		codes := func(ctx context.Context, scopes ...func(*gorm.DB) *gorm.DB) (codes string, statements int64) {
			t.Helper()
			before := p.rt.Stats()
			ms, err := p.m.Merchant.Cache.Query(ctx, func(q *gorm.DB) *gorm.DB { return q.Scopes(scopes...).Order("id") })
			p.must(err)
			for _, m := range ms {
				codes += m.Code
			}
			return codes, p.rt.Stats().Minus(before).CacheStatements
		}
		ofMerchants := cacheruntime.DependsOn(&seams.Merchant{})
		for i, tenant := range append(tenants, "") {
			p.must(p.db.WithContext(of(tenant)).Create(&seams.Merchant{ID: 1, Code: string(rune('p' + i))}).Error)
		}
		for range 2 {
			for i, tenant := range append(tenants, "") {
				for round := range 3 {
					want, wantSent := string(rune('p'+i)), int64(1)
					if tenant == "" && round > 0 {
						wantSent = 0
					}
					if got, sent := codes(of(tenant)); got != want || round > 0 && sent != wantSent {
						t.Errorf("tenant %q: %s by %d statements, want %s by %d", tenant, got, sent, want, wantSent)
					}
					if got, sent := codes(of(tenant), ofMerchants); got != want || round > 0 && sent != 0 {
						t.Errorf("tenant %q, with DependsOn: %s by %d statements, want %s by none", tenant, got, sent, want)
					}
				}
			}
			for _, tenant := range append(tenants, "") { // and of what hangs on a town
				p.must(p.db.WithContext(of(tenant)).Save(&seams.Town{ID: 1, Merchants: nil}).Error)
				p.must(p.db.WithContext(of(tenant)).Delete(&seams.Town{ID: 1}).Error)
			}
		}
		codes(of(tenants[1]), ofMerchants)
		p.must(p.db.WithContext(of(tenants[0])).Model(&seams.Merchant{ID: 1}).Update("code", "z").Error)
		if got, sent := codes(of(tenants[0]), ofMerchants); got != "z" || sent != 1 {
			t.Errorf("after a write: %s by %d statements", got, sent)
		}
		if got, sent := codes(of(tenants[1]), ofMerchants); got != "q" || sent != 0 {
			t.Errorf("after another tenant's write: %s by %d statements", got, sent)
		}
	})
}
