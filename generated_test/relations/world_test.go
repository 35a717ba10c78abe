package relations_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/relations"
	"github.com/cachegen/cachegen/generated_test/relations/people"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// world is one program with a few rows of every model.
type world struct {
	testing.TB
	db  *gorm.DB
	rt  *cacheruntime.Runtime
	m   *relations.Models
	p   *people.Models
	sql *fixture.Statements
	ctx context.Context
}

// worlds runs a test on every database, with the embedded store and with a real memcached.
func worlds(t *testing.T, o cacheruntime.Options, test func(t *testing.T, w *world)) {
	t.Helper()
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		t.Run("embedded", func(t *testing.T) { test(t, open(t, d, o)) })
		t.Run("memcached", func(t *testing.T) {
			d := again(t, d)
			test(t, open(t, d, o, testserver.Memcached(t).Addr()))
		})
	})
}

// again makes another database of the same kind.
func again(t testing.TB, d fixture.Database) fixture.Database {
	switch d.Name {
	case "postgres":
		return fixture.Postgres(t)
	case "mysql":
		return fixture.MariaDB(t)
	}
	return fixture.SQLite(t)
}

func open(t testing.TB, d fixture.Database, o cacheruntime.Options, servers ...string) *world {
	t.Helper()
	return openWith(t, d, o, tiered.Options{Servers: servers})
}

func openWith(t testing.TB, d fixture.Database, o cacheruntime.Options, st tiered.Options) *world {
	t.Helper()
	return openOver(t, d, o, st, func(s *tiered.Store) cacheruntime.Store { return s })
}

// openOver opens the world over what is made of its store.
func openOver(t testing.TB, d fixture.Database, o cacheruntime.Options, st tiered.Options, over func(*tiered.Store) cacheruntime.Store) *world {
	t.Helper()
	w := &world{TB: t, sql: &fixture.Statements{}, ctx: t.Context()}
	w.db = d.Open(t, &gorm.Config{Logger: w.sql, DisableForeignKeyConstraintWhenMigrating: true})
	w.must(w.db.SetupJoinTable(&relations.Tag{}, "Places", &relations.TagPlace{}))
	w.must(w.db.SetupJoinTable(&relations.Croupon{}, "Places", &relations.CrouponPlace{}))
	w.must(w.db.AutoMigrate(&people.Country{}, &people.Person{}, &relations.Merchant{}, &relations.Croupon{}, &relations.Review{}, &relations.Profile{}, &relations.Photo{}, &relations.Tag{}, &relations.Place{}))
	w.must(w.db.Migrator().AddColumn(&relations.CrouponPlace{}, "DeletedAt")) // of which the migration of places knows nothing
	st.Timeout = 30 * time.Second
	store, err := tiered.Open(st)
	w.must(err)
	t.Cleanup(func() { w.must(store.Close()) })
	o.Namespace = "relations"
	w.rt, err = cacheruntime.New(w.db, over(store), o)
	w.must(err)
	t.Cleanup(func() { w.must(w.rt.Close()) })
	w.m, err = relations.NewModels(w.rt)
	w.must(err)
	w.p, err = people.NewModels(w.rt)
	w.must(err)
	w.fill()
	return w
}

// fill makes the rows: merchants 1 to 3, of which the last has nothing; croupons 1 to 6; people 1 to 4.
func (w *world) fill() {
	for _, row := range []any{
		&people.Country{ID: 1, Code: "no", Name: "Norway"}, &people.Country{ID: 2, Code: "se", Name: "Sweden"},
		&people.Person{ID: 1, Name: "Ada", CountryCode: "se", EmployerID: 1}, &people.Person{ID: 2, Name: "Bo", BossID: ptr(1), CountryCode: "no", EmployerID: 1},
		&people.Person{ID: 3, Name: "Cy", BossID: ptr(1), EmployerID: 2}, &people.Person{ID: 4, Name: "Di", BossID: ptr(2), CountryCode: "xx"},
		&relations.Merchant{ID: 1, Name: "one", OwnerID: sql.NullInt64{Int64: 1, Valid: true}},
		&relations.Merchant{ID: 2, Name: "two", OwnerID: sql.NullInt64{Int64: 99, Valid: true}}, &relations.Merchant{ID: 3, Name: "three"},
		&relations.Profile{ID: 1, MerchantID: 1, About: "a"}, &relations.Profile{ID: 2, MerchantID: 2, About: "b"}, &relations.Profile{ID: 3, MerchantID: 2, About: "c"},
		&relations.Photo{ID: 1, OwnerID: 1, OwnerType: "merchants", URL: "m1"}, &relations.Photo{ID: 2, OwnerID: 1, OwnerType: "c", URL: "z"},
		&relations.Photo{ID: 3, OwnerID: 1, OwnerType: "c", URL: "a"}, &relations.Photo{ID: 4, OwnerID: 2, OwnerType: "c", URL: "q"}, &relations.Photo{ID: 5, OwnerType: "c"},
	} {
		w.must(w.db.Create(row).Error)
	}
	for i := range uint64(6) {
		c := relations.Croupon{ID: i + 1, Slug: fmt.Sprint("c", i+1), City: []string{"Bend", "Salem"}[i%2]}
		switch {
		case i < 3:
			c.MerchantID = ptr(1)
		case i == 3:
			c.MerchantID = ptr(2)
		case i == 4:
			c.MerchantID = ptr(77)
		}
		w.must(w.db.Create(&c).Error)
	}
	// Croupon 1 has no more reviews than its list may have, croupon 2 has more, croupon 3 has one deleted.
	for i, r := range []relations.Review{
		{CrouponID: 1, Stars: 3, AuthorID: 1}, {CrouponID: 1, Stars: 5, AuthorID: 2}, {CrouponID: 1, Stars: 5, AuthorID: 1},
		{CrouponID: 2, Stars: 1, AuthorID: 3}, {CrouponID: 2, Stars: 2, AuthorID: 3}, {CrouponID: 2, Stars: 3}, {CrouponID: 2, Stars: 4, AuthorID: 88},
		{CrouponID: 3, Stars: 1, AuthorID: 4}, {CrouponID: 4, Stars: 2, AuthorID: 4}, {Stars: 2},
	} {
		r.ID = uint64(i + 1)
		w.must(w.db.Create(&r).Error)
	}
	w.must(w.db.Delete(&relations.Review{ID: 8}).Error)
	for _, c := range []string{"a", "b", "c"} {
		w.must(w.db.Create(&relations.Place{Code: c, Name: "place " + c}).Error)
	}
	for i := range 4 {
		w.must(w.db.Create(&relations.Tag{ID: i + 1, Name: fmt.Sprint("tag", i+1), Weight: i % 2}).Error)
	}
	for _, p := range []relations.TagPlace{
		{TagID: 1, PlaceCode: "b"}, {TagID: 1, PlaceCode: "a"}, {TagID: 2, PlaceCode: "a"}, {TagID: 2, PlaceCode: "c"},
		{TagID: 3, PlaceCode: "a"}, {TagID: 3, PlaceCode: "b"}, {TagID: 3, PlaceCode: "c"}, {TagID: 2, PlaceCode: "gone"},
	} {
		w.must(w.db.Create(&p).Error)
	}
	for _, join := range []string{"croupon_tags (croupon_id, tag_id) VALUES (1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (3, 77)",
		"likenesses (croupon_id, similar_id) VALUES (1, 2), (1, 1), (2, 1), (3, 1)",
		"partners (merchant_id, country_id) VALUES (1, 2), (1, 1), (2, 2)",
		"croupon_countries (croupon_slug, country_code) VALUES ('c1', 'se'), ('c1', 'no'), ('c2', 'se'), ('c2', 'xx'), ('c3', '')",
		"croupon_places (croupon_id, place_code) VALUES (1, 'b'), (1, 'a'), (2, 'a'), (3, 'b')"} {
		w.must(w.db.Exec("INSERT INTO " + join).Error)
	}
	w.must(w.db.Delete(&relations.CrouponPlace{CrouponID: 2, PlaceCode: "a"}).Error)
}

func ptr(n uint64) *uint64 { return &n }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// same fails the test unless what was read is what GORM's Preload reads.
func (w *world) same(what string, got, want any) {
	w.Helper()
	if !reflect.DeepEqual(got, want) {
		w.Errorf("%s\n got %s\nwant %s", what, show(got), show(want))
	}
}

// statements fails the test unless f makes n statements and succeeds.
func (w *world) statements(what string, n int, f func() error) {
	w.Helper()
	var err error
	got := w.sql.Of(func() { err = f() })
	if err != nil {
		w.Errorf("%s: %v", what, err)
	}
	if len(got) != n {
		w.Errorf("%s: %d statements, want %d: %q", what, len(got), n, got)
	}
}

// show writes rows with what hangs on them.
func show(v any) string {
	var b []byte
	var write func(v reflect.Value)
	write = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if v.IsNil() {
				b = append(b, "nil"...)
				return
			}
			b = append(b, '&')
			write(v.Elem())
		case reflect.Slice:
			if v.IsNil() {
				b = append(b, "nil"...)
				return
			}
			b = append(b, '[')
			for i := range v.Len() {
				write(v.Index(i))
				b = append(b, ' ')
			}
			b = append(b, ']')
		case reflect.Struct:
			b = append(b, '{')
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
					b = append(b, (f.Name + ":")...)
					write(v.Field(i))
					b = append(b, ' ')
				}
			}
			b = append(b, '}')
		default:
			b = fmt.Append(b, v.Interface())
		}
	}
	write(reflect.ValueOf(v))
	return string(b)
}

// preloaded reads rows by primary key with GORM's Preload, in the order of ids.
func preloaded[T any](w *world, db *gorm.DB, id func(*T) uint64, ids ...uint64) []*T {
	w.Helper()
	var rows []*T
	w.must(db.Find(&rows, ids).Error)
	slices.SortStableFunc(rows, func(a, b *T) int { return slices.Index(ids, id(a)) - slices.Index(ids, id(b)) })
	return rows
}

func crouponID(c *relations.Croupon) uint64   { return c.ID }
func merchantID(m *relations.Merchant) uint64 { return m.ID }
func tagID(t *relations.Tag) uint64           { return uint64(t.ID) }
func personID(p *people.Person) uint64        { return p.ID }

// order is an order for Preload.
func order(by string) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB { return db.Order(by) }
}

var errUndone = errors.New("undone")
