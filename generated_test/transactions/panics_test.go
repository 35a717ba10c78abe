package transactions_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/shop"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// trap is a croupon that panics on its way.
type trap struct {
	ID    uint64
	Slug  string
	Title string `gorm:"serializer:tripwire;default:(-)"` // so that it is read back
	City  string
}

func (trap) TableName() string { return "croupons" }

// sprung says where a trap panics: when it is "read" back, in the "hook" after the statement, or in that "before" it. In a
// Value or a Scan method it would do so under a lock of database/sql's, and hang, with the plugin and without.
var sprung string

// tripwire is a text's serializer.
type tripwire struct{}

func init() { schema.RegisterSerializer("tripwire", tripwire{}) }

func (tripwire) Value(_ context.Context, _ *schema.Field, _ reflect.Value, v any) (any, error) {
	return v, nil
}

func (tripwire) Scan(context.Context, *schema.Field, reflect.Value, any) error {
	spring("read")
	return nil
}

func (trap) AfterSave(*gorm.DB) error    { spring("hook"); return nil }
func (trap) BeforeDelete(*gorm.DB) error { spring("before"); return nil }
func (trap) AfterDelete(*gorm.DB) error  { spring("hook"); return nil }

func spring(at string) {
	if sprung == at {
		sprung = ""
		panic("sprung")
	}
}

// behaviour 56: a panic that the program recovers inside its transaction, and then commits. What had been sent by then is committed, and
// falls; a panic before that flushes nothing more.
func TestPanicsInside(t *testing.T) {
	writes := map[string]func(tx *gorm.DB) error{
		"create": func(tx *gorm.DB) error { return tx.Create(&trap{ID: 5, Slug: "e", City: "Eugene"}).Error },
		"create several": func(tx *gorm.DB) error {
			return tx.Create([]*trap{{ID: 5, Slug: "e", City: "Eugene"}, {ID: 6, Slug: "f"}}).Error
		},
		"update": func(tx *gorm.DB) error {
			return tx.Model(&trap{ID: id("a")}).Updates(&trap{Title: "new", City: "Eugene"}).Error
		},
		"update, returning": func(tx *gorm.DB) error {
			return tx.Model(&[]trap{}).Clauses(clause.Returning{}).Where("id = 1").Update("city", "Eugene").Error
		},
		"delete, returning": func(tx *gorm.DB) error {
			return tx.Clauses(clause.Returning{}).Where("id = 1").Delete(&[]trap{}).Error
		},
		"save":   func(tx *gorm.DB) error { return tx.Save(&trap{ID: 5, Slug: "e", City: "Eugene"}).Error },
		"delete": func(tx *gorm.DB) error { return tx.Delete(&trap{ID: id("a")}).Error },
	}
	twice(t, func(t *testing.T, w *world) {
		for what, write := range writes {
			for _, at := range []string{"read", "hook", "before"} {
				if fixture.LowestGORM && at == "read" && strings.Contains(what, "returning") {
					continue // that GORM leaves the rows open, and the connection cannot be used
				}
				t.Run(what+", "+at, func(t *testing.T) {
					w.TB = t
					w.deal()
					w.everything()
					panicked := false
					w.ok(w.db.Transaction(func(tx *gorm.DB) error {
						sprung = at
						func() {
							defer func() {
								r := recover()
								if panicked = r != nil; panicked && r != "sprung" {
									t.Errorf("the panic is %v", r)
								}
							}()
							_ = write(tx)
						}()
						sprung = ""
						return update(tx, "b", "new")
					}))
					if !panicked && (at == "read" && strings.HasPrefix(what, "create") || at == "hook" && !strings.Contains(what, "returning")) {
						t.Error("nothing panicked: this test tests nothing")
					}
					w.everything()
					w.heard.take()
					w.idle()
				})
			}
		}
	})
}

// everything compares what the Cache reads with what the database has.
func (w *world) everything() {
	w.Helper()
	for range 2 {
		for _, slug := range []string{"a", "b", "e", "f"} {
			got, err := w.M.Croupon.Cache.GetBySlug(ctx, slug)
			want, wantErr := w.M.Croupon.Objects.GetBySlug(ctx, slug)
			if (err == nil) != (wantErr == nil) || err != nil && !errors.Is(err, gorm.ErrRecordNotFound) || err == nil && got.Title != want.Title {
				w.Errorf("%s is read %+v, %v; the database has %+v, %v", slug, got, err, want, wantErr)
			}
		}
		for _, city := range []string{"Portland", "Eugene", ""} {
			got, err := w.M.Croupon.Cache.ListByCity(ctx, city)
			want, wantErr := w.M.Croupon.Objects.ListByCity(ctx, city)
			if err != nil || wantErr != nil || ids(got) != ids(want) {
				w.Errorf("in %q are %s, %v; in the database %s, %v", city, ids(got), err, ids(want), wantErr)
			}
		}
	}
}

func ids(cs []*shop.Croupon) (s string) {
	for _, c := range cs {
		s += c.Slug + " "
	}
	return s
}
