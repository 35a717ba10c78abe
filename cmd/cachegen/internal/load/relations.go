package load

import (
	"fmt"
	"go/ast"
	"go/types"
	"reflect"
	"strings"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
	"gorm.io/gorm/schema"
)

// related returns the struct type that a relation's field leads to, through pointers and slices.
func related(t types.Type) (*types.Named, bool) {
	for {
		t = types.Unalias(t)
		switch u := t.(type) {
		case *types.Pointer:
			t = u.Elem()
		case *types.Slice:
			t = u.Elem()
		case *types.Array:
			t = u.Elem()
		case *types.Named:
			_, ok := u.Underlying().(*types.Struct)
			return u, ok
		default:
			return nil, false
		}
	}
}

// cached reports whether a type is a model with a declaration.
func cached(n *types.Named) bool {
	s, ok := n.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for i := range s.NumFields() {
		text := reflect.StructTag(s.Tag(i)).Get("cache")
		if word, _, _ := strings.Cut(text, ";"); s.Field(i).Name() == "_" && strings.TrimSpace(word) == "model" {
			return true
		}
	}
	return false
}

// member returns a field of the model's own struct by name, with its GORM settings.
func (r *reader) member(name string) (v *types.Var, settings map[string]string) {
	s := r.model.structure
	for i := range s.NumFields() {
		if s.Field(i).Name() == name && name != "_" {
			return s.Field(i), schema.ParseTagSetting(reflect.StructTag(s.Tag(i)).Get("gorm"), ";")
		}
	}
	return nil, nil
}

// fieldName is the name of a struct's field as it stands in the source; an embedded one is called as
// its type.
func fieldName(f *ast.Field) string {
	if len(f.Names) > 0 {
		return f.Names[0].Name
	}
	t := f.Type
	for {
		switch e := t.(type) {
		case *ast.StarExpr:
			t = e.X
		case *ast.SelectorExpr:
			return e.Sel.Name
		case *ast.IndexExpr:
			t = e.X
		case *ast.IndexListExpr:
			t = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// throughRelation refuses the path of a column that leads through a relation.
func (r *reader) throughRelation(path tag.Text, v *types.Var) {
	name := v.Name()
	_, settings := r.member(name)
	if r.embeds(name) {
		r.fail(path, "%s is embedded, and no column itself; name one of its fields%s", name, r.inside(name))
		return
	}
	what := name + " is a relation"
	if to, ok := related(v.Type()); ok {
		what += " to " + r.shown(to)
	}
	if join := settings["MANY2MANY"]; join != "" {
		what += " through the join table " + join
	}
	hint := "take rows by columns of " + r.model.name
	for _, f := range r.fields {
		if key := settings["FOREIGNKEY"]; f.name == key && key != "" || f.name == name+"ID" {
			hint += ", such as " + f.Select
			break
		}
	}
	r.fail(path, "%s, and accessors through relations are not supported yet; %s", what, hint)
}

// embeds reports whether GORM takes a field apart into its columns, if it is a struct.
func (r *reader) embeds(name string) bool {
	v, settings := r.member(name)
	_, told := settings["EMBEDDED"]
	return v != nil && (told || v.Anonymous())
}

// inside names a column of an embedded struct, as an example.
func (r *reader) inside(name string) string {
	for _, f := range r.fields {
		if strings.HasPrefix(f.Path, name+".") {
			return ", as in " + f.Select
		}
	}
	return ""
}

// leftOut reports a field that GORM leaves out of the model: by gorm:"-", or since it is not exported.
func (r *reader) leftOut(path tag.Text, first string) bool {
	v, settings := r.member(first)
	if v != nil && !v.Exported() {
		r.fail(path, "%s is not exported, so that it is no column; export it, or take another", first)
		return true
	}
	if ignored, ok := settings["-"]; !ok || ignored == "migration" {
		return false
	}
	r.fail(path, `%s is tagged gorm:"-", so that it is no column; take another, or drop that tag`, first)
	return true
}

// noAccessors says why a field with kinds in its tag has no accessors.
func (r *reader) noAccessors(syntax *ast.Field) {
	at := place{syntax.Tag.Pos()}
	name := fieldName(syntax)
	full := r.model.name + "." + name
	v, settings := r.member(name)
	ignored, dash := settings["-"]
	switch {
	case v == nil:
		r.errorf(at, "this field is not a column, so it has no accessors; remove the tag")
	case !v.Exported():
		r.errorf(at, "%s is not exported, so it is not a column; export it, or remove the tag", full)
	case dash && ignored != "migration":
		r.errorf(at, `%s is tagged gorm:"-", so that it is no column and has no accessors; remove one of the tags`, full)
	case r.mentioned(full): // it is in error itself
	case r.embeds(name):
		r.errorf(at, "%s is embedded, and no column itself; declare the accessor on a blank field, by one of its columns%s", full, r.inside(name))
	default:
		what, instead := "a relation", ""
		if to, ok := related(v.Type()); ok {
			what, instead = what+" to "+r.shown(to), "write follow, or "
		}
		r.errorf(at, "%s is %s and no column, so it has no accessors; %sremove the tag", full, what, instead)
	}
}

// leads reports whether a field that is no column is a relation, as far as its type says.
func (r *reader) leads(name string) bool {
	v, _ := r.member(name)
	if v == nil || !v.Exported() || r.embeds(name) {
		return false
	}
	_, ok := related(v.Type())
	return ok
}

// mentioned reports whether a problem is about a field already.
func (r *reader) mentioned(field string) bool {
	for _, p := range r.problems {
		if strings.HasPrefix(p.Message, field+":") || strings.HasPrefix(p.Message, field+".") {
			return true
		}
	}
	return false
}

// some lists a few names, for messages.
func some(names []string) string {
	const few = 6
	if len(names) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
	}
	return strings.Join(names, ", ")
}
