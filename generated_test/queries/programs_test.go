package queries

import (
	"fmt"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

// behaviour 67: what one program writes, another one's queries show.
func TestTwoPrograms(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		servers := []string{testserver.Memcached(t).Addr()}
		p := start(t, d, options{servers: servers})
		p.seed(t)
		q := start(t, d, options{servers: servers})
		fresh := cacheruntime.WithFresh(bg)
		joined := func(q *gorm.DB) *gorm.DB { return q.Joins("Author").Order("posts.id") }
		read := func(of *program, statements int, name string) {
			t.Helper()
			of.sent(t, name, statements, func() {
				posts, err := of.m.Post.Cache.Query(fresh, joined)
				if err != nil || posts[0].Author.Name != name {
					t.Errorf("%v, %v", posts, err)
				}
			})
		}
		read(p, 1, "Ann")
		read(q, 0, "Ann") // what one program has stored is another's hit
		ok(t, q.db.Model(&Author{ID: 1}).Update("name", "Anna").Error)
		read(p, 1, "Anna")
		read(q, 0, "Anna")
	})
}

// behaviours 70, 110: while a program writes that does not know of a table's queries, their results are not served.
func TestProgramWithoutTheTag(t *testing.T) {
	d := fixture.SQLite(t)
	servers := []string{testserver.Memcached(t).Addr()}
	p := start(t, d, options{servers: servers})
	p.seed(t)
	fresh := cacheruntime.WithFresh(bg)
	name := func() string {
		t.Helper()
		names, err := cacheruntime.Query[string](fresh, p.rt, func(db *gorm.DB) *gorm.DB { return db.Model(&Author{}).Select("name").Order("id") })
		ok(t, err)
		return names[0]
	}
	for range 2 {
		if name() != "Ann" {
			t.Error("not Ann")
		}
	}

	old := d.Open(t, nil)
	store, err := tiered.Open(tiered.Options{Servers: servers, Timeout: testTimeout})
	ok(t, err)
	rt, err := cacheruntime.New(old, store, cacheruntime.Options{Namespace: "queries"})
	ok(t, err)
	spec := authorSpecs.rows
	spec.Query = false
	ok(t, cacheruntime.NewTable(rt, spec).Register())
	// At first the program flushes whole tables with each write, until the others are known to go by its lists.
	for n, alone := 0, 0; alone < 3; n++ {
		if n == 1000 {
			t.Fatal("the program without the tag is not trusted with its lists")
		}
		ctx, trace := cacheruntime.WithTrace(bg)
		ok(t, old.WithContext(ctx).Model(&Author{ID: 1}).Update("name", fmt.Sprint(n)).Error)
		if f := trace.Flushes(); len(f) == 1 && f[0].Reason == "" {
			alone++
		}
		for range 2 {
			if got := name(); got != fmt.Sprint(n) {
				t.Fatalf("%q after a write of %d", got, n)
			}
		}
		if alone == 0 {
			wait(t)
		}
	}
	ok(t, rt.Close())
	ok(t, store.Close())
	if s := p.rt.Stats(); s.Reasons[flushlist.Unregistered] == 0 || s.Reasons[flushlist.Uncacheable] > 0 {
		t.Errorf("%s", s)
	}
}

// wait lets a moment pass between two looks.
func wait(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(20 * time.Millisecond):
	case <-t.Context().Done():
	}
}
