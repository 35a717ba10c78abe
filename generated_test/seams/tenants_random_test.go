package seams_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

var tenantWrites = flag.Int("tenant-writes", 4, "random writes of tenants a database")

// behaviours 16, 33 to 40, 50, 54, 98: random writes of every kind by two programs for tenants with equal keys, after each of which both
// programs read everything in every way for each tenant, from the cache and from the database.
func TestRandomWritesOfTenants(t *testing.T) {
	t.Run("dbresolver", func(t *testing.T) {
		eachKind(t, func(t *testing.T, another func() fixture.Database) {
			nobodys, own := another(), map[string]fixture.Database{}
			for _, tenant := range tenants {
				own[tenant] = bareTables(t, another(), true)
			}
			randomWritesOfTenants(t, nobodys, func() func(*gorm.DB) { return byResolver(t, own) }, (*program).forTenant, tenants...)
		})
	})
	t.Run("schemas", func(t *testing.T) {
		eachWithSchemas(t, func(t *testing.T, nobodys fixture.Database, tenants []string) {
			session := func(p *program, tenant string) *gorm.DB {
				return p.db.WithContext(of(tenant)).Set("test:schemas", true).Session(&gorm.Session{})
			}
			randomWritesOfTenants(t, nobodys, func() func(*gorm.DB) { return byName(t) }, session, tenants...)
		})
	})
}

func randomWritesOfTenants(t *testing.T, d fixture.Database, way func() func(*gorm.DB), session func(p *program, tenant string) *gorm.DB, tenants ...string) {
	seed := *randomSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	servers := []string{testserver.Memcached(t).Addr()}
	ps := []*program{
		launch(t, d, servers, gorm.Config{}, cacheruntime.Options{Partition: tenantOf}, way()),
		launch(t, d, servers, gorm.Config{PrepareStmt: true, SkipDefaultTransaction: true},
			cacheruntime.Options{Partition: tenantOf, BulkRows: 2, ListWindow: 2, Mode: cacheruntime.Strict}, way()),
	}
	everybody := append([]string{""}, tenants...)
	r := &random{Rand: rand.New(rand.NewPCG(seed, 0)), name: d.Name}
	var said []string
	done := 0
	for i := range *tenantWrites {
		if i%6 == 0 {
			for _, tenant := range everybody {
				ps[0].fillBy(session(ps[0], tenant))
			}
			said = nil
		}
		by, writer := r.IntN(2), everybody[r.IntN(3)]
		text, err := r.write(session(ps[by], writer))
		if err == nil {
			done++
		}
		said = append(said, fmt.Sprintf("program %d, tenant %q: %s: %v", by, writer, text, err))
		for _, tenant := range everybody {
			alikeFor(t, fmt.Sprintf("-seed %d, write %d", seed, i), tenant, ps...)
		}
		if t.Failed() {
			t.Fatal("after\n\t" + strings.Join(said, "\n\t"))
		}
	}
	t.Logf("-seed %d: %d of %d writes were made; %s", seed, done, *tenantWrites, ps[0].rt.Stats())
}
