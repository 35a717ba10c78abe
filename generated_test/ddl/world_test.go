package ddl_test

import (
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/ddl"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// world is a database whose tables do more by themselves than the models' tags say, and a cache in front of it.
type world struct {
	t     *testing.T
	db    *gorm.DB
	m     *ddl.Models
	sql   *fixture.Statements
	heard *fixture.Fallen
	rows  []string // what fill puts there
}

// newWorld makes a world of tables by these statements, in the place of those that plain makes.
func newWorld(t *testing.T, d fixture.Database, config gorm.Config, tables ...string) *world {
	t.Helper()
	w := &world{t: t, sql: &fixture.Statements{}, heard: &fixture.Fallen{}}
	if config.Logger == nil {
		config.Logger = w.sql
	}
	if d.Name == "sqlite" {
		d = d.With("_pragma=foreign_keys(1)")
	}
	w.db = d.Open(t, &config)
	w.past(tables...)
	for _, model := range []any{&ddl.Part{}, &ddl.Screw{}, &ddl.Box{}, &ddl.Lid{}, &ddl.Draft{}, &ddl.Folder{}, &ddl.Brand{}, &ddl.Sticker{}, &ddl.Tape{}, &ddl.Paper{}, &ddl.Ticket{}, &ddl.Window{}} {
		st := &gorm.Statement{DB: w.db}
		w.must(st.Parse(model))
		if w.db.Exec("SELECT 1 FROM "+st.Table).Error != nil { // also where it is a view
			w.must(w.db.Migrator().CreateTable(model))
		}
	}
	store, err := tiered.Open(tiered.Options{})
	w.must(err)
	t.Cleanup(func() { store.Close() })
	rt, err := cacheruntime.New(w.db, store, cacheruntime.Options{Namespace: "t", Observer: w.heard})
	w.must(err)
	t.Cleanup(func() { rt.Close() })
	w.m, err = ddl.NewModels(rt)
	w.must(err)
	w.heard.Take()
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// past sends statements past GORM and the plugin.
func (w *world) past(queries ...string) {
	w.t.Helper()
	bare, err := w.db.DB()
	w.must(err)
	for _, q := range queries {
		if _, err := bare.Exec(q); err != nil {
			w.t.Fatalf("%s: %v", q, err)
		}
	}
}

// falls fails the test unless these lists fall by a write, on rows as w.rows makes them, and, where extra is not negative, unless it
// takes so many statements besides its own. It returns why whole tables fell.
func (w *world) falls(what, want string, extra int, write func(db *gorm.DB) error) (reasons string) {
	w.t.Helper()
	w.past(w.rows...)
	w.heard.Take()
	var err error
	sql := w.sql.Of(func() { err = write(w.db) })
	got, reasons := w.heard.Take()
	if got != want || err != nil {
		w.t.Errorf("%s: %v: fell\n\t%s (%s), want\n\t%s", what, err, got, reasons, want)
	}
	if extra >= 0 && len(sql) != 1+extra {
		w.t.Errorf("%s: %d extra statements, want %d:\n\t%s", what, len(sql)-1, extra, strings.Join(sql, "\n\t"))
	}
	return reasons
}
