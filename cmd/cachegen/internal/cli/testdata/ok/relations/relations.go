// Package relations has fields that are no columns.
package relations

import (
	"context"
	html "html/template"
	"net/http"
	"sync"
	"text/template"
)

// Author has what GORM leaves out or loads by itself.
type Author struct {
	_ struct{} `cache:"model"`

	ID      uint64
	Name    string `gorm:"->" cache:"list"`
	BossID  *uint64
	Boss    *Author
	Books   []Book
	Friends []*Author `gorm:"many2many:friends"`
	Profile Profile
	Client  *http.Client                                  `gorm:"-"`
	Hook    func(context.Context, ...string) (int, error) `gorm:"-"`
	Index   map[string]chan<- []byte                      `gorm:"-:all"`
	Local   struct {
		A int `json:"a"`
	} `gorm:"-"`
	Text *template.Template                       `gorm:"-"`
	HTML *html.Template                           `gorm:"-"`
	Two  [2]map[string]interface{ Close() error } `gorm:"-"`
	mu   sync.Mutex
	base
}

type base struct{ n int }

// Lock is here so that mu and n are used.
func (a *Author) Lock() { a.mu.Lock(); a.n++ }

// Book is written by an author.
type Book struct {
	ID       uint64
	AuthorID uint64
}

// Profile is an author's.
type Profile struct {
	ID       uint64
	AuthorID uint64
}
