package queries

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type text string

// behaviour 12: statements with one text and values of other types, or cut elsewhere, share nothing.
func TestValuesTellQueriesApart(t *testing.T) {
	p := start(t, fixture.SQLite(t), options{})
	p.seed(t)
	one, now := 1, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	values := []any{
		1, int8(1), uint(1), 1.0, float32(1), true, "1", text("1"), []byte("1"), "", []byte{}, nil, "ab", "a", "NULL",
		now, now.Add(time.Nanosecond), now.In(time.FixedZone("", 3600)), now.Format(time.RFC3339), gorm.DeletedAt{}, &one,
		"x' OR '1' = '1", "żółć", "\x00\x01 \n", strings.Repeat("long", 1000),
	}
	for i := range 2 {
		for _, v := range values {
			build := func(q *gorm.DB) *gorm.DB { return q.Where("title = ?", v) }
			want, err := p.m.Post.Objects.Query(bg, build)
			ok(t, err)
			p.sent(t, fmt.Sprintf("%T %.20v", v, v), 1-i, func() {
				got, err := p.m.Post.Cache.Query(bg, build)
				ok(t, err)
				fixture.Same(t, fmt.Sprintf("%T %v", v, v), got, want)
			})
		}
	}
	one = 3 // what a pointer points to counts, not where
	two := 3
	for i, v := range []any{&one, &two} {
		p.sent(t, "pointer", 1-i, func() {
			_, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q.Where("title = ?", v) })
			ok(t, err)
		})
	}
	for i := range 2 {
		for _, pair := range [][2]string{{"ab", "c"}, {"a", "bc"}, {"", "abc"}} {
			p.sent(t, "pairs", 1-i, func() {
				_, err := p.m.Post.Cache.QueryCount(bg, func(q *gorm.DB) *gorm.DB { return q.Where("title = ? OR title = ?", pair[0], pair[1]) })
				ok(t, err)
			})
		}
	}
}

// behaviour 16: what is not kept is read from the database each time, and counted; what can be mended is reported once,
// with the fix.
func TestNotKept(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, d, options{})
		p.seed(t)
		random := map[string]string{"sqlite": "RANDOM()", "postgres": "RANDOM()", "mysql": "RAND()"}[d.Name]
		lower := map[string]string{"sqlite": "QUOTE(PRINTF('%s', HEX(SQLITE_VERSION())))", "postgres": "pg_catalog.version()", "mysql": "VERSION()"}[d.Name]
		var many []string
		for i := range 17 {
			many = append(many, fmt.Sprintf("EXISTS (SELECT 1 FROM posts p%d WHERE p%d.id = posts.id)", i, i))
		}
		for _, c := range []struct {
			name   string
			report string // a part of it; "" is none
			build  func(q *gorm.DB) *gorm.DB
		}{
			{"now", "", func(q *gorm.DB) *gorm.DB { return q.Where("created_at < CURRENT_TIMESTAMP") }},
			{"random", "", func(q *gorm.DB) *gorm.DB { return q.Where(random + " IS NOT NULL").Where("id > 0") }},
			{"long", "", func(q *gorm.DB) *gorm.DB { return q.Where("title <> ?", strings.Repeat("x", 70000)) }},
			{"a function that is not known", "cacheruntime.DependsOn", func(q *gorm.DB) *gorm.DB { return q.Where(lower + " <> ''") }},
			{"no query tag", "secrets, whose model is not tagged query: write `cache:\"model;query\"`", func(q *gorm.DB) *gorm.DB {
				return q.Where("id IN (?)", p.db.Model(&Secret{}).Select("id"))
			}},
			{"no model", "strangers, which is the table of no model here", func(q *gorm.DB) *gorm.DB { return q.Joins("JOIN strangers s ON s.id = posts.id") }},
		} {
			before := p.rt.Stats()
			for range 3 {
				p.sent(t, c.name, 1, func() {
					got, err := p.m.Post.Cache.Query(bg, c.build)
					ok(t, err)
					if len(got) == 0 {
						t.Errorf("%s: no rows", c.name)
					}
				})
			}
			if n := p.rt.Stats().Minus(before).Reasons[flushlist.Uncacheable]; n != 3 {
				t.Errorf("%s: counted %d times", c.name, n)
			}
			faults := p.heard.take()
			if c.report == "" && len(faults) > 0 || c.report != "" && (len(faults) != 1 || !strings.Contains(faults[0], c.report)) {
				t.Errorf("%s: reports %q", c.name, faults)
			}
		}
		for i := range 2 { // one table many times is one
			p.sent(t, "many", 1-i, func() {
				_, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q.Where(strings.Join(many, " AND ")) })
				ok(t, err)
			})
		}
		if d.Name != "sqlite" {
			locking := func(q *gorm.DB) *gorm.DB { return q.Clauses(clause.Locking{Strength: "UPDATE"}) }
			for range 2 {
				p.sent(t, "locking", 1, func() { _, err := p.m.Post.Cache.Query(bg, locking); ok(t, err) })
			}
		}
	})
}

// behaviour 16: behind a view is what DependsOn says; without it nothing is kept.
func TestDependsOn(t *testing.T) {
	each(t, func(t *testing.T, p *program) {
		p.seed(t)
		_ = p.db.Exec("DROP VIEW IF EXISTS public_titles")
		ok(t, p.db.Exec("CREATE VIEW public_titles AS SELECT p.id, p.title, a.name FROM posts p JOIN authors a ON a.id = p.author_id").Error)
		blind := func(db *gorm.DB) *gorm.DB { return db.Table("public_titles").Select("title").Order("id") }
		seeing := func(db *gorm.DB) *gorm.DB { return blind(db).Scopes(cacheruntime.DependsOn("posts", &Author{})) }
		read := func(what string, build func(*gorm.DB) *gorm.DB, statements int) []string {
			var titles []string
			p.sent(t, what, statements, func() {
				var err error
				titles, err = cacheruntime.Query[string](bg, p.rt, build)
				ok(t, err)
			})
			return titles
		}
		read("blind", blind, 1)
		read("blind", blind, 1)
		if faults := p.heard.take(); len(faults) != 1 || !strings.Contains(faults[0], "public_titles") {
			t.Errorf("%q", faults)
		}
		read("seeing", seeing, 1)
		read("seeing", seeing, 0)
		ok(t, p.db.Model(&Post{ID: 1}).Update("title", "uno").Error)
		if titles := read("after a write of posts", seeing, 1); titles[0] != "uno" {
			t.Errorf("%q", titles)
		}
		ok(t, p.db.Model(&Author{ID: 1}).Update("name", "Anna").Error)
		read("after a write of authors", seeing, 1)
		ok(t, p.db.Create(&Tag{Name: "new"}).Error)
		read("after a write of tags", seeing, 0)
		// What DependsOn names has to be there, and tagged.
		for table, why := range map[string]string{"secrets": "not tagged query", "nothing": "the table of no model"} {
			build := func(db *gorm.DB) *gorm.DB { return blind(db).Scopes(cacheruntime.DependsOn(table)) }
			read(table, build, 1)
			read(table, build, 1)
			if faults := p.heard.take(); len(faults) != 1 || !strings.Contains(faults[0], why) {
				t.Errorf("%q", faults)
			}
		}
		if _, err := cacheruntime.Query[string](bg, p.rt, func(db *gorm.DB) *gorm.DB { return blind(db).Scopes(cacheruntime.DependsOn(1)) }); err == nil || !strings.Contains(err.Error(), "not a int") {
			t.Error(err)
		}
		// It is of one statement, not of its preloads.
		preload := func(q *gorm.DB) *gorm.DB {
			return q.Scopes(cacheruntime.DependsOn()).Preload("Author", "name IN (SELECT name FROM public_titles)")
		}
		for i := range 2 {
			p.sent(t, "preload", 2-i, func() { _, err := p.m.Post.Cache.Query(bg, preload); ok(t, err) })
		}
		ok(t, p.db.Exec("DROP VIEW public_titles").Error)
	})
}

// A result that is too long for an entry is read whole each time, which is known after the first time.
func TestLongResult(t *testing.T) {
	p := start(t, fixture.SQLite(t), options{})
	long := strings.Repeat("x", 300<<10)
	for i := range 4 {
		ok(t, p.db.Create(&Post{ID: uint64(i + 1), Title: long}).Error)
	}
	before := p.rt.Stats()
	for range 3 {
		p.sent(t, "long", 1, func() {
			posts, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q })
			if err != nil || len(posts) != 4 || posts[3].Title != long {
				t.Errorf("%d posts, %v", len(posts), err)
			}
		})
	}
	if s := p.rt.Stats().Minus(before); s.LongLists != 3 || s.CacheStatements != 4 {
		t.Errorf("%s", s)
	}
	ok(t, p.db.Where("id > 1").Delete(&Post{}).Error)
	for i := range 2 {
		p.sent(t, "short again", 1-i, func() {
			posts, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q })
			if err != nil || len(posts) != 1 {
				t.Errorf("%d posts, %v", len(posts), err)
			}
		})
	}
}

// Bad input is refused with the next step, and nothing is left behind.
func TestBadChains(t *testing.T) {
	p := start(t, fixture.SQLite(t), options{})
	p.seed(t)
	for name, build := range map[string]func(*gorm.DB) *gorm.DB{
		"another chain": func(*gorm.DB) *gorm.DB { return p.db.Model(&Post{}) },
		"none":          func(*gorm.DB) *gorm.DB { return nil },
		"no function":   nil,
		"bad SQL":       func(q *gorm.DB) *gorm.DB { return q.Where("no such column = 1") },
		"an error":      func(q *gorm.DB) *gorm.DB { _ = q.AddError(errors.New("own")); return q },
		"no table":      func(q *gorm.DB) *gorm.DB { return q.Table("nowhere") },
	} {
		for range 2 {
			if rows, err := p.m.Post.Cache.Query(bg, build); err == nil || rows != nil {
				t.Errorf("%s: %v, %v", name, rows, err)
			}
		}
	}
	write := func(q *gorm.DB) *gorm.DB { return q.Where("id = 1").Update("title", "written") }
	if _, err := p.m.Post.Cache.Query(bg, write); err == nil || !strings.Contains(err.Error(), "Query reads") {
		t.Error(err)
	}
	exec := func(q *gorm.DB) *gorm.DB { return q.Exec("DELETE FROM posts") }
	if _, err := p.m.Post.Cache.Query(bg, exec); err == nil {
		t.Error("Exec ran")
	}
	var n int64
	if p.db.Model(&Post{}).Where("title = 'one'").Count(&n); n != 1 {
		t.Error("something was written")
	}
	func() {
		defer func() {
			if recover() != "own" {
				t.Error("the panic did not come through")
			}
		}()
		_, _ = p.m.Post.Cache.Query(bg, func(*gorm.DB) *gorm.DB { panic("own") })
	}()
	//lint:ignore SA1012 it is what the test is about
	if _, err := p.m.Post.Cache.Query(nil, func(q *gorm.DB) *gorm.DB { return q }); !errors.Is(err, cacheruntime.ErrNilContext) {
		t.Error(err)
	}
	if _, err := cacheruntime.Query[int](bg, nil, func(q *gorm.DB) *gorm.DB { return q }); err == nil {
		t.Error("no Runtime")
	}
	ended, cancel := context.WithCancel(bg)
	cancel()
	if _, err := p.m.Post.Cache.Query(ended, func(q *gorm.DB) *gorm.DB { return q }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q.Session(&gorm.Session{DryRun: true}) }); err != nil {
		t.Error(err)
	}
	ok(t, p.rt.Close())
	if _, err := p.m.Post.Cache.Query(bg, func(q *gorm.DB) *gorm.DB { return q }); !errors.Is(err, cacheruntime.ErrClosed) {
		t.Error(err)
	}
}
