package cacheruntime

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
)

func TestFlushOf(t *testing.T) {
	all := flushlist.List{Name: "s:t", ID: 1, All: true}
	other := flushlist.List{Name: "s:u", ID: 2, All: true}
	list := func(n int) flushlist.List { return flushlist.List{Name: fmt.Sprint("s:t:", n), ID: uint64(10 + n)} }
	of := flushlist.List{Name: "s:u:1", ID: 9}
	for name, c := range map[string]struct {
		falls   []fall
		lists   []string
		columns []string
	}{
		"none": {nil, nil, nil},
		"each once, its columns together": {
			append(fallsOf(all, []string{"t.b"}, list(1), list(2)), fallsOf(all, []string{"t.a"}, list(1))...),
			[]string{"s:t:1", "s:t:2"}, []string{"t.a", "t.b"},
		},
		"all stands for the others of its table": {
			append(fallsOf(all, []string{"t.a"}, list(1), all, list(2)), fallsOf(other, nil, of)...),
			[]string{"s:t", "s:u:1"}, []string{"t.a"},
		},
		"too many of one table": {
			append(fallsOf(all, nil, list(1), list(2), list(3), list(4)), fallsOf(other, nil, of)...),
			[]string{"s:t", "s:u:1"}, nil,
		},
		"many repeats are not many": {fallsOf(all, nil, list(1), list(1), list(1), list(1), list(2)), []string{"s:t:1", "s:t:2"}, nil},
	} {
		f := flushOf(c.falls, 3)
		var names []string
		for _, l := range f.lists {
			names = append(names, l.Name)
		}
		if !reflect.DeepEqual(names, c.lists) || !reflect.DeepEqual(f.columns, c.columns) {
			t.Errorf("%s: %v and %v, want %v and %v", name, names, f.columns, c.lists, c.columns)
		}
	}
}
