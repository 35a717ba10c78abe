package cascade_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/generated_test/cascade"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// heard keeps the lists that fell, and why.
type heard struct {
	mu      sync.Mutex
	lists   []string
	columns []string
	reasons []string
}

func (h *heard) ObserveFlush(_ context.Context, e cacheruntime.FlushEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range e.Lists {
		h.lists = append(h.lists, strings.TrimPrefix(l, "t:"))
	}
	h.columns = append(h.columns, e.Columns...)
	h.reasons = append(h.reasons, e.Reason)
}

// take returns the lists that fell since it was last asked, and why.
func (h *heard) take() (lists []string, columns, reasons string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.Sort(h.lists)
	slices.Sort(h.columns)
	lists, columns, reasons = slices.Compact(h.lists), strings.Join(slices.Compact(h.columns), " "), strings.Join(slices.Compact(h.reasons), ", ")
	h.lists, h.columns, h.reasons = nil, nil, nil
	return lists, columns, reasons
}

// world is a database with rows that refer to each other, and a cache in front of it.
type world struct {
	t     *testing.T
	name  string // of the database: sqlite, postgres, mysql
	db    *gorm.DB
	rt    *cacheruntime.Runtime
	m     *cascade.Models
	sql   *fixture.Statements
	heard *heard
}

// change is a setting of a world.
type change func(*gorm.Config, *cacheruntime.Options)

func newWorld(t *testing.T, d fixture.Database, changes ...change) *world {
	t.Helper()
	w := &world{t: t, name: d.Name, sql: &fixture.Statements{}, heard: &heard{}}
	config, o := &gorm.Config{Logger: w.sql}, cacheruntime.Options{Namespace: "t", Observer: w.heard}
	for _, c := range changes {
		c(config, &o)
	}
	w.db = d.Open(t, config)
	w.must(w.db.AutoMigrate(cascade.Tables()...))
	w.fill()
	store, err := tiered.Open(tiered.Options{})
	w.must(err)
	t.Cleanup(func() { store.Close() })
	w.rt, err = cacheruntime.New(w.db, store, o)
	w.must(err)
	t.Cleanup(func() { w.rt.Close() })
	w.m, err = cascade.NewModels(w.rt)
	w.must(err)
	w.heard.take()
	return w
}

// enforcing is a database that enforces foreign keys, which SQLite is told to.
func enforcing(d fixture.Database) fixture.Database {
	if d.Name == "sqlite" {
		return d.With("_pragma=foreign_keys(1)")
	}
	return d
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// The tables, children first.
var tables = []string{"entries", "accounts", "pages", "books", "categories", "items", "stalls", "label_marks", "labels", "marks", "reviews", "croupon_tags", "croupons", "tags", "merchants", "towns"}

// fill makes the rows anew, past the plugin.
func (w *world) fill() {
	w.t.Helper()
	for _, t := range tables {
		if t == "categories" {
			w.past("UPDATE categories SET parent_id = NULL")
		}
		w.past("DELETE FROM " + t)
	}
	w.past(
		"INSERT INTO towns (id, name) VALUES (1, 'x'), (2, 'y')",
		"INSERT INTO merchants (id, name, code, town_id) VALUES (1, 'm1', 'a', 1), (2, 'm2', 'b', 1), (3, 'm3', 'c', NULL)",
		"INSERT INTO croupons (id, title, merchant_id) VALUES (11, 'c', 1), (12, 'c', 1), (21, 'c', 2)",
		"INSERT INTO tags (id, name) VALUES (1, 't')",
		"INSERT INTO croupon_tags (croupon_id, tag_id) VALUES (11, 1)",
		"INSERT INTO reviews (id, stars, croupon_id) VALUES (101, 1, 11), (102, 2, 11), (103, 3, 21), (104, 4, NULL)",
		"INSERT INTO labels (id, merchant_code) VALUES (1, 'a'), (2, 'b')",
		"INSERT INTO marks (id) VALUES (1), (2)",
		"INSERT INTO label_marks (label_id, mark_id) VALUES (1, 1), (1, 2), (2, 2)",
		"INSERT INTO stalls (id, merchant_id) VALUES (1, 1), (2, 2)",
		"INSERT INTO items (id, stall_id) VALUES (1, 1), (2, 1), (3, 2)",
		"INSERT INTO categories (id, parent_id) VALUES (1, NULL), (2, 1), (3, 2), (4, NULL)",
		"INSERT INTO books (org_id, no) VALUES ('o', 1), ('o', 2)",
		"INSERT INTO pages (id, org_id, book_no) VALUES (1, 'o', 1), (2, 'o', 1), (3, 'o', 2)",
		"INSERT INTO accounts (id) VALUES (1)",
		"INSERT INTO entries (id, account_id) VALUES (1, 1)",
	)
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

func ptr[T any](v T) *T { return &v }
