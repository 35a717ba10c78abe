//go:build !lowestgorm

package writes_test

import (
	"errors"
	"testing"

	"gorm.io/gorm"
)

// GORM's generics API is newer than the oldest GORM that cachegen works with; the tag lowestgorm leaves
// it out.

// behaviour 108
func TestGenericsMissingWhere(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		w.seed(&Note{ID: 1, Topic: "a"})
		for name, write := range map[string]func() error{
			"Delete":      func() error { _, err := gorm.G[Croupon](w.db).Delete(t.Context()); return err },
			"soft Delete": func() error { _, err := gorm.G[Note](w.db).Delete(t.Context()); return err },
		} {
			if err := write(); !errors.Is(err, gorm.ErrMissingWhereClause) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.flushed("refused writes")
	})
}

// behaviour 47, for the writes that are judged by rows
func TestGenericsWrites(t *testing.T) {
	everyWay(t, func(t *testing.T, w *world) {
		w.seed(three()...)
		if _, err := gorm.G[Croupon](w.db).Where("id = ?", 1).Update(t.Context(), "title", "x"); err != nil {
			t.Fatal(err)
		}
		w.flushed("a title", "croupons:1")
	})
}
