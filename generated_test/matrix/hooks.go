package matrix

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// Hooks is told which hooks run, in their order, and may do something in one of them.
type Hooks struct {
	Ran []string
	// Do runs in the hook of this name, if it is not nil; once, since what it does may run the hook again.
	In string
	Do func(tx *gorm.DB) error
}

type hooksKey struct{}

// WithHooks returns a context whose writes tell h.
func WithHooks(ctx context.Context, h *Hooks) context.Context {
	return context.WithValue(ctx, hooksKey{}, h)
}

// hook tells of a hook that runs.
func (a *Article) hook(tx *gorm.DB, name string) error {
	h, ok := tx.Statement.Context.Value(hooksKey{}).(*Hooks)
	if !ok {
		return nil
	}
	h.Ran = append(h.Ran, fmt.Sprint(name, " ", a.ID))
	if h.In != name || h.Do == nil {
		return nil
	}
	do := h.Do
	h.Do = nil
	return do(tx)
}

// The hooks that GORM knows.

// BeforeSave is told of.
func (a *Article) BeforeSave(tx *gorm.DB) error { return a.hook(tx, "BeforeSave") }

// BeforeCreate is told of.
func (a *Article) BeforeCreate(tx *gorm.DB) error { return a.hook(tx, "BeforeCreate") }

// BeforeUpdate is told of.
func (a *Article) BeforeUpdate(tx *gorm.DB) error { return a.hook(tx, "BeforeUpdate") }

// BeforeDelete is told of.
func (a *Article) BeforeDelete(tx *gorm.DB) error { return a.hook(tx, "BeforeDelete") }

// AfterSave is told of.
func (a *Article) AfterSave(tx *gorm.DB) error { return a.hook(tx, "AfterSave") }

// AfterCreate is told of.
func (a *Article) AfterCreate(tx *gorm.DB) error { return a.hook(tx, "AfterCreate") }

// AfterUpdate is told of.
func (a *Article) AfterUpdate(tx *gorm.DB) error { return a.hook(tx, "AfterUpdate") }

// AfterDelete is told of.
func (a *Article) AfterDelete(tx *gorm.DB) error { return a.hook(tx, "AfterDelete") }

// AfterFind is told of.
func (a *Article) AfterFind(tx *gorm.DB) error { return a.hook(tx, "AfterFind") }
