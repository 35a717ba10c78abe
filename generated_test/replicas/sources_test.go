package replicas_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"
)

var errNo = errors.New("no")

// standing makes a database that stands for a replica of another, with rows of its own: what is read there is told by it.
func standing(t testing.TB, d fixture.Database) fixture.Database {
	t.Helper()
	db := d.Open(t, nil)
	if err := errors.Join(db.AutoMigrate(&shop.Merchant{}, &shop.Croupon{}), db.Create(&shop.Croupon{ID: 1, Slug: "a", Title: "replica", City: "Portland"}).Error,
		db.Create(&shop.Merchant{ID: 1, Name: "replica"}).Error); err != nil {
		t.Fatal(err)
	}
	return d
}

// behaviours 52, 53, 54, 60: transactions on a source and on a replica, and single writes, in mode Strict: each COMMIT is seen.
func TestTransactionsUnderResolver(t *testing.T) {
	each(t, func(t *testing.T, one, two fixture.Database) {
		for name, g := range map[string]gorm.Config{"plain": {}, "prepared": {PrepareStmt: true}, "no default transaction": {SkipDefaultTransaction: true}} {
			for sources, c := range map[string]dbresolver.Config{
				"its own pool": {}, "a source": {Sources: []gorm.Dialector{one.Dialector()}},
				"two sources, in turn": {Sources: []gorm.Dialector{one.Dialector(), one.Dialector()}, Policy: dbresolver.StrictRoundRobinPolicy()},
			} {
				t.Run(name+", "+sources, func(t *testing.T) {
					w := newWorld(t, one, g, cacheruntime.Options{})
					w.ok(w.DB.Exec("DELETE FROM croupons").Error)
					c.Replicas = []gorm.Dialector{two.Dialector()}
					w.use(dbresolver.Register(c).SetMaxOpenConns(5))
					w.Create(t, &shop.Croupon{ID: 1, Slug: "a", Title: "old", City: "Portland"})
					w.transactions()
				})
			}
		}
	})
}

// each runs a test with two databases of each kind, the second of which is a replica's place.
func each(t *testing.T, test func(t *testing.T, one, two fixture.Database)) {
	t.Helper()
	for name, database := range map[string]func(testing.TB) fixture.Database{"sqlite": fixture.SQLite, "postgres": fixture.Postgres, "mariadb": fixture.MariaDB} {
		t.Run(name, func(t *testing.T) { test(t, database(t), standing(t, database(t))) })
	}
}

func (w *world) transactions() {
	n := 0
	writes := func(tx *gorm.DB) error {
		n++
		return tx.Model(&shop.Croupon{ID: 1}).Update("title", fmt.Sprint("new ", n)).Error
	}
	// committed expects what the last write wrote, from the database and as cached.
	committed := func(what string, err error) {
		w.Helper()
		want := fmt.Sprint("new ", n)
		if err != nil {
			w.Errorf("%s: %v", what, err)
		}
		for range 2 {
			if got := title(w.M.Croupon.Cache.Get(ctx, 1)); got != want {
				w.Errorf("%s: read %q, not %q", what, got, want)
			}
		}
		w.Expect(w, what+", cached", 0, func() { _, _ = w.M.Croupon.Cache.Get(ctx, 1) })
	}
	committed("Update", writes(w.DB))
	committed("Exec", w.DB.Exec("UPDATE croupons SET title = ?", fmt.Sprint("new ", n)).Error)
	committed("db.Transaction", w.DB.Transaction(writes))
	committed("on a source", w.DB.Clauses(dbresolver.Write).Transaction(func(tx *gorm.DB) error {
		err := writes(tx)
		if got := title(w.M.WithTx(tx).Croupon.Cache.Get(ctx, 1)); got != fmt.Sprint("new ", n) {
			w.Errorf("inside: %q", got)
		}
		if got := title(w.M.Croupon.Cache.Get(ctx, 1)); got != fmt.Sprint("new ", n-1) {
			w.Errorf("outside: %q", got)
		}
		return err
	}))
	tx := w.DB.Clauses(dbresolver.Write).Begin()
	w.ok(writes(tx))
	_ = tx.Transaction(func(tx *gorm.DB) error {
		return errors.Join(tx.Model(&shop.Croupon{ID: 1}).Update("title", "lost").Error, errNo)
	})
	committed("Begin on a source, and a savepoint", tx.Commit().Error)
	committed("in a session", w.DB.Session(&gorm.Session{PrepareStmt: true}).Clauses(dbresolver.Write).Transaction(writes))
	_ = w.DB.Clauses(dbresolver.Write).Transaction(func(tx *gorm.DB) error { return errors.Join(writes(tx), errNo) })
	n--
	committed("rolled back", nil)

	// A transaction on a replica reads there, and fills nothing.
	w.ok(w.RT.FlushTable(ctx, "croupons"))
	w.ok(w.DB.Clauses(dbresolver.Read).Transaction(func(tx *gorm.DB) error {
		if got := title(w.M.WithTx(tx).Croupon.Cache.Get(ctx, 1)); got != "replica" {
			w.Errorf("in a transaction on the replica: %q", got)
		}
		return nil
	}))
	committed("after a transaction on a replica", nil)
	if got := title(w.M.Croupon.Objects.Get(ctx, 1)); got != "replica" {
		w.Errorf("Objects: %q", got)
	}
}

// behaviours 53, 60: tables that have a source of their own, registered before Use and after it, and before NewModels and after it.
// A Cache loads each from its own source, and how its columns compare is asked there.
func TestSourcesOfTables(t *testing.T) {
	each(t, func(t *testing.T, one, two fixture.Database) {
		// The merchants are in the second database, and nowhere else.
		db := one.Open(t, &gorm.Config{DisableForeignKeyConstraintWhenMigrating: true})
		must(t, errors.Join(db.AutoMigrate(&shop.Croupon{}), db.Migrator().DropTable(&shop.Merchant{})))
		for _, order := range []string{"NewModels, Use", "Use, NewModels", "Use, Register, NewModels"} {
			if fixture.LowestGORM && order == "Use, Register, NewModels" {
				continue // that dbresolver takes no source after Use
			}
			t.Run(order, func(t *testing.T) {
				w := &world{TB: t, Fixture: &fixture.Fixture{SQL: &fixture.Statements{}}}
				w.DB = one.Open(t, &gorm.Config{Logger: w.SQL})
				var err error
				w.Store, err = tiered.Open(tiered.Options{})
				must(t, err)
				t.Cleanup(func() { _ = w.Store.Close() })
				w.RT, err = cacheruntime.New(w.DB, w.Store, cacheruntime.Options{Namespace: "shop", Mode: cacheruntime.Strict})
				must(t, err)
				t.Cleanup(func() { _ = w.RT.Close() })
				models := func() {
					w.M, err = shop.NewModels(w.RT)
					must(t, err)
				}
				merchants := dbresolver.Config{Sources: []gorm.Dialector{two.Dialector()}}
				switch order {
				case "NewModels, Use":
					models()
					w.use(dbresolver.Register(dbresolver.Config{}).Register(merchants, &shop.Merchant{}, "second"))
				case "Use, NewModels":
					w.use(dbresolver.Register(merchants, &shop.Merchant{}, "second")) // and nothing for the rest
					models()
				default:
					r := dbresolver.Register(dbresolver.Config{})
					w.use(r)
					r.Register(merchants, &shop.Merchant{}, "second")
					models()
				}
				early := order == "NewModels, Use" // how the columns compare cannot be asked yet, which is reported
				w.merchants(!early)
				if faults := w.RT.Stats().Events[flushlist.Fault]; faults > 0 != early {
					t.Errorf("%d faults", faults)
				}
			})
		}
	})
}

// merchants writes and reads merchants, who are in the second database.
func (w *world) merchants(cached bool) {
	w.ok(w.DB.Where("id > 1").Delete(&shop.Merchant{}).Error)
	n := 0
	next := func() string { n++; return fmt.Sprint("name ", n) }
	committed := func(what string, err error) {
		w.Helper()
		if err != nil {
			w.Errorf("%s: %v", what, err)
		}
		want := fmt.Sprint("name ", n)
		for range 2 {
			if m, err := w.M.Merchant.Cache.Get(ctx, 1); err != nil || m.Name != want {
				w.Errorf("%s: %+v, %v, not %q", what, m, err, want)
			}
		}
		if cached {
			w.Expect(w, what+", cached", 0, func() { _, _ = w.M.Merchant.Cache.Get(ctx, 1) })
		}
	}
	update := func(tx *gorm.DB) error { return tx.Model(&shop.Merchant{ID: 1}).Update("name", next()).Error }
	committed("Update", update(w.DB))
	committed("bulk", w.DB.Model(&shop.Merchant{}).Where("id = 1").Update("name", next()).Error)
	committed("text", w.DB.Exec("UPDATE merchants SET name = ?", next()).Error)
	second := w.DB.Clauses(dbresolver.Use("second"), dbresolver.Write).Session(&gorm.Session{})
	committed("a transaction there", second.Transaction(func(tx *gorm.DB) error {
		err := update(tx.Session(&gorm.Session{NewDB: true}))
		if m, err := w.M.WithTx(tx).Merchant.Cache.Get(ctx, 1); err != nil || m.Name != fmt.Sprint("name ", n) {
			w.Errorf("inside: %+v, %v", m, err)
		}
		return err
	}))
	if _, err := w.M.Merchant.Cache.Get(ctx, 2); !errors.Is(err, gorm.ErrRecordNotFound) {
		w.Error(err)
	}
	w.ok(w.DB.Create(&shop.Merchant{ID: 2, Name: "two"}).Error)
	if m, err := w.M.Merchant.Cache.Get(ctx, 2); err != nil || m.Name != "two" {
		w.Errorf("created: %+v, %v", m, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
