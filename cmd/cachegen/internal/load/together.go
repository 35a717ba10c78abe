package load

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
	"github.com/cachegen/cachegen/templates"
)

// condition is a term with how it is written.
type condition struct {
	templates.Term
	text     tag.Text
	literals []tag.Literal
}

// checkTogether refuses a term that says what one before it says, or that never holds where those before
// it do. Text is judged without the database's collation: what may hold under one is let through.
func (r *reader) checkTogether(before []condition, c condition) {
	var beside []condition // on the same column
	for _, b := range before {
		if b.Column.Path == c.Column.Path {
			beside = append(beside, b)
		}
	}
	for _, b := range beside {
		switch {
		case b.repeats(c):
			r.fail(c.text, "%s is given twice; remove one", c.text.S)
			return
		case b.chooses() && c.chooses() && c.Column.Type.Kind != templates.Bool:
			r.fail(c.text, "%s stands beside %s, and both must hold; keep one, or write %s", c.text.S, b.text.S, b.or(c))
			return
		case !holdTogether(b, c):
			r.fail(c.text, "%s and %s never hold together; change or remove one", b.text.S, c.text.S)
			return
		}
	}
	if len(beside) > 1 && holdTogether(beside...) && !holdTogether(append(beside, c)...) {
		r.fail(c.text, "%s never holds together with the terms on %s before it; change or remove one", c.text.S, c.Column.Select)
	}
}

// chooses reports whether a term lists the values that may be.
func (c condition) chooses() bool { return c.Op == "=" || c.Op == "IN" }

// or is the term for the values of both.
func (c condition) or(d condition) string {
	var literals []string
	for _, l := range append(slices.Clone(c.literals), d.literals...) {
		if !slices.Contains(literals, l.Text.S) {
			literals = append(literals, l.Text.S)
		}
	}
	return c.Column.Select + " IN (" + strings.Join(literals, ", ") + ")"
}

// repeats reports whether two terms on a column are the same, however they are written.
func (c condition) repeats(d condition) bool {
	in := func(values []any) func(any) bool {
		return func(v any) bool { return slices.ContainsFunc(values, func(w any) bool { return same(v, w) }) }
	}
	one := func(c condition) string { // IN of one value is =
		if c.chooses() && len(c.Values) == 1 {
			return "="
		}
		return c.Op
	}
	return one(c) == one(d) && len(c.Values) == len(d.Values) && !slices.ContainsFunc(c.Values, func(v any) bool { return !in(d.Values)(v) })
}

// holdTogether reports whether a value of the column can be such that all terms hold. It is enough to try
// the values that the terms name and their neighbours: where others hold, one of these does.
func holdTogether(terms ...condition) bool {
	null := slices.ContainsFunc(terms, func(c condition) bool { return c.Op == "IS NULL" })
	if null {
		return !slices.ContainsFunc(terms, func(c condition) bool { return c.Op != "IS NULL" })
	}
	var candidates []any
	for _, c := range terms {
		for _, v := range c.Values {
			candidates = append(candidates, neighbours(v)...)
		}
	}
	holds := func(v any) bool { return !slices.ContainsFunc(terms, func(c condition) bool { return !c.holds(v) }) }
	return len(candidates) == 0 || slices.ContainsFunc(candidates, holds)
}

// holds reports whether a value that is not NULL meets a term.
func (c condition) holds(v any) bool {
	is := func(w any) bool { return same(v, w) }
	switch c.Op {
	case "IS NOT NULL":
		return true
	case "IN", "=":
		return slices.ContainsFunc(c.Values, is)
	case "!=":
		return !slices.ContainsFunc(c.Values, is)
	case "<":
		return order(v, c.Values[0]) < 0
	case "<=":
		return order(v, c.Values[0]) <= 0
	case ">":
		return order(v, c.Values[0]) > 0
	default:
		return order(v, c.Values[0]) >= 0
	}
}

// neighbours are a value, and those of its type that are nearest to it; where there is none on a side, the
// value stands for it.
func neighbours(v any) []any {
	switch v := v.(type) {
	case int64:
		return []any{max(v, math.MinInt64+1) - 1, v, min(v, math.MaxInt64-1) + 1}
	case uint64:
		return []any{max(v, 1) - 1, v, min(v, math.MaxUint64-1) + 1}
	case float64:
		return []any{math.Nextafter(v, math.Inf(-1)), v, math.Nextafter(v, math.Inf(1))}
	case time.Time:
		return []any{v.Add(-1), v, v.Add(1)}
	case bool:
		return []any{false, true}
	case string:
		return []any{v, v + "\x00"} // which no literal is
	default:
		return []any{v}
	}
}

// same reports whether two literals of a column are one value.
func same(a, b any) bool {
	if t, ok := a.(time.Time); ok {
		return t.Equal(b.(time.Time))
	}
	return a == b
}

// order compares two literals of a column whose type has an order.
func order(a, b any) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case uint64:
		return cmp.Compare(a, b.(uint64))
	case float64:
		return cmp.Compare(a, b.(float64))
	case time.Time:
		return a.Compare(b.(time.Time))
	default:
		return 0
	}
}
