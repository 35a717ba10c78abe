package kinds

import (
	"errors"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"gorm.io/gorm"
)

// goners is what the readers of the soft-deleted models have.
type goners[T any] struct {
	get   func(uint64) (*T, error)
	all   func() ([]*T, error)
	named func(string) ([]*T, error)
	count func(string) (int64, error)
}

// softly deletes and brings back rows of a model, and compares Cache with Objects after each step.
func softly[T any](t *testing.T, w *world, make func(id uint64, name string) *T, cache, objects goners[T], column string, there any) {
	t.Helper()
	agree := func(what string, rows, named int) {
		t.Helper()
		for i, r := range []goners[T]{objects, cache, cache} {
			tier := []string{"the database", "a miss", "a hit"}[i]
			all, err := r.all()
			must(t, err)
			of, err := r.named("a")
			must(t, err)
			n, err := r.count("a")
			must(t, err)
			if len(all) != rows || len(of) != named || n != int64(named) {
				t.Errorf("%T after %s, from %s: %d rows, %d named, %d counted; want %d, %d, %d", make(0, ""), what, tier, len(all), len(of), n, rows, named, named)
			}
			_, err = r.get(1)
			if gone := errors.Is(err, gorm.ErrRecordNotFound); err != nil && !gone || gone != (named == 0) {
				t.Errorf("%T after %s, from %s: Get: %v", make(0, ""), what, tier, err)
			}
		}
	}
	agree("nothing", 0, 0)
	must(t, w.db.Create(make(1, "a")).Error)
	must(t, w.db.Create(make(2, "b")).Error)
	agree("create", 2, 1)
	must(t, w.db.Delete(make(1, "a")).Error)
	agree("delete", 1, 0)
	must(t, w.db.Unscoped().Model(new(T)).Where("id = ?", 1).Update(column, there).Error)
	agree("restore", 2, 1)
	must(t, w.db.Where("name = ?", "a").Delete(new(T)).Error)
	agree("delete by name", 1, 0)
	must(t, w.db.Unscoped().Model(new(T)).Where("1 = 1").Update(column, there).Error)
	agree("restore of all", 2, 1)
	must(t, w.db.Delete(new(T), []uint64{1, 2}).Error)
	agree("delete by ids", 0, 0)
	must(t, w.db.Unscoped().Where("1 = 1").Delete(new(T)).Error)
	agree("delete for good", 0, 0)
}

// behaviour 39, of every kind of soft delete
func TestSoftDeletes(t *testing.T) {
	fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
		w := open(t, d)
		m := w.m
		softly(t, w, func(id uint64, name string) *InSeconds { return &InSeconds{ID: id, Name: name} }, seconds(m.InSeconds.Cache), seconds(m.InSeconds.Objects), "gone", 0)
		softly(t, w, func(id uint64, name string) *InMilli { return &InMilli{ID: id, Name: name} }, milli(m.InMilli.Cache), milli(m.InMilli.Objects), "gone", 0)
		softly(t, w, func(id uint64, name string) *InNano { return &InNano{ID: id, Name: name} }, nano(m.InNano.Cache), nano(m.InNano.Objects), "gone", nil)
		softly(t, w, func(id uint64, name string) *Flagged { return &Flagged{ID: id, Name: name} }, flagged(m.Flagged.Cache), flagged(m.Flagged.Objects), "gone", 0)
		softly(t, w, func(id uint64, name string) *Zeroed { return &Zeroed{ID: id, Name: name} }, zeroed(m.Zeroed.Cache), zeroed(m.Zeroed.Objects), "deleted_at", "1970-01-01 00:00:01")

		// The time beside the flag is the database's, in each tier.
		f := &Flagged{ID: 9, Name: "f"}
		must(t, w.db.Create(f).Error)
		must(t, w.db.Delete(f).Error)
		var row Flagged
		must(t, w.plain.Unscoped().First(&row, 9).Error)
		if row.Gone != 1 || row.GoneAt == nil {
			t.Errorf("%+v", row)
		}
		// A unique lookup over the name and the soft-delete column finds the row that is there.
		for i := range 2 {
			s := &InSeconds{ID: uint64(10 + i), Name: "again"}
			must(t, w.db.Create(s).Error)
			if got, err := m.InSeconds.Cache.GetByName(ctx, "again"); err != nil || got.ID != s.ID {
				t.Errorf("%+v, %v", got, err)
			}
			if i == 1 {
				break
			}
			must(t, w.db.Delete(s).Error)
			if _, err := m.InSeconds.Cache.GetByName(ctx, "again"); !errors.Is(err, gorm.ErrRecordNotFound) {
				t.Error(err)
			}
		}
	})
}

func seconds(r InSecondsReader) goners[InSeconds] {
	return goners[InSeconds]{
		func(id uint64) (*InSeconds, error) { return r.Get(ctx, id) }, func() ([]*InSeconds, error) { return r.ListAll(ctx) },
		func(n string) ([]*InSeconds, error) { return r.ListByName(ctx, n) }, func(n string) (int64, error) { return r.CountByName(ctx, n) },
	}
}

func milli(r InMilliReader) goners[InMilli] {
	return goners[InMilli]{
		func(id uint64) (*InMilli, error) { return r.Get(ctx, id) }, func() ([]*InMilli, error) { return r.ListAll(ctx) },
		func(n string) ([]*InMilli, error) { return r.ListByName(ctx, n) }, func(n string) (int64, error) { return r.CountByName(ctx, n) },
	}
}

func nano(r InNanoReader) goners[InNano] {
	return goners[InNano]{
		func(id uint64) (*InNano, error) { return r.Get(ctx, id) }, func() ([]*InNano, error) { return r.ListAll(ctx) },
		func(n string) ([]*InNano, error) { return r.ListByName(ctx, n) }, func(n string) (int64, error) { return r.CountByName(ctx, n) },
	}
}

func flagged(r FlaggedReader) goners[Flagged] {
	return goners[Flagged]{
		func(id uint64) (*Flagged, error) { return r.Get(ctx, id) }, func() ([]*Flagged, error) { return r.ListAll(ctx) },
		func(n string) ([]*Flagged, error) { return r.ListByName(ctx, n) }, func(n string) (int64, error) { return r.CountByName(ctx, n) },
	}
}

func zeroed(r ZeroedReader) goners[Zeroed] {
	return goners[Zeroed]{
		func(id uint64) (*Zeroed, error) { return r.Get(ctx, id) }, func() ([]*Zeroed, error) { return r.ListAll(ctx) },
		func(n string) ([]*Zeroed, error) { return r.ListByName(ctx, n) }, func(n string) (int64, error) { return r.CountByName(ctx, n) },
	}
}
