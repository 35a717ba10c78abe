package tenants

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/plugin/dbresolver"
)

const testTimeout = 30 * time.Second // a busy machine is no fault to be tested

// accessors are those to which something is added for a tenant: Note's Get, GetBySlug, ListByTopic, ListOpen, OneNewest
// and CountByTopic, and Memo's Get and ListByTopic.
const accessors = 8

// behaviour 99: what a callback adds, be it registered before NewModels or after it, keeps what is loaded from
// being stored; no tenant is ever served another's row; each accessor is reported once.
func TestCallbackAddsCondition(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		servers := []string{testserver.Memcached(t).Addr()}
		seed(t, start(t, d, options{namespace: "none"}))
		for i, before := range []bool{true, false} {
			t.Run(fmt.Sprint("before NewModels ", before), func(t *testing.T) {
				o := options{servers: servers, namespace: fmt.Sprint("notes", i)}
				if before {
					o.before = query(t, onlyOwn)
				}
				p := start(t, d, o)
				if !before {
					query(t, onlyOwn)(p.db)
				}
				if hits := hits(p, func() {
					for range 3 {
						alike(t, p, of("a"), of("b"), of("c"), nobody)
					}
				}); hits != 0 {
					t.Errorf("%d hits", hits)
				}
				heard := p.heard.take()
				if len(heard) != accessors || !strings.Contains(heard[0], "Options.Partition") {
					t.Errorf("%d reports:\n%s", len(heard), strings.Join(heard, "\n"))
				}
				if s := p.rt.Stats(); s.AlteredLoads == 0 || s.Reasons[flushlist.Altered] == 0 || s.Events[flushlist.Fault] != accessors {
					t.Errorf("stats:\n%s", s)
				}
				// Nor does a program without the callback find anything of theirs.
				q := start(t, d, o)
				q.rt.Stats()
				if hits := hits(q, func() { _, _ = q.m.Note.Cache.Get(nobody, 1); _, _ = q.m.Note.Cache.CountByTopic(nobody, "go") }); hits != 0 {
					t.Errorf("%d entries were stored", hits)
				}
			})
		}
	})
}

// behaviour 99: what another program, or this one for nobody, has stored is not served to a tenant, not even as the
// first thing that is read.
func TestWarmCache(t *testing.T) {
	d := fixture.SQLite(t)
	bothStores(t, func(t *testing.T, servers []string) {
		if servers == nil {
			return // the embedded store is one program's alone
		}
		admin := start(t, d, options{servers: servers})
		if n, _ := admin.m.Note.Objects.CountByTopic(nobody, "go"); n == 0 {
			seed(t, admin)
		}
		for range 2 {
			alike(t, admin, nobody)
		}
		if len(admin.heard.take()) != 0 {
			t.Error("the admin's loads were reported")
		}
		for name, read := range map[string]func(p *program) (string, error){
			"Get":     func(p *program) (string, error) { n, err := p.m.Note.Cache.Get(of("a"), 2); return shown(n), err },
			"GetMany": func(p *program) (string, error) { n, err := p.m.Note.Cache.GetMany(of("a"), 2); return shown(n), err },
			"GetBySlug": func(p *program) (string, error) {
				n, err := p.m.Note.Cache.GetBySlug(of("b"), "s0")
				return shown(n), err
			},
			"ListByTopic": func(p *program) (string, error) {
				n, err := p.m.Note.Cache.ListByTopic(of("c"), "go")
				return shown(n), err
			},
			"CountByTopic": func(p *program) (string, error) {
				n, err := p.m.Note.Cache.CountByTopic(of("c"), "go")
				return shown(n), err
			},
		} {
			for i, p := range []*program{
				start(t, d, options{servers: servers, before: query(t, onlyOwn)}),
				start(t, d, options{servers: servers}),
			} {
				if i == 1 {
					query(t, onlyOwn)(p.db)
				}
				got, err := read(p)
				want := map[string]string{"Get": "none", "GetMany": "", "GetBySlug": "2 of b: text 1", "ListByTopic": "", "CountByTopic": "0"}[name]
				if got != want || err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
					t.Errorf("%s first: %q, %v, want %q", name, got, err, want)
				}
			}
		}
		// One program that reads for nobody first, and stores what it read; then a tenant comes.
		p := start(t, d, options{servers: servers, namespace: "own", before: query(t, onlyOwn)})
		if hits := hits(p, func() { alike(t, p, nobody); alike(t, p, nobody) }); hits == 0 {
			t.Error("what nobody reads is not cached")
		}
		// The first load for a tenant is enough for all accessors.
		if _, err := p.m.Note.Cache.Get(of("a"), 77); !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Error(err)
		}
		alike(t, p, of("a"), of("b"), nobody)
	})
}

// behaviour 99: the type of a column adds the condition, where there is a tenant.
func TestColumnAddsCondition(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, d, options{})
		for i, owner := range []Owner{"a", "b"} {
			ok(t, p.db.Create(&Memo{ID: uint64(i + 1), Owner: owner, Topic: "go", Text: "text"}).Error)
		}
		if heard := p.heard.take(); len(heard) != 0 {
			t.Errorf("%q", heard)
		}
		for range 2 {
			for _, ctx := range []context.Context{of("a"), of("b"), nobody} {
				got, err := p.m.Memo.Cache.ListByTopic(ctx, "go")
				want, _ := p.m.Memo.Objects.ListByTopic(ctx, "go")
				if err != nil || len(got) != len(want) || got[0].Owner != want[0].Owner {
					t.Errorf("tenant %q: %v, %v, not %v", tenantOf(ctx), got, err, want)
				}
				n, err := p.m.Memo.Cache.Get(ctx, 1)
				if found := tenantOf(ctx) != "b"; found != (err == nil) || found && (n.Owner != "a" || n.Text != "text!") {
					t.Errorf("tenant %q: %v, %v", tenantOf(ctx), n, err)
				}
			}
		}
		if heard := p.heard.take(); len(heard) != 2 || p.rt.Stats().Hits() != 0 {
			t.Errorf("%d hits, %q", p.rt.Stats().Hits(), heard)
		}
	})
}

// behaviour 20: the model's hook runs once on each copy, loaded or not.
func TestHookRunsOnce(t *testing.T) {
	p := start(t, fixture.SQLite(t), options{})
	ok(t, p.db.Create(&Memo{ID: 1, Topic: "go", Text: "text"}).Error)
	for _, ctx := range []context.Context{nobody, nobody, cacheruntime.WithRefresh(nobody), of(""), of("nobody")} {
		if m, err := p.m.Memo.Cache.Get(ctx, 1); tenantOf(ctx) == "" && (err != nil || m.Text != "text!") {
			t.Errorf("%+v, %v", m, err)
		}
		if all, err := p.m.Memo.Cache.ListByTopic(nobody, "go"); err != nil || all[0].Text != "text!" {
			t.Errorf("%+v, %v", all[0], err)
		}
	}
}

// dbresolver sends loads to the primary by callbacks of its own, which is no addition.
func TestResolver(t *testing.T) {
	for _, prepare := range []bool{false, true} {
		d := fixture.SQLite(t)
		p := start(t, d, options{gorm: &gorm.Config{PrepareStmt: prepare}})
		seed(t, p)
		replica, source := d.Open(t, nil), d.Open(t, nil)
		ok(t, p.db.Use(dbresolver.Register(dbresolver.Config{
			Sources: []gorm.Dialector{source.Dialector}, Replicas: []gorm.Dialector{replica.Dialector},
		}).Register(dbresolver.Config{Replicas: []gorm.Dialector{replica.Dialector}}, "reports")))
		alike(t, p, nobody)
		if n := hits(p, func() { alike(t, p, nobody) }); n == 0 {
			t.Error("nothing was cached")
		}
		if heard := p.heard.take(); len(heard) != 0 {
			t.Errorf("%q", heard)
		}
		query(t, func(db *gorm.DB) {
			if tenantOf(db.Statement.Context) == "a" {
				db.Clauses(dbresolver.Use("reports"))
			}
		})(p.db)
		_, _ = p.m.Note.Cache.Get(of("a"), 77)
		if heard := p.heard.take(); len(heard) == 0 || !strings.Contains(heard[0], "another database") {
			t.Errorf("dbresolver.Use: %q", heard)
		}
	}
}

// Two tenants ask for one cold key at once: the load of the first is joined by nobody.
func TestAlteredLoadIsNotJoined(t *testing.T) {
	bothStores(t, func(t *testing.T, servers []string) {
		for _, fails := range []bool{false, true} {
			p := start(t, fixture.SQLite(t), options{servers: servers})
			seed(t, p)
			alike(t, p, nobody) // nothing has been added so far
			ok(t, p.rt.FlushTable(nobody, "notes"))
			reached, open := make(chan struct{}), make(chan struct{})
			var once sync.Once
			query(t, func(db *gorm.DB) {
				if tenantOf(db.Statement.Context) == "b" && !db.DryRun {
					once.Do(func() { close(reached); <-open })
					if fails {
						_ = db.AddError(errors.New("b's own error"))
					}
				}
				onlyOwn(db)
			})(p.db)
			first, second := make(chan string, 1), make(chan string, 1)
			read := func(ctx context.Context, to chan string) {
				n, err := p.m.Note.Cache.Get(ctx, 1)
				to <- fmt.Sprint(shown(n), err)
			}
			go read(of("b"), first)
			<-reached
			ctx, trace := cacheruntime.WithTrace(of("a"))
			go read(ctx, second)
			for deadline := time.Now().Add(testTimeout); len(trace.Reads()) == 0; {
				if time.Now().After(deadline) {
					t.Fatal("the second read does not wait")
				}
			}
			if !trace.Reads()[0].Shared {
				t.Fatal("the second read does not wait for the first")
			}
			close(open)
			if got := <-first; fails != strings.Contains(got, "b's own error") || !fails && !strings.Contains(got, "not found") {
				t.Errorf("tenant b: %s", got)
			}
			if got := <-second; got != "1 of a: text 0<nil>" {
				t.Errorf("tenant a: %s", got)
			}
		}
	})
}

// A tenant comes while a load is under way to which nothing was added, the first of all: it makes its own.
func TestPlainLoadIsNotJoined(t *testing.T) {
	bothStores(t, func(t *testing.T, servers []string) {
		p := start(t, fixture.SQLite(t), options{servers: servers})
		seed(t, p)
		reached, open := make(chan struct{}), make(chan struct{})
		var once sync.Once
		query(t, func(db *gorm.DB) {
			if tenantOf(db.Statement.Context) == "" && !db.DryRun {
				once.Do(func() { close(reached); <-open })
			}
			onlyOwn(db)
		})(p.db)
		first := make(chan string, 1)
		go func() {
			n, err := p.m.Note.Cache.Get(nobody, 2)
			first <- fmt.Sprint(shown(n), err)
		}()
		<-reached
		ctx, cancel := context.WithTimeout(of("a"), testTimeout)
		defer cancel()
		if n, err := p.m.Note.Cache.Get(ctx, 2); !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Errorf("tenant a: %s, %v", shown(n), err)
		}
		close(open)
		if got := <-first; got != "2 of b: text 1<nil>" {
			t.Errorf("nobody: %s", got)
		}
	})
}

// Two tenants hammer cold keys; none is ever given another's row. -race
func TestTenantsAtOnce(t *testing.T) {
	bothStores(t, func(t *testing.T, servers []string) {
		p := start(t, fixture.SQLite(t), options{servers: servers})
		seed(t, p)
		query(t, onlyOwn)(p.db)
		var wg sync.WaitGroup
		for g := range 8 {
			tenant := []string{"a", "b"}[g%2]
			wg.Go(func() {
				ctx := of(tenant)
				for i := range 30 {
					many, err := p.m.Note.Cache.ListByTopic(ctx, "go")
					if n, errGet := p.m.Note.Cache.Get(ctx, uint64(1+(i+g)%6)); errGet == nil {
						many = append(many, n)
					}
					for _, n := range many {
						if err != nil || n.Tenant != tenant {
							t.Errorf("tenant %s: %s, %v", tenant, shown(n), err)
						}
					}
					if len(many) < 3 {
						t.Errorf("tenant %s: %d rows", tenant, len(many))
					}
				}
			})
		}
		wg.Wait()
	})
}

// What else an application may do to a query. Each is seen in its first load, or before.
func TestAdditions(t *testing.T) {
	d := fixture.SQLite(t)
	seed(t, start(t, d, options{namespace: "none"}))
	other := fixture.SQLite(t).Open(t, nil)
	ok(t, other.AutoMigrate(&Note{}))
	ok(t, other.Exec("CREATE TABLE b_notes AS SELECT * FROM notes").Error)
	var tx *gorm.DB
	forA := func(fn func(db *gorm.DB)) func(*gorm.DB) {
		return func(db *gorm.DB) {
			if tenantOf(db.Statement.Context) == "a" {
				fn(db)
			}
		}
	}
	for name, fn := range map[string]func(db *gorm.DB){
		"Where": forA(func(db *gorm.DB) { db.Where("tenant = ?", "a") }),
		"a value": forA(func(db *gorm.DB) {
			db.Statement.Clauses["WHERE"] = clause.Clause{Name: "WHERE", Expression: clause.Where{Exprs: []clause.Expression{
				clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "id"}, Value: uint64(2)},
			}}}
		}),
		"Offset":        forA(func(db *gorm.DB) { db.Offset(1) }),
		"Unscoped":      forA(func(db *gorm.DB) { db.Unscoped() }),
		"Select":        forA(func(db *gorm.DB) { db.Statement.Select("id") }),
		"Joins":         forA(func(db *gorm.DB) { db.Joins("JOIN notes n2 ON n2.id = notes.id AND n2.tenant = 'a'") }),
		"Order":         forA(func(db *gorm.DB) { db.Order("id desc") }),
		"another table": forA(func(db *gorm.DB) { db.Statement.Table = "none" }),
		"another pool":  forA(func(db *gorm.DB) { db.Statement.ConnPool = other.ConnPool }),
		"a transaction": forA(func(db *gorm.DB) { db.Statement.ConnPool = tx.Statement.ConnPool }),
		"its own SQL":   forA(func(db *gorm.DB) { db.Statement.SQL.WriteString("SELECT * FROM notes WHERE 1 = 0") }),
		"a dry run": forA(func(db *gorm.DB) {
			config := *db.Config
			config.DryRun = true
			db.Config = &config
		}),
		"a hint": forA(func(db *gorm.DB) { before(db, "/*+ hint */") }),
		"code":   forA(func(db *gorm.DB) { before(db, "/*!99999 nothing */") }),
		"only for hooks": forA(func(db *gorm.DB) {
			if !db.Statement.SkipHooks {
				db.Where("tenant = ?", "a")
			}
		}),
		"always": func(db *gorm.DB) { db.Where("tenant = ?", "a") },
		"an error": func(db *gorm.DB) {
			if tenantOf(db.Statement.Context) == "" {
				_ = db.AddError(errors.New("no tenant"))
			}
		},
		"a panic": func(db *gorm.DB) { _ = db.Statement.Context.Value(tenantKey{}).(string) },
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, d, options{before: query(t, fn)})
			tx = p.db.Begin()
			defer tx.Rollback()
			_, _ = p.m.Note.Cache.Get(of("a"), 1)
			faults := p.heard.take()
			if len(faults) == 0 {
				t.Error("nothing was reported")
			} else if testing.Verbose() {
				t.Log(faults[0])
			}
			if hits := hits(p, func() { _, _ = p.m.Note.Cache.Get(of("a"), 1) }); hits != 0 {
				t.Errorf("it was stored; %q", faults)
			}
		})
	}
}

// A callback that takes rows away after they were read.
func TestCallbackDropsRows(t *testing.T) {
	p := start(t, fixture.SQLite(t), options{})
	seed(t, p)
	ok(t, p.db.Callback().Query().After("gorm:query").Register("app:filter", func(db *gorm.DB) {
		if rows, isNotes := db.Statement.Dest.(*[]*Note); isNotes {
			*rows = slices.DeleteFunc(*rows, func(n *Note) bool { return tenantOf(db.Statement.Context) == "a" && n.Tenant != "a" })
		}
	}))
	for range 2 {
		if _, err := p.m.Note.Cache.Get(of("a"), 2); !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Error(err)
		}
		if n, err := p.m.Note.Cache.Get(of("b"), 2); err != nil {
			t.Error(n, err)
		}
	}
}

func before(db *gorm.DB, hint string) {
	c := db.Statement.Clauses["SELECT"]
	c.AfterNameExpression = clause.Expr{SQL: hint}
	db.Statement.Clauses["SELECT"] = c
}

// A comment of a tracing tool's is no condition: what is loaded is cached.
func TestCommentsAreCached(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		var n atomic.Int64
		p := start(t, d, options{before: query(t, func(db *gorm.DB) { before(db, fmt.Sprintf("/* traceparent='00-%d-01' */", n.Add(1))) })})
		seed(t, p)
		alike(t, p, nobody)
		if hits := hits(p, func() { alike(t, p, nobody) }); hits == 0 {
			t.Error("nothing was cached")
		}
		if heard := p.heard.take(); len(heard) != 0 {
			t.Errorf("%q", heard)
		}
	})
}

// Without callbacks nothing is altered, whatever GORM's settings are.
func TestNothingAdded(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		for i, config := range []*gorm.Config{
			{}, {PrepareStmt: true}, {QueryFields: true}, {SkipDefaultTransaction: true, TranslateError: true}, {AllowGlobalUpdate: true},
		} {
			p := start(t, d, options{gorm: config, namespace: fmt.Sprint("n", i)})
			if i == 0 {
				seed(t, p)
			}
			alike(t, p, nobody)
			before := p.rt.Stats()
			alike(t, p, nobody)
			if s := p.rt.Stats().Minus(before); s.Misses != 0 || s.CacheStatements != 0 || s.Hits() == 0 {
				t.Errorf("%+v:\n%s", config, s)
			}
			if heard := p.heard.take(); len(heard) != 0 {
				t.Errorf("%q", heard)
			}
		}
	})
}
