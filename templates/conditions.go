package templates

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dave/jennifer/jen"
)

// says writes a term as a doc comment does, its column by this name.
func (t Term) says(column string) string {
	switch t.Op {
	case "IS NULL", "IS NOT NULL":
		return column + " " + t.Op
	case "IN":
		values := make([]string, len(t.Values))
		for i, v := range t.Values {
			values[i] = shown(v)
		}
		return column + " IN (" + strings.Join(values, ", ") + ")"
	default:
		return column + " " + t.Op + " " + shown(t.Values[0])
	}
}

// shown writes a literal for a doc comment.
func shown(v any) string {
	switch v := v.(type) {
	case string:
		// Not as in the tag: gofmt makes two single quotes in a comment one curly one.
		return strconv.Quote(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	default:
		return fmt.Sprint(v)
	}
}

// literal writes a value of a where setting as Go.
func literal(v any) jen.Code {
	switch v := v.(type) {
	case int64:
		if v == math.MinInt64 {
			return jen.Id("int64").Call(jen.Qual("math", "MinInt64"))
		}
		return jen.Id("int64").Call(jen.Id(strconv.FormatInt(v, 10)))
	case uint64:
		return jen.Id("uint64").Call(jen.Id(strconv.FormatUint(v, 10)))
	case float64:
		return jen.Id("float64").Call(jen.Id(strconv.FormatFloat(v, 'g', -1, 64)))
	case time.Time:
		v = v.UTC()
		return jen.Qual("time", "Date").Call(jen.Id(strconv.Itoa(v.Year())), jen.Qual("time", v.Month().String()),
			jen.Id(strconv.Itoa(v.Day())), jen.Id(strconv.Itoa(v.Hour())), jen.Id(strconv.Itoa(v.Minute())),
			jen.Id(strconv.Itoa(v.Second())), jen.Id(strconv.Itoa(v.Nanosecond())), jen.Qual("time", "UTC"))
	default:
		return jen.Lit(v)
	}
}

// judged reports how far Go can judge a term: at all, and as exactly as the database. What it
// cannot judge exactly, the row's Same function watches. Drivers may read empty bytes as NULL, so
// that Go cannot judge even that of bytes.
func (t Term) judged() (atAll, exactly bool) {
	null := strings.HasPrefix(t.Op, "IS ")
	switch kind := t.Column.Type.Kind; {
	case kind == Bytes:
		return false, false
	case kind == Valued && t.Column.Type.Form == Plain: // it may have a NULL of its own
		return false, false
	case null, kind == Uint, kind == Int, kind == Bool:
		return true, true
	case kind == Text:
		return t.Op != "!=", false
	default:
		return false, false
	}
}

// holds is the body of IndexSpec.Holds, or nil where there is nothing that Go can judge.
func holds(terms []Term) *jen.Statement {
	var parts []jen.Code
	for _, t := range terms {
		if atAll, _ := t.judged(); atAll {
			parts = append(parts, t.holds("v"))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return chain(parts, "&&")
}

// chain joins conditions, a line each where they are many.
func chain(parts []jen.Code, op string) *jen.Statement {
	s := jen.Add(parts[0])
	for _, p := range parts[1:] {
		s.Op(op)
		if len(parts) > 3 && op == "&&" {
			s.Line()
		}
		s.Add(p)
	}
	return s
}

// holds judges one term. A comparison with NULL does not hold, as in SQL; inside an embedded pointer that is nil
// everything is NULL.
func (t Term) holds(v string) *jen.Statement {
	test := t.holdsWithin(v)
	switch {
	case len(t.Column.Pointers) == 0:
		return test
	case t.Op == "IS NULL":
		return jen.Parens(t.Column.absent(v).Op("||").Add(test))
	default:
		return t.Column.present(v).Op("&&").Add(test)
	}
}

// holdsWithin judges one term where no embedded pointer is nil.
func (t Term) holdsWithin(v string) *jen.Statement {
	col := t.Column
	var present, value *jen.Statement
	switch col.Type.Form {
	case Pointer:
		present, value = col.selector(v).Op("!=").Nil(), jen.Op("*").Add(col.selector(v))
	case Null:
		present, value = col.selector(v).Dot("Valid"), col.selector(v).Dot(col.Type.Field)
	default:
		value = col.selector(v)
	}
	switch t.Op {
	case "IS NOT NULL":
		return present
	case "IS NULL":
		if col.Type.Form == Pointer {
			return col.selector(v).Op("==").Nil()
		}
		return jen.Op("!").Add(present)
	}
	parts := make([]jen.Code, len(t.Values))
	for i, literal := range t.Values {
		parts[i] = compare(t, value, literal)
	}
	test := chain(parts, "||")
	if len(parts) > 1 {
		test = jen.Parens(test)
	}
	if present == nil {
		return test
	}
	return present.Op("&&").Add(test)
}

// compare judges a value that is not NULL against one literal.
func compare(t Term, value *jen.Statement, literal any) *jen.Statement {
	value = value.Clone()
	switch v := literal.(type) {
	case bool:
		if t.Column.Type.Named {
			value = jen.Id("bool").Call(value)
		}
		if t.isFalse() {
			return jen.Op("!").Add(value)
		}
		return value
	case string:
		if t.Column.Type.Named {
			value = jen.Id("string").Call(value)
		}
		return rt("SameText").Call(value, jen.Lit(v))
	default:
		op := t.Op
		if op == "=" || op == "IN" {
			op = "=="
		}
		return value.Op(op).Id(fmt.Sprint(v))
	}
}

// same is the body of IndexSpec.Same, or nil where nothing needs it: the columns of the order,
// those of terms that Go cannot judge exactly, bytes among the arguments, whose names may hide
// a NULL, and a soft-delete column that Go cannot judge are alike in a and b.
func (m Model) same(a Accessor) *jen.Statement {
	var parts []jen.Code
	seen := map[string]bool{}
	add := func(c Column) {
		if !seen[c.Path] {
			seen[c.Path] = true
			parts = append(parts, c.same())
		}
	}
	for _, c := range a.By {
		if c.Type.Kind == Bytes {
			add(c)
		}
	}
	for _, o := range a.Order {
		add(o.Column)
	}
	for _, t := range a.Where {
		if _, exactly := t.judged(); !exactly {
			add(t.Column)
		}
	}
	if c, ok := m.softDelete(); ok && !c.Judged {
		add(c)
	}
	if len(parts) == 0 {
		return nil
	}
	return chain(parts, "&&")
}

// same is the expression that a and b are alike in the column.
func (c Column) same() *jen.Statement {
	if len(c.Pointers) == 0 {
		return c.sameWithin()
	}
	return rt("SameWithin").Call(c.present("a"), c.present("b"), jen.Func().Params().Bool().Block(jen.Return(c.sameWithin())))
}

// sameWithin is same where no embedded pointer is nil.
func (c Column) sameWithin() *jen.Statement {
	a, b := c.selector("a"), c.selector("b")
	form, kind := c.Type.Form, c.Type.Kind
	switch {
	case kind == Valued:
		return rt("SameValue").Call(a, b)
	case form == Pointer && kind == Time:
		return rt("SamePtrFunc").Call(a, b, rt("SameTime"))
	case form == Pointer && kind == Bytes:
		return rt("SameBytesPtr").Call(a, b)
	case form == Pointer:
		return rt("SamePtr").Call(a, b)
	case form == Null && kind == Time:
		valid := c.selector("a").Dot("Valid").Op("==").Add(c.selector("b").Dot("Valid"))
		return valid.Op("&&").Add(rt("SameTime").Call(a.Dot(c.Type.Field), b.Dot(c.Type.Field)))
	case form == Null && kind == Bytes: // what is not Valid is empty
		return rt("SameBytes").Call(a.Dot(c.Type.Field), b.Dot(c.Type.Field))
	case kind == Time:
		return rt("SameTime").Call(a, b)
	case kind == Bytes:
		return rt("SameBytes").Call(a, b)
	default:
		return a.Op("==").Add(b)
	}
}
