package bench

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cachegen/cachegen/bench/row"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/glebarez/sqlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Writes that are read for, each beside GORM alone: an update by primary key that touches no column of a list is not read for, one that
// does needs the old row, one by a condition the old rows.
func BenchmarkWrites(b *testing.B) {
	memcached := testserver.Memcached(b).Addr()
	for _, d := range []struct {
		name string
		open func(b *testing.B) gorm.Dialector
	}{
		{"sqlite", func(b *testing.B) gorm.Dialector {
			return sqlite.Open(filepath.Join(b.TempDir(), "writes.db") + "?_pragma=synchronous(OFF)")
		}},
		{"postgres", func(b *testing.B) gorm.Dialector { return postgres.Open(postgresDSN(b)) }},
	} {
		for _, c := range []struct {
			name    string
			plugin  bool
			servers []string
		}{{"gorm", false, nil}, {"embedded", true, nil}, {"memcached", true, []string{memcached}}} {
			b.Run(d.name+"/"+c.name, func(b *testing.B) {
				db, err := gorm.Open(d.open(b), &gorm.Config{Logger: logger.Discard})
				check(b, err)
				defer func() {
					if pool, err := db.DB(); err == nil {
						pool.Close()
					}
				}()
				check(b, db.Migrator().DropTable(&row.Row{}))
				check(b, db.AutoMigrate(&row.Row{}))
				all := make([]row.Row, rows)
				for i := range all {
					all[i] = row.Row{City: city(i / page), Category: city(i / page)}
				}
				check(b, db.CreateInBatches(&all, 500).Error)
				if c.plugin {
					store, err := tiered.Open(tiered.Options{Servers: c.servers, Timeout: time.Second})
					check(b, err)
					defer store.Close()
					rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: "writes"})
					check(b, err)
					defer rt.Close()
					_, err = row.NewModels(rt)
					check(b, err)
				}
				for _, w := range []struct {
					name  string
					write func(i int) *gorm.DB
				}{
					{"a column of no list", func(i int) *gorm.DB {
						return db.Model(&row.Row{ID: uint64(i%rows + 1)}).Update("popularity", i)
					}},
					{"a column of a list", func(i int) *gorm.DB {
						return db.Model(&row.Row{ID: uint64(i%rows + 1)}).Update("city", city(i))
					}},
					{"20 rows by a condition", func(i int) *gorm.DB {
						return db.Model(&row.Row{}).Where("category = ?", city(i%(rows/page))).Update("city", city(i))
					}},
				} {
					b.Run(w.name, func(b *testing.B) {
						best(b, 5, func(i int) { check(b, w.write(i).Error) })
					})
				}
			})
		}
	}
}
