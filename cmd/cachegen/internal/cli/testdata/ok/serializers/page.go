// Package serializers has columns that GORM's serializers write and read.
package serializers

import (
	"context"
	"reflect"
	"strings"

	"gorm.io/gorm/schema"
)

// Tags are a serializer themselves.
type Tags []string

// Scan reads what Value returns.
func (t *Tags) Scan(_ context.Context, _ *schema.Field, _ reflect.Value, src any) error {
	switch src := src.(type) {
	case string:
		*t = strings.Split(src, ",")
	case []byte:
		*t = strings.Split(string(src), ",")
	}
	return nil
}

// Value returns the tags joined by commas.
func (t Tags) Value(context.Context, *schema.Field, reflect.Value, any) (any, error) {
	return strings.Join(t, ","), nil
}

// Meta is stored as JSON.
type Meta struct {
	Author string
	Words  map[string]int
}

// Place is embedded, whatever serializer its tag names.
type Place struct {
	City  string
	Hints []string `gorm:"serializer:json"`
}

// Page has one of each.
type Page struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;order:Title"`

	ID     uint64
	Title  string
	Meta   Meta           `gorm:"serializer:json"`
	Last   *Meta          `gorm:"serializer:json"`
	Links  []string       `gorm:"serializer:gob"`
	Any    map[string]any `gorm:"json"`
	Seen   int64          `gorm:"serializer:unixtime;type:datetime"`
	Secret string         `gorm:"serializer:own"`
	Tags   Tags
	Where  Place `gorm:"embedded;embeddedPrefix:where_"`
	*Place `gorm:"serializer:json"`
	Write  []int `gorm:"serializer:json;->:false;<-"`
}
