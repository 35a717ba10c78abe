package load

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/templates"
)

// role is what a field's type makes of it.
type role uint8

const (
	column role = iota
	relation
	structure // a struct that is a relation unless GORM embeds it
	refused
)

// verdict is the reading of a field's type.
type verdict struct {
	role    role
	typ     templates.Type
	soft    bool   // the column says which rows are deleted
	judged  bool   // and Go can read it: gorm.DeletedAt
	reason  string // why it is refused
	unknown bool   // that is only because the type is none of those that columns have
}

func refuse(format string, args ...any) verdict {
	return verdict{role: refused, reason: fmt.Sprintf(format, args...)}
}

// judge reads the type of a field. A column that is not readable is written by GORM and never read.
func (l *loader) judge(t types.Type, readable bool) verdict {
	t = types.Unalias(t)
	if unfinished(t) {
		return refuse("its type is not known")
	}
	if p, ok := t.(*types.Pointer); ok {
		return l.judgePointer(t, types.Unalias(p.Elem()), readable)
	}
	v := l.judgeValue(t, readable)
	v.soft = v.soft || v.role == column && isSoftDelete(t)
	return v
}

// judgeValue is judge of what is no pointer.
func (l *loader) judgeValue(t types.Type, readable bool) verdict {
	if n, ok := t.(*types.Named); ok {
		switch path := pathOf(n); {
		case path == "gorm.io/gorm.DeletedAt":
			v := l.value(t, templates.Time, templates.Null)
			v.typ.Value, v.typ.Field, v.soft, v.judged = `"time".Time`, "Time", true, true
			return v
		case path == "time.Time":
			return l.value(t, templates.Time, templates.Plain)
		case strings.HasPrefix(path, "database/sql.Null"):
			if v := l.judgeNull(n); v.role == column {
				return v
			}
		}
	}
	switch {
	case isSerializer(t):
		return l.serialized(t)
	case isValuer(t), isScanner(t):
		return l.judgeValuer(t, readable)
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if kind, ok := basicKind(u); ok {
			return l.value(t, kind, templates.Plain)
		}
	case *types.Slice:
		if b, ok := types.Unalias(u.Elem()).(*types.Basic); ok && b.Kind() == types.Uint8 {
			return l.value(t, templates.Bytes, templates.Plain)
		}
		elem := types.Unalias(u.Elem())
		if p, ok := elem.(*types.Pointer); ok {
			elem = types.Unalias(p.Elem())
		}
		if isStruct(elem) && !isValuer(elem) {
			return verdict{role: relation}
		}
	case *types.Struct:
		if u.NumFields() > 0 && pathOfField(u.Field(0)) == "time" { // declared from time.Time, of which it has no method
			return refuse("%s is a time without the methods of time.Time, which GORM cannot write; use time.Time, or give it Scan and Value methods", l.shown(t))
		}
		return verdict{role: structure}
	}
	return l.noColumn(t)
}

// pathOfField is the package that declares a field.
func pathOfField(f *types.Var) string {
	if f.Pkg() == nil {
		return ""
	}
	return f.Pkg().Path()
}

// noColumn refuses a type that database/sql does not read.
func (l *loader) noColumn(t types.Type) verdict {
	v := refuse("%s is no type that database/sql reads; give it Scan and Value methods, name a serializer, as in gorm:\"serializer:json\", or drop the column with gorm:\"-\"", l.shown(t))
	v.unknown = true
	return v
}

func (l *loader) judgePointer(t, elem types.Type, readable bool) verdict {
	v := l.judge(elem, readable)
	switch {
	case v.role == structure:
		return verdict{role: relation}
	case v.role != column && (v.role != refused || !v.unknown):
		return v
	case v.role == column && (v.typ.Kind == templates.Valued || v.typ.Kind == templates.Serialized) && v.typ.Form == templates.Plain:
		return l.pointedTo(t, v)
	case v.role == column && v.typ.Form == templates.Plain:
		v.typ.Form, v.typ.Shown = templates.Pointer, reflected(t)
		return v
	case v.role == column && v.typ.Form == templates.Null: // a Valuer like others, behind a pointer
		v.typ, v.judged = templates.Type{Kind: templates.Valued, Named: true}, false
		return l.pointedTo(t, v)
	default:
		return l.noColumn(t)
	}
}

// nullFields are the value's field in each of the sql.Null types.
var nullFields = map[string]string{
	"NullString": "String", "NullInt64": "Int64", "NullInt32": "Int32", "NullInt16": "Int16", "NullByte": "Byte",
	"NullFloat64": "Float64", "NullBool": "Bool", "NullTime": "Time", "Null": "V",
}

// judgeNull reads one of the sql.Null types. Their exported fields are the value and Valid. One of a type that
// is a Valuer itself is refused here, and then taken for a Valuer.
func (l *loader) judgeNull(n *types.Named) verdict {
	name := nullFields[n.Obj().Name()]
	s, ok := n.Underlying().(*types.Struct)
	if name == "" || !ok {
		return verdict{role: refused}
	}
	for f := range s.Fields() {
		if f.Name() != name {
			continue
		}
		v := l.judge(f.Type(), true)
		if v.role != column || v.typ.Form != templates.Plain || v.typ.Kind >= templates.Valued {
			return verdict{role: refused}
		}
		v.typ.Form, v.typ.Field, v.typ.Shown = templates.Null, name, reflected(n)
		return v
	}
	return verdict{role: refused}
}

// value is the verdict on a column of a type.
func (l *loader) value(t types.Type, kind templates.Kind, form templates.Form) verdict {
	_, named := t.(*types.Named)
	return verdict{role: column, typ: templates.Type{
		Kind: kind, Form: form, Value: l.expr(t), Named: named && kind != templates.Time, Shown: reflected(t),
	}}
}

func basicKind(b *types.Basic) (templates.Kind, bool) {
	switch info := b.Info(); {
	case b.Kind() == types.Uintptr, info&types.IsUntyped != 0:
		return 0, false
	case info&types.IsUnsigned != 0:
		return templates.Uint, true
	case info&types.IsInteger != 0:
		return templates.Int, true
	case info&types.IsFloat != 0:
		return templates.Float, true
	case info&types.IsBoolean != 0:
		return templates.Bool, true
	case info&types.IsString != 0:
		return templates.Text, true
	default:
		return 0, false
	}
}

func isStruct(t types.Type) bool {
	_, ok := t.Underlying().(*types.Struct)
	return ok
}

func pathOf(n *types.Named) string {
	if n.Obj().Pkg() == nil {
		return n.Obj().Name()
	}
	return n.Obj().Pkg().Path() + "." + n.Obj().Name()
}

// shown writes a type for a message, packages by name and our own not at all.
func (l *loader) shown(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == l.pkg.Types {
			return ""
		}
		return p.Name()
	})
}

// expr writes a type for templates and notes what it imports.
func (l *loader) expr(t types.Type) templates.Expr {
	return templates.Expr(types.TypeString(untagged(t), func(p *types.Package) string {
		if p == l.pkg.Types {
			return ""
		}
		l.imports[p.Path()] = p.Name()
		return `"` + p.Path() + `"`
	}))
}

// untagged drops the tags of anonymous structs inside a type: a conversion ignores them.
func untagged(t types.Type) types.Type {
	switch t := t.(type) {
	case *types.Struct:
		var fields []*types.Var
		for f := range t.Fields() {
			fields = append(fields, types.NewField(f.Pos(), f.Pkg(), f.Name(), untagged(f.Type()), f.Embedded()))
		}
		return types.NewStruct(fields, nil)
	case *types.Pointer:
		return types.NewPointer(untagged(t.Elem()))
	case *types.Slice:
		return types.NewSlice(untagged(t.Elem()))
	case *types.Array:
		return types.NewArray(untagged(t.Elem()), t.Len())
	case *types.Map:
		return types.NewMap(untagged(t.Key()), untagged(t.Elem()))
	case *types.Chan:
		return types.NewChan(t.Dir(), untagged(t.Elem()))
	default:
		return t
	}
}
