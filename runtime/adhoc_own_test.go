package cacheruntime

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/sqltext"
)

type ownSlice []string

func (o ownSlice) Value() (driver.Value, error) { return fmt.Sprint([]string(o)), nil }

type ownMap map[string]int

func (o ownMap) Value() (driver.Value, error) { return fmt.Sprint(map[string]int(o)), nil }

type ownArray [2]byte

func (o ownArray) Value() (driver.Value, error) { return string(o[:]), nil }

type ownDeep struct{ p *int }

func (o ownDeep) Value() (driver.Value, error) { return int64(*o.p), nil }

type ownMethod struct{ n int64 }

func (o *ownMethod) Value() (driver.Value, error) { return o.n, nil }

// What a load is sent is not what the caller may change, and of the same type where that can be.
func TestArgumentsOfALoadAreItsOwn(t *testing.T) {
	n := 7
	bytes, slice, fields, method, text := []byte("x"), ownSlice{"x"}, ownMap{"x": 1}, &ownMethod{5}, "x"
	var none *ownMethod
	now := time.Now()
	args := []any{1, "x", now, ownArray{65, 66}, none, nil, bytes, slice, fields, method, ownDeep{&n}, &text}
	_, own, problem := bound("?", args, sqltext.SQLite)
	if problem != "" {
		t.Fatal(problem)
	}
	bytes[0], slice[0], fields["x"], method.n, n, text = 'y', "y", 2, 6, 8, "y"
	want := []any{1, "x", now, ownArray{65, 66}, none, nil, []byte("x"), ownSlice{"x"}, ownMap{"x": 1}, &ownMethod{5}, int64(7), "x"}
	if !reflect.DeepEqual(own, want) {
		t.Errorf("%#v, want %#v", own, want)
	}
	if _, own, _ := bound("?", args[:4], sqltext.SQLite); &own[0] != &args[0] {
		t.Error("arguments that cannot change were copied")
	}
}
