package kinds

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/kinds/internal/units"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/google/uuid"
	"gorm.io/gorm"
)

// titles describes the items of a list.
func titles(t *testing.T) func([]*Item, error) string {
	return func(rows []*Item, err error) string {
		t.Helper()
		must(t, err)
		var out []string
		for _, r := range rows {
			out = append(out, r.Title)
		}
		return strings.Join(out, " ")
	}
}

// itemLists reads every list of Item's, through one reader.
func itemLists(t *testing.T, r ItemReader) map[string]string {
	t.Helper()
	out := map[string]string{}
	list := titles(t)
	for _, price := range []string{"1.5", "1.50", "2"} {
		out["price "+price] = list(r.ListByPrice(ctx, dec(price)))
		n, err := r.CountByPrice(ctx, dec(price))
		must(t, err)
		out["count "+price] = fmt.Sprint(n)
	}
	out["rebate 1"] = list(r.ListByRebate(ctx, ptr(dec("1"))))
	out["rebate nil"] = list(r.ListByRebate(ctx, nil))
	out["dear"] = list(r.ListDear(ctx))
	out["full"] = list(r.ListFull(ctx))
	out["unowned"] = list(r.ListUnowned(ctx))
	out["of id1"] = list(r.ListOf(ctx, uuid.NullUUID{UUID: id1, Valid: true}, 1))
	out["of nobody"] = list(r.ListOf(ctx, uuid.NullUUID{}, 1))
	out["of none"] = list(r.ListOf(ctx, uuid.NullUUID{}, -1))
	for _, id := range []uuid.UUID{id1, id2} {
		row, err := r.GetBySerial(ctx, id)
		if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Fatal(err)
		}
		if row != nil {
			out["serial "+id.String()] = row.Title
		}
	}
	return out
}

// agree compares what Cache returns, cold and warm, with what Objects does.
func agree(t *testing.T, what string, w *world) {
	t.Helper()
	want := itemLists(t, w.m.Item.Objects)
	for range 2 {
		for name, got := range itemLists(t, w.m.Item.Cache) {
			if got != want[name] {
				t.Errorf("after %s: %s: %q from the cache, %q from the database", what, name, got, want[name])
			}
		}
	}
}

// Lists by Valuers, ordered by them and where they are NULL follow every write: behaviours 24, 26 and 28 of such columns.
func TestValuersInAccessors(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := open(t, d)
		agree(t, "nothing", w)
		a := &Item{ID: uuid.New(), Title: "a", Serial: id1, Price: dec("1.50"), Weight: 1, Size: items()[0].Size, Doc: items()[0].Doc, Day: items()[0].Day}
		b := &Item{ID: uuid.New(), Title: "b", Serial: uuid.New(), Price: dec("2"), Weight: -1, Rebate: ptr(dec("1")), Owner: uuid.NullUUID{UUID: id1, Valid: true}, Doc: a.Doc, Day: a.Day}
		steps := []struct {
			what string
			do   func() error
		}{
			{"create a", func() error { return w.db.Create(a).Error }},
			{"create b", func() error { return w.db.Create(b).Error }},
			{"price of a", func() error { return w.db.Model(a).Update("price", dec("2.00")).Error }},
			{"price of a back", func() error { return w.db.Model(a).Update("price", "1.5").Error }},
			{"rebate of a", func() error { return w.db.Model(a).Update("rebate", dec("1.000")).Error }},
			{"rebate of b", func() error { return w.db.Model(b).Update("rebate", nil).Error }},
			{"owner of a", func() error { return w.db.Model(a).Update("owner", id1).Error }},
			{"owner of b", func() error { return w.db.Model(b).Update("owner", nil).Error }},
			{"weight of both", func() error { return w.db.Model(&Item{}).Where("1 = 1").Update("weight", units.Grams(1)).Error }},
			{"weight of b", func() error { return w.db.Model(b).Update("weight", nil).Error }},
			{"serial of a", func() error { return w.db.Model(a).Update("serial", id2).Error }},
			{"save of b", func() error { b.Price, b.Serial = dec("0.1"), id1; return w.db.Save(b).Error }},
			{"delete of a", func() error { return w.db.Delete(a).Error }},
			{"delete of all", func() error { return w.db.Where("1 = 1").Delete(&Item{}).Error }},
		}
		for _, step := range steps {
			must(t, step.do())
			agree(t, step.what, w)
		}
	})
}

// behaviours 21 and 22: a row with a Valuer for its key falls alone.
func TestValuerKey(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := open(t, d)
		for _, p := range []*Part{{ItemID: id1, No: 1, Text: "a"}, {ItemID: id1, No: 2, Text: "b"}, {ItemID: id2, No: 1, Text: "c"}} {
			must(t, w.db.Create(p).Error)
		}
		read := func() (outcomes []flushlist.Outcome, texts string) {
			ctx, trace := cacheruntime.WithTrace(ctx)
			for _, k := range []PartKey{{id1, 1}, {id1, 2}, {id2, 1}} {
				p, err := w.m.Part.Cache.Get(ctx, k.ItemID, k.No)
				must(t, err)
				texts += p.Text
			}
			for _, r := range trace.Reads() {
				outcomes = append(outcomes, r.Outcome)
			}
			return outcomes, texts
		}
		read()
		if o, texts := read(); o[0] != flushlist.HitFirst || o[1] != flushlist.HitFirst || o[2] != flushlist.HitFirst || texts != "abc" {
			t.Errorf("warm: %v %s", o, texts)
		}
		must(t, w.db.Model(&Part{ItemID: id1, No: 2}).Update("text", "B").Error)
		if o, texts := read(); o[0] != flushlist.HitFirst || o[1].Hit() || o[2] != flushlist.HitFirst || texts != "aBc" {
			t.Errorf("after the save: %v %s", o, texts)
		}
		byKey, err := w.m.Part.Cache.GetMap(ctx, PartKey{id1, 1}, PartKey{id2, 1}, PartKey{id2, 9})
		if err != nil || len(byKey) != 2 || byKey[PartKey{id2, 1}].Text != "c" {
			t.Errorf("GetMap: %v, %v", byKey, err)
		}
	})
}

// A serializer's load and its hits run in the context of the caller, and without what it needs there they fail as
// GORM does, and do not return another's text.
func TestSerializerContext(t *testing.T) {
	w := open(t, fixture.SQLite(t))
	p := &Page{Title: "p", Secret: "abc", PWords: &Words{}}
	must(t, w.db.WithContext(ctx).Create(p).Error)
	for range 2 {
		got, err := w.m.Page.Cache.Get(ctx, p.ID)
		if err != nil || got.Secret != "abc" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	other := context.WithValue(context.Background(), SecretKey{}, 4)
	if got, err := w.m.Page.Cache.Get(other, p.ID); err != nil || got.Secret != "`ab" {
		t.Errorf("with another secret: %q, %v", got.Secret, err)
	}
	if _, err := w.m.Page.Cache.Get(context.Background(), p.ID); err == nil {
		t.Error("without the secret it was read")
	}
}

// behaviours 19 and 30: two models on one table each read their own type, and a column that only one of them has
// leaves the other's lists.
func TestTwoModelsOnOneTable(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := open(t, d)
		p := &Post{Base: Base[uuid.UUID]{ID: id1}, Title: "first", Box: IntBox{First: 7}}
		must(t, w.db.Create(p).Error)
		read := func(want string) (post, headline, list, boxed bool) {
			t.Helper()
			ctx, trace := cacheruntime.WithTrace(ctx)
			got, err := w.m.Post.Cache.Get(ctx, id1)
			must(t, err)
			slim, err := w.m.Headline.Cache.Get(ctx, id1.String())
			must(t, err)
			if got.Title != want || slim.Title != want {
				t.Errorf("titles %q and %q, want %q", got.Title, slim.Title, want)
			}
			all, err := w.m.Headline.Cache.ListAll(ctx)
			must(t, err)
			of, err := w.m.Post.Cache.ListBoxed(ctx, 7)
			must(t, err)
			if len(all) != 1 || len(of) != 1 || all[0].Title != want {
				t.Errorf("lists of %d and %d", len(all), len(of))
			}
			hit := map[string]bool{}
			for _, r := range trace.Reads() {
				if _, seen := hit[r.Accessor]; !seen {
					hit[r.Accessor] = r.Outcome.Hit()
				}
			}
			return hit["Post.Get"], hit["Headline.Get"], hit["Headline.ListAll"], hit["Post.ListBoxed"]
		}
		read("first")
		if a, b, c, d := read("first"); !a || !b || !c || !d {
			t.Error("warm:", a, b, c, d)
		}
		must(t, w.db.Model(&Headline{ID: id1.String()}).Update("title", "second").Error)
		if a, b, c, d := read("second"); a || b || c || !d {
			t.Error("after a title through Headline:", a, b, c, d)
		}
		must(t, w.db.Model(p).Update("stars", 5).Error)
		if a, b, c, d := read("second"); a || b || !c || !d {
			t.Error("after stars, which Headline has not:", a, b, c, d)
		}
	})
}

// behaviour 29
func TestSaveThatChangesOnlyUpdatedAt(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := open(t, d)
		p := &Post{Base: Base[uuid.UUID]{ID: id1}, Title: "first", Box: IntBox{First: 7}}
		must(t, w.db.Create(p).Error)
		p, err := w.m.Post.Objects.Get(ctx, id1) // with the times that the database has made of ours
		must(t, err)
		read := func() string {
			ctx, trace := cacheruntime.WithTrace(ctx)
			_, err := w.m.Post.Cache.Get(ctx, id1)
			must(t, err)
			_, err = w.m.Post.Cache.ListBoxed(ctx, 7)
			must(t, err)
			_, err = w.m.Post.Cache.CountSince(ctx, p.CreatedAt)
			must(t, err)
			var out []string
			for _, r := range trace.Reads() {
				out = append(out, fmt.Sprint(r.Accessor, " ", r.Outcome.Hit()))
			}
			return strings.Join(out, ", ")
		}
		read()
		warm := read()
		p.UpdatedAt = time.Time{}
		must(t, w.db.Save(p).Error)
		want := "Post.Get false, Post.ListBoxed true, Post.Get true, Post.CountSince true"
		if got := read(); got != want {
			t.Errorf("after the save: %s, want %s (warm: %s)", got, want, warm)
		}
	})
}

// behaviour 20: AfterFind runs once on each returned copy, however it was found.
func TestAfterFindOnce(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := open(t, d)
		must(t, w.db.Create(&Post{Base: Base[uuid.UUID]{ID: id1}, Title: "t", Box: IntBox{First: 7}}).Error)
		for _, r := range []PostReader{w.m.Post.Objects, w.m.Post.Cache, w.m.Post.Cache} {
			for _, ctx := range []context.Context{ctx, cacheruntime.WithFresh(ctx)} {
				p, err := r.Get(ctx, id1)
				must(t, err)
				many, err := r.GetMany(ctx, id1, id1)
				must(t, err)
				byKey, err := r.GetMap(ctx, id1)
				must(t, err)
				list, err := r.ListBoxed(ctx, 7)
				must(t, err)
				for _, got := range append(append(many, list...), p, byKey[id1]) {
					if got.Reads != 1 {
						t.Errorf("%T: AfterFind ran %d times", r, got.Reads)
					}
				}
			}
		}
	})
}

// An argument that has no value is an error, and so is a key.
func TestArgumentWithoutValue(t *testing.T) {
	w := open(t, fixture.SQLite(t))
	if _, err := w.m.Moody.Cache.ListByMood(ctx, "bad"); err == nil || !strings.Contains(err.Error(), "in a bad mood") {
		t.Error(err)
	}
	if _, err := w.m.Moody.Objects.ListByMood(ctx, "worse"); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Error(err)
	}
	must(t, w.m.Moody.Cache.FlushListByMood(ctx, "bad"))
}
