package sampling

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

// watched is a store without a first tier, that tells of its writes before and after their COMMIT, and of its looks.
type watched struct {
	*tiered.Store
	prepared, committed func([]flushlist.List)
	looked              func()
}

type watchedIntent struct {
	flushlist.Intent
	committed func()
}

func (w *watched) Prepare(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
	in, err := w.Store.Prepare(ctx, lists, mode)
	if err != nil || w.prepared == nil {
		return in, err
	}
	w.prepared(lists)
	return &watchedIntent{in, func() { w.committed(lists) }}, nil
}

func (in *watchedIntent) Finish(ctx context.Context) {
	in.committed()
	in.Intent.Finish(ctx)
}

func (w *watched) Fetch(ctx context.Context, refs []flushlist.Ref) []flushlist.Found {
	found := w.Store.Fetch(ctx, refs)
	if w.looked != nil {
		w.looked()
	}
	return found
}

func (w *watched) open(t *testing.T, d fixture.Database, server string, o cacheruntime.Options) (*gorm.DB, *cacheruntime.Runtime, *shop.Models) {
	t.Helper()
	w.Store = must(tiered.Open(tiered.Options{Servers: []string{server}, Timeout: 30 * time.Second, MaxStale: -1}))(t)
	t.Cleanup(func() { _ = w.Close() })
	db := d.Open(t, nil)
	o.Namespace = "shop"
	rt := must(cacheruntime.New(db, w, o))(t)
	t.Cleanup(func() { _ = rt.Close() })
	return db, rt, must(shop.NewModels(rt))(t)
}

// A write whose token memcached loses while it commits makes nothing stale that the promise does not allow: it has not
// returned yet.
//
//  1. A leaves its token; memcached evicts the cell
//  2. B misses, loads the old row, and stores it under the stamp of a cell made anew
//  3. A's COMMIT takes effect
//  4. B is served the old row; its sampler reads the new one from the database, and finds the old one served still
//  5. A's write ends, and returns
//  6. B's sampler looks a last time
func TestTokenIsLost(t *testing.T) {
	d, server := fixture.SQLite(t), testserver.Memcached(t).Addr()
	var a, b watched
	db, _, _ := a.open(t, d, server, cacheruntime.Options{})
	if err := db.AutoMigrate(&shop.Merchant{}, &shop.Croupon{}); err != nil {
		t.Fatal(err)
	}
	if err := db.Create(croupon("a")).Error; err != nil {
		t.Fatal(err)
	}
	_, rt, m := b.open(t, d, server, sampled(nil))
	read := func(title string) {
		if c, err := m.Croupon.Cache.Get(ctx, 1); err != nil || c.Title != title {
			t.Errorf("read %+v, %v; want %q", c, err, title)
		}
	}
	var looks atomic.Int64
	secondLook, ended := make(chan struct{}), make(chan struct{})
	a.prepared = func(lists []flushlist.List) { // 1
		for _, l := range lists {
			key := fmt.Sprintf("%016x:%s", l.ID, l.Name)
			if l.All {
				key = "@" + server + ":" + l.Name
			}
			if err := testserver.Client(server).Delete(key); err != nil && !errors.Is(err, memcache.ErrCacheMiss) {
				t.Error(err)
			}
		}
		read("old") // 2
	}
	a.committed = func([]flushlist.List) { // 3
		b.looked = func() {
			if looks.Add(1) == 3 { // the reader's, and the sampler's before and after the database
				close(secondLook)
				<-ended
			}
		}
		read("old") // 4
		select {
		case <-secondLook:
		case <-time.After(time.Minute):
			t.Errorf("after %d looks: %+v", looks.Load(), rt.Stats().Sampled)
		}
	}
	if err := db.Model(&shop.Croupon{ID: 1}).Update("title", "new").Error; err != nil { // 5
		t.Fatal(err)
	}
	close(ended)
	eventually(t, "the hit is not compared", func() bool { s := rt.Stats().Sampled; return s.Stale+s.Behind > 0 })
	if s := rt.Stats().Sampled; s.Stale != 0 || s.Behind != 1 {
		t.Errorf("%+v", s)
	}
	read("new")
}
