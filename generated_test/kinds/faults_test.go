package kinds

import (
	"strings"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// A row that would not come back from its entry is right each time, read from the database each time, and told of
// once.
func TestValuesThatDoNotComeBack(t *testing.T) {
	for _, mood := range []string{"bad", "worse", "no", "small"} {
		t.Run(mood, func(t *testing.T) {
			w := open(t, fixture.SQLite(t))
			must(t, w.plain.Exec("INSERT INTO moodies (id, name, mood) VALUES (1, 'n', ?), (2, 'n', 'GOOD')", mood).Error)
			if mood == "no" { // which its Scan method refuses as "NO", and Value writes so
				must(t, w.plain.Exec("UPDATE moodies SET mood = 'no' WHERE id = 1").Error)
			}
			for i := range 3 {
				ctx, trace := cacheruntime.WithTrace(ctx)
				statements := w.sql.Of(func() {
					got, err := w.m.Moody.Cache.Get(ctx, 1)
					if err != nil || got.Mood != Mood(mood) {
						t.Fatalf("%+v, %v", got, err)
					}
				})
				if len(statements) != 1 || trace.Reads()[0].Outcome.Hit() {
					t.Errorf("read %d: %q %v", i, statements, trace)
				}
				got, err := w.m.Moody.Cache.GetMany(ctx, 1, 2, 1)
				if err != nil || len(got) != 3 || got[0].Mood != Mood(mood) || got[1].Mood != "GOOD" || got[2].Mood != Mood(mood) || got[0] == got[2] {
					t.Fatalf("GetMany: %+v, %v", got, err)
				}
				list, err := w.m.Moody.Cache.ListByName(ctx, "n")
				if err != nil || len(list) != 2 || list[0].Mood != Mood(mood) {
					t.Fatalf("ListByName: %+v, %v", list, err)
				}
				all, err := w.m.Moody.Cache.ListAll(ctx)
				if err != nil || len(all) != 2 {
					t.Fatalf("ListAll: %+v, %v", all, err)
				}
			}
			faults := w.faults.list()
			if len(faults) != 1 || !strings.Contains(faults[0].Error(), "Moody.Mood") {
				t.Errorf("faults %v", faults)
			}
			// The good one is stored.
			if n := len(w.sql.Of(func() { must(t, second(w.m.Moody.Cache.Get(ctx, 2))) })); n != 0 {
				t.Errorf("%d statements for a row that comes back", n)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// NULL, which GORM reads as a zero value without asking the type, is stored like any value: behaviours 1 and 14.
func TestNULLWithoutAValue(t *testing.T) {
	w := open(t, fixture.SQLite(t))
	must(t, w.plain.Exec("INSERT INTO items (id, title, serial) VALUES (?, 'null', ?)", id1, id2).Error)
	for i := range 2 {
		n := len(w.sql.Of(func() {
			got, err := w.m.Item.Cache.Get(ctx, id1)
			must(t, err)
			want, err := w.m.Item.Objects.Get(ctx, id1)
			must(t, err)
			fixture.Same(t, "of NULLs", got, want)
		}))
		if n != 2-i {
			t.Errorf("%d statements", n)
		}
	}
	for _, err := range w.faults.list() {
		t.Error(err)
	}
}

// behaviour 15: what a caller does to a row, inside its maps and bytes too, nobody else sees.
func TestRowsBelongToTheirCallers(t *testing.T) {
	w := open(t, fixture.SQLite(t))
	must(t, w.db.Create(items()[0]).Error)
	want, err := w.m.Item.Objects.Get(ctx, id1)
	must(t, err)
	for range 3 {
		many, err := w.m.Item.Cache.GetMany(ctx, id1, id1)
		must(t, err)
		for _, got := range many {
			fixture.Same(t, "the row", got, want)
			got.Attrs["a"] = "changed"
			got.Doc[0] = '!'
			got.Tags[0] = "changed"
			*got.PMask = 0
			got.Other.String = "changed"
		}
	}
}

// Many callers at once get a row each, which nobody shares.
func TestUnfitRowIsNotShared(t *testing.T) {
	w := open(t, fixture.SQLite(t))
	must(t, w.plain.Exec("INSERT INTO moodies (id, name, mood) VALUES (1, 'n', 'bad')").Error)
	var wg sync.WaitGroup
	rows := make([]*Moody, 16)
	for i := range rows {
		wg.Add(1)
		go func() {
			defer wg.Done()
			row, err := w.m.Moody.Cache.Get(ctx, 1)
			if err != nil {
				t.Error(err)
				return
			}
			row.Name = "mine"
			rows[i] = row
		}()
	}
	wg.Wait()
	seen := map[*Moody]bool{}
	for _, row := range rows {
		if seen[row] {
			t.Fatal("two callers share a row")
		}
		seen[row] = true
	}
}

// A write of a row whose lists cannot be named, because a Value method fails, flushes the whole table.
func TestListsThatCannotBeNamed(t *testing.T) {
	w := open(t, fixture.SQLite(t))
	must(t, w.plain.Exec("INSERT INTO moodies (id, name, mood) VALUES (1, 'n', 'bad'), (2, 'n', 'GOOD')").Error)
	for range 2 {
		got, err := w.m.Moody.Cache.ListByMood(ctx, "good")
		if err != nil || len(got) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
	}
	traced, trace := cacheruntime.WithTrace(ctx)
	must(t, w.db.WithContext(traced).Model(&Moody{ID: 1}).Update("mood", gorm.Expr("'GOOD'")).Error)
	if f := trace.Flushes(); len(f) != 1 || len(f[0].Lists) != 1 || f[0].Lists[0] != "kinds:moodies" {
		t.Errorf("flushed %v", f)
	}
	if got, err := w.m.Moody.Cache.ListByMood(ctx, "good"); err != nil || len(got) != 2 {
		t.Errorf("after the write: %v, %v", got, err)
	}
}

// A Value method that panics in a write ends in its panic, and not in waiting: database/sql keeps the lock of a
// transaction in which that happens.
func TestPanicInWrite(t *testing.T) {
	w := open(t, fixture.SQLite(t))
	defer func() {
		if p := recover(); p != "in a worse mood" {
			t.Errorf("recovered %v", p)
		}
	}()
	w.db.Create(&Moody{Name: "n", Mood: "worse"})
	t.Error("it did not panic")
}

// The program's naming strategy is judged at run time: behaviour 1 under another one.
func TestNamingStrategies(t *testing.T) {
	for name, naming := range map[string]schema.NamingStrategy{
		"prefix":   {TablePrefix: "shop_"},
		"singular": {SingularTable: true},
		"replaced": {NameReplacer: strings.NewReplacer("Title", "Headline", "Page", "Sheet")},
		"case":     {NoLowerCase: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := fixture.SQLite(t)
			config := func() *gorm.Config { return &gorm.Config{NamingStrategy: naming} }
			w := &world{plain: d.Open(t, config()), db: d.Open(t, config())}
			must(t, w.plain.AutoMigrate(&Page{}))
			w.open(t)
			tiers(t, w, w.m.Page.Cache, w.m.Page.Objects, func(v *Page) uint64 { return v.ID }, &Page{Title: "t", PWords: &Words{}, Any: map[string]any{"a": "b"}})
		})
	}
}
