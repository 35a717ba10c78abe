package kinds

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/kinds/internal/units"
	"github.com/cachegen/cachegen/generated_test/kinds/parts"
	"github.com/cachegen/cachegen/internal/testserver"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"go.uber.org/goleak"
	"gorm.io/datatypes"
	"gorm.io/gorm"
)

// A transaction in which a Value method has panicked is never ended by database/sql.
func TestMain(m *testing.M) {
	fixture.Main(m, goleak.IgnoreAnyFunction("database/sql.(*Tx).rollback"), goleak.IgnoreAnyFunction("database/sql.(*Tx).awaitDone"))
}

var ctx = context.WithValue(context.Background(), SecretKey{}, 3)

// world is one program on one database and a memcached of its own.
type world struct {
	db     *gorm.DB // with the plugin
	plain  *gorm.DB // the same database without it
	rt     *cacheruntime.Runtime
	m      *Models
	parts  *parts.Models
	sql    *fixture.Statements
	faults *faults
}

// faults keeps the faults that an observer is told of.
type faults struct {
	mu  sync.Mutex
	all []error
}

func (f *faults) ObserveEvent(e flushlist.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Kind == flushlist.Fault {
		f.all = append(f.all, e.Err)
	}
}

func (f *faults) list() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]error(nil), f.all...)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var models = []any{
	&Item{}, &Part{}, &Page{}, &User{}, &Memo{}, &InSeconds{}, &InMilli{}, &InNano{}, &Flagged{}, &Zeroed{}, &parts.Author{}, &Post{}, &Access{}, &Moody{},
}

func open(t *testing.T, d fixture.Database) *world {
	t.Helper()
	w := &world{sql: &fixture.Statements{}}
	now := func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	w.plain = d.Open(t, &gorm.Config{NowFunc: now})
	must(t, w.plain.AutoMigrate(models...))
	must(t, w.plain.Exec("ALTER TABLE accesses ADD old varchar(20)").Error) // which migrations leave alone
	w.db = d.Open(t, &gorm.Config{NowFunc: now, Logger: w.sql})
	w.open(t)
	return w
}

// open makes the runtime and the models.
func (w *world) open(t *testing.T) {
	t.Helper()
	w.faults = &faults{}
	store, err := tiered.Open(tiered.Options{Servers: []string{testserver.Memcached(t).Addr()}, Timeout: 30 * time.Second})
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	w.rt, err = cacheruntime.New(w.db, store, cacheruntime.Options{Namespace: "kinds", Observer: w.faults})
	must(t, err)
	t.Cleanup(func() { must(t, w.rt.Close()) })
	w.m, err = NewModels(w.rt)
	must(t, err)
	w.parts, err = parts.NewModels(w.rt)
	must(t, err)
}

// reader is what Cache and Objects of every model have, whatever the key.
type reader[T any, K comparable] interface {
	GetMany(ctx context.Context, keys ...K) ([]*T, error)
}

// tiers creates rows through GORM, and compares what each tier returns of them with what GORM itself reads.
func tiers[T any, K comparable](t *testing.T, w *world, cache, objects reader[T, K], key func(*T) K, rows ...*T) {
	t.Helper()
	db, plain := w.db.WithContext(ctx), w.plain.WithContext(ctx)
	var keys []K
	for _, row := range rows {
		must(t, db.Create(row).Error)
		keys = append(keys, key(row))
	}
	for i, k := range keys {
		var want []*T
		stmt := &gorm.Statement{DB: plain, Context: ctx}
		must(t, stmt.Parse(rows[i]))
		where := map[string]any{}
		for _, f := range stmt.Schema.PrimaryFields {
			where[f.DBName], _ = f.ValueOf(ctx, reflect.ValueOf(rows[i]))
		}
		must(t, plain.Where(where).Find(&want).Error)
		name := fmt.Sprintf("%T %d", rows[i], i)
		if len(want) != 1 {
			t.Fatalf("%s: GORM reads %d rows", name, len(want))
		}
		for _, read := range []struct {
			tier    string
			from    reader[T, K]
			ctx     context.Context
			outcome flushlist.Outcome
		}{
			{"objects", objects, ctx, 0},
			{"miss", cache, ctx, flushlist.NoEntry},
			{"first tier", cache, ctx, flushlist.HitFirst},
			{"second tier", cache, cacheruntime.WithFresh(ctx), flushlist.HitSecond},
		} {
			ctx, trace := cacheruntime.WithTrace(read.ctx)
			got, err := read.from.GetMany(ctx, k)
			if err != nil || len(got) != 1 {
				t.Fatalf("%s from %s: %d rows, %v", name, read.tier, len(got), err)
			}
			fixture.Same(t, name+" from "+read.tier, got[0], want[0])
			if reads := trace.Reads(); read.outcome != 0 && (len(reads) != 1 || reads[0].Outcome.Hit() != read.outcome.Hit() || read.outcome.Hit() && reads[0].Outcome != read.outcome) {
				t.Errorf("%s from %s: %v", name, read.tier, trace)
			}
		}
	}
	many, err := cache.GetMany(ctx, append(keys, keys...)...)
	if err != nil || len(many) != 2*len(keys) {
		t.Fatalf("%d rows, %v", len(many), err)
	}
	for i := range keys {
		fixture.Same(t, "the copy", many[len(keys)+i], many[i])
	}
}

func ptr[T any](v T) *T { return &v }

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

var (
	id1 = uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	id2 = uuid.MustParse("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
	at  = time.Date(2026, 2, 3, 4, 5, 6, 789000000, time.UTC)
)

func items() []*Item {
	return []*Item{
		{
			ID: id1, Title: "full", Serial: id2, Price: dec("12.50"), Rebate: ptr(dec("-0.125")), Share: decimal.NewNullDecimal(dec("1e3")),
			Owner: uuid.NullUUID{UUID: id1, Valid: true}, Weight: 1.5, PWeight: ptr(units.Grams(3)), Attrs: Attrs{"a": 1.5, "b": []any{"c", nil}},
			Mask: 7, PMask: ptr(Mask(9)), Doc: datatypes.JSON(`{"x": [1, 2]}`), Size: datatypes.NewJSONType(Size{W: 1, H: 2, Unit: "m"}),
			Tags: datatypes.JSONSlice[string]{"r", "s"}, Day: datatypes.Date(time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC)), Clock: datatypes.NewTime(13, 14, 15, 0),
			Other: &sql.NullString{String: "o", Valid: true}, Maybe: sql.Null[decimal.Decimal]{V: dec("0.001"), Valid: true},
		},
		{
			ID: id2, Title: "bare", Serial: id1, Weight: -1, Day: datatypes.Date(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)),
			Doc: datatypes.JSON(`null`),
		},
	}
}

// behaviour 14, and 1 in each tier
func TestEveryKind(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := open(t, d)
		m := w.m
		tiers(t, w, m.Item.Cache, m.Item.Objects, func(v *Item) uuid.UUID { return v.ID }, items()...)
		tiers(t, w, m.Part.Cache, m.Part.Objects, func(v *Part) PartKey { return PartKey{v.ItemID, v.No} },
			&Part{ItemID: id1, No: 1, Text: "one"}, &Part{ItemID: id1, No: 2}, &Part{ItemID: id2, No: 1})
		tiers(t, w, m.Page.Cache, m.Page.Objects, func(v *Page) uint64 { return v.ID },
			&Page{
				Title: "full", Meta: Meta{Author: "a", Words: map[string]int{"x": 1, "y": 2}, At: at}, Last: &Meta{Author: "b"}, Links: []string{"l"},
				Any: map[string]any{"n": 1.5, "m": nil}, Seen: 1700000000, PSeen: ptr(int64(90000)), Secret: "secret", Words: Words{"v", "w"}, PWords: &Words{"z"},
				Main: Body{Lines: []string{"1"}}, Body: &Body{Lines: []string{"2", "3"}},
			},
			&Page{Title: "bare", PWords: &Words{}, Seen: 86400})
		tiers(t, w, m.User.Cache, m.User.Objects, func(v *User) uint64 { return v.ID },
			&User{
				Name: "full", Address: &Address{Street: "s", Zip: ptr("97201"), Level: 4, Geo: &Geo{1.5, -2}, Note: []string{"n"}},
				Home: &Address{Street: "h", Geo: &Geo{}}, Plain: &Plain{Count: 1, Text: "t", At: at, Key: &id1}, Stamps: &Stamps{Birth: at},
			},
			&User{Name: "bare"},
			&User{Name: "some", Home: &Address{Zip: ptr("")}, Plain: &Plain{Key: &id2}},
			&User{Name: "text", Plain: &Plain{Text: "x"}, Address: &Address{Geo: &Geo{Lat: 1}}})
		tiers(t, w, m.Memo.Cache, m.Memo.Objects, func(v *Memo) uint { return v.ID }, &Memo{Text: "a"}, &Memo{Model: &gorm.Model{}, Text: "b"})
		tiers(t, w, m.Post.Cache, m.Post.Objects, func(v *Post) uuid.UUID { return v.ID },
			&Post{
				Base: Base[uuid.UUID]{ID: id1}, Title: "full", Doc: Doc{V: map[string][]int{"a": {1}}}, Limits: JSON[Pair[int, time.Duration]]{V: Pair[int, time.Duration]{1, time.Second}},
				Box: IntBox{1, ptr("b")}, Pair: &Pair[int8, Title]{2, "p"}, Score: Maybe[float64]{V: 2.5, Valid: true}, Kind: sql.Null[Title]{V: "k", Valid: true},
				Stars: 3, Author: &parts.Author{Name: "Ann"},
			},
			&Post{Base: Base[uuid.UUID]{ID: id2}, Title: "bare"})
		tiers(t, w, m.Headline.Cache, m.Headline.Objects, func(v *Headline) string { return v.ID }, &Headline{ID: "6ba7b812-9dad-11d1-80b4-00c04fd430c8", Title: "slim"})
		tiers(t, w, m.Access.Cache, m.Access.Objects, func(v *Access) uint64 { return v.ID },
			&Access{Name: "n", Once: 1, Later: 9, Base: 21, Password: "p", Nothing: "x", All: "y", Old: "z"}, &Access{})
		tiers(t, w, w.parts.Author.Cache, w.parts.Author.Objects, func(v *parts.Author) uint64 { return v.ID }, &parts.Author{Name: "Bob"})
		for _, err := range w.faults.list() {
			t.Error(err)
		}
	})
}
