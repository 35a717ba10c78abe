package seams_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/seams"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// program is one program on the database.
type program struct {
	t  testing.TB
	db *gorm.DB
	rt *cacheruntime.Runtime
	m  *seams.Models
}

// start opens a program; the first on a database makes its tables.
func start(t testing.TB, d fixture.Database, servers []string, config gorm.Config, o cacheruntime.Options) *program {
	t.Helper()
	return launch(t, d, servers, config, o, func(*gorm.DB) {})
}

// launch is start for a program that sets something up between New and NewModels.
func launch(t testing.TB, d fixture.Database, servers []string, config gorm.Config, o cacheruntime.Options, setUp func(*gorm.DB)) *program {
	t.Helper()
	p := &program{t: t, db: d.Open(t, &config)}
	p.makeTables()
	store, err := tiered.Open(tiered.Options{Servers: servers, Timeout: 30 * time.Second})
	p.must(err)
	t.Cleanup(func() { p.must(store.Close()) })
	o.Namespace = "seams"
	p.rt, err = cacheruntime.New(p.db, store, o)
	p.must(err)
	t.Cleanup(func() { p.must(p.rt.Close()) })
	setUp(p.db)
	p.m, err = seams.NewModels(p.rt)
	p.must(err)
	return p
}

// makeTables makes the tables that are not there yet.
func (p *program) makeTables() {
	p.t.Helper()
	p.must(p.db.SetupJoinTable(&seams.Croupon{}, "Places", &seams.CrouponPlace{}))
	p.must(p.db.SetupJoinTable(&seams.Place{}, "Croupons", &seams.CrouponPlace{}))
	p.must(p.db.AutoMigrate(&seams.Town{}, &seams.Merchant{}, &seams.Tag{}, &seams.Place{}, &seams.Croupon{}, &seams.CrouponPlace{}, &seams.Label{}))
	p.must(p.db.Exec("CREATE TABLE IF NOT EXISTS brands (id bigint PRIMARY KEY, name varchar(40), slug varchar(40) GENERATED ALWAYS AS (lower(name)) STORED UNIQUE)").Error)
	p.must(p.db.Exec("CREATE TABLE IF NOT EXISTS stickers (id bigint PRIMARY KEY, brand_slug varchar(40), FOREIGN KEY (brand_slug) REFERENCES brands (slug) ON UPDATE CASCADE)").Error)
	p.must(p.db.Exec("CREATE TABLE IF NOT EXISTS cellars (id bigint PRIMARY KEY, name varchar(40))").Error)
	p.must(p.db.Exec("CREATE TABLE IF NOT EXISTS bottles (id bigint PRIMARY KEY, cellar_id bigint, FOREIGN KEY (cellar_id) REFERENCES cellars (id) ON DELETE CASCADE)").Error)
}

func (p *program) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// enforcing is a database that enforces foreign keys, which SQLite is told to.
func enforcing(d fixture.Database) fixture.Database {
	if d.Name == "sqlite" {
		return d.With("_pragma=foreign_keys(1)")
	}
	return d
}

// fill makes the rows anew, by the program's own writes.
func (p *program) fill() { p.t.Helper(); p.fillBy(p.db) }

func (p *program) fillBy(db *gorm.DB) {
	p.t.Helper()
	for _, table := range []string{"labels", "croupon_places", "croupon_tags", "twins", "croupons", "places", "tags", "merchants", "towns"} {
		p.must(db.Exec("DELETE FROM " + named(db, table)).Error)
	}
	for _, row := range []any{
		&[]seams.Town{{ID: 1, Name: "x"}, {ID: 2, Name: "y"}},
		&[]seams.Merchant{{ID: 1, Code: "a", TownID: to(uint64(1))}, {ID: 2, Code: "b", TownID: to(uint64(1))}, {ID: 3, Code: "c"}},
		&[]seams.Croupon{{ID: 1, Title: "p", MerchantID: 1}, {ID: 2, Title: "q", MerchantID: 1}, {ID: 3, Title: "p", MerchantID: 2}},
		&[]seams.Tag{{Name: "g", Weight: 1}, {Name: "h", Weight: 2}},
		&[]seams.Place{{ID: 1, Name: "u"}, {ID: 2, Name: "v"}},
		&[]seams.CrouponPlace{{CrouponID: 1, PlaceID: 1}, {CrouponID: 2, PlaceID: 1}, {CrouponID: 3, PlaceID: 2}},
		&[]seams.Label{{ID: 1, MerchantCode: to("a")}, {ID: 2, MerchantCode: to("b")}, {ID: 3}},
	} {
		p.must(db.Create(row).Error)
	}
	p.must(db.Exec("INSERT INTO " + named(db, "croupon_tags") + " (croupon_id, tag_name) VALUES (1, 'g'), (1, 'h'), (2, 'g'), (3, 'h')").Error)
	p.must(db.Exec("INSERT INTO " + named(db, "twins") + " (merchant_id, twin_id) VALUES (1, 2), (2, 1), (1, 3)").Error)
}

func to[T any](v T) *T { return &v }

// look is one way to read.
type look struct {
	name string
	read func(ctx context.Context) (any, error)
}

// looks are all ways to read what a program has, from its cache or from the database.
func (p *program) looks(cached bool) []look { return p.looksBy(p.m, cached) }

func (p *program) looksBy(m *seams.Models, cached bool) (looks []look) {
	var (
		towns     seams.TownReader         = m.Town.Objects
		merchants seams.MerchantReader     = m.Merchant.Objects
		croupons  seams.CrouponReader      = m.Croupon.Objects
		tags      seams.TagReader          = m.Tag.Objects
		places    seams.PlaceReader        = m.Place.Objects
		labels    seams.LabelReader        = m.Label.Objects
		joins     seams.CrouponPlaceReader = m.CrouponPlace.Objects
	)
	if cached {
		towns, merchants, croupons, tags, places, labels, joins = m.Town.Cache, m.Merchant.Cache, m.Croupon.Cache, m.Tag.Cache, m.Place.Cache, m.Label.Cache, m.CrouponPlace.Cache
	}
	add := func(name string, read func(ctx context.Context) (any, error)) {
		looks = append(looks, look{name, read})
	}
	for id := uint64(1); id <= 5; id++ {
		add(fmt.Sprint("town ", id), func(ctx context.Context) (any, error) { return towns.Get(ctx, id) })
		add(fmt.Sprint("merchant ", id), func(ctx context.Context) (any, error) { return merchants.Get(ctx, id) })
		add(fmt.Sprint("croupon ", id), func(ctx context.Context) (any, error) { return croupons.Get(ctx, id) })
		add(fmt.Sprint("label ", id), func(ctx context.Context) (any, error) { return labels.Get(ctx, id) })
		add(fmt.Sprint("merchants of town ", id), func(ctx context.Context) (any, error) { return merchants.ListByTownID(ctx, &id) })
		add(fmt.Sprint("merchants counted of town ", id), func(ctx context.Context) (any, error) { return merchants.CountByTownID(ctx, &id) })
		add(fmt.Sprint("croupons of merchant ", id), func(ctx context.Context) (any, error) {
			return croupons.WithTags().WithPlaces().ListByMerchantID(ctx, id)
		})
		add(fmt.Sprint("croupons counted of merchant ", id), func(ctx context.Context) (any, error) { return croupons.CountByMerchantID(ctx, id) })
		add(fmt.Sprint("places of croupon ", id), func(ctx context.Context) (any, error) { return joins.ListByCrouponID(ctx, id) })
		add(fmt.Sprint("merchant with all ", id), func(ctx context.Context) (any, error) {
			return merchants.WithTown().WithLabels().WithTwins(seams.MerchantWithLabels()).WithCroupons(seams.CrouponWithTags(), seams.CrouponWithPlaces(seams.PlaceWithCroupons())).Get(ctx, id)
		})
		add(fmt.Sprint("place ", id), func(ctx context.Context) (any, error) { return places.WithCroupons().Get(ctx, id) })
	}
	for _, s := range []string{"a", "b", "c", "d", "g", "h", "p", "q"} {
		add("merchant by code "+s, func(ctx context.Context) (any, error) { return merchants.WithLabels().GetByCode(ctx, s) })
		add("labels of "+s, func(ctx context.Context) (any, error) { return labels.WithMerchant().ListByMerchantCode(ctx, &s) })
		add("tag "+s, func(ctx context.Context) (any, error) {
			return tags.WithCroupons(seams.CrouponWithMerchant()).Get(ctx, s)
		})
		add("titled "+s, func(ctx context.Context) (any, error) { return croupons.ListTitled(ctx, s) })
	}
	add("all towns", func(ctx context.Context) (any, error) {
		return towns.WithMerchants(seams.MerchantWithCroupons()).GetMany(ctx, 1, 2, 3, 4, 5)
	})
	add("query: labels", func(ctx context.Context) (any, error) {
		return labels.Query(ctx, func(q *gorm.DB) *gorm.DB { return q.Joins("Merchant").Order("labels.id") })
	})
	add("query: croupons", func(ctx context.Context) (any, error) {
		return croupons.WithTags().Query(ctx, func(q *gorm.DB) *gorm.DB {
			return q.Preload("Merchant.Town").Where("merchant_id IN (?)", p.db.Model(&seams.Merchant{}).Select("id").Where("town_id IS NOT NULL")).Order("id")
		})
	})
	add("query: joins", func(ctx context.Context) (any, error) {
		return joins.QueryCount(ctx, func(q *gorm.DB) *gorm.DB {
			return q.Joins("JOIN croupons c ON c.id = croupon_places.croupon_id AND c.deleted_at IS NULL")
		})
	})
	add("query: tags", func(ctx context.Context) (any, error) {
		return tags.Query(ctx, func(q *gorm.DB) *gorm.DB { return q.Order("name") })
	})
	return looks
}

// seen is what a read has brought, as text.
func (l look) seen(t testing.TB, ctx context.Context) string {
	t.Helper()
	v, err := l.read(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "none"
	}
	if err != nil {
		t.Fatalf("%s: %v", l.name, err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
