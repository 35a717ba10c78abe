package replicas_test

import (
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/plugin/dbresolver"
)

// behaviour 60: dbresolver before New is refused, with what to do. It has kept the bare pool of connections by then, and begins its
// transactions there, whose COMMIT nobody sees.
func TestResolverFirst(t *testing.T) {
	d := fixture.SQLite(t)
	store, err := tiered.Open(tiered.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	resolver := func() *dbresolver.DBResolver { return dbresolver.Register(dbresolver.Config{}) }
	used := d.Open(t, nil)
	if err := used.Use(resolver()); err != nil {
		t.Fatal(err)
	}
	opened := d.Open(t, &gorm.Config{Plugins: map[string]gorm.Plugin{"gorm:db_resolver": resolver()}})
	for name, db := range map[string]*gorm.DB{"by Use": used, "by gorm.Config": opened, "in a session": used.Session(&gorm.Session{})} {
		_, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: "shop"})
		if err == nil || !strings.Contains(err.Error(), "make the Runtime first, then db.Use(dbresolver.Register(…))") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What the refusal is for: this is what dbresolver hands out then.
	if pool := used.Clauses(dbresolver.Write).Statement.ConnPool; bare(pool) != pool {
		t.Errorf("dbresolver hands out a %T: the order no longer matters", pool)
	}
	// Nothing is left behind: the database works, and so does another with the namespace.
	if err := used.AutoMigrate(&shop.Croupon{}, &shop.Merchant{}); err != nil {
		t.Fatal(err)
	}
	if err := used.Create(&shop.Croupon{ID: 1}).Error; err != nil {
		t.Errorf("a database that New has refused: %v", err)
	}
	db := d.Open(t, &gorm.Config{Logger: logger.Discard})
	rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	if err := db.Use(resolver()); err != nil {
		t.Errorf("dbresolver after New: %v", err)
	}
}
