package writes_test

import (
	"errors"
	"testing"

	cacheruntime "github.com/cachegen/cachegen/runtime"
	"gorm.io/gorm"
)

// hooked is a croupon whose hooks do what the test says.
type hooked struct {
	ID    uint64
	Slug  string
	Title string
}

var (
	inHook   func(tx *gorm.DB) error
	hookSlug string
)

func (hooked) TableName() string                { return "croupons" }
func (h *hooked) AfterSave(tx *gorm.DB) error   { return inHook(tx) }
func (h *hooked) AfterDelete(tx *gorm.DB) error { return inHook(tx) }
func (h *hooked) BeforeUpdate(tx *gorm.DB) error {
	tx.Statement.SetColumn("Slug", hookSlug)
	return nil
}

// behaviour 42: hooks run in the write's transaction, and what they change is seen.
func TestHooks(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		hookSlug = "hooked"
		inHook = func(tx *gorm.DB) error { return tx.Model(&Merchant{ID: 5}).Update("name", "n").Error }
		w.seed(&Merchant{ID: 5})
		w.flushes("a hook that sets a column and writes another table", func() error {
			return w.db.Model(&hooked{ID: 1}).Updates(&hooked{Title: "x"}).Error
		}, "croupons:1", "croupons.GetBySlug(a)", "croupons.GetBySlug(hooked)", "merchants:5")

		hookSlug = "hooked-2"
		inHook = func(*gorm.DB) error { return errRollback }
		if err := w.db.Model(&hooked{ID: 2}).Updates(&hooked{Title: "y"}).Error; !errors.Is(err, errRollback) {
			t.Fatal(err)
		}
		w.flushed("a hook that fails")
		if got := w.title(cacheruntime.Direct(), 2); got != "" {
			t.Errorf("the row is %q: the hook's error did not roll it back", got)
		}

		// Plain GORM loses the connection of its own transaction here; the cleanup looks for it.
		inHook = func(*gorm.DB) error { panic("in a hook") }
		for name, write := range map[string]func(){
			"create": func() { w.db.Create(&hooked{Slug: "p"}) },
			"update": func() { w.db.Model(&hooked{ID: 3}).Updates(&hooked{Title: "z"}) },
			"delete": func() { w.db.Delete(&hooked{ID: 3}) },
		} {
			func() {
				defer func() {
					if r := recover(); r != "in a hook" {
						t.Errorf("%s: the panic became %v", name, r)
					}
				}()
				write()
			}()
		}
		w.flushed("hooks that panic")
	})
}
