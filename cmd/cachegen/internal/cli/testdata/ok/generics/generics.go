// Package generics has models of instantiated generic types, and of aliases.
package generics

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"time"
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
	s, ok := src.(string)
	if !ok {
		return errors.New("no JSON")
	}
	return json.Unmarshal([]byte(s), &j.V)
}

// Base gives a model its key.
type Base[K comparable] struct {
	ID        K `gorm:"primaryKey"`
	CreatedAt time.Time
}

// Pair has two type parameters.
type Pair[A, B any] struct {
	First  A
	Second B
}

// IntBox is an instance by name.
type IntBox Pair[int, *string]

type (
	// Name is an alias.
	Name = string
	// Doc is an alias of an instance.
	Doc = JSON[map[string][]int]
	// Maybe is an alias with a parameter.
	Maybe[T any] = sql.Null[T]
)

// Post uses them all.
type Post struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:Boxed;by:Box.Second,Base.CreatedAt;order:Score"`

	Base[Name]
	Title  Name `cache:"list"`
	Doc    Doc
	Limits JSON[Pair[int, time.Duration]]
	Box    IntBox `gorm:"embedded;embeddedPrefix:box_"`
	*Pair[int8, Name]
	Score  Maybe[float64]
	Kind   sql.Null[Name] `cache:"count"`
	Nested sql.Null[JSON[int]]
}
