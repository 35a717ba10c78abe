package shapes

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
)

var ctx = context.Background()

func TestMain(m *testing.M) { fixture.Main(m) }

// everywhere runs a test on each database, with an embedded store and the models.
func everywhere(t *testing.T, test func(t *testing.T, db *gorm.DB, m *Models)) {
	t.Helper()
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		db, m := open(t, d)
		test(t, db, m)
	})
}

// open opens a database, an embedded store and the models.
func open(t *testing.T, d fixture.Database) (*gorm.DB, *Models) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db := d.Open(t, &gorm.Config{NowFunc: func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }})
	must(db.AutoMigrate(&Thing{}, &Event{}, &Document{}, &Translation{}, &Account{}, &Post{}))
	store, err := tiered.Open(tiered.Options{})
	must(err)
	t.Cleanup(func() { must(store.Close()) })
	rt, err := cacheruntime.New(db, store, cacheruntime.Options{Namespace: "shapes"})
	must(err)
	t.Cleanup(func() { must(rt.Close()) })
	m, err := NewModels(rt)
	must(err)
	return db, m
}

func ptr[T any](v T) *T { return &v }

// full has a value in every column.
func full() *Thing {
	at := time.Date(2024, 2, 29, 12, 30, 0, 123456000, time.FixedZone("", 2*3600))
	return &Thing{
		I: -1, I8: -128, I16: -32768, I32: -1 << 31, I64: -1 << 63, U: 1, U8: 255, U16: 65535, U32: 1<<32 - 1, U64: 1<<63 - 1,
		B: 7, R: 'ü', F32: 1.5, F64: -2.25e-300, On: true, S: "süß \x00", Raw: []byte{0, 1, 0xff}, At: at, J: json.RawMessage(`{"a":1}`),
		PI: ptr(-5), PU: ptr(uint8(0)), PF: ptr(0.5), POn: ptr(false), PS: ptr(""), PRaw: ptr([]byte("x")), PAt: ptr(at.UTC()),
		Level: -3, Flags: 9, Ratio: 0.25, Color: "red", Blob: Blob("blob"), Alias: "alias", PLevel: ptr(Level(2)), PColor: ptr(Color("blue")),
		NullText: sql.NullString{String: "t", Valid: true}, Null64: sql.NullInt64{Int64: 64, Valid: true}, Null32: sql.NullInt32{Int32: 32, Valid: true},
		Null16: sql.NullInt16{Int16: 16, Valid: true}, NullByte: sql.NullByte{Byte: 8, Valid: true}, NullFloat: sql.NullFloat64{Float64: 6.4, Valid: true},
		NullBool: sql.NullBool{Bool: true, Valid: true}, NullAt: sql.NullTime{Time: at, Valid: true}, NullColor: sql.Null[Color]{V: "c", Valid: true},
		NullStamp: sql.Null[time.Time]{V: at, Valid: true}, NullRaw: sql.Null[[]byte]{V: []byte("raw"), Valid: true},
		Where: Place{Zip: "97201", City: ptr("Portland")}, Home: Place{Zip: "97401"},
	}
}

// behaviour 14, of the types that are supported so far
func TestEveryType(t *testing.T) {
	everywhere(t, func(t *testing.T, db *gorm.DB, m *Models) {
		all, empty := full(), &Thing{}
		if db.Name() == "postgres" {
			all.S = "süß" // whose text has no zero bytes
		}
		for _, row := range []*Thing{all, empty} {
			if err := db.Create(row).Error; err != nil {
				t.Fatal(err)
			}
			var want Thing
			if err := db.First(&want, row.ID).Error; err != nil {
				t.Fatal(err)
			}
			for _, what := range []string{"miss", "hit"} {
				got, err := m.Thing.Cache.Get(ctx, row.ID)
				if err != nil {
					t.Fatal(err)
				}
				fixture.Same(t, what, got, &want)
			}
		}

		row, err := m.Thing.Objects.GetByS(ctx, all.S)
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range []string{"miss", "hit"} {
			args := func(l interface {
				ListMixed(context.Context, *Level, *Color, string, *string, time.Time, *time.Time, *time.Time, []byte) ([]*Thing, error)
			}) []*Thing {
				rows, err := l.ListMixed(ctx, row.PLevel, ptr(row.NullColor.V), row.Where.Zip, row.Home.City, row.At, row.PAt, ptr(row.NullAt.Time), row.Raw)
				if err != nil {
					t.Fatal(err)
				}
				return rows
			}
			cached, direct := args(m.Thing.Cache), args(m.Thing.Objects)
			if len(cached) != 1 || len(direct) != 1 {
				t.Fatalf("%s: %d rows from the cache, %d from the database", what, len(cached), len(direct))
			}
			fixture.Same(t, what, cached[0], direct[0])
			byNull, err := m.Thing.Cache.GetByNullText(ctx, ptr("t"))
			if err != nil {
				t.Fatal(err)
			}
			fixture.Same(t, what, byNull, row)
			many, err := m.Thing.Cache.GetManyByColor(ctx, "red", "none", "", "red")
			if err != nil || len(many) != 3 {
				t.Fatalf("%s: %d rows, %v", what, len(many), err)
			}
		}
	})
}

// A composite key reads, maps and flushes as one.
func TestCompositeKey(t *testing.T) {
	everywhere(t, func(t *testing.T, db *gorm.DB, m *Models) {
		for i := range 4 {
			d := &Document{OrgID: fmt.Sprint("org", i%2), No: int64(i), Title: fmt.Sprint("t", i), ChangedAt: time.Unix(int64(i), 0).UTC()}
			if err := db.Create(d).Error; err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			byKey, err := m.Document.Cache.GetMap(ctx, DocumentKey{"org0", 2}, DocumentKey{"org1", 3}, DocumentKey{"org0", 3})
			if err != nil || len(byKey) != 2 || byKey[DocumentKey{"org1", 3}].Title != "t3" {
				t.Fatalf("GetMap: %v, %v", byKey, err)
			}
			recent, err := m.Document.Cache.ListRecent(ctx, "org0")
			if err != nil || len(recent) != 2 || recent[0].No != 2 {
				t.Fatalf("ListRecent: %v, %v", recent, err)
			}
		}
		if err := db.Model(&Document{OrgID: "org0", No: 2}).Update("title", "new").Error; err != nil {
			t.Fatal(err)
		}
		if d, err := m.Document.Cache.Get(ctx, "org0", 2); err != nil || d.Title != "new" {
			t.Errorf("after the save: %v, %v", d, err)
		}
		if d, err := m.Document.Cache.GetByTitle(ctx, "org0", "new"); err != nil || d.No != 2 {
			t.Errorf("by the new title: %v, %v", d, err)
		}
		if _, err := m.Document.Cache.GetByTitle(ctx, "org0", "t2"); !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Errorf("by the old title: %v", err)
		}
	})
}

// More composite keys than a statement takes, or an SQL expression may be deep.
func TestManyCompositeKeys(t *testing.T) {
	everywhere(t, func(t *testing.T, db *gorm.DB, m *Models) {
		var all []*Document
		var keys []DocumentKey
		for i := range 2500 {
			all = append(all, &Document{OrgID: fmt.Sprint("org", i%7), No: int64(i), Title: fmt.Sprint("t", i)})
			keys = append(keys, DocumentKey{all[i].OrgID, all[i].No})
		}
		if err := db.CreateInBatches(all, 500).Error; err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := m.Document.Cache.GetMany(ctx, keys...); err != nil || len(got) != len(keys) || got[2499].Title != "t2499" {
				t.Fatalf("%d rows, %v", len(got), err)
			}
		}
		if err := db.Where("no < ?", 900).Delete(&Document{}).Error; err != nil {
			t.Fatal(err)
		}
		if got, err := m.Document.Cache.GetMany(ctx, keys...); err != nil || len(got) != 1600 {
			t.Fatalf("after the delete: %d rows, %v", len(got), err)
		}
	})
}

// A soft-deleted row is found by no accessor, and AfterFind runs on every copy.
func TestSoftDeleteAndHook(t *testing.T) {
	everywhere(t, func(t *testing.T, db *gorm.DB, m *Models) {
		a := &Account{ID: "a", Tenant: 1, Name: "Ann", Email: "ann@example.com"}
		if err := db.Create(a).Error; err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := m.Account.Cache.GetByLogin(ctx, 1, "Ann")
			if err != nil || got.Shown != "Ann <ann@example.com>" {
				t.Fatalf("before: %+v, %v", got, err)
			}
		}
		if err := db.Delete(a).Error; err != nil {
			t.Fatal(err)
		}
		if _, err := m.Account.Cache.GetByLogin(ctx, 1, "Ann"); !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Errorf("by login after: %v", err)
		}
		if _, err := m.Account.Cache.Get(ctx, "a"); !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Errorf("by key after: %v", err)
		}
	})
}

// events reads every accessor of Event and describes what it returned.
func events(t *testing.T, r EventReader) map[string]string {
	t.Helper()
	out := map[string]string{}
	list := func(name string) func([]*Event, error) {
		return func(rows []*Event, err error) {
			for _, e := range rows {
				out[name] += fmt.Sprint(e.ID, " ")
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	one := func(name string) func(*Event, error) {
		return func(e *Event, err error) {
			switch {
			case errors.Is(err, gorm.ErrRecordNotFound):
				out[name] = "none"
			case err != nil:
				t.Fatalf("%s: %v", name, err)
			default:
				out[name] = fmt.Sprint(e.ID)
			}
		}
	}
	count := func(name string) func(int64, error) {
		return func(n int64, err error) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out[name] = fmt.Sprint(n)
		}
	}
	list("Hot")(r.ListHot(ctx))
	list("HotPage")(r.ListHotPage(ctx, 1, 2))
	list("Some")(r.ListSome(ctx))
	list("Quiet")(r.ListQuiet(ctx))
	list("Titled")(r.ListTitled(ctx))
	list("States")(r.ListStates(ctx))
	list("Late")(r.ListLate(ctx))
	list("Cheap")(r.ListCheap(ctx))
	list("Orphans")(r.ListOrphans(ctx))
	count("Noted")(r.CountNoted(ctx))
	one("Any")(r.OneAny(ctx))
	for _, s := range []State{"new", "open", "NEW"} {
		count("Heavy " + string(s))(r.CountHeavy(ctx, s))
		one("Next " + string(s))(r.OneNext(ctx, s))
	}
	return out
}

// Whatever is written, every accessor answers from the cache as it does from the database: each
// operator of where, as Go judges it and as the database does, with NULL on either side of a write.
// behaviours 10, 24 to 27
func TestEveryConditionAgainstTheDatabase(t *testing.T) {
	everywhere(t, func(t *testing.T, db *gorm.DB, m *Models) {
		r := rand.New(rand.NewPCG(1, 2))
		pick := func(values ...any) any { return values[r.IntN(len(values))] }
		early, late := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
		columns := map[string]func() any{
			"title": func() any {
				return pick("it's \\; both \"ways\"", "it's ; both \"ways\"", "IT'S ; BOTH \"WAYS\"", "x", "X", "")
			},
			"state":  func() any { return pick("new", "open", "NEW", "shut") },
			"score":  func() any { return pick(1, -2, 10, 20, 500, 999, 1000) },
			"big":    func() any { return pick(0, 5, int64(1<<63-1)) },
			"price":  func() any { return pick(9.99, 10.0, -1000.0, 1.0) },
			"active": func() any { return pick(true, false) },
			"muted":  func() any { return pick(true, false) },
			"seen":   func() any { return pick(true, false) },
			"at":     func() any { return pick(early, late) },
			"parent": func() any { return pick(nil, 1, 2, 3) },
			"weight": func() any { return pick(nil, 5, 6) },
			"note":   func() any { return pick(nil, "yes", "YES", "no") },
			"done":   func() any { return pick(nil, true, false) },
		}
		names := slices.Sorted(maps.Keys(columns)) // the same steps in every run
		for step := range 250 {
			switch {
			case step < 6 || r.IntN(10) == 0:
				if err := db.Create(&Event{State: "new", At: early}).Error; err != nil {
					t.Fatal(err)
				}
			case r.IntN(30) == 0:
				if err := db.Where("id = ?", 1+r.IntN(6)).Delete(&Event{}).Error; err != nil {
					t.Fatal(err)
				}
			default:
				changes := map[string]any{}
				for range 1 + r.IntN(3) {
					name := names[r.IntN(len(names))]
					changes[name] = columns[name]()
				}
				if err := db.Model(&Event{}).Where("id = ?", 1+r.IntN(6)).Updates(changes).Error; err != nil {
					t.Fatal(err)
				}
			}
			cached, direct := events(t, m.Event.Cache), events(t, m.Event.Objects)
			if !reflect.DeepEqual(cached, direct) {
				t.Fatalf("step %d: the cache says %v,\nthe database %v", step, cached, direct)
			}
		}
	})
}

// The generated code of this module is what the generator makes today.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	cmd := exec.Command("go", "tool", "cachegen", "diff", "./...")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go generate ./... is due: %v\n%s", err, out)
	}
}

// NULL among the values of a GetMany is found as IS NULL, and leaves the entry that GetBy shares right.
func TestNullAmongMany(t *testing.T) {
	everywhere(t, func(t *testing.T, db *gorm.DB, m *Models) {
		named := "named"
		for i, ps := range []*string{nil, &named} {
			if err := db.Create(&Thing{S: fmt.Sprint("s", i), PS: ps, Color: Color(fmt.Sprint(i))}).Error; err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			for name, r := range map[string]ThingReader{"Cache": m.Thing.Cache, "Objects": m.Thing.Objects} {
				if got, err := r.GetManyByPS(ctx, &named, nil); err != nil || len(got) != 2 || got[1].S != "s0" {
					t.Errorf("%s: named and nil: %v, %v", name, got, err)
				}
				if got, err := r.GetManyByPS(ctx, nil); err != nil || len(got) != 1 || got[0].S != "s0" {
					t.Errorf("%s: nil: %v, %v", name, got, err)
				}
				if got, err := r.GetByPS(ctx, nil); err != nil || got.S != "s0" {
					t.Errorf("%s: one nil: %v, %v", name, got, err)
				}
			}
		}
	})
}
