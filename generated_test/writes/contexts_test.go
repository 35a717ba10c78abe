package writes_test

import (
	"context"
	"errors"
	"testing"

	"gorm.io/gorm"
)

// behaviour 51: a write whose context is done before its transaction begins was never sent, and flushes nothing.
func TestContextDoneBeforeTheWrite(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		db := w.db.WithContext(ctx)
		for what, write := range map[string]func() *gorm.DB{
			"Create":  func() *gorm.DB { return db.Create(&Croupon{Slug: "z"}) },
			"Save":    func() *gorm.DB { return db.Save(&Croupon{ID: 1, Slug: "z"}) },
			"Update":  func() *gorm.DB { return db.Model(&Croupon{ID: 1}).Update("title", "lost") },
			"Updates": func() *gorm.DB { return db.Model(&Croupon{}).Where("id > 0").Updates(map[string]any{"city": "x"}) },
			"Delete":  func() *gorm.DB { return db.Delete(&Croupon{ID: 1}) },
			"maps":    func() *gorm.DB { return db.Model(&Croupon{}).Create([]map[string]any{{"slug": "z"}}) },
		} {
			if err := write().Error; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", what, err)
			}
			w.flushed(what)
		}
	})
}
