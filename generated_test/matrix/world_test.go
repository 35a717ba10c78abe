package matrix

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// databases are those that the matrix is run on. "mysql" is MariaDB as GORM treats MySQL.
var databases = []struct {
	name string
	new  func(testing.TB) fixture.Database
}{
	{"sqlite", fixture.SQLite},
	{"postgres", fixture.Postgres},
	{"mariadb", fixture.MariaDB},
	{"mysql", func(t testing.TB) fixture.Database { return fixture.MariaDB(t).WithoutReturning() }},
}

// The times of what is there before a write, and of the write.
var (
	before = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	during = time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC)
)

// world is a database, and a program that writes it, with a cache or without.
type world struct {
	kind   string
	db     *gorm.DB // the program's
	plain  *gorm.DB // the same database, without a cache
	sql    *fixture.Statements
	spy    *spy
	rt     *cacheruntime.Runtime // nil without a cache
	m      *Models
	tables map[string][]map[string]any // what is there before every write
}

// newWorld makes a database with the seed in it.
func newWorld(t *testing.T, kind string, d fixture.Database, config gorm.Config) *world {
	t.Helper()
	w := &world{kind: kind, sql: &fixture.Statements{}, spy: &spy{}}
	config.DisableForeignKeyConstraintWhenMigrating = true
	quiet := config
	quiet.NowFunc = func() time.Time { return before }
	w.plain = d.Open(t, &quiet)
	must(t, w.plain.AutoMigrate(&Region{}, &Shop{}, &Licence{}, &Article{}, &Tag{}, &ShopTag{}, &Seat{}, &Badge{}, &Note{}, &Unseen{}))
	config.NowFunc = func() time.Time { return during }
	config.Logger = w.sql
	w.db = d.Open(t, &config)
	w.seed(t)
	w.tables = w.dump(t)
	return w
}

// cached gives the program a cache.
func (w *world) cached(t *testing.T, o cacheruntime.Options) *world {
	t.Helper()
	store, err := tiered.Open(tiered.Options{FirstTierMB: 8})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	o.Namespace, o.Observer = "t", w.spy
	w.rt, err = cacheruntime.New(w.db, store, o)
	must(t, err)
	t.Cleanup(func() { must(t, w.rt.Close()) })
	w.m, err = NewModels(w.rt)
	must(t, err)
	return w
}

func id(n uint64) *uint64 { return &n }

// seed makes the rows that are there before every write.
func (w *world) seed(t *testing.T) {
	t.Helper()
	for _, rows := range []any{
		&[]Region{{Name: "north"}, {Name: "south"}},
		&[]Shop{{Name: "anna", City: "bend", RegionID: id(1)}, {Name: "bert", City: "bend", RegionID: id(1)}, {Name: "cleo", City: "salem"}},
		&[]Licence{{ShopID: id(1), Number: "one"}, {ShopID: id(2), Number: "two"}},
		&[]Article{
			{Code: "a", Kind: "food", Active: true, Price: 3, ShopID: id(1)},
			{Code: "b", Kind: "food", Price: 2, ShopID: id(1)},
			{Code: "c", Kind: "tools", Active: true, Price: 1, ShopID: id(2)},
			{Code: "d", Kind: "tools", Active: true, Price: 5, DeletedAt: gorm.DeletedAt{Time: before, Valid: true}},
		},
		&[]Tag{{Name: "new"}, {Name: "rare"}, {Name: "cheap"}},
		&[]ShopTag{{ShopID: 1, TagID: 1}, {ShopID: 1, TagID: 2}, {ShopID: 2, TagID: 1}},
		&[]Seat{{Place: Place{"east", 1}, Looks: Looks{"red", "oak"}}, {Place: Place{"east", 2}, Looks: Looks{"red", "oak"}},
			{Place: Place{"west", 1}, Looks: Looks{"blue", "oak"}}},
		&[]Badge{{Code: "a", Number: 1, City: "bend"}, {Code: "b", Number: 2, City: "salem"}},
		&[]Note{{Text: "one"}, {Text: "two"}},
		&[]Unseen{{Text: "one"}, {Text: "two"}},
	} {
		must(t, w.plain.Create(rows).Error)
	}
}

// orders are the tables, and what their rows are ordered by.
var orders = map[string]string{
	"regions": "id", "shops": "id", "licences": "id", "articles": "id", "tags": "id", "shop_tags": "shop_id, tag_id", "seats": "hall, no", "badges": "code",
	"notes": "id", "unseens": "id",
}

// dump reads all rows of all tables, past the cache.
func (w *world) dump(t *testing.T) map[string][]map[string]any {
	t.Helper()
	tables := map[string][]map[string]any{}
	for table, order := range orders {
		var rows []map[string]any
		must(t, w.plain.Table(table).Order(order).Find(&rows).Error)
		tables[table] = rows
	}
	return tables
}

// reset puts the seed back into tables, the next keys of the database included, and has the cache forget them.
func (w *world) reset(t *testing.T, tables []string) {
	t.Helper()
	if len(tables) == 0 {
		return
	}
	for _, table := range tables {
		must(t, w.plain.Exec("DELETE FROM "+table).Error)
		if table == "shop_tags" || table == "seats" || table == "badges" {
			continue // whose keys are given
		}
		switch w.kind {
		case "sqlite":
			must(t, w.plain.Exec("DELETE FROM sqlite_sequence WHERE name = ?", table).Error)
		case "postgres":
			must(t, w.plain.Exec("SELECT setval(pg_get_serial_sequence(?, 'id'), 1, false)", table).Error)
		default:
			must(t, w.plain.Exec("ALTER TABLE "+table+" AUTO_INCREMENT = 1").Error)
		}
	}
	for _, table := range tables {
		var rows []map[string]any
		for _, row := range w.tables[table] {
			row = maps.Clone(row)
			delete(row, "id") // the database counts it up again
			rows = append(rows, row)
		}
		must(t, w.plain.Table(table).Create(rows).Error)
		if w.rt != nil && table != "unseens" {
			must(t, w.rt.FlushTable(context.Background(), table))
		}
	}
}

// spy is an Observer that keeps what falls.
type spy struct {
	mu      sync.Mutex
	lists   []string
	reasons []string
	faults  []error
}

func (s *spy) ObserveFlush(_ context.Context, e cacheruntime.FlushEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range e.Lists {
		s.lists = append(s.lists, strings.TrimPrefix(l, "t:"))
	}
	if e.Reason != "" {
		s.reasons = append(s.reasons, e.Reason)
	}
}

func (s *spy) ObserveEvent(e flushlist.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Kind == flushlist.Fault {
		s.faults = append(s.faults, e.Err)
	}
}

// take returns what fell and why, and what was reported, since the last take.
func (s *spy) take() (lists []string, reason string, faults []error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lists, reason, faults = s.lists, strings.Join(slices.Compact(s.reasons), ", "), s.faults
	s.lists, s.reasons, s.faults = nil, nil, nil
	slices.Sort(lists)
	return slices.Compact(lists), reason, faults
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read is one read of a model, through a Cache or an Objects.
type read struct {
	what           string
	cache, objects func(ctx context.Context) (any, error)
}

// reads are reads of all that the seed's rows, and what is made of them, are on.
func (w *world) reads() (all []read) {
	add := func(what string, cache, objects func(ctx context.Context) (any, error)) {
		all = append(all, read{what, cache, objects})
	}
	m := w.m
	ids := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 70, 71}
	add("regions", func(ctx context.Context) (any, error) { return m.Region.Cache.GetMany(ctx, ids...) },
		func(ctx context.Context) (any, error) { return m.Region.Objects.GetMany(ctx, ids...) })
	add("shops", func(ctx context.Context) (any, error) { return m.Shop.Cache.GetMany(ctx, ids...) },
		func(ctx context.Context) (any, error) { return m.Shop.Objects.GetMany(ctx, ids...) })
	add("licences", func(ctx context.Context) (any, error) { return m.Licence.Cache.GetMany(ctx, ids...) },
		func(ctx context.Context) (any, error) { return m.Licence.Objects.GetMany(ctx, ids...) })
	add("articles", func(ctx context.Context) (any, error) { return m.Article.Cache.GetMany(ctx, ids...) },
		func(ctx context.Context) (any, error) { return m.Article.Objects.GetMany(ctx, ids...) })
	add("tags", func(ctx context.Context) (any, error) { return m.Tag.Cache.GetMany(ctx, ids...) },
		func(ctx context.Context) (any, error) { return m.Tag.Objects.GetMany(ctx, ids...) })
	add("notes", func(ctx context.Context) (any, error) { return m.Note.Cache.GetMany(ctx, ids...) },
		func(ctx context.Context) (any, error) { return m.Note.Objects.GetMany(ctx, ids...) })
	for _, name := range []string{"anna", "bert", "dora", "new", "north", "a", "b", "c", "d", "e", "f"} {
		both(add, "Shop.GetByName "+name, name, m.Shop.Cache.GetByName, m.Shop.Objects.GetByName)
		both(add, "Article.GetByCode "+name, name, m.Article.Cache.GetByCode, m.Article.Objects.GetByCode)
		both(add, "Tag.GetByName "+name, name, m.Tag.Cache.GetByName, m.Tag.Objects.GetByName)
	}
	for _, city := range []string{"bend", "salem", "reno"} {
		both(add, "Shop.ListByCity "+city, city, m.Shop.Cache.ListByCity, m.Shop.Objects.ListByCity)
		both(add, "Shop.CountByCity "+city, city, m.Shop.Cache.CountByCity, m.Shop.Objects.CountByCity)
	}
	for _, kind := range []string{"food", "tools", "books"} {
		both(add, "Article.ListByKind "+kind, kind, m.Article.Cache.ListByKind, m.Article.Objects.ListByKind)
		both(add, "Article.CountByKind "+kind, kind, m.Article.Cache.CountByKind, m.Article.Objects.CountByKind)
		both(add, "Article.ListSale "+kind, kind, m.Article.Cache.ListSale, m.Article.Objects.ListSale)
		both(add, "Article.OneDearest "+kind, kind, m.Article.Cache.OneDearest, m.Article.Objects.OneDearest)
	}
	both(add, "Article.CountByGrade", "plain", m.Article.Cache.CountByGrade, m.Article.Objects.CountByGrade)
	for _, n := range []*uint64{nil, id(1), id(2), id(3), id(4)} {
		name := fmt.Sprint(n != nil)
		if n != nil {
			name = fmt.Sprint(*n)
			both(add, "ShopTag.ListByShopID "+name, *n, m.ShopTag.Cache.ListByShopID, m.ShopTag.Objects.ListByShopID)
			both(add, "ShopTag.ListByTagID "+name, *n, m.ShopTag.Cache.ListByTagID, m.ShopTag.Objects.ListByTagID)
		}
		both(add, "Article.ListByShopID "+name, n, m.Article.Cache.ListByShopID, m.Article.Objects.ListByShopID)
		both(add, "Licence.ListByShopID "+name, n, m.Licence.Cache.ListByShopID, m.Licence.Objects.ListByShopID)
		both(add, "Shop.ListByRegionID "+name, n, m.Shop.Cache.ListByRegionID, m.Shop.Objects.ListByRegionID)
	}
	for _, city := range []string{"bend", "salem", "reno"} {
		both(add, "Badge.ListByCity "+city, city, m.Badge.Cache.ListByCity, m.Badge.Objects.ListByCity)
	}
	for _, code := range []string{"a", "b", "c", "d"} {
		both(add, "Badge.Get "+code, code, m.Badge.Cache.Get, m.Badge.Objects.Get)
	}
	for _, colour := range []string{"red", "blue", "green"} {
		both(add, "Seat.ListByColour "+colour, colour, m.Seat.Cache.ListByColour, m.Seat.Objects.ListByColour)
	}
	return all
}

// both adds a read with one argument.
func both[A, R any](add func(string, func(context.Context) (any, error), func(context.Context) (any, error)), what string, arg A,
	cache, objects func(context.Context, A) (R, error)) {
	of := func(f func(context.Context, A) (R, error)) func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) {
			r, err := f(ctx, arg)
			if errors.Is(err, gorm.ErrRecordNotFound) {
				return nil, nil
			}
			return r, err
		}
	}
	add(what, of(cache), of(objects))
}
