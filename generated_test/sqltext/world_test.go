// Package sqltext_test holds what is flushed after SQL text given to Exec and Raw, on SQLite, PostgreSQL and MariaDB:
// the tables that it writes, no more and no fewer.
package sqltext_test

import (
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// world is a shop with three croupons, two merchants, and a table of others that no model is of.
type world struct {
	*fixture.Fixture
	t     *testing.T
	name  string // of the database: sqlite, postgres, mysql
	heard *fixture.Fallen
}

// change is a setting of a world.
type change func(*fixture.Options)

func newWorld(t *testing.T, d fixture.Database, changes ...change) *world {
	t.Helper()
	if d.Name == "mysql" {
		d = d.With("multiStatements=true")
	}
	w := &world{t: t, name: d.Name, heard: &fixture.Fallen{}}
	o := fixture.Options{DB: &d, Runtime: cacheruntime.Options{Observer: w.heard}}
	for _, c := range changes {
		c(&o)
	}
	w.Fixture = fixture.New(t, o)
	w.past("CREATE TABLE others (id int PRIMARY KEY, n int)")
	w.fill()
	return w
}

// fill makes the rows anew, past the plugin.
func (w *world) fill() {
	w.t.Helper()
	for _, q := range []string{
		"DELETE FROM others", "DELETE FROM croupons", "DELETE FROM merchants",
		"INSERT INTO merchants (id, name) VALUES (1, 'x'), (2, 'y')",
		"INSERT INTO croupons (id, slug, title, city, category, popularity, active) VALUES (1, 'a', 'A', 'x', 'y', 1, true), " +
			"(2, 'b', 'B', 'x', 'y', 2, true), (3, 'c', 'C', 'z', 'y', 3, false)",
		"INSERT INTO others VALUES (1, 1), (2, 2), (3, 3)",
	} {
		w.past(q)
	}
}

// past sends statements past GORM and the plugin.
func (w *world) past(queries ...string) {
	w.t.Helper()
	bare, err := w.DB.DB()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, q := range queries {
		if _, err := bare.Exec(q); err != nil {
			w.t.Fatalf("%s: %v", q, err)
		}
	}
}

// falls fails the test unless these tables fall while f runs, as words. It returns why they did.
func (w *world) falls(what, want string, f func() error) (reasons string) {
	w.t.Helper()
	w.heard.Take()
	err := f()
	got, reasons := w.heard.Take()
	if got != want {
		w.t.Errorf("%s: %q fell (%s), want %q; the error is %v", what, got, reasons, want, err)
	}
	return reasons
}

// title reads a croupon's title through the cache.
func (w *world) title(id uint64) string {
	w.t.Helper()
	c, err := w.M.Croupon.Cache.Get(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Title
}
