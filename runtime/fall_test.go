package cacheruntime

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
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
			if l.Table != l.Name[:3] {
				t.Errorf("%s: %s is of table %q", name, l.Name, l.Table)
			}
		}
		if !reflect.DeepEqual(names, c.lists) || !reflect.DeepEqual(f.columns, c.columns) {
			t.Errorf("%s: %v and %v, want %v and %v", name, names, f.columns, c.lists, c.columns)
		}
	}
}

// Whoever looks is told why a whole table fell: each reason once, and none where only lists fall.
func TestReasonOfFlush(t *testing.T) {
	all := flushlist.List{Name: "s:t", ID: 1, All: true}
	list := func(n int) flushlist.List { return flushlist.List{Name: fmt.Sprint("s:t:", n), ID: uint64(10 + n)} }
	whole := func(reason string) fall { return fall{list: all, all: all, reason: reason} }
	few := fallsOf(all, nil, list(1), list(2))
	for name, c := range map[string]struct {
		falls []fall
		want  string
	}{
		"lists":           {few, ""},
		"one":             {[]fall{whole(upsert)}, "upsert"},
		"after its lists": {append(few, whole(rawSQL)), "raw SQL"},
		"before them":     {append([]fall{whole(rawSQL)}, few...), "raw SQL"},
		"several":         {[]fall{whole(upsert), whole(rawSQL), whole(upsert)}, "upsert, raw SQL"},
		"too many":        {fallsOf(all, nil, list(1), list(2), list(3), list(4)), overBoth},
		"by hand":         {fallsOf(all, nil, all), asked},
	} {
		if got := flushOf(slices.Clone(c.falls), 3).reason; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// slowStore is a store whose tokens take long to leave: an intent is late until it was renewed a number of
// times.
type slowStore struct {
	Store
	late           int
	renewed, ended int
	refuse         error
}

func (s *slowStore) Prepare(context.Context, []flushlist.List, flushlist.Mode) (flushlist.Intent, error) {
	return &slowIntent{s: s}, nil
}

type slowIntent struct {
	flushlist.Intent
	s *slowStore
}

func (i *slowIntent) Late() bool                  { return i.s.renewed < i.s.late }
func (i *slowIntent) Renew(context.Context) error { i.s.renewed++; return i.s.refuse }
func (i *slowIntent) Abort(context.Context)       { i.s.ended++ }

// A COMMIT begins only while readers will respect its tokens for half of IntentTTL more.
func TestPrepareRenews(t *testing.T) {
	broken := errors.New("no server")
	for name, c := range map[string]struct {
		store *slowStore
		mode  Mode
		want  error
		ended int
	}{
		"in time":             {&slowStore{}, Strict, nil, 0},
		"late once":           {&slowStore{late: 1}, Strict, nil, 0},
		"late three times":    {&slowStore{late: 3}, Strict, nil, 0},
		"always late":         {&slowStore{late: 1000}, Strict, ErrFlush, 1},
		"late, available":     {&slowStore{late: 1000}, Available, nil, 0},
		"renewing is refused": {&slowStore{late: 1, refuse: broken}, Strict, broken, 1},
	} {
		rt := &Runtime{store: c.store, opts: Options{Mode: c.mode}}
		intent, err := rt.prepare(context.Background(), flush{})
		if !errors.Is(err, c.want) || (intent == nil) != (c.want != nil) || c.store.ended != c.ended {
			t.Errorf("%s: %v, %v, ended %d times", name, intent, err, c.store.ended)
		}
	}
}
