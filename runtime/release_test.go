package cacheruntime

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/fold"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// identityOf is the identity of an accessor of a model, whose by columns compare as given.
func identityOf(t *testing.T, model any, spec IndexSpec, columns ...comparison) uint64 {
	t.Helper()
	s, err := schema.Parse(model, &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		t.Fatal(err)
	}
	table := &Table{schema: s, fields: map[string]*schema.Field{}}
	for _, f := range s.Fields {
		table.fields[strings.Join(f.BindNames, ".")] = f
	}
	ix := &index{t: table, spec: spec}
	for _, path := range spec.By {
		ix.by = append(ix.by, table.fields[path])
	}
	ix.keys.columns = columns
	return ix.identify()
}

// behaviour 70: two programs flush each other's lists just where they name them alike, and have them fall with the same writes
func TestIdentity(t *testing.T) {
	type now struct {
		ID         uint64
		City, Name string
		Size       int
	}
	type wider struct {
		ID         uint64
		City, Name string
		Size       int64
		Note       string
	}
	type renamed struct {
		ID         uint64
		City       string `gorm:"column:town"`
		Name, Note string
		Size       int
	}
	type softly struct {
		ID         uint64
		City, Name string
		Size       int
		DeletedAt  gorm.DeletedAt
	}
	spec := IndexSpec{Name: "ListByCity", By: []string{"City"}, Where: []Term{{Field: "Size", Op: ">", Values: []any{1}}}, Order: []Order{{Field: "Name"}}}
	with := func(change func(*IndexSpec)) IndexSpec {
		s := spec
		change(&s)
		return s
	}
	want := identityOf(t, &now{}, spec)
	for what, same := range map[string]uint64{
		"itself":               identityOf(t, &now{}, spec),
		"more columns":         identityOf(t, &wider{}, spec),
		"a limit":              identityOf(t, &now{}, with(func(s *IndexSpec) { s.Limit = 5 })),
		"a ttl":                identityOf(t, &now{}, with(func(s *IndexSpec) { s.TTL = time.Hour })),
		"the other way round":  identityOf(t, &now{}, with(func(s *IndexSpec) { s.Order = []Order{{Field: "Name", Desc: true}} })),
		"the usual comparison": identityOf(t, &now{}, spec, comparison{}),
	} {
		if same != want {
			t.Errorf("with %s it is another list", what)
		}
	}
	seen := map[uint64]string{want: "itself"}
	for what, other := range map[string]uint64{
		"another name":       identityOf(t, &now{}, with(func(s *IndexSpec) { s.Name = "ListInCity" })),
		"another by":         identityOf(t, &now{}, with(func(s *IndexSpec) { s.By = []string{"Name"} })),
		"one by more":        identityOf(t, &now{}, with(func(s *IndexSpec) { s.By = []string{"City", "Name"} })),
		"another column":     identityOf(t, &renamed{}, spec),
		"another where":      identityOf(t, &now{}, with(func(s *IndexSpec) { s.Where = []Term{{Field: "Size", Op: ">", Values: []any{2}}} })),
		"another operator":   identityOf(t, &now{}, with(func(s *IndexSpec) { s.Where = []Term{{Field: "Size", Op: ">=", Values: []any{1}}} })),
		"text and no number": identityOf(t, &now{}, with(func(s *IndexSpec) { s.Where = []Term{{Field: "Size", Op: ">", Values: []any{"1"}}} })),
		"no where":           identityOf(t, &now{}, with(func(s *IndexSpec) { s.Where = nil })),
		"another order":      identityOf(t, &now{}, with(func(s *IndexSpec) { s.Order = []Order{{Field: "Size"}} })),
		"no order":           identityOf(t, &now{}, with(func(s *IndexSpec) { s.Order = nil })),
		"soft deletion":      identityOf(t, &softly{}, spec),
		"another likeness":   identityOf(t, &now{}, spec, comparison{as: asNumber}),
		"another folding":    identityOf(t, &now{}, spec, comparison{folding: fold.Folding{Flat: true}}),
		"another zone":       identityOf(t, &now{}, spec, comparison{zone: time.UTC}),
	} {
		if seen[other] != "" {
			t.Errorf("with %s it is the same list as with %s", what, seen[other])
		}
		seen[other] = what
	}
}

// says is a registration that says what it is told to.
type says struct{ standing uint64 }

func (r *says) Flushed(uint64) (uint64, bool) { return 0, r.standing != 0 }
func (r *says) Confirmed() uint64             { return r.standing }

// behaviour 110: a write of a table whose lists others may not know makes all of it fall, in its partition, and of no
// other table
func TestUnconfirmedFalls(t *testing.T) {
	part := func(standing uint64) *release {
		r := &release{}
		var reg flushlist.Registration = &says{standing}
		r.registered.Store(&reg)
		return r
	}
	list := func(name string, all bool) flushlist.List {
		return flushlist.List{Name: name, ID: uint64(len(name))<<8 | uint64(name[0]), All: all}
	}
	known, unknown := part(7), part(0)
	falls := []fall{
		{list: list("a1", false), all: list("a", true), release: known},
		{list: list("b1", false), all: list("b", true), release: unknown},
		{list: list("c22", false), all: list("c", true)}, // by hand
		{list: list("b333", false), all: list("b", true), release: unknown},
	}
	f := &Runtime{opts: Options{BulkRows: 10, BulkLists: 10}}
	got := f.flushOf(falls)
	if names := strings.Join(namesOf(got.lists), " "); names != "a1 b c22" || got.reason != unconfirmed {
		t.Errorf("flushes %q, %q", names, got.reason)
	}
	if len(got.by) != 1 || got.by[0].all.Name != "a" || got.by[0].then != 7 {
		t.Errorf("goes by %v", got.by)
	}
}

// behaviour 110: what was confirmed before the COMMIT and is not after it flushes the table before the write returns
func TestFinishLooksAgain(t *testing.T) {
	for name, c := range map[string]struct {
		after uint64
		want  int
	}{"confirmed": {7, 0}, "lapsed": {0, 1}, "registered anew": {8, 1}} {
		t.Run(name, func(t *testing.T) {
			store := &prepared{}
			rt := &Runtime{store: store}
			all := flushlist.List{Name: "a", ID: 1, All: true}
			rt.finish(context.Background(), store, flush{by: []standing{{&says{c.after}, 7, all}}})
			if len(store.lists) != c.want || store.finished != 1+c.want {
				t.Errorf("flushes %v, %d ends", store.lists, store.finished)
			}
			// and so where it is not known whether the COMMIT took effect
			*store = prepared{}
			rt.leave(context.Background(), store, flush{by: []standing{{&says{c.after}, 7, all}}})
			if len(store.lists) != c.want || store.left != 1+c.want || store.finished != 0 {
				t.Errorf("of unknown outcome: flushes %v, %d are left, %d ended", store.lists, store.left, store.finished)
			}
		})
	}
}

// prepared is a store, and the intent of a write, that count.
type prepared struct {
	Store
	flushlist.Intent
	lists    []flushlist.List
	finished int
	left     int
}

func (s *prepared) Prepare(_ context.Context, lists []flushlist.List, _ flushlist.Mode) (flushlist.Intent, error) {
	s.lists = append(s.lists, lists...)
	return s, nil
}

func (s *prepared) Finish(context.Context) { s.finished++ }

func (s *prepared) Leave() { s.left++ }
