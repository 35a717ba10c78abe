package writes_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Whoever looks is told why a whole table fell, and nothing where only lists did.
func TestReasons(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.seed(&Document{Org: "a", No: 1}, &Note{})
		for _, c := range []struct {
			what  string
			write func() error
			want  string
		}{
			{"Update", func() error { return w.db.Model(&Croupon{ID: 1}).Update("title", "x").Error }, ""},
			{"Create", func() error { return w.db.Create(&Croupon{Slug: "r"}).Error }, ""},
			{"upsert that sets the key", func() error {
				return w.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"id"})}).
					Create(&Croupon{ID: 3, Slug: "c", City: "x"}).Error
			}, "upsert"},
			{"DO NOTHING", func() error {
				return w.db.Clauses(clause.OnConflict{DoNothing: true}).Create([]*Croupon{{ID: 50, Slug: "n"}, {Slug: "c"}}).Error
			}, "upsert"},
			{"DO NOTHING without keys", func() error {
				return w.db.Clauses(clause.OnConflict{DoNothing: true}).Create([]*Croupon{{Slug: "c"}, {Slug: "n2"}}).Error
			}, ""},
			{"maps", func() error { return w.db.Model(&Croupon{}).Create(map[string]any{"Slug": "m"}).Error }, "created from maps"},
			{"many rows", func() error { return w.db.Model(&Croupon{}).Where("id > 0").Update("city", "y").Error }, "over BulkRows"},
			{"many created", func() error {
				return w.db.Create([]*Croupon{{Slug: "1"}, {Slug: "2"}, {Slug: "3"}, {Slug: "4"}}).Error
			}, "over BulkRows"},
			{"many lists", func() error {
				return w.db.Create([]*Croupon{{Slug: "5", City: "a"}, {Slug: "6", City: "b"}, {Slug: "7", City: "c"}}).Error
			}, "over BulkLists"},
			{"a changed key", func() error { return w.db.Model(&Document{Org: "a", No: 1}).Update("No", 2).Error }, "primary key changed"},
			{"an alias", func() error {
				return w.db.Table("croupons AS c").Where("id = ?", 1).Updates(map[string]any{"title": "z"}).Error
			}, "table's name"},
			{"raw SQL", func() error { return w.db.Exec("UPDATE croupons SET title = 'z'").Error }, "raw SQL"},
			{"raw SQL that nobody knows", func() error {
				return w.db.Exec(on(w, "DROP TRIGGER IF EXISTS x; REINDEX; CREATE TRIGGER y AFTER DELETE ON notes BEGIN SELECT 1; END",
					"DROP TRIGGER IF EXISTS x ON notes; DO $$ BEGIN END $$", "DROP TRIGGER IF EXISTS x; DO 1")).Error
			}, "raw SQL not recognised"},
			{"by hand", func() error { return w.rt.FlushTable(t.Context(), "croupons") }, "by hand"},
			{"two in one transaction", func() error {
				return w.db.Transaction(func(tx *gorm.DB) error {
					return errors.Join(tx.Model(&Croupon{}).Create(map[string]any{"Slug": "t"}).Error, tx.Exec("UPDATE notes SET topic = 'x'").Error)
				})
			}, "created from maps, raw SQL"},
			{"a long transaction", func() error {
				return w.db.Transaction(func(tx *gorm.DB) (err error) {
					for id := range uint64(8) {
						err = errors.Join(err, tx.Model(&Merchant{ID: id + 1}).Update("name", "x").Error, tx.Create(&Merchant{}).Error)
					}
					return err
				})
			}, "over BulkRows + BulkLists in a transaction"},
		} {
			w.spy.take()
			if err := c.write(); err != nil {
				t.Errorf("%s: %v", c.what, err)
				continue
			}
			if got := w.spy.why(); got != c.want {
				t.Errorf("%s: the reason is %q, want %q; flushed %q", c.what, got, c.want, w.spy.take())
			}
		}
		ctx, trace := cacheruntime.WithTrace(t.Context())
		if err := w.db.WithContext(ctx).Exec("UPDATE notes SET topic = 'y'").Error; err != nil {
			t.Fatal(err)
		}
		if got := trace.String(); !strings.Contains(got, "whole table: raw SQL\nflush t:notes\n") {
			t.Errorf("the trace says\n%s", got)
		}
	}, several, func(s *setup) { s.options.BulkRows, s.options.BulkLists = 3, 4 })
}

// A program that writes and has no models is told so, once; migrations are no writes.
func TestWithoutModels(t *testing.T) {
	store, err := tiered.Open(tiered.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for name, write := range map[string]func(*gorm.DB) error{
		"Create": func(db *gorm.DB) error { return db.Create(&Merchant{Name: "created"}).Error },
		"Update": func(db *gorm.DB) error { return db.Model(&Croupon{ID: 1}).Update("title", "x").Error },
		"Delete": func(db *gorm.DB) error { return db.Delete(&Merchant{ID: 7}).Error },
		"Exec":   func(db *gorm.DB) error { return db.Exec("UPDATE croupons SET title = 'y'").Error },
	} {
		t.Run(name, func(t *testing.T) {
			fixture.EachDatabase(t, func(t *testing.T, d fixture.Database) {
				spy := &spy{}
				own := d.Open(t, nil)
				rt, err := cacheruntime.New(own, store, cacheruntime.Options{Namespace: name, Observer: spy})
				if err != nil {
					t.Fatal(err)
				}
				defer rt.Close()
				if err := own.AutoMigrate(&Croupon{}, &Merchant{}, &Document{}, &Note{}); err != nil {
					t.Fatal(err)
				}
				if err := own.Find(&[]Croupon{}).Error; err != nil {
					t.Fatal(err)
				}
				if err := write(own.WithContext(cacheruntime.WithoutFlush(context.Background()))); err != nil {
					t.Fatal(err)
				}
				if faults := spy.faults(); len(faults) > 0 {
					t.Errorf("without a write that should flush: %v", faults)
				}
				if err := rt.FlushTable(t.Context(), "croupons"); !errors.Is(err, cacheruntime.ErrNoModel) || !strings.Contains(err.Error(), "NewModels has not been called") {
					t.Errorf("FlushTable says %v", err)
				}
				for range 2 {
					_ = write(own)
				}
				if faults := spy.faults(); len(faults) != 1 || !strings.Contains(faults[0].Error(), "call NewModels") {
					t.Errorf("reported: %v", faults)
				}
			})
		})
	}
}

// A program that has models is not told so, and which there are where it mistypes one.
func TestWithModels(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		w.seed(&Note{Topic: "x"})
		type unknown struct{ ID uint64 }
		if err := w.db.AutoMigrate(&unknown{}); err != nil {
			t.Fatal(err)
		}
		if err := w.db.Create(&unknown{}).Error; err != nil {
			t.Fatal(err)
		}
		for _, e := range w.spy.all() {
			if e.Kind == flushlist.Fault {
				t.Errorf("with models: %v", e.Err)
			}
		}
		err := w.rt.FlushTable(t.Context(), "note")
		if want := `no model is cached of table "note"; there are models of ["croupons" "documents" "merchants" "notes"]`; !errors.Is(err, cacheruntime.ErrNoModel) || !strings.Contains(err.Error(), want) {
			t.Errorf("a mistyped table: %v", err)
		}
	})
}
