package seams_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/seams"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// alike fails the test unless the cache says what the database does.
func (p *program) alike(t *testing.T, what string) {
	t.Helper()
	cached := p.looks(true)
	for i, l := range p.looks(false) {
		if got, want := cached[i].seen(t, t.Context()), l.seen(t, t.Context()); got != want {
			t.Errorf("%s: %s:\n\tcached   %s\n\tdatabase %s", what, l.name, got, want)
		}
	}
}

// behaviour 40: a statement that makes room for a row deletes others, whatever verb GORM gives it.
func TestRowsThatMakeRoom(t *testing.T) {
	p := start(t, enforcing(fixture.SQLite(t)), nil, gorm.Config{}, cacheruntime.Options{})
	for name, write := range map[string]func(db *gorm.DB) error{
		"UPDATE OR REPLACE": func(db *gorm.DB) error {
			return db.Clauses(clause.Update{Modifier: "OR REPLACE"}).Model(&seams.Merchant{ID: 2}).Update("code", "a").Error
		},
		"UPDATE OR REPLACE where": func(db *gorm.DB) error {
			return db.Clauses(clause.Update{Modifier: "or replace"}).Model(&seams.Merchant{}).Where("id = 2").Update("code", "a").Error
		},
		"INSERT OR REPLACE": func(db *gorm.DB) error {
			return db.Clauses(clause.Insert{Modifier: "OR REPLACE"}).Create(&seams.Merchant{ID: 9, Code: "a"}).Error
		},
	} {
		p.fill()
		p.alike(t, "before")
		p.must(write(p.db))
		p.alike(t, name)
	}
}

// Bad input is an error that says what to do, or a query like any other; nothing panics that is not the caller's own, and nothing is left behind.
func TestBadInput(t *testing.T) {
	p := start(t, enforcing(fixture.SQLite(t)), nil, gorm.Config{}, cacheruntime.Options{})
	p.fill()
	_, err := seams.NewModels(p.rt) // once more
	p.must(err)
	const other, dependsOn, reads = "return the *gorm.DB that was given", "DependsOn takes names of tables and pointers to models", "Query reads"
	var towns []seams.Town
	for name, c := range map[string]struct {
		build func(q *gorm.DB) *gorm.DB
		want  string // of the error; "" is none
	}{
		"no function":          {nil, "no function to build the query with"},
		"nil":                  {func(*gorm.DB) *gorm.DB { return nil }, other},
		"an empty DB":          {func(*gorm.DB) *gorm.DB { return &gorm.DB{} }, other},
		"the database":         {func(*gorm.DB) *gorm.DB { return p.db }, other},
		"a session of it":      {func(q *gorm.DB) *gorm.DB { return q.Session(&gorm.Session{NewDB: true}) }, other},
		"half rows of that":    {func(q *gorm.DB) *gorm.DB { return q.Session(&gorm.Session{NewDB: true}).Select("id") }, other},
		"a transaction's end":  {func(q *gorm.DB) *gorm.DB { return q.Commit() }, "invalid transaction"},
		"depends on nil":       {func(q *gorm.DB) *gorm.DB { return q.Scopes(cacheruntime.DependsOn(nil)) }, dependsOn},
		"depends on a number":  {func(q *gorm.DB) *gorm.DB { return q.Scopes(cacheruntime.DependsOn(5)) }, dependsOn},
		"depends on nonsense":  {func(q *gorm.DB) *gorm.DB { return q.Scopes(cacheruntime.DependsOn("", "x'\"", (*seams.Town)(nil))) }, ""},
		"a write":              {func(q *gorm.DB) *gorm.DB { return q.Create(&seams.Town{ID: 77}) }, reads},
		"an Exec":              {func(q *gorm.DB) *gorm.DB { return q.Exec("DELETE FROM towns") }, reads},
		"found already":        {func(q *gorm.DB) *gorm.DB { return q.Find(&towns) }, ""},
		"a dry run":            {func(q *gorm.DB) *gorm.DB { return q.Session(&gorm.Session{DryRun: true}) }, ""},
		"ten thousand values":  {func(q *gorm.DB) *gorm.DB { return q.Where("id IN ?", make([]int, 10_000)) }, ""},
		"a column of no table": {func(q *gorm.DB) *gorm.DB { return q.Where("nothing = 1") }, "nothing"},
		"half rows":            {func(q *gorm.DB) *gorm.DB { return q.Select("id") }, "half a row"},
	} {
		for range 2 {
			_, err := p.m.Town.Cache.Query(t.Context(), c.build)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
	}
	func() { // the caller's own panic is the caller's
		defer func() { recover() }()
		_, _ = p.m.Town.Cache.Query(t.Context(), func(*gorm.DB) *gorm.DB { panic("on purpose") })
		t.Error("no panic")
	}()
	var none context.Context
	if _, err := p.m.Town.Cache.Query(none, func(q *gorm.DB) *gorm.DB { return q }); !errors.Is(err, cacheruntime.ErrNilContext) {
		t.Error(err)
	}

	merchants := p.m.Merchant.Cache
	if m, err := merchants.WithTown(cacheruntime.With[*seams.Town]{}).Get(t.Context(), 1); err != nil || m.Town == nil {
		t.Errorf("a With that stands for nothing: %+v, %v", m, err)
	}
	nonsense := cacheruntime.Along[*seams.Town, *seams.Town]("Nonsense", nil)
	if _, err := merchants.WithTown(nonsense).Get(t.Context(), 1); !errors.Is(err, cacheruntime.ErrModel) || !strings.Contains(err.Error(), "no relation Nonsense") {
		t.Errorf("a relation that there is none of: %v", err)
	}
	ids := make([]uint64, 10_000)
	for i := range ids {
		ids[i] = uint64(i + 1)
	}
	if ms, err := merchants.WithCroupons().WithLabels().GetMany(t.Context(), ids...); err != nil || len(ms) != 3 {
		t.Errorf("ten thousand merchants: %d, %v", len(ms), err)
	}
	p.alike(t, "after bad input")
}

// behaviour 40: a column that is referred to, and that the database makes of the one that is written.
func TestKeyThatTheDatabaseMakes(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, enforcing(d), nil, gorm.Config{}, cacheruntime.Options{})
		p.must(p.db.Create(&[]seams.Brand{{ID: 1, Name: "A"}, {ID: 2, Name: "B"}}).Error)
		p.must(p.db.Create(&[]seams.Sticker{{ID: 1, BrandSlug: to("a")}, {ID: 2, BrandSlug: to("b")}}).Error)
		for i, write := range []func(name string) *gorm.DB{
			func(name string) *gorm.DB { return p.db.Model(&seams.Brand{ID: 1}).Update("name", name) },
			func(name string) *gorm.DB {
				return p.db.Model(&seams.Brand{}).Where("id = 1").UpdateColumn("name", name)
			},
			func(name string) *gorm.DB { return p.db.Table("brands").Where("id = 1").Update("name", name) },
			func(name string) *gorm.DB { return p.db.Exec("UPDATE brands SET name = ? WHERE id = 1", name) },
			func(name string) *gorm.DB {
				return p.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&seams.Brand{ID: 1, Name: name})
			},
		} {
			was, name := p.sticker(t), fmt.Sprint("N", i)
			p.must(write(name).Error)
			if is := p.sticker(t); is != strings.ToLower(name) {
				t.Errorf("write %d: the sticker leads to %s, which was %s, and not to %s", i, is, was, name)
			}
		}
	})
}

// sticker is what the first sticker leads to.
func (p *program) sticker(t *testing.T) string {
	t.Helper()
	s, err := p.m.Sticker.Cache.WithBrand().Get(t.Context(), 1)
	p.must(err)
	if s.Brand == nil || s.Brand.Slug != *s.BrandSlug {
		return *s.BrandSlug + ", without its brand"
	}
	return *s.BrandSlug
}

// words is a Valuer whose value changes with what it points to.
type words []string

func (w words) Value() (driver.Value, error) { return strings.Join(w, " "), nil }

// behaviour 16: a load that goes on when its caller has left is that of the values that the query was made with.
func TestValueThatChangesBehindALoad(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, enforcing(d), nil, gorm.Config{}, cacheruntime.Options{})
		p.fill()
		named := func(ctx context.Context, name any) ([]*seams.Town, error) {
			return p.m.Town.Cache.Query(ctx, func(q *gorm.DB) *gorm.DB { return q.Where("name = ?", name) })
		}
		_, err := named(t.Context(), words{"none"}) // what is asked for once
		p.must(err)
		pool, err := p.db.DB()
		p.must(err)
		pool.SetMaxOpenConns(1)
		held, err := pool.Conn(t.Context())
		p.must(err)
		ctx, cancel := context.WithCancel(t.Context())
		name := words{"x"}
		left := make(chan error)
		waited := pool.Stats().WaitCount
		go func() {
			_, err := named(ctx, name)
			left <- err
		}()
		for pool.Stats().WaitCount == waited {
			runtime.Gosched()
		}
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		name[0] = "y"
		p.must(held.Close())
		towns, err := named(t.Context(), words{"x"})
		if err != nil || len(towns) != 1 || towns[0].Name != "x" {
			t.Errorf("%+v, %v", towns[0], err)
		}
	})
}

// behaviours 40, 96: a table named in other ways than the model's.
func TestOtherNamesOfATable(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, enforcing(d), nil, gorm.Config{}, cacheruntime.Options{})
		names := []string{"merchants AS m"}
		switch d.Name {
		case "sqlite":
			names = append(names, "main.merchants", "MERCHANTS")
		case "postgres":
			names = append(names, "public.merchants", `"public".merchants`, "ONLY merchants")
		case "mysql":
			names = []string{"merchants"}
		}
		for _, name := range names {
			for what, write := range map[string]func(db *gorm.DB) *gorm.DB{
				"delete":             func(db *gorm.DB) *gorm.DB { return db.Where("code = ?", "a").Delete(&seams.Merchant{}) },
				"delete without one": func(db *gorm.DB) *gorm.DB { return db.Where("code = ?", "a").Delete(&struct{ ID uint64 }{}) },
				"update":             func(db *gorm.DB) *gorm.DB { return db.Where("code = ?", "a").Update("code", "d") },
				"update of a model": func(db *gorm.DB) *gorm.DB {
					return db.Model(&seams.Merchant{}).Where("code = ?", "a").UpdateColumn("Code", "d")
				},
				"update of a struct": func(db *gorm.DB) *gorm.DB { return db.Where("code = ?", "a").Updates(&seams.Merchant{Code: "d"}) },
			} {
				p.fill()
				p.alike(t, "before")
				w := write(p.db.Table(name))
				p.alike(t, fmt.Sprint(what, " ", name, ": ", w.Error))
				if w.Error != nil || w.RowsAffected != 1 {
					t.Errorf("%s %s: %d rows, %v", what, name, w.RowsAffected, w.Error)
				}
			}
		}
	})
}

// behaviours 40, 49: what a hook makes of a write is what is followed.
func TestHooksThatMakeMoreOfAWrite(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		p := start(t, enforcing(d), nil, gorm.Config{}, cacheruntime.Options{})
		more := false
		upsert := func(db *gorm.DB) {
			if more {
				db.Statement.AddClause(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"code"})})
			}
		}
		erase := func(db *gorm.DB) { db.Statement.Unscoped = db.Statement.Unscoped || more }
		p.must(p.db.Callback().Create().Before("gorm:create").Register("test:upsert", upsert))
		p.must(p.db.Callback().Delete().Before("gorm:delete").Register("test:erase", erase))
		for name, write := range map[string]func() error{
			"a create that is an upsert": func() error { return p.db.Create(&seams.Merchant{ID: 1, Code: "d"}).Error },
			"a soft delete that is none": func() error { return p.db.Delete(&seams.Croupon{ID: 1}).Error },
			"one by a condition":         func() error { return p.db.Where("title = ?", "p").Delete(&seams.Croupon{}).Error },
			"one whose transaction is not": func() error {
				return p.db.Session(&gorm.Session{SkipDefaultTransaction: true}).Delete(&seams.Croupon{ID: 1}).Error
			},
		} {
			p.fill()
			p.alike(t, "before")
			more = true
			err := write()
			more = false
			p.must(err)
			p.alike(t, name)
		}
	})
}
