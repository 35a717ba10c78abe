// Command croupon is a tour of cachegen on a small site's data. It seeds a database, reads it through
// the cache and beside it, writes to it with plain GORM, and shows after each step how many SQL
// statements it took, where the reads were served from, and how long they took.
//
//	go run ./example/croupon                                      # in this process alone
//	go run ./example/croupon -memcached 127.0.0.1:11211,127.0.0.1:11212
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cachegen/cachegen/example/seed"
	"github.com/cachegen/cachegen/example/shop"
	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

func main() {
	servers := flag.String("memcached", "", "memcached servers as host:port,host:port; none: the cache lives in this process")
	size := flag.Int("n", 20000, "how many croupons to seed, at least 1000")
	flag.Parse()
	if err := run(*servers, *size); err != nil {
		fmt.Fprintln(os.Stderr, "croupon:", err)
		os.Exit(1)
	}
}

func run(servers string, size int) error {
	if size < 1000 {
		return fmt.Errorf("-n is %d: the tour needs 1000 croupons or more", size)
	}
	dir, err := os.MkdirTemp("", "croupon")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := open(filepath.Join(dir, "croupon.db"))
	if err != nil {
		return err
	}
	began := time.Now()
	if err := seed.Fill(db, size); err != nil {
		return fmt.Errorf("seeding: %w", err)
	}
	fmt.Printf("Seeded %d croupons in %d cities in %s.\n", size, len(seed.Cities), time.Since(began).Round(time.Millisecond))

	// The three lines that switch the cache on. From here on every write made through db flushes
	// what it makes wrong.
	store, err := tiered.Open(tiered.Options{Servers: split(servers)})
	if err != nil {
		return err
	}
	defer store.Close()
	// A namespace of its own for every run: each seeds a database of its own.
	rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: fmt.Sprintf("croupon-%x", began.UnixNano())})
	if err != nil {
		return err
	}
	defer rt.Close()
	models, err := shop.NewModels(rt)
	if err != nil {
		return err
	}

	if servers == "" {
		fmt.Println("The cache lives in this process. With -memcached host:port,… it has a second tier.")
	} else {
		fmt.Println("The second tier is memcached at", servers)
		fmt.Println("The first tier looks at the servers' stamps again every 200 ms: then a hit is one of the second tier.")
	}
	fmt.Println(legend)
	t := &tour{ctx: context.Background(), db: db, rt: rt, m: models, size: size}
	if err := t.run(); err != nil {
		return err
	}
	if n := rt.Stats().Reasons[flushlist.Unreachable]; n > 0 {
		fmt.Printf("\n%d lookups found their memcached server out of reach and went to the database. Is it up at %s?\n", n, servers)
	}
	return nil
}

const legend = `
Each step reads the same things three times: through a cache that has seen few of them, through one that has seen all, and
beside it. SQL counts statements; first tier, second tier and misses count entries (a list of 50 rows is 51: its keys, and each
row); median and p99 are of one read.`

// open opens a database that lives as long as the tour.
func open(path string) (*gorm.DB, error) {
	return gorm.Open(sqlite.Open(path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=busy_timeout(5000)"), &gorm.Config{
		Logger: logger.Default.LogMode(logger.Error),
	})
}

func split(servers string) []string {
	if servers == "" {
		return nil
	}
	return strings.Split(servers, ",")
}
