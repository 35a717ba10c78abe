package load

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/templates"
	"gorm.io/gorm/schema"
)

// Types that say themselves how they are written and read: Valuers and Scanners, serializers, and those
// whose clauses make a model soft-deleted. They are told by their methods, as GORM tells them.

// method finds a method of a value or of a pointer to it.
func method(t types.Type, name string) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	fn, _ := obj.(*types.Func)
	return fn
}

// takes reports whether a method has so many parameters and results.
func takes(fn *types.Func, params, results int) bool {
	return fn != nil && fn.Signature().Params().Len() == params && fn.Signature().Results().Len() == results
}

// isValuer reports whether t or *t is a driver.Valuer.
func isValuer(t types.Type) bool { return takes(method(t, "Value"), 0, 2) }

// isScanner reports whether t or *t is an sql.Scanner.
func isScanner(t types.Type) bool { return takes(method(t, "Scan"), 1, 1) }

// isSerializer reports whether t or *t is a schema.SerializerInterface.
func isSerializer(t types.Type) bool {
	return takes(method(t, "Scan"), 4, 1) && takes(method(t, "Value"), 4, 2)
}

// isSoftDelete reports whether a column of the type says which rows are deleted.
func isSoftDelete(t types.Type) bool {
	for _, name := range []string{"QueryClauses", "UpdateClauses", "DeleteClauses"} {
		if takes(method(t, name), 1, 1) {
			return true
		}
	}
	return false
}

// onValue reports whether a method can be called on a value that has no address.
func onValue(t types.Type, name string) bool {
	return types.NewMethodSet(t).Lookup(nil, name) != nil
}

// judgeValuer reads a type with a Scan or a Value method; ptr says that the field is a pointer to it.
func (l *loader) judgeValuer(t types.Type, readable bool) verdict {
	if _, ok := t.Underlying().(*types.Interface); ok {
		return refuse("%s is an interface, so that nobody knows what to read into it; use a type with Scan and Value methods", l.shown(t))
	}
	simple := l.basic(t.Underlying())
	switch {
	case !isValuer(t) && !simple:
		return refuse("%s has a Scan method and no Value method (driver.Valuer), so that what it has read cannot be stored; add one that gives what Scan takes, or name a serializer: in the gorm tag", l.shown(t))
	case !isScanner(t) && !simple && readable:
		return refuse("%s has a Value method and no Scan method (sql.Scanner), so that GORM cannot read it; add one, or tag the field gorm:\"->:false;<-\"", l.shown(t))
	}
	return verdict{role: column, typ: templates.Type{Kind: templates.Valued, Value: l.expr(t), Named: true, Shown: reflected(t)}}
}

// basic reports whether database/sql converts a type to and from what drivers know without help.
func (l *loader) basic(t types.Type) bool {
	switch u := t.(type) {
	case *types.Basic:
		_, ok := basicKind(u)
		return ok
	case *types.Slice:
		b, ok := types.Unalias(u.Elem()).(*types.Basic)
		return ok && b.Kind() == types.Uint8
	}
	return false
}

// pointedTo is the verdict on a pointer to a type that says itself how it is read. Nil is NULL.
func (l *loader) pointedTo(t types.Type, v verdict) verdict {
	v.typ.Value, v.typ.Shown = l.expr(t), reflected(t)
	if v.typ.Kind == templates.Valued {
		v.typ.Form = templates.Pointer
	}
	return v
}

// serialized is the verdict on a column that a serializer writes and reads, whatever its type.
func (l *loader) serialized(t types.Type) verdict {
	return verdict{role: column, typ: templates.Type{Kind: templates.Serialized, Value: l.expr(t), Named: true, Shown: reflected(t)}}
}

// serializer reports whether the gorm tag names a serializer. GORM takes json: for one, too.
func serializer(settings map[string]string) bool {
	return settings["SERIALIZER"] != "" || settings["JSON"] != ""
}

// embeds returns the struct that GORM takes apart where a field of this type is embedded, and whether it is
// behind a pointer. Valuers and times are columns, anonymous or not.
func embeds(t types.Type) (s *types.Struct, pointer *types.Pointer) {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		pointer, t = p, types.Unalias(p.Elem())
	}
	if n, ok := t.(*types.Named); ok && pathOf(n) == "time.Time" || isValuer(t) {
		return nil, nil
	}
	s, _ = t.Underlying().(*types.Struct)
	return s, pointer
}

// unknown says that the type of a field is not declared, by the name that the source has for it.
func (l *loader) unknown(v *types.Var) string {
	name := "of " + v.Name()
	for _, file := range l.pkg.Syntax {
		if v.Pos() < file.FileStart || v.Pos() >= file.FileEnd {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			f, ok := n.(*ast.Field)
			if ok && f.Pos() <= v.Pos() && v.Pos() < f.End() {
				name = types.ExprString(f.Type)
			}
			return true // fields within fields come later, and are nearer
		})
	}
	return "its type " + name + " is not known; does the file import it, or has another generator yet to run?"
}

// hidden says why generated code cannot name a type; "" if it can.
func (l *loader) hidden(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		return l.hidden(t.Elem())
	case *types.Slice:
		return l.hidden(t.Elem())
	case *types.Array:
		return l.hidden(t.Elem())
	case *types.Named:
		pkg := t.Obj().Pkg()
		if pkg == nil || pkg == l.pkg.Types {
			return ""
		}
		if !t.Obj().Exported() {
			return "its type " + l.shown(t) + " is not exported by its package, so that generated code cannot name it; export it, or leave the column out with gorm:\"-\""
		}
		if parent, _, ok := strings.Cut(pkg.Path()+"/", "/internal/"); ok && !strings.HasPrefix(l.pkg.PkgPath+"/", parent+"/") {
			return "its type " + l.shown(t) + " is of an internal package that this package may not import; move it, or leave the column out with gorm:\"-\""
		}
		for arg := range t.TypeArgs().Types() {
			if why := l.hidden(arg); why != "" {
				return why
			}
		}
	}
	return ""
}

// unfinished reports whether a type has a part that is not declared.
func unfinished(t types.Type) bool {
	if b, ok := t.Underlying().(*types.Basic); ok && b.Kind() == types.Invalid { // declared of such a part, or of itself
		return true
	}
	return strings.Contains(types.TypeString(t, nil), "invalid type")
}

// incomparable says why arguments cannot be compared with a column; "" if they can.
func (l *loader) incomparable(f *field) string {
	if t := f.variable.Type(); f.Type.Kind == templates.Valued && takes(method(t, "GormValue"), 2, 1) {
		return f.Path + " has type " + l.shown(t) + ", whose GormValue method writes it as an expression, so that an argument is not compared as it is stored; use a column of another type"
	}
	return ""
}

// byValue reports why a type's values cannot be told apart by ==; "" if they can.
func byValue(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&(types.IsString|types.IsInteger|types.IsBoolean) != 0 {
			return ""
		}
		return "holds " + u.Name()
	case *types.Array:
		return byValue(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if why := byValue(f.Type()); why != "" {
				return why
			}
		}
		return ""
	case *types.Pointer:
		return "holds a pointer"
	case *types.Slice:
		return "holds a slice"
	case *types.Map:
		return "holds a map"
	case *types.Interface:
		return "holds an interface"
	default:
		return "holds what == does not compare by value"
	}
}

// zeroValue reports whether the soft-delete column has a value for rows that are not deleted, other than NULL.
func zeroValue(tags string) bool {
	_, ok := schema.ParseTagSetting(tags, ";")["ZEROVALUE"]
	return ok
}
