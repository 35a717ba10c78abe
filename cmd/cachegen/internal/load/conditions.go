package load

import (
	"cmp"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
	"github.com/cachegen/cachegen/templates"
)

// find returns the column that a path in a tag names.
func (r *reader) find(path tag.Text) *field {
	var known []string
	for _, f := range r.fields {
		if f.Path == path.S || f.Select == path.S {
			return f
		}
		known = append(known, f.Select)
	}
	first, _, _ := strings.Cut(path.S, ".")
	for v := range r.model.structure.Fields() {
		if v.Name() != first || first == "_" {
			continue
		}
		switch verdict := r.judge(v.Type(), true); {
		case verdict.role == refused:
			return nil // reported with the field
		case verdict.role == relation || verdict.role == structure && (first == path.S || !r.embeds(first)):
			r.throughRelation(path, v)
			return nil
		}
	}
	if !r.leftOut(path, first) {
		r.fail(path, "%s", r.noColumn(path.S, known))
	}
	return nil
}

// noColumn says that the model has no such field, and which one may be meant.
func (r *reader) noColumn(path string, known []string) string {
	for _, f := range r.fields {
		if strings.EqualFold(f.DBName, path) {
			return fmt.Sprintf("%s is the name of a column; tags name Go fields, so write %s", path, f.Select)
		}
	}
	hint := cmp.Or(Suggest(path, known), "; it has "+some(known))
	if Suggest(path, known) == "" && !token.IsExported(path) {
		hint = "; tags name Go fields, which begin with a capital letter"
	}
	return fmt.Sprintf("%s has no column %s%s", r.model.name, path, hint)
}

// unfit says why a column cannot be part of an accessor; "" if it can.
func (f *field) unfit() string {
	switch {
	case f.SoftDelete && !f.deletes():
		return f.Path + " has type " + f.Type.Shown + ", whose QueryClauses method adds a condition to every query; keep what rows are found or ordered by in a column of another type"
	case f.SoftDelete:
		return f.Path + " is the soft-delete column, and accessors never find deleted rows; leave it out"
	case strings.EqualFold(f.settings["->"], "false"):
		return f.Path + ` is tagged gorm:"->:false", so that its value is never read; take another column`
	case f.Type.Kind == templates.Serialized:
		return f.Path + " is serialized, so that only GORM knows what the column holds; keep what rows are found or ordered by in a column of its own"
	default:
		return ""
	}
}

// by reads the columns of an accessor's arguments.
func (r *reader) by(text tag.Text) []*field {
	paths, err := tag.Fields(text)
	if err != nil {
		r.failIn(err)
		return nil
	}
	var out []*field
	for _, path := range paths {
		f := r.find(path)
		if f == nil {
			continue
		}
		if reason := cmp.Or(f.unfit(), r.incomparable(f)); reason != "" {
			r.fail(path, "%s", reason)
		} else if slices.Contains(out, f) {
			r.fail(path, "%s is given twice; remove one", path.S)
		}
		out = append(out, f)
	}
	return out
}

// order reads the order of a list or a one.
func (r *reader) order(text tag.Text) []templates.Order {
	parsed, err := tag.Orders(text)
	if err != nil {
		r.failIn(err)
		return nil
	}
	var out []templates.Order
	for _, o := range parsed {
		f := r.find(o.Field)
		if f == nil {
			continue
		}
		if reason := f.unfit(); reason != "" {
			r.fail(o.Field, "%s", reason)
		}
		if slices.ContainsFunc(out, func(other templates.Order) bool { return other.Column.Path == f.Path }) {
			r.fail(o.Field, "%s is given twice; remove one", o.Field.S)
		}
		out = append(out, templates.Order{Column: f.Column, Desc: o.Desc})
	}
	return out
}

// where reads the conditions of an accessor.
func (r *reader) where(text tag.Text) []templates.Term {
	parsed, err := tag.Where(text)
	if err != nil {
		r.failIn(err)
		return nil
	}
	var out []templates.Term
	var conditions []condition
	for _, p := range parsed {
		f := r.find(p.Field)
		if f == nil {
			continue
		}
		if reason := f.unfit(); reason != "" {
			r.fail(p.Field, "%s", reason)
			continue
		}
		if !r.allowed(f, p) {
			continue
		}
		t := condition{Term: templates.Term{Column: f.Column, Op: p.Symbol}, text: p.Text, literals: p.Values}
		good := true
		for _, literal := range p.Values {
			v, ok := r.literal(f, literal)
			if ok && slices.ContainsFunc(t.Values, func(other any) bool { return same(other, v) }) {
				r.fail(literal.Text, "%s is given twice; remove one", literal.Text.S)
			}
			if good = good && ok; ok {
				t.Values = append(t.Values, v)
			}
		}
		if good {
			r.checkTogether(conditions, t)
			conditions = append(conditions, t)
		}
		out = append(out, t.Term)
	}
	return out
}

// operators are those that a kind of column has, besides the tests for NULL.
var operators = map[templates.Kind][]string{
	templates.Uint: {"=", "!=", "<", "<=", ">", ">=", "IN"}, templates.Int: {"=", "!=", "<", "<=", ">", ">=", "IN"},
	templates.Float: {"=", "!=", "<", "<=", ">", ">=", "IN"}, templates.Time: {"=", "!=", "<", "<=", ">", ">=", "IN"},
	templates.Text: {"=", "!=", "IN"}, templates.Bool: {"=", "!="},
}

func (r *reader) allowed(f *field, p tag.Term) bool {
	if strings.HasPrefix(p.Symbol, "IS ") {
		if f.Type.Form == templates.Plain && f.Type.Kind == templates.Bytes {
			r.fail(p.Op, "%s has type %s, in which drivers do not tell NULL from no bytes; make it a pointer", f.Path, r.shown(f.variable.Type()))
			return false
		}
		if f.Type.Form == templates.Plain && f.Type.Kind != templates.Valued { // those may have a NULL of their own
			r.fail(p.Op, "%s has type %s, which cannot be NULL; make it a pointer", f.Path, r.shown(f.variable.Type()))
			return false
		}
		return true
	}
	known := operators[f.Type.Kind]
	if f.Type.Kind == templates.Valued {
		r.fail(p.Op, "%s has type %s, whose values the generator cannot judge; where takes IS NULL and IS NOT NULL on it, and literals on a column of a plain type", f.Path, r.shown(f.variable.Type()))
		return false
	}
	if slices.Contains(known, p.Symbol) {
		return true
	}
	if len(known) == 0 {
		r.fail(p.Op, "%s has type %s, which where can only test for NULL, and that as a pointer; compare a column of another type", f.Path, r.shown(f.variable.Type()))
	} else {
		r.fail(p.Op, "%s has type %s, which takes %s and not %s", f.Path, r.shown(f.variable.Type()), strings.Join(known, " "), p.Symbol)
	}
	return false
}

// literal checks a literal against its column.
func (r *reader) literal(f *field, p tag.Literal) (any, bool) {
	var want string
	switch f.Type.Kind {
	case templates.Bool:
		want = "true or false"
		if p.Kind == tag.Boolean {
			return p.Value == "true", true
		}
	case templates.Text:
		want = "'text' in single quotes"
		if p.Kind == tag.Quoted && (!utf8.ValidString(p.Value) || strings.ContainsRune(p.Value, 0)) {
			r.fail(p.Text, "the literal is not UTF-8 without zero bytes, which is all the text that every database holds; write another")
			return nil, false
		}
		if p.Kind == tag.Quoted {
			return p.Value, true
		}
	case templates.Time:
		want = "an RFC 3339 time in quotes, as in '2024-01-31T00:00:00Z'"
		if p.Kind == tag.Quoted {
			if t, err := time.Parse(time.RFC3339Nano, p.Value); err == nil {
				return t, true
			}
		}
	case templates.Float:
		want = "a number"
		if p.Kind == tag.Number && !strings.Contains(p.Value, "_") {
			v, err := strconv.ParseFloat(p.Value, 64)
			if errors.Is(err, strconv.ErrRange) {
				want = "a number that fits float64"
			}
			if err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) {
				return v, true
			}
		}
	case templates.Int:
		want = "a whole number that fits it"
		if p.Kind == tag.Number {
			if v, err := strconv.ParseInt(p.Value, 10, r.bits(f)); err == nil {
				return v, true
			}
		}
	case templates.Uint:
		want = "a whole number that fits it"
		if p.Kind == tag.Number {
			if v, err := strconv.ParseUint(p.Value, 10, r.bits(f)); err == nil {
				return v, true
			}
		}
	}
	r.fail(p.Text, "%s has type %s, so the literal must be %s, not %s%s", f.Path, r.shown(f.variable.Type()), want, p.Text.S, plainly(p))
	return nil, false
}

// plainly says how a number that is written as in Go is written here.
func plainly(p tag.Literal) string {
	if p.Kind != tag.Number || !strings.Contains(p.Value, "_") {
		return ""
	}
	plain := strings.ReplaceAll(p.Value, "_", "")
	if _, err := strconv.ParseFloat(plain, 64); err != nil {
		return ""
	}
	return "; write " + plain
}

// bits is how many bits a literal for the column may have.
func (r *reader) bits(f *field) int {
	if b := integer(f.variable.Type()); b != nil {
		return sizes[b.Kind()]
	}
	return 64
}

// sizes are the bits that a literal for each kind of integer may have. int is as on 64-bit machines;
// database/sql takes no uint64 with the highest bit set.
var sizes = map[types.BasicKind]int{
	types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64, types.Int: 64,
	types.Uint8: 8, types.Uint16: 16, types.Uint32: 32, types.Uint64: 63, types.Uint: 63,
}

// integer finds the basic type behind a column's.
func integer(t types.Type) *types.Basic {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u
	case *types.Pointer:
		return integer(u.Elem())
	case *types.Struct: // sql.Null…: the value and Valid
		for f := range u.Fields() {
			if f.Name() != "Valid" {
				return integer(f.Type())
			}
		}
	}
	return nil
}
