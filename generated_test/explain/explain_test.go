// Package explain_test holds what cachegen explain says against what writes flush.
package explain_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shapes"
	"github.com/cachegen/cachegen/generated_test/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// report is what the tests read of explain's JSON.
type report struct {
	Version  int
	Packages []struct {
		Models []model
	}
}

type model struct {
	Name, Table, All string
	Key              []string
	Columns          []struct {
		Name, Column string
		Flushes      []struct{ Accessor, Effect string }
	}
	Accessors []struct{ Name, List, Entry string }
}

func TestMain(m *testing.M) { fixture.Main(m) }

// explained asks the command for the models of the packages whose code the tests run.
func explained(t *testing.T) map[string]model {
	t.Helper()
	cmd := exec.Command("go", "tool", "cachegen", "explain", "-json", "./shapes", "./shop")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("explain: %v", err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	if r.Version != 1 {
		t.Fatalf("version %d", r.Version)
	}
	models := map[string]model{}
	for _, p := range r.Packages {
		for _, m := range p.Models {
			models[m.Name] = m
		}
	}
	return models
}

// values are what a column is changed to, some of which every term holds for, and some not.
type values map[string][]any

var (
	early = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	late  = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
)

// subjects are models whose columns are changed at random, one at a time.
var subjects = []struct {
	row    any
	values values
}{
	{&shapes.Event{}, values{
		"title": {"a", "A", `it's ; both "ways"`, "x", "y"}, "state": {"new", "NEW", "open", "done"}, "score": {1, 3, 20, 500, 2000},
		"big": {0, 1, int64(9223372036854775807)}, "price": {1.5, 2.5, 100.0}, "active": {true, false}, "muted": {true, false},
		"seen": {true, false}, "at": {early, late, late.Add(time.Hour)}, "parent": {nil, 1, 2, 3}, "weight": {nil, 1, 7, 9},
		"note": {nil, "yes", "YES", "no"}, "done": {nil, true, false},
	}},
	{&shapes.Account{}, values{
		"tenant": {1, 2, 3}, "name": {"a", "b", "c"}, "email": {"x", "y", "z"}, "deleted_at": {nil, early, late},
	}},
	{&shapes.Document{}, values{"title": {"a", "b", "c"}, "changed_at": {early, late}}},
	{&shop.Croupon{}, values{
		"slug": {"a", "b", "c"}, "title": {"a", "b"}, "city": {"Portland", "Eugene"}, "category": {"food", "books"}, "popularity": {1, 2, 3},
		"active": {true, false}, "merchant_id": {nil, 1, 2}, "created_at": {early, late}, "updated_at": {early, late},
	}},
}

// What explain says of a column is what its changes flush: over many rows and values, each accessor
// that it names falls, and no other does.
func TestFlushesAreAsExplained(t *testing.T) {
	models := explained(t)
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		db, _ := open(t, d)
		for _, s := range subjects {
			name := reflect.TypeOf(s.row).Elem().Name()
			t.Run(name, func(t *testing.T) {
				m, ok := models[name]
				if !ok {
					t.Fatal("explain does not know the model")
				}
				fallen := observe(t, db, m, s.row, s.values)
				for _, c := range m.Columns {
					if slices.Contains(m.Key, c.Name) {
						continue
					}
					if _, ok := s.values[c.Column]; !ok {
						t.Errorf("%s: the test has no values for %s, which explain has", c.Name, c.Column)
					}
					var want []string
					for _, f := range c.Flushes {
						want = append(want, f.Accessor)
					}
					slices.Sort(want)
					if got := slices.Sorted(maps.Keys(fallen[c.Column])); !slices.Equal(got, want) {
						t.Errorf("a change of %s flushes %v; explain says %v", c.Column, got, want)
					}
				}
			})
		}
	})
}

// observe changes columns of a model at random and returns which accessors' lists fell, by column.
func observe(t *testing.T, db *gorm.DB, m model, row any, v values) map[string]map[string]bool {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(column string) any { return v[column][random.IntN(len(v[column]))] }
	columns := slices.Sorted(maps.Keys(v))
	fallen := map[string]map[string]bool{}
	for i := range 40 {
		key := keyOf(t, db, row, i+1)
		created := maps.Clone(key)
		for _, c := range columns {
			created[c] = pick(c)
		}
		// A map is what may hold any value; the plugin flushes the table for it.
		if err := db.Unscoped().Model(row).Create(created).Error; err != nil {
			t.Fatal(err)
		}
		for _, c := range columns {
			for range 2 {
				ctx, trace := cacheruntime.WithTrace(context.Background())
				err := db.WithContext(ctx).Session(&gorm.Session{SkipHooks: true}).Unscoped().Model(row).Where(key).Update(c, pick(c)).Error
				if err != nil {
					t.Fatal(err)
				}
				if fallen[c] == nil {
					fallen[c] = map[string]bool{}
				}
				for _, f := range trace.Flushes() {
					for _, list := range f.Lists {
						fallen[c][accessorOf(t, m, list)] = true
					}
				}
			}
		}
		if err := db.Unscoped().Where(key).Delete(row).Error; err != nil { // so that unique values are free again
			t.Fatal(err)
		}
	}
	return fallen
}

// keyOf is a primary key of a model, by column: a number, or a text that is one.
func keyOf(t *testing.T, db *gorm.DB, row any, n int) map[string]any {
	t.Helper()
	st := &gorm.Statement{DB: db}
	if err := st.Parse(row); err != nil {
		t.Fatal(err)
	}
	key := map[string]any{}
	for _, f := range st.Schema.PrimaryFields {
		if key[f.DBName] = n; f.GORMDataType == schema.String {
			key[f.DBName] = fmt.Sprint(n)
		}
	}
	return key
}

const namespace = "explained"

// accessorOf finds the accessor whose list has this name in a trace.
func accessorOf(t *testing.T, m model, list string) string {
	t.Helper()
	for _, a := range m.Accessors {
		if shape(namespace + ":" + a.List).MatchString(list) {
			return a.Name
		}
	}
	if list == namespace+":"+m.All {
		return "the table"
	}
	t.Errorf("no accessor of %s has the list %s", m.Name, list)
	return list
}

// shape makes an expression of a list's or a key's shape: what stands in <> and the values of columns
// may be anything.
func shape(s string) *regexp.Regexp {
	s = regexp.QuoteMeta(s)
	s = regexp.MustCompile(`<[a-z]+>`).ReplaceAllString(s, `[^:]*`)
	if head, _, ok := strings.Cut(s, `\(`); ok {
		return regexp.MustCompile(`^` + head + `\(.*\)$`)
	}
	return regexp.MustCompile(`^` + s[:strings.LastIndexByte(s, ':')] + `:.*$`)
}

// A changed primary key flushes the table, as explain says of the key's columns.
func TestChangedKey(t *testing.T) {
	m := explained(t)["Event"]
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		db, _ := open(t, d)
		if err := db.Create(&shapes.Event{ID: 1, Weight: sql.NullInt32{Int32: 7, Valid: true}}).Error; err != nil {
			t.Fatal(err)
		}
		ctx, trace := cacheruntime.WithTrace(context.Background())
		if err := db.WithContext(ctx).Model(&shapes.Event{}).Where("id = 1").Update("id", 2).Error; err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(trace.Flushes()[0].Lists); got != "["+namespace+":"+m.All+"]" {
			t.Errorf("flushed %s", got)
		}
		for _, c := range m.Columns {
			for _, f := range c.Flushes {
				if (f.Effect == "table") != (c.Name == "ID") {
					t.Errorf("%s: %s", c.Name, f.Effect)
				}
			}
			if c.Name == "ID" && len(c.Flushes) != len(m.Accessors) {
				t.Errorf("the key flushes %d of %d accessors", len(c.Flushes), len(m.Accessors))
			}
		}
	})
}

// The keys in a trace have the shapes that explain gives them.
func TestKeysAreAsExplained(t *testing.T) {
	m := explained(t)["Croupon"]
	db, models := open(t, fixture.SQLite(t)) // which has no say in keys
	if err := db.Create(&shop.Croupon{ID: 1, Slug: "pizza", City: "Portland", Active: true}).Error; err != nil {
		t.Fatal(err)
	}
	ctx, trace := cacheruntime.WithTrace(context.Background())
	r := models.Croupon.Cache
	for _, read := range []func() error{
		func() error { _, err := r.Get(ctx, 1); return err },
		func() error { _, err := r.ListPopularInCity(ctx, "Portland"); return err },
		func() error { _, err := r.CountInCategory(ctx, "Portland", "food"); return err },
		func() error { _, err := r.GetBySlug(ctx, "pizza"); return err },
	} {
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	if len(trace.Reads()) < 4 {
		t.Fatalf("%d reads", len(trace.Reads()))
	}
	for _, read := range trace.Reads() {
		i := slices.IndexFunc(m.Accessors, func(a struct{ Name, List, Entry string }) bool { return "Croupon."+a.Name == read.Accessor })
		if i < 0 || !shape(m.Accessors[i].Entry).MatchString(read.Key) {
			t.Errorf("%s has the key %s, which is of no shape that explain gives", read.Accessor, read.Key)
		}
	}
}

// open opens a database with the models of both packages.
func open(t *testing.T, d fixture.Database) (*gorm.DB, *shop.Models) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db := d.Open(t, nil)
	must(db.AutoMigrate(&shop.Merchant{}, &shop.Croupon{}, &shapes.Thing{}, &shapes.Event{}, &shapes.Document{}, &shapes.Translation{}, &shapes.Account{}, &shapes.Post{}))
	store, err := tiered.Open(tiered.Options{})
	must(err)
	t.Cleanup(func() { must(store.Close()) })
	rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: namespace})
	must(err)
	t.Cleanup(func() { must(rt.Close()) })
	m, err := shop.NewModels(rt)
	must(err)
	_, err = shapes.NewModels(rt)
	must(err)
	must(db.Create(&[]shop.Merchant{{ID: 1}, {ID: 2}}).Error)
	return db, m
}
