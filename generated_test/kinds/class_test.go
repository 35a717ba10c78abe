package kinds

import (
	"errors"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/shopspring/decimal"
)

// Drifted is a model whose code is written by hand below, as the generator wrote it before something changed.
type Drifted struct {
	ID    uint64
	Price decimal.Decimal
	Meta  Meta `gorm:"serializer:json"`
	Level int16
	Gone  Gone
	Pass  string `gorm:"->:false;<-"`
	Score Maybe[float64]
	Pair  Pair[int, map[string][]any] `gorm:"serializer:json"`
}

// drifted is the right description of it.
func drifted() []cacheruntime.Field {
	return []cacheruntime.Field{
		{Path: "ID", Type: "uint64", PrimaryKey: true},
		{Path: "Price", Type: "decimal.Decimal", Class: cacheruntime.Valuer},
		{Path: "Meta", Type: "kinds.Meta", Class: cacheruntime.Serialized},
		{Path: "Level", Type: "int16"},
		{Path: "Gone", Type: "kinds.Gone", SoftDelete: true},
		{Path: "Pass", Type: "string", Class: cacheruntime.Unread},
		{Path: "Score", Type: "sql.Null[float64]"},
		{Path: "Pair", Type: "kinds.Pair[int,map[string][]interface {}]", Class: cacheruntime.Serialized},
	}
}

// A column whose class, type or say about deleted rows has changed since its code was generated is an error of
// NewModels that says to generate again: another generator has written its methods since.
func TestClassHasChanged(t *testing.T) {
	w := open(t, fixture.SQLite(t))
	register := func(change func(f []cacheruntime.Field)) error {
		fields := drifted()
		change(fields)
		return cacheruntime.NewTable(w.rt, cacheruntime.TableSpec{Model: "Drifted", Fields: fields, New: func() any { return new(Drifted) }}).Register()
	}
	must(t, register(func([]cacheruntime.Field) {}))
	for _, c := range []struct {
		change func(f []cacheruntime.Field)
		says   string
	}{
		{func(f []cacheruntime.Field) { f[1].Class = cacheruntime.Plain }, "Drifted: Price is a plain column in the generated code and a column with Scan and Value methods to GORM"},
		{func(f []cacheruntime.Field) { f[2].Class = cacheruntime.Valuer }, "Meta is a column with Scan and Value methods in the generated code and a column with a serializer to GORM"},
		{func(f []cacheruntime.Field) { f[3].Class = cacheruntime.Valuer }, "Level is a column with Scan and Value methods in the generated code and a plain column to GORM"},
		{func(f []cacheruntime.Field) { f[3].Type = "int32" }, "Level is of type int32 in the generated code and of type int16 to GORM"},
		{func(f []cacheruntime.Field) { f[4].SoftDelete = false }, "Gone is no soft-delete column in the generated code and a soft-delete column to GORM"},
		{func(f []cacheruntime.Field) { f[5].Class = cacheruntime.Plain }, "Pass is a plain column in the generated code and a column that is never read to GORM"},
		{func(f []cacheruntime.Field) { f[6].Type = "sql.NullFloat64" }, "Score is of type sql.NullFloat64"},
	} {
		err := register(c.change)
		if !errors.Is(err, cacheruntime.ErrModel) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "run go generate again") {
			t.Errorf("want %q in %v", c.says, err)
		}
	}
}
