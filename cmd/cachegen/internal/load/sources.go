package load

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"

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

// strayTags finds cache tags where no model can be: in structs without a name, and in functions. Those
// of a struct that a model embeds are reported with the model.
func strayTags(file *ast.File) []*ast.BasicLit {
	named := map[*ast.StructType]bool{}
	for _, spec := range typeSpecs(file) {
		if st, ok := spec.Type.(*ast.StructType); ok {
			named[st] = true
			for _, f := range st.Fields.List {
				if inner, ok := f.Type.(*ast.StructType); ok && f.Tag != nil && strings.Contains(f.Tag.Value, "embedded") {
					named[inner] = true
				}
			}
		}
	}
	var out []*ast.BasicLit
	ast.Inspect(file, func(n ast.Node) bool {
		if st, ok := n.(*ast.StructType); ok && !named[st] {
			for _, f := range st.Fields.List {
				if tagged(f) {
					out = append(out, f.Tag)
				}
			}
		}
		return true
	})
	return out
}
