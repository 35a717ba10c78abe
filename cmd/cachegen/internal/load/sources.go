package load

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
)

// typeSpecs are the types that a file declares outside functions.
func typeSpecs(file *ast.File) []*ast.TypeSpec {
	var out []*ast.TypeSpec
	for _, decl := range file.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.TYPE {
			for _, spec := range gen.Specs {
				out = append(out, spec.(*ast.TypeSpec))
			}
		}
	}
	return out
}

// taggedStruct returns the struct that a type is declared as, if it has cache tags.
func taggedStruct(spec *ast.TypeSpec) (*ast.StructType, bool) {
	st, ok := spec.Type.(*ast.StructType)
	return st, ok && slices.ContainsFunc(st.Fields.List, tagged)
}

// tagged reports whether a field has a cache tag, well formed or not.
func tagged(f *ast.Field) bool {
	if f.Tag == nil {
		return false
	}
	_, ok, err := tag.Lookup(f.Tag.Value, "cache")
	return ok || err != nil
}

// strayTags reports cache tags where no model can be: in structs without a name.
func (l *loader) strayTags(file *ast.File) {
	own := map[*ast.StructType]bool{}
	for _, spec := range typeSpecs(file) {
		if st, ok := spec.Type.(*ast.StructType); ok {
			own[st] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		st, ok := n.(*ast.StructType)
		if !ok || own[st] {
			return true
		}
		for _, f := range st.Fields.List {
			if tagged(f) {
				l.errorf(place{f.Tag.Pos()}, "cache tags mean something only in a struct type declared by name, outside functions; declare one, or remove the tag")
			}
		}
		return true
	})
}
