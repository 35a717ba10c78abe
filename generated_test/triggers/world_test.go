package triggers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/triggers"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// world is a database with triggers, and a cache in front of it.
type world struct {
	t     *testing.T
	d     fixture.Database
	db    *gorm.DB
	rt    *cacheruntime.Runtime
	m     *triggers.Models
	sql   *fixture.Statements
	heard *fixture.Fallen
	drops []string // what undoes the triggers
}

func newWorld(t *testing.T, d fixture.Database, options ...func(*cacheruntime.Options)) *world {
	t.Helper()
	if d.Name == "sqlite" {
		d = d.With("_pragma=foreign_keys(1)")
	}
	w := &world{t: t, d: d, sql: &fixture.Statements{}, heard: &fixture.Fallen{}}
	w.db = d.Open(t, &gorm.Config{Logger: w.sql})
	w.must(w.db.AutoMigrate(triggers.Tables()...))
	w.open(options...)
	return w
}

// open puts a cache in front of the database.
func (w *world) open(options ...func(*cacheruntime.Options)) {
	w.t.Helper()
	store, err := tiered.Open(tiered.Options{})
	w.must(err)
	w.t.Cleanup(func() { store.Close() })
	o := cacheruntime.Options{Namespace: "t", Observer: w.heard}
	for _, change := range options {
		change(&o)
	}
	w.rt, err = cacheruntime.New(w.db, store, o)
	w.must(err)
	w.t.Cleanup(func() { w.rt.Close() })
	w.m, err = triggers.NewModels(w.rt)
	w.must(err)
	w.heard.Take()
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

// fill drops the triggers that there are, and makes the rows anew.
func (w *world) fill() {
	w.t.Helper()
	w.past(w.drops...)
	w.drops = nil
	for _, table := range []string{"remarks", "posts", "authors", "badges", "plates", "stats", "drafts"} {
		w.past("DELETE FROM " + table)
	}
	w.past(
		"INSERT INTO authors (id, name, posts) VALUES (1, 'a', 2), (2, 'b', 0)",
		"INSERT INTO posts (id, author_id, title, slug, note, touched) VALUES (1, 1, 't', 's', '', ''), (2, 1, 'u', 's', '', '')",
		"INSERT INTO remarks (id, post_id) VALUES (1, 1)",
		"INSERT INTO badges (id, code, note) VALUES ('x', 'cx', ''), ('y', 'cy', '')",
		"INSERT INTO plates (id, note) VALUES ('x', ''), ('y', '')",
		"INSERT INTO stats (id, n) VALUES ('x', 1)",
		"INSERT INTO drafts (id, author_id) VALUES (1, 1)",
	)
	for _, table := range []string{"remarks", "posts", "authors", "badges", "plates", "stats"} {
		w.must(w.rt.FlushTable(context.Background(), table))
	}
}

// trigger is one of each database's. Its code, an SQL statement, is the same on all, unless one is said.
type trigger struct {
	when, table               string // AFTER INSERT, and the table
	code                      string
	sqlite, postgres, mariadb string // whole definitions in its place, "-" for none
	statement                 bool   // on PostgreSQL it is run once a statement
}

// make makes triggers, by DDL of this program, which is heard of at once.
func (w *world) make(all ...trigger) {
	w.t.Helper()
	for i, g := range all {
		name := fmt.Sprintf("g%d", i)
		var define []string
		said := map[string]string{"sqlite": g.sqlite, "postgres": g.postgres, "mysql": g.mariadb}[w.d.Name]
		switch {
		case said == "-":
			continue
		case said != "":
			define = strings.Split(said, "\n;\n")
		case w.d.Name == "postgres":
			level := "ROW"
			if g.statement {
				level = "STATEMENT"
			}
			define = []string{
				"CREATE FUNCTION " + name + "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + g.code + "; IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$",
				"CREATE TRIGGER " + name + " " + g.when + " ON " + g.table + " FOR EACH " + level + " EXECUTE FUNCTION " + name + "()",
			}
		default:
			define = []string{"CREATE TRIGGER " + name + " " + g.when + " ON " + g.table + " FOR EACH ROW BEGIN " + g.code + "; END"}
		}
		for _, q := range define {
			w.must(w.db.Exec(q).Error)
			switch words := strings.Fields(q); {
			case words[1] == "FUNCTION":
				w.drops = append(w.drops, "DROP FUNCTION "+strings.TrimSuffix(words[2], "()")+" CASCADE")
			case words[1] == "TRIGGER" && w.d.Name == "postgres":
				w.drops = append([]string{"DROP TRIGGER " + words[2] + " ON " + g.table}, w.drops...)
			case words[1] == "TRIGGER":
				w.drops = append(w.drops, "DROP TRIGGER "+words[2])
			}
		}
	}
}

// reads are the cached reads, and the same of the database.
func (w *world) reads() map[string][2]func() (any, error) {
	ctx := context.Background()
	all := map[string][2]func() (any, error){}
	add := func(name string, cached, read func() (any, error)) { all[name] = [2]func() (any, error){cached, read} }
	for _, id := range []uint64{1, 2} {
		add(fmt.Sprint("author ", id), func() (any, error) { return w.m.Author.Cache.Get(ctx, id) }, func() (any, error) { return w.m.Author.Objects.Get(ctx, id) })
		add(fmt.Sprint("posts of ", id), func() (any, error) { return w.m.Post.Cache.ListByAuthorID(ctx, id) }, func() (any, error) { return w.m.Post.Objects.ListByAuthorID(ctx, id) })
	}
	for _, id := range []uint64{1, 2, 3} {
		add(fmt.Sprint("post ", id), func() (any, error) { return w.m.Post.Cache.Get(ctx, id) }, func() (any, error) { return w.m.Post.Objects.Get(ctx, id) })
	}
	add("remark", func() (any, error) { return w.m.Remark.Cache.Get(ctx, 1) }, func() (any, error) { return w.m.Remark.Objects.Get(ctx, 1) })
	add("remarks", func() (any, error) { return w.m.Remark.Cache.ListByPostID(ctx, 1) }, func() (any, error) { return w.m.Remark.Objects.ListByPostID(ctx, 1) })
	for _, s := range []string{"s", "n", "x"} {
		add("posts at "+s, func() (any, error) { return w.m.Post.Cache.ListBySlug(ctx, s) }, func() (any, error) { return w.m.Post.Objects.ListBySlug(ctx, s) })
	}
	for _, s := range []string{"x", "y", "z"} {
		add("badge "+s, func() (any, error) { return w.m.Badge.Cache.Get(ctx, s) }, func() (any, error) { return w.m.Badge.Objects.Get(ctx, s) })
		add("badge by c"+s, func() (any, error) { return w.m.Badge.Cache.GetByCode(ctx, "c"+s) }, func() (any, error) { return w.m.Badge.Objects.GetByCode(ctx, "c"+s) })
		add("plate "+s, func() (any, error) { return w.m.Plate.Cache.Get(ctx, s) }, func() (any, error) { return w.m.Plate.Objects.Get(ctx, s) })
		add("stat "+s, func() (any, error) { return w.m.Stat.Cache.Get(ctx, s) }, func() (any, error) { return w.m.Stat.Objects.Get(ctx, s) })
	}
	return all
}

// falls fails the test unless these lists fall by a write, the cached reads are the database's behind it, and, where extra is not
// negative, it takes so many statements besides its own. It returns why whole tables fell.
func (w *world) falls(what, want string, extra int, write func(db *gorm.DB) error) (reasons string) {
	w.t.Helper()
	for _, r := range w.reads() { // which cache what they read
		_, _ = r[0]()
	}
	w.must(w.db.Delete(&triggers.Plate{ID: "nothing"}).Error) // which asks the catalog
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
	for name, r := range w.reads() {
		cached, err := r[0]()
		read, failed := r[1]()
		if fmt.Sprint(err) != fmt.Sprint(failed) {
			w.t.Errorf("%s: %s: cached %v, in the database %v", what, name, err, failed)
			continue
		}
		fixture.Same(w.t, what+": "+name, cached, read)
	}
	return reasons
}

// kase is a write of a table with triggers, and what falls.
type kase struct {
	what     string
	triggers []trigger
	falls    string
	on       map[string]string // what falls on a database, where it is something else; "-": it is not tried there
	extra    int               // statements besides the write; -1: any number
	write    func(db *gorm.DB) error
}

// run runs cases, each on the rows of fill.
func (w *world) run(cases []kase) {
	w.t.Helper()
	for _, c := range cases {
		want, said := c.on[w.d.Name]
		if want == "-" {
			continue
		}
		if !said {
			want = c.falls
		}
		w.fill()
		w.make(c.triggers...)
		w.falls(c.what, want, c.extra, c.write)
	}
}
