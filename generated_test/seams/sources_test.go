package seams_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/seams"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"
)

// eachKind runs a test on each kind of database, of which it may make several.
func eachKind(t *testing.T, test func(t *testing.T, another func() fixture.Database)) {
	t.Helper()
	for name, kind := range map[string]func(testing.TB) fixture.Database{"sqlite": fixture.SQLite, "postgres": fixture.Postgres, "mariadb": fixture.MariaDB} {
		t.Run(name, func(t *testing.T) {
			test(t, func() fixture.Database { return enforcing(kind(t)) })
		})
	}
}

// bareTables makes the tables in a database, with foreign keys or without, and returns it.
func bareTables(t testing.TB, d fixture.Database, keys bool) fixture.Database {
	t.Helper()
	p := &program{t: t, db: d.Open(t, &gorm.Config{DisableForeignKeyConstraintWhenMigrating: !keys})}
	p.makeTables()
	return d
}

// use registers dbresolver, whose pools are closed when the test ends.
func use(t testing.TB, db *gorm.DB, r *dbresolver.DBResolver) {
	t.Helper()
	if err := db.Use(r); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.Call(func(pool gorm.ConnPool) error {
			bare, err := pool.(gorm.GetDBConnector).GetDBConn()
			if err == nil {
				err = bare.Close()
			}
			return err
		})
	})
}

// behaviours 16, 33, 40, 60: tables with a source of their own, and a replica that has nothing of it yet: what hangs on a row is what
// refers to it there, whatever the program's first database says, and what comes with a row, or a query brings, is the source's.
func TestSourceWithForeignKeys(t *testing.T) {
	eachKind(t, func(t *testing.T, another func() fixture.Database) {
		first, second, replica := bareTables(t, another(), false), bareTables(t, another(), true), bareTables(t, another(), false)
		for name, config := range map[string]gorm.Config{"plain": {}, "prepared": {PrepareStmt: true, SkipDefaultTransaction: true}} {
			t.Run(name, func(t *testing.T) {
				config.DisableForeignKeyConstraintWhenMigrating = true
				servers := []string{testserver.Memcached(t).Addr()}
				p := launch(t, first, servers, config, cacheruntime.Options{Mode: cacheruntime.Strict, Sample: 5}, func(db *gorm.DB) {
					use(t, db, dbresolver.Register(dbresolver.Config{}).Register(
						dbresolver.Config{Sources: []gorm.Dialector{second.Dialector()}, Replicas: []gorm.Dialector{replica.Dialector()}},
						&seams.Town{}, &seams.Merchant{}, &seams.Croupon{}, &seams.Tag{}, &seams.Place{}, &seams.CrouponPlace{}, &seams.Label{}, "croupon_tags", "twins", "second"))
				})
				alike := func(what string) {
					t.Helper()
					p.must(p.db.Clauses(dbresolver.Use("second"), dbresolver.Write).Session(&gorm.Session{}).Transaction(func(tx *gorm.DB) error {
						source := p.looksBy(p.m.WithTx(tx), false)
						for i, l := range p.looks(true) {
							if got, want := l.seen(t, t.Context()), source[i].seen(t, t.Context()); got != want {
								t.Errorf("%s: %s:\n\tcached %s\n\tsource %s", what, l.name, got, want)
							}
						}
						return nil
					}))
				}
				writes := hangingWrites
				if config.PrepareStmt {
					writes = writes[:3]
				}
				for _, w := range writes {
					p.fill()
					for _, l := range p.looks(true) {
						l.seen(t, t.Context())
					}
					if tx := w.write(p.db); tx.Error != nil || tx.RowsAffected == 0 {
						t.Fatalf("%s: %d rows, %v", w.name, tx.RowsAffected, tx.Error)
					}
					alike(w.name)
				}
				if s := p.rt.Stats(); s.Hits() == 0 || s.Sampled.Stale > 0 {
					t.Errorf("stats:\n%s", s)
				}
			})
		}
	})
}

type hangingWrite struct {
	name  string
	write func(db *gorm.DB) *gorm.DB
}

// hangingWrites are writes of rows on which others hang, the most telling ones first.
var hangingWrites = []hangingWrite{
	{"delete a merchant", func(db *gorm.DB) *gorm.DB { return db.Delete(&seams.Merchant{ID: 1}) }},
	{"a merchant's code", func(db *gorm.DB) *gorm.DB { return db.Model(&seams.Merchant{ID: 1}).Update("code", "d") }},
	{"text that deletes", func(db *gorm.DB) *gorm.DB { return db.Exec("DELETE FROM "+named(db, "merchants")+" WHERE id = ?", 1) }},
	{"delete a town", func(db *gorm.DB) *gorm.DB { return db.Delete(&seams.Town{ID: 1}) }},
	{"a tag's name", func(db *gorm.DB) *gorm.DB { return db.Model(&seams.Tag{}).Where("weight = 1").Update("name", "i") }},
	{"delete merchants", func(db *gorm.DB) *gorm.DB { return db.Where("code < ?", "c").Delete(&seams.Merchant{}) }},
	{"delete a croupon", func(db *gorm.DB) *gorm.DB { return db.Unscoped().Delete(&seams.Croupon{ID: 1}) }},
	{"delete a place", func(db *gorm.DB) *gorm.DB { return db.Where("name = ?", "u").Delete(&seams.Place{}) }},
	{"text that updates", func(db *gorm.DB) *gorm.DB {
		return db.Exec("UPDATE " + named(db, "tags") + " SET name = 'i' WHERE name = 'g'")
	}},
}

// behaviours 16, 60: a query that is sent to a replica, by a clause of its own, by one of a preload's, or by a callback: what it brings is
// returned, and stored for nobody.
//
//  1. the replica has rows of its own, which stand for old ones
//  2. the query brings those
//  3. the same query without the clause brings what the source has, and is cached
func TestQueryOfAReplica(t *testing.T) {
	type reports struct{}
	eachKind(t, func(t *testing.T, another func() fixture.Database) {
		first, replica := another(), bareTables(t, another(), true)
		for name, partition := range map[string]func(context.Context) string{"no partition": nil, "a partition": func(context.Context) string { return "p" }} {
			t.Run(name, func(t *testing.T) {
				p := launch(t, first, []string{testserver.Memcached(t).Addr()}, gorm.Config{}, cacheruntime.Options{Partition: partition}, func(db *gorm.DB) {
					use(t, db, dbresolver.Register(dbresolver.Config{Replicas: []gorm.Dialector{replica.Dialector()}}))
				})
				p.must(p.db.Callback().Query().Before("gorm:query").Register("app:reports", func(db *gorm.DB) {
					if db.Statement.Context.Value(reports{}) != nil {
						db.Clauses(dbresolver.Read)
					}
				}))
				p.fill()
				byClause := func(q *gorm.DB) *gorm.DB { return q.Clauses(dbresolver.Read) }
				plain := func(q *gorm.DB) *gorm.DB { return q }
				asReport := context.WithValue(t.Context(), reports{}, true)
				count := func(ctx context.Context, change func(*gorm.DB) *gorm.DB) string {
					towns, err := p.m.Town.Cache.Query(ctx, func(q *gorm.DB) *gorm.DB { return change(q) })
					p.must(err)
					n, err := p.m.Town.Cache.QueryCount(ctx, func(q *gorm.DB) *gorm.DB { return change(q) })
					p.must(err)
					ids, err := cacheruntime.Query[int64](ctx, p.rt, func(db *gorm.DB) *gorm.DB {
						return change(db.Model(&seams.Town{}).Select("id"))
					})
					p.must(err)
					return fmt.Sprint(len(towns), n, len(ids))
				}
				preloaded := func(change func(*gorm.DB) *gorm.DB) int {
					m, err := p.m.Merchant.Cache.QueryOne(t.Context(), func(q *gorm.DB) *gorm.DB { return q.Preload("Croupons", change).Where("id = 1") })
					p.must(err)
					return len(m.Croupons)
				}
				for range 2 {
					if got := count(t.Context(), byClause); got != "0 0 0" {
						t.Errorf("by a clause: %s rows, which are not the replica's", got)
					}
					if got := count(asReport, plain); got != "0 0 0" {
						t.Errorf("by a callback: %s rows, which are not the replica's", got)
					}
					if got := preloaded(byClause); got != 0 {
						t.Errorf("by a preload's clause: %d rows, which are not the replica's", got)
					}
					if got := count(t.Context(), plain); got != "2 2 2" {
						t.Errorf("what the replica has was stored: %s rows", got)
					}
					if got := preloaded(plain); got != 2 {
						t.Errorf("what the replica has was stored: %d preloaded", got)
					}
				}
				before := p.rt.Stats()
				if count(t.Context(), plain); p.rt.Stats().Minus(before).CacheStatements != 0 {
					t.Error("the source's rows are not cached")
				}
			})
		}
	})
}

// behaviours 33, 60: rows that come with others from another source, each of which has a replica that has nothing of them yet.
func TestRelationsAcrossSources(t *testing.T) {
	eachKind(t, func(t *testing.T, another func() fixture.Database) {
		first, second, replica := bareTables(t, another(), false), bareTables(t, another(), false), bareTables(t, another(), false)
		replicas := []gorm.Dialector{replica.Dialector()}
		p := launch(t, first, []string{testserver.Memcached(t).Addr()}, gorm.Config{DisableForeignKeyConstraintWhenMigrating: true},
			cacheruntime.Options{Mode: cacheruntime.Strict}, func(db *gorm.DB) {
				use(t, db, dbresolver.Register(dbresolver.Config{Replicas: replicas}).Register(
					dbresolver.Config{Sources: []gorm.Dialector{second.Dialector()}, Replicas: replicas}, &seams.Merchant{}, &seams.Tag{}))
			})
		p.fill()
		expect := func(what, want string) {
			t.Helper()
			for _, ctx := range []context.Context{cacheruntime.WithBypass(t.Context()), t.Context(), t.Context(), cacheruntime.WithRefresh(t.Context())} {
				c, err := p.m.Croupon.Cache.WithMerchant(seams.MerchantWithTown()).WithTags().Get(ctx, 1)
				p.must(err)
				m, err := p.m.Merchant.Cache.WithCroupons(seams.CrouponWithTags()).Get(ctx, 1)
				p.must(err)
				q, err := p.m.Croupon.Cache.QueryOne(ctx, func(q *gorm.DB) *gorm.DB { return q.Preload("Merchant").Where("id = 1") })
				p.must(err)
				got := c.Merchant.Code + c.Merchant.Town.Name + q.Merchant.Code + fmt.Sprint(len(c.Tags))
				for _, tag := range c.Tags {
					got += " " + tag.Name
				}
				for _, c := range m.Croupons {
					got += " " + c.Title + fmt.Sprint(len(c.Tags))
				}
				if got != want {
					t.Errorf("%s: %s, want %s", what, got, want)
				}
			}
		}
		expect("filled", "axa2 h g q1 p2")
		for _, w := range []struct {
			what  string
			write func(db *gorm.DB) error
			want  string
		}{
			{"a merchant's code", func(db *gorm.DB) error { return db.Model(&seams.Merchant{ID: 1}).Update("code", "d").Error }, "dxd2 h g q1 p2"},
			{"a town's name", func(db *gorm.DB) error { return db.Model(&seams.Town{ID: 1}).Update("name", "z").Error }, "dzd2 h g q1 p2"},
			{"a croupon moves", func(db *gorm.DB) error { return db.Model(&seams.Croupon{ID: 2}).Update("merchant_id", 2).Error }, "dzd2 h g p2"},
			{"a tag leaves", func(db *gorm.DB) error {
				return db.Model(&seams.Croupon{ID: 1}).Association("Tags").Delete(&seams.Tag{Name: "h"})
			}, "dzd1 g p1"},
			{"a tag is deleted", func(db *gorm.DB) error { return db.Delete(&seams.Tag{Name: "g"}).Error }, "dzd0 p0"},
			{"text", func(db *gorm.DB) error { return db.Exec("UPDATE merchants SET code = 'e' WHERE id = 1").Error }, "eze0 p0"},
		} {
			p.must(w.write(p.db))
			expect(w.what, w.want)
		}
		before := p.rt.Stats()
		if _, err := p.m.Merchant.Cache.WithTown().WithCroupons(seams.CrouponWithTags()).Get(t.Context(), 1); err != nil || p.rt.Stats().Minus(before).CacheStatements != 0 {
			t.Errorf("read from the database again: %v", err)
		}
	})
}
