package cacheruntime

import (
	"errors"
	"slices"
	"testing"
)

// What is absent is a nil any to the runtime, and a nil pointer, or nothing, to whoever asked.
func TestRowsGetTheirTypeBack(t *testing.T) {
	a, b := &everything{U: 1}, &everything{U: 2}
	bad := errors.New("bad")
	if p, err := Row[*everything](any(a), nil); p != a || err != nil {
		t.Errorf("Row: %v, %v", p, err)
	}
	if p, err := Row[*everything](nil, bad); p != nil || err != bad {
		t.Errorf("Row of an error: %v, %v", p, err)
	}
	if ps, err := Rows[*everything]([]any{b, a}, nil); !slices.Equal(ps, []*everything{b, a}) || err != nil {
		t.Errorf("Rows: %v, %v", ps, err)
	}
	if ps, err := Rows[*everything](nil, nil); ps == nil || len(ps) != 0 || err != nil {
		t.Errorf("no Rows: %v, %v", ps, err)
	}
	if ps, err := Rows[*everything]([]any{a}, bad); ps != nil || err != bad {
		t.Errorf("Rows with an error: %v, %v", ps, err)
	}
	keys := []string{"B", "none", "a"} // as they were asked for
	m, err := ByKey[*everything](keys, []any{b, nil, a}, nil)
	if err != nil || len(m) != 2 || m["B"] != b || m["a"] != a {
		t.Errorf("ByKey: %v, %v", m, err)
	}
	if m, err := ByKey[*everything](keys, nil, bad); m != nil || err != bad {
		t.Errorf("ByKey of an error: %v, %v", m, err)
	}
	if got := Distinct([]int{3, 1, 3, 2, 1}); !slices.Equal(got, []int{3, 1, 2}) {
		t.Errorf("Distinct: %v", got)
	}
}

// Composite keys are told apart as wholes, and so are those whose columns join to the same text.
func TestDedupe(t *testing.T) {
	type pair struct {
		a, b string
	}
	args := EachKey([]pair{{"ab", "c"}, {"a", "bc"}, {"ab", "c"}, {"", ""}}, func(to []Arg, k pair) []Arg { return append(to, Text(k.a), Text(k.b)) })
	distinct, at := dedupe(split(args, 2))
	if len(distinct) != 3 || !slices.Equal(at, []int{0, 1, 0, 2}) {
		t.Errorf("%d distinct at %v", len(distinct), at)
	}
	if distinct, at := dedupe(split(args[:2], 2)); len(distinct) != 1 || !slices.Equal(at, []int{0}) {
		t.Errorf("one: %d distinct at %v", len(distinct), at)
	}
	if distinct, at := dedupe(nil); len(distinct) != 0 || len(at) != 0 {
		t.Errorf("none: %d distinct at %v", len(distinct), at)
	}
}
