// Command croupon shows cachegen on a small site's data. It seeds a database and tours it: it reads through
// the cache and beside it, writes with plain GORM, and shows after each step how many SQL statements it
// took, where the reads were served from, and how long they took. With -serve it serves the site instead,
// until it is interrupted; each page has the trace of its request at the foot.
//
//	go run ./example/croupon                                      # in this process alone
//	go run ./example/croupon -memcached 127.0.0.1:11211,127.0.0.1:11212
//	go run ./example/croupon -serve :8080
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cachegen/cachegen/example/seed"
	"github.com/cachegen/cachegen/example/shop"
	"github.com/cachegen/cachegen/example/site"
	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

func main() {
	var o options
	flag.StringVar(&o.servers, "memcached", "", "memcached servers as host:port,host:port; none: the cache lives in this process")
	flag.IntVar(&o.size, "n", 20000, "how many croupons to seed, at least 1000")
	flag.StringVar(&o.serve, "serve", "", "serve the site at this address, as in :8080, instead of the tour")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "croupon:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	servers string
	size    int
	serve   string
}

func run(o options) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("%q is no flag: croupon takes -serve, -memcached and -n", flag.Arg(0))
	}
	if o.size < 1000 {
		return fmt.Errorf("-n is %d: at least 1000 croupons are needed", o.size)
	}
	// Interrupted, a site finishes what it does. A tour just ends; so does a site, the second time.
	ctx := context.Background()
	var listener net.Listener
	if o.serve != "" {
		interrupted, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(interrupted, stop)
		ctx = interrupted
		var err error
		if listener, err = site.Listen(o.serve); err != nil { // before the work of seeding
			return fmt.Errorf("-serve: %w", err)
		}
		defer listener.Close()
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
	pool, err := db.DB()
	if err != nil {
		return err
	}
	defer pool.Close()
	began := time.Now()
	if err := seed.Fill(db, o.size); err != nil {
		return fmt.Errorf("seeding: %w", err)
	}
	fmt.Printf("Seeded %d croupons in %d cities in %s.\n", o.size, len(seed.Cities), time.Since(began).Round(time.Millisecond))

	// The three lines that switch the cache on. From here on every write made through db flushes
	// what it makes wrong.
	store, err := tiered.Open(tiered.Options{Servers: split(o.servers)})
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

	if o.servers == "" {
		fmt.Println("The cache lives in this process. With -memcached host:port,… it has a second tier.")
	} else {
		fmt.Println("The second tier is memcached at", o.servers)
		for _, address := range split(o.servers) {
			if err := reached(address); err != nil {
				fmt.Printf("Nothing answers at %s (%v): what belongs there is read from the database.\n", address, err)
			}
		}
		fmt.Println("The first tier looks at the servers' stamps again every 200 ms: then a hit is one of the second tier.")
	}
	if listener != nil {
		fmt.Printf("The site is at %s until it is interrupted.\n", site.URL(listener))
		err = site.Serve(ctx, listener, site.New(db, rt, models, seed.Categories))
	} else {
		fmt.Println(legend)
		t := &tour{ctx: ctx, db: db, rt: rt, m: models, size: o.size}
		err = t.run()
	}
	if err != nil {
		return err
	}
	if n := rt.Stats().Reasons[flushlist.Unreachable]; n > 0 {
		fmt.Printf("\n%d lookups found their memcached server out of reach and went to the database. Is it up at %s?\n", n, o.servers)
	}
	return nil
}

const legend = `
Each step reads the same things three times: through a cache that has seen few of them, through one that has seen all, and
beside it. SQL counts statements; first tier, second tier and misses count entries (a list of 50 rows is 51: its keys, and each
row); median and p99 are of one read.`

// open opens a database that lives as long as the command.
func open(path string) (*gorm.DB, error) {
	return gorm.Open(sqlite.Open(path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=busy_timeout(5000)"), &gorm.Config{
		Logger: site.LogSQL(logger.Default.LogMode(logger.Error)),
	})
}

// reached tries to connect to a server, since a store is opened without that.
func reached(address string) error {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

func split(servers string) []string {
	if servers == "" {
		return nil
	}
	return strings.Split(servers, ",")
}
