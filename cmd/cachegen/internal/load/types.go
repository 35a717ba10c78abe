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
	soft    bool
	reason  string // why it is refused
	unknown bool   // that is only because the type is none of those that columns have
}

func refuse(format string, args ...any) verdict {
	return verdict{role: refused, reason: fmt.Sprintf(format, args...)}
}

// judge reads the type of a field.
func (l *loader) judge(t types.Type) verdict {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		return l.judgePointer(t, types.Unalias(p.Elem()))
	}
	if n, ok := t.(*types.Named); ok {
		switch path := pathOf(n); {
		case path == "gorm.io/gorm.DeletedAt":
			v := l.value(t, templates.Time, templates.Null)
			v.typ.Value, v.typ.Field, v.soft = `"time".Time`, "Time", true
			return v
		case path == "time.Time":
			return l.value(t, templates.Time, templates.Plain)
		case strings.HasPrefix(path, "database/sql.Null"):
			return l.judgeNull(n)
		case strings.HasPrefix(path, "gorm.io/plugin/soft_delete."), hasMethod(t, "DeleteClauses"):
			return refuse("%s: soft-delete types other than gorm.DeletedAt are not supported yet", l.shown(t))
		case hasMethod(t, "Scan"), hasMethod(t, "Value"):
			return refuse("%s is a Scanner or Valuer, which is not supported yet", l.shown(t))
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Kind() == types.Invalid {
			return refuse("its type is not known; does the file import it?")
		}
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
		if isStruct(elem) && !hasMethod(elem, "Value") {
			return verdict{role: relation}
		}
	case *types.Struct:
		return verdict{role: structure}
	}
	return l.noColumn(t)
}

// noColumn refuses a type that no column can have yet. It may be a column to GORM.
func (l *loader) noColumn(t types.Type) verdict {
	v := refuse("%s is no column type that is supported yet; use another type, or gorm:\"-\", which drops the column from the model", l.shown(t))
	v.unknown = true
	return v
}

func (l *loader) judgePointer(t, elem types.Type) verdict {
	v := l.judge(elem)
	switch {
	case v.role == structure:
		return verdict{role: relation}
	case v.role == column && v.typ.Form == templates.Plain:
		v.typ.Form, v.typ.Shown = templates.Pointer, reflected(t)
		return v
	case v.role == refused && !v.unknown:
		return v
	default:
		return l.noColumn(t)
	}
}

// nullFields are the value's field in each of the sql.Null types.
var nullFields = map[string]string{
	"NullString": "String", "NullInt64": "Int64", "NullInt32": "Int32", "NullInt16": "Int16", "NullByte": "Byte",
	"NullFloat64": "Float64", "NullBool": "Bool", "NullTime": "Time", "Null": "V",
}

// judgeNull reads one of the sql.Null types. Their exported fields are the value and Valid.
func (l *loader) judgeNull(n *types.Named) verdict {
	name := nullFields[n.Obj().Name()]
	s, ok := n.Underlying().(*types.Struct)
	if name == "" || !ok {
		return refuse("%s is not supported yet", l.shown(n))
	}
	for f := range s.Fields() {
		if f.Name() != name {
			continue
		}
		v := l.judge(f.Type())
		if v.role != column || v.typ.Form != templates.Plain {
			return refuse("%s is not supported yet", l.shown(n))
		}
		v.typ.Form, v.typ.Field, v.typ.Shown = templates.Null, name, reflected(n)
		return v
	}
	return refuse("%s is not supported yet", l.shown(n))
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

// hasMethod reports whether a value or a pointer to it has a method.
func hasMethod(t types.Type, name string) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	_, ok := obj.(*types.Func)
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

// reflected writes a type as package reflect does: packages by name, those of type arguments by
// path.
func reflected(t types.Type) string {
	byName := func(p *types.Package) string { return p.Name() }
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		return "*" + reflected(t.Elem())
	case *types.Slice:
		return "[]" + reflected(t.Elem())
	case *types.Basic:
		return types.Typ[t.Kind()].Name() // uint8, not byte
	case *types.Named:
		if t.TypeArgs().Len() == 1 {
			arg := types.Unalias(t.TypeArgs().At(0))
			name := reflected(arg)
			if n, ok := arg.(*types.Named); ok {
				name = pathOf(n)
			}
			return t.Obj().Pkg().Name() + "." + t.Obj().Name() + "[" + name + "]"
		}
		return types.TypeString(t, byName)
	default:
		return types.TypeString(t, byName)
	}
}
