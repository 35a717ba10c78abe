package load

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cachegen/cachegen/templates"
)

// What is refused never holds, and what never holds is refused: every number that could hold is tried.
func TestHoldTogether(t *testing.T) {
	ops := []string{"=", "!=", "<", "<=", ">", ">=", "IN"}
	refused := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var terms []condition
		said := ""
		for range 1 + r.IntN(4) {
			c := condition{Term: templates.Term{Op: ops[r.IntN(len(ops))], Values: []any{int64(r.IntN(7))}}}
			if c.Op == "IN" {
				c.Values = append(c.Values, int64(r.IntN(7)))
			}
			terms = append(terms, c)
			said += fmt.Sprint(c.Op, c.Values, " ")
		}
		want := false
		for v := int64(-2); v < 10; v++ {
			want = want || !slices.ContainsFunc(terms, func(c condition) bool { return !c.holds(v) })
		}
		if got := holdTogether(terms...); got != want {
			t.Errorf("%s: %v, want %v", said, got, want)
		}
		if !want {
			refused++
		}
	}
	if refused < 200 {
		t.Errorf("only %d of the cases never hold", refused)
	}
}

// Terms that can hold together are not refused for being on one column.
func TestMayHoldTogether(t *testing.T) {
	term := func(op string, values ...any) condition {
		return condition{Term: templates.Term{Op: op, Values: values}}
	}
	for _, terms := range [][]condition{
		{term(">", int64(1)), term("<", int64(3))},
		{term("!=", "a"), term("!=", "b"), term("!=", "a\x00")},
		{term("=", "a"), term("!=", "A")},
		{term("IN", "a", "b"), term("!=", "a")},
		{term("IS NOT NULL"), term("!=", true)},
		{term(">", 0.1), term("<", 0.2), term("!=", 0.15)},
		{term("<", int64(-9223372036854775807))},
		{term(">", uint64(0)), term("<=", uint64(1))},
		{term("IS NULL")},
	} {
		if !holdTogether(terms...) {
			t.Errorf("%v are said never to hold together", terms)
		}
	}
}

// Keys a letter away from ours are near; the keys of others are not.
func TestNearKey(t *testing.T) {
	for key, want := range map[string]bool{
		"chache": true, "cahce": true, "cach": true, "Cachee": true, "csche": true, "caceh": true,
		"cache": false, "json": false, "xml": false, "gorm": false, "case": false, "catch": false, "mapstructure": false, "key": false,
	} {
		if nearKey(key) != want {
			t.Errorf("nearKey(%q) = %v", key, !want)
		}
	}
}
