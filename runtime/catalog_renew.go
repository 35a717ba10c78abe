package cacheruntime

import (
	"context"
	"sync"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// renewReferences asks for an answer again, behind the write that uses it, when half of its time is over: so that where
// writes are frequent none of them waits for the catalog.
//
// SQLite is not asked behind a write's back: a file has one writer, whom a reader may keep from its COMMIT, and one in memory
// is another database on another connection. Nor where tenants are told apart by what a connection was told before.
func (rt *Runtime) renewReferences(key referencesKey, schemas []string) {
	if dialectOf(rt.db.Name()) == sqltext.SQLite || rt.opts.Partition != nil {
		return
	}
	now, due := rt.catalog.references.renew(key)
	if !due {
		return
	}
	rt.chores.begin(func(ctx context.Context) {
		ctx, cancel := rt.within(ctx)
		defer cancel()
		db := rt.db.Session(&gorm.Session{NewDB: true, Context: ctx, Initialized: true})
		db.Statement.ConnPool = key.on
		rt.stats.pluginStatement()
		if refs, err := rt.askReferences(db, schemas); err == nil {
			rt.catalog.references.put(key, refs, now)
		} // else a write will ask, and tell of the error
	})
}

// chores are what a Runtime does behind the program's back, until it is closed.
type chores struct {
	ctx  context.Context
	stop context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

func newChores() *chores {
	c := &chores{}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// begin runs a chore. After close it does nothing.
func (c *chores) begin(chore func(context.Context)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.running.Go(func() {
			defer func() { _ = recover() }() // a driver's: whoever needs what the chore is for meets it again
			chore(c.ctx)
		})
	}
}

// close ends what runs, and waits for it.
func (c *chores) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.running.Wait()
}
