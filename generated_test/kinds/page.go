package kinds

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm/schema"
)

// Words are a serializer themselves.
type Words []string

// Scan reads what Value returns.
func (w *Words) Scan(_ context.Context, _ *schema.Field, _ reflect.Value, src any) error {
	switch src := src.(type) {
	case nil:
		*w = nil
	case string:
		*w = strings.Split(src, ",")
	case []byte:
		*w = strings.Split(string(src), ",")
	default:
		return fmt.Errorf("Words cannot be read from %T", src)
	}
	return nil
}

// Value returns the words joined by commas.
func (w Words) Value(context.Context, *schema.Field, reflect.Value, any) (any, error) {
	return strings.Join(w, ","), nil
}

// SecretKey is the key of the context's value that the serializer "shifted" shifts texts by.
type SecretKey struct{}

// Shifted is a serializer of the program's own, which needs the caller's context.
type Shifted struct{}

// Scan shifts a text back.
func (Shifted) Scan(ctx context.Context, f *schema.Field, dst reflect.Value, src any) error {
	by, ok := ctx.Value(SecretKey{}).(int)
	if !ok {
		return fmt.Errorf("no secret in the context")
	}
	if b, isBytes := src.([]byte); isBytes {
		src = string(b)
	}
	s, _ := src.(string)
	f.ReflectValueOf(ctx, dst).SetString(shift(s, -by))
	return nil
}

// Value shifts a text.
func (Shifted) Value(ctx context.Context, _ *schema.Field, _ reflect.Value, v any) (any, error) {
	by, ok := ctx.Value(SecretKey{}).(int)
	if !ok {
		return nil, fmt.Errorf("no secret in the context")
	}
	return shift(v.(string), by), nil
}

func shift(s string, by int) string {
	b := []byte(s)
	for i := range b {
		b[i] += byte(by)
	}
	return string(b)
}

func init() { schema.RegisterSerializer("shifted", Shifted{}) }

// Meta is stored as JSON.
type Meta struct {
	Author string
	Words  map[string]int
	At     time.Time
}

// Body has a serialized column, and nothing else.
type Body struct {
	Lines []string `gorm:"serializer:json"`
}

// Page has a column of each of GORM's serializers, and of others.
type Page struct {
	_ struct{} `cache:"model"`
	_ struct{} `cache:"list:All;order:Title"`

	ID     uint64
	Title  string         `gorm:"size:100"`
	Meta   Meta           `gorm:"serializer:json"`
	Last   *Meta          `gorm:"serializer:json"`
	Links  []string       `gorm:"serializer:gob;type:bytes"`
	Any    map[string]any `gorm:"serializer:json"`
	Seen   int64          `gorm:"serializer:unixtime;type:timestamp"`
	PSeen  *int64         `gorm:"serializer:unixtime;type:timestamp"`
	Secret string         `gorm:"serializer:shifted"`
	Words  Words
	PWords *Words
	Main   Body `gorm:"embedded;embeddedPrefix:main_"`
	*Body
}
