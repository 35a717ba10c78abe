package kinds

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cachegen/cachegen/generated_test/kinds/parts"
	"github.com/google/uuid"
	"gorm.io/gorm"
)

// JSON is a column of any type.
type JSON[T any] struct{ V T }

// Value returns the JSON.
func (j JSON[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(j.V)
	return string(b), err
}

// Scan reads what Value returns.
func (j *JSON[T]) Scan(src any) error {
	switch src := src.(type) {
	case []byte:
		return json.Unmarshal(src, &j.V)
	case string:
		return json.Unmarshal([]byte(src), &j.V)
	}
	return fmt.Errorf("JSON cannot be read from %T", src)
}

// GormDataType is text on every database.
func (JSON[T]) GormDataType() string { return "string" }

// Base gives a model its key.
type Base[K comparable] struct {
	ID        K `gorm:"primaryKey;size:36"`
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Pair has two type parameters.
type Pair[A, B any] struct {
	First  A
	Second B
}

// IntBox is an instance by name.
type IntBox Pair[int, *string]

type (
	// Title is an alias.
	Title = string
	// Doc is an alias of an instance.
	Doc = JSON[map[string][]int]
	// Maybe is an alias with a parameter.
	Maybe[T any] = sql.Null[T]
)

// Post is made of instances of generic types, and of aliases, and follows a model of another package.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Boxed;by:Box.First;order:Score"`
	_ struct{} `cache:"count:Since;by:Base.CreatedAt"`

	Base[uuid.UUID]
	Title  Title `gorm:"size:100" cache:"list"`
	Doc    Doc
	Limits JSON[Pair[int, time.Duration]]
	Box    IntBox `gorm:"embedded;embeddedPrefix:box_"`
	*Pair[int8, Title]
	Score    Maybe[float64]
	Kind     sql.Null[Title] `gorm:"size:20"`
	Stars    parts.Stars
	AuthorID *uint64
	Author   *parts.Author
	Reads    int `gorm:"-"`
}

// TableName has logic.
func (Post) TableName() string { return strings.Join([]string{"the", "posts"}, "_") }

// AfterFind counts how often it ran on this copy.
func (p *Post) AfterFind(*gorm.DB) error {
	p.Reads++
	return nil
}

// Headline is a second model on the table of posts.
type Headline struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;order:Title"`

	ID    string `gorm:"size:36"`
	Title string `gorm:"size:100"`
}

// TableName is that of posts.
func (Headline) TableName() string { return "the_posts" }
