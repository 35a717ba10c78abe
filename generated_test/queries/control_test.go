package queries

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"
)

func all(q *gorm.DB) *gorm.DB { return q.Order("id") }

// behaviours 16, 52, 53, 54, 57: in a transaction a query is the database's, and fills nothing.
func TestInTransactions(t *testing.T) {
	type txKey struct{}
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, d, options{runtime: cacheruntime.Options{TxFromContext: func(ctx context.Context) *gorm.DB {
			tx, _ := ctx.Value(txKey{}).(*gorm.DB)
			return tx
		}}})
		p.seed(t)
		titles := func(db *gorm.DB) *gorm.DB { return db.Model(&Post{}).Select("title").Where("id = ?", 1) }
		read := func(ctx context.Context) string {
			title, err := cacheruntime.QueryOne[string](ctx, p.rt, titles)
			ok(t, err)
			return title
		}
		rollback := errors.New("rolled back")
		for _, end := range []error{rollback, nil} {
			err := p.db.Transaction(func(tx *gorm.DB) error {
				m, ctx := p.m.WithTx(tx), context.WithValue(bg, txKey{}, tx)
				for range 2 {
					p.sent(t, "in it", 1, func() { _, err := m.Post.Cache.Query(bg, all); ok(t, err) })
				}
				ok(t, tx.Model(&Post{ID: 1}).Update("title", "new").Error)
				posts, err := m.Post.Cache.Query(bg, all)
				if err != nil || posts[0].Title != "new" {
					t.Errorf("%v, %v", posts, err)
				}
				p.sent(t, "in its context", 1, func() {
					if got := read(ctx); got != "new" {
						t.Errorf("%q", got)
					}
				})
				if d.Name != "sqlite" { // where a reader sees the committed state beside an open write
					if got := read(bg); got != "one" {
						t.Errorf("outside: %q", got)
					}
				}
				return end
			})
			if !errors.Is(err, end) {
				t.Fatal(err)
			}
			want := "new"
			if end != nil {
				want = "one"
			}
			for range 2 {
				if got := read(bg); got != want {
					t.Errorf("after %v: %q", end, got)
				}
			}
		}
	})
}

// behaviours 32, 106: the options of a context hold for queries as for accessors.
func TestContextOptions(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		read := func(ctx context.Context, what string, statements int) {
			t.Helper()
			p.sent(t, what, statements, func() {
				_, err := p.m.Post.Cache.Query(ctx, func(q *gorm.DB) *gorm.DB { return q.Joins("Author") })
				ok(t, err)
			})
		}
		read(bg, "first", 1)
		read(cacheruntime.WithBypass(bg), "bypass", 1)
		read(cacheruntime.WithFresh(bg), "fresh", 0)
		read(cacheruntime.WithRefresh(bg), "refresh", 1)
		read(bg, "after a refresh", 0)
		p.rt.SetBypass(true)
		read(bg, "bypass of the runtime", 1)
		p.rt.SetBypass(false)
		read(bg, "again", 0)
		ctx, trace := cacheruntime.WithTrace(bg)
		read(ctx, "traced", 0)
		if r := trace.Reads(); len(r) != 1 || r[0].Accessor != "Post.Query" || !r[0].Outcome.Hit() || r[0].Key == "" || trace.Statements() != 0 {
			t.Errorf("%v", trace)
		}
		ok(t, p.db.Create(&Author{ID: 50}).Error)
		ctx, trace = cacheruntime.WithTrace(bg)
		read(ctx, "traced", 1)
		if r := trace.Reads(); len(r) != 1 || r[0].Outcome.Hit() || trace.Statements() != 1 {
			t.Errorf("%v", trace)
		}
	})
}

// behaviour 99: what a callback adds is a part of the statement, and so of the key.
func TestTenants(t *testing.T) {
	type tenant struct{}
	p := start(t, fixture.SQLite(t), options{before: func(db *gorm.DB) {
		ok(t, db.Callback().Query().Before("gorm:query").Register("own", func(db *gorm.DB) {
			if who, is := db.Statement.Context.Value(tenant{}).(int); is && db.Statement.Table == "posts" {
				db.Where("posts.author_id = ?", who)
			}
		}))
	}})
	p.seed(t)
	for i := range 2 {
		for who, want := range map[int]int{1: 2, 2: 2, 3: 0} {
			p.sent(t, "tenant", 1-i, func() {
				posts, err := p.m.Post.Cache.Query(context.WithValue(bg, tenant{}, who), all)
				if err != nil || len(posts) != want || want > 0 && posts[0].AuthorID != uint64(who) {
					t.Errorf("%d: %v, %v", who, posts, err)
				}
			})
		}
	}
	if posts, err := p.m.Post.Cache.Query(bg, all); err != nil || len(posts) != 4 {
		t.Errorf("%d, %v", len(posts), err)
	}
}

// behaviour 98: each partition has results of its own, and a write flushes those of its own.
func TestPartitions(t *testing.T) {
	type who struct{}
	of := func(name string) context.Context { return context.WithValue(bg, who{}, name) }
	p := start(t, fixture.SQLite(t), options{runtime: cacheruntime.Options{Partition: func(ctx context.Context) string {
		name, _ := ctx.Value(who{}).(string)
		return name
	}}})
	p.seed(t)
	read := func(name string, statements int) {
		t.Helper()
		p.sent(t, name, statements, func() {
			_, err := p.m.Post.Cache.Query(of(name), func(q *gorm.DB) *gorm.DB { return q.Joins("Author") })
			ok(t, err)
		})
	}
	for i := range 2 {
		read("a", 1-i)
		read("b", 1-i)
	}
	ok(t, p.db.WithContext(of("a")).Create(&Author{ID: 51}).Error)
	read("b", 0)
	read("a", 1)
	ok(t, p.db.WithContext(of("b")).Create(&Post{ID: 51}).Error)
	read("a", 0)
	read("b", 1)
}

// behaviour 60: what a replica has is not cached, and a database that a statement is sent to besides is none of ours.
func TestReplica(t *testing.T) {
	d, behind := fixture.SQLite(t), fixture.SQLite(t)
	old := behind.Open(t, nil)
	ok(t, old.AutoMigrate(&Author{}, &Post{}, &Tag{}, &PostTag{}))
	ok(t, old.Create(&Post{ID: 1, Title: "old"}).Error)
	p := start(t, d, options{})
	p.seed(t)
	ok(t, p.db.Use(dbresolver.Register(dbresolver.Config{Replicas: []gorm.Dialector{old.Dialector}}).
		Register(dbresolver.Config{Sources: []gorm.Dialector{old.Dialector}}, "other")))
	for i := range 2 {
		p.sent(t, "primary", 2-2*i, func() {
			posts, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q.Preload("Author") })
			if err != nil || len(posts) != 4 || posts[0].Title != "one" || posts[0].Author == nil {
				t.Errorf("%v, %v", posts, err)
			}
		})
	}
	for range 2 {
		p.sent(t, "other", 1, func() {
			posts, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q.Clauses(dbresolver.Use("other")) })
			if err != nil || len(posts) != 1 || posts[0].Title != "old" {
				t.Errorf("%v, %v", posts, err)
			}
		})
	}
}

// behaviour 48: prepared statements, and sessions of several kinds.
func TestSessions(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, d, options{gorm: gorm.Config{PrepareStmt: true, QueryFields: true, SkipDefaultTransaction: true}})
		p.seed(t)
		for name, build := range map[string]func(*gorm.DB) *gorm.DB{
			"plain":      all,
			"prepared":   func(q *gorm.DB) *gorm.DB { return q.Session(&gorm.Session{PrepareStmt: true}).Where("id > ?", 1) },
			"debug":      func(q *gorm.DB) *gorm.DB { return q.Debug().Where("id > ?", 2) },
			"skip hooks": func(q *gorm.DB) *gorm.DB { return q.Session(&gorm.Session{SkipHooks: true}).Where("id > ?", 0) },
		} {
			for i := range 2 {
				p.sent(t, name, 1-i, func() {
					posts, err := p.m.Post.Cache.Query(bg, build)
					if err != nil || len(posts) == 0 || (posts[0].Shown == "") != (name == "skip hooks") {
						t.Errorf("%s: %v, %v", name, posts, err)
					}
				})
			}
			ok(t, p.db.Model(&Post{ID: 1}).Update("score", gorm.Expr("score + 1")).Error)
			p.sent(t, name, 1, func() { _, err := p.m.Post.Cache.Query(bg, build); ok(t, err) })
		}
	})
}

// behaviour 72: a cold query is loaded once for all who want it.
func TestHerd(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		// Who finds no cell makes one, and of several only one may store under it: begin with cells.
		_, err := p.m.Post.Cache.QueryCount(bg, func(q *gorm.DB) *gorm.DB { return q.Joins("Author") })
		ok(t, err)
		before := p.rt.Stats()
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				if posts, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q.Joins("Author") }); err != nil || len(posts) != 4 {
					t.Errorf("%v, %v", posts, err)
				}
			})
		}
		group.Wait()
		if n := p.rt.Stats().Minus(before).CacheStatements; n != 1 {
			t.Errorf("%d loads", n)
		}
	})
}

// behaviours 53, 61, 71: while several programs write and read, a query never shows less than a write that had returned
// before it began, whichever of its tables that was of.
func TestNeverStale(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		stores(t, func(t *testing.T, servers []string) {
			p := start(t, d, options{servers: servers})
			q := p
			if servers != nil {
				q = start(t, d, options{servers: servers})
			}
			p.clear(t)
			ok(t, p.db.Create(&Author{ID: 1, Name: "0"}).Error)
			ok(t, p.db.Create(&Post{ID: 1, AuthorID: 1, Title: "0"}).Error)
			var mu sync.Mutex
			var done [2]int // the last write of each table that has returned
			var group sync.WaitGroup
			const writes = 25
			for i, w := range []struct {
				p     *program
				write func(db *gorm.DB, n int) error
			}{
				{p, func(db *gorm.DB, n int) error { return db.Model(&Post{ID: 1}).Update("title", fmt.Sprint(n)).Error }},
				{q, func(db *gorm.DB, n int) error { return db.Model(&Author{ID: 1}).Update("name", fmt.Sprint(n)).Error }},
			} {
				group.Go(func() {
					for n := 1; n <= writes; n++ {
						if err := w.write(w.p.db, n); err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						done[i] = n
						mu.Unlock()
					}
				})
			}
			for i := range 4 {
				reader := []*program{p, q}[i%2]
				group.Go(func() {
					for {
						mu.Lock()
						least := done
						mu.Unlock()
						posts, err := reader.m.Post.Cache.Query(cacheruntime.WithFresh(bg), func(q *gorm.DB) *gorm.DB { return q.Joins("Author") })
						if err != nil || len(posts) != 1 || posts[0].Author == nil {
							t.Errorf("%v, %v", posts, err)
							return
						}
						if title, name := number(posts[0].Title), number(posts[0].Author.Name); title < least[0] || name < least[1] {
							t.Errorf("%d and %d after %v", title, name, least)
							return
						}
						if least == [2]int{writes, writes} {
							return
						}
					}
				})
			}
			group.Wait()
			s := p.rt.Stats().Plus(q.rt.Stats())
			if s.Reasons[flushlist.Uncacheable] > 0 {
				t.Errorf("%s", s)
			}
		})
	})
}

// GORM's logger is told of what is sent, by hooks and preloads too, and not of hits.
func TestLogger(t *testing.T) {
	p := start(t, fixture.SQLite(t), options{})
	p.seed(t)
	ok(t, p.db.Callback().Query().After("gorm:preload").Before("gorm:after_query").Register("nosy", func(db *gorm.DB) {
		if db.Error == nil && db.Statement.Table == "posts" {
			var n int64
			ok(t, db.Session(&gorm.Session{NewDB: true}).Model(&Tag{}).Where("name <> ?", "").Count(&n).Error)
		}
	}))
	preload := func(q *gorm.DB) *gorm.DB { return q.Preload("Author") }
	for _, n := range []int{3, 1, 1} { // of the last two the callback's own
		p.sent(t, "preload", n, func() { _, err := p.m.Post.Cache.Query(bg, preload); ok(t, err) })
	}
	ok(t, p.db.Model(&Author{ID: 1}).Update("name", "Anna").Error)
	p.sent(t, "half of it", 2, func() { _, err := p.m.Post.Cache.Query(bg, preload); ok(t, err) })
	p.sent(t, "an error", 1, func() {
		if _, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q.Where("nonsense") }); err == nil {
			t.Error("no error")
		}
	})
}
