package bench

import (
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/bench/row"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

func TestMain(m *testing.M) {
	testserver.OwnShared()
	code := m.Run()
	testserver.StopShared()
	os.Exit(code)
}

func postgresDSN(b *testing.B) string {
	b.Helper()
	host, port, err := net.SplitHostPort(testserver.Postgres(b).Addr())
	check(b, err)
	return fmt.Sprintf("host=%s port=%s user=postgres dbname=postgres sslmode=disable TimeZone=UTC", host, port)
}

// 64 writers that create rows of one city, whose list is one, beside as many with a city each, and beside plain
// GORM: on PostgreSQL, so that no row and no database is locked by another writer. memcached is a millisecond away.
//
//	go test -bench HotCity -benchtime 3000x
func BenchmarkHotCity(b *testing.B) {
	for _, c := range []struct {
		name        string
		plugin, one bool
	}{{"limit", false, false}, {"separate", true, false}, {"one", true, true}} {
		b.Run(c.name, func(b *testing.B) {
			const writers = 64
			db, err := gorm.Open(postgres.Open(postgresDSN(b)), &gorm.Config{Logger: logger.Discard})
			check(b, err)
			pool, err := db.DB()
			check(b, err)
			defer pool.Close()
			pool.SetMaxOpenConns(writers)
			pool.SetMaxIdleConns(writers)
			check(b, db.Migrator().DropTable(&row.Row{}))
			check(b, db.AutoMigrate(&row.Row{}))
			if c.plugin {
				relay := testserver.Proxy(b, testserver.Memcached(b).Addr())
				relay.Delay(time.Millisecond)
				store, err := tiered.Open(tiered.Options{Servers: []string{relay.Addr()}, Timeout: 10 * time.Second})
				check(b, err)
				defer store.Close()
				rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: "hot"})
				check(b, err)
				_, err = row.NewModels(rt)
				check(b, err)
			}
			took := make([][]time.Duration, writers)
			run := func(writes int) {
				var left atomic.Int64
				left.Store(int64(writes))
				var all sync.WaitGroup
				for w := range writers {
					all.Go(func() {
						for left.Add(-1) >= 0 {
							r := row.Row{Slug: "half-price-pizza", City: "Portland"}
							if !c.one {
								r.City = fmt.Sprint("City ", w)
							}
							began := time.Now()
							if err := db.Create(&r).Error; err != nil {
								b.Error(err)
								return
							}
							took[w] = append(took[w], time.Since(began))
						}
					})
				}
				all.Wait()
			}
			run(4 * writers)
			clear(took)
			b.ResetTimer()
			began := time.Now()
			run(b.N)
			reportWrites(b, took, time.Since(began))
		})
	}
}
