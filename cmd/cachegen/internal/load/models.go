package load

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/types"
	"path/filepath"
	"slices"

	"github.com/cachegen/cachegen/templates"
	"golang.org/x/tools/go/packages"
)

// loader reads one package.
type loader struct {
	pkg         *packages.Package
	base        string            // file names in problems are relative to it
	constraints map[string]string // by file: why it is not part of every build
	problems    Problems
	imports     map[string]string
	within      []*types.Struct // the embedded structs that are being read
}

// source is a tagged struct as it stands in the source.
type source struct {
	name      string
	file      string
	at        place
	syntax    *ast.StructType
	named     *types.Named
	structure *types.Struct
}

// load describes the package's models. Problems are collected; the description means something
// only where there are none.
func (l *loader) load() templates.Package {
	l.imports = map[string]string{}
	out := templates.Package{Name: l.pkg.Name, Path: l.pkg.PkgPath}
	for _, m := range l.sources() {
		if model, ok := l.model(m); ok {
			out.Models = append(out.Models, model)
		}
	}
	slices.SortFunc(out.Models, func(a, b templates.Model) int { return cmp.Compare(a.Name, b.Name) })
	out.Imports = l.imports
	taken := l.taken(out.Models)
	for i := range out.Models {
		out.Models[i].Taken = taken
	}
	l.checkNames(out)
	return out
}

// sources finds the structs with cache tags.
func (l *loader) sources() []*source {
	var out []*source
	for _, file := range l.pkg.Syntax {
		for _, spec := range typeSpecs(file) {
			if st, ok := spec.Type.(*ast.StructType); ok {
				l.checkKeys(st)
			}
			if m := l.source(spec); m != nil {
				out = append(out, m)
			}
		}
	}
	return out
}

// source returns the struct behind a type declaration, if it has cache tags.
func (l *loader) source(spec *ast.TypeSpec) *source {
	st, ok := taggedStruct(spec)
	if !ok {
		return nil
	}
	at := place{spec.Name.Pos()}
	obj, ok := l.pkg.TypesInfo.Defs[spec.Name].(*types.TypeName)
	if first := l.pkg.Types.Scope().Lookup(spec.Name.Name); first != nil && first != obj {
		other := l.position(first.Pos())
		l.errorf(at, "%s is declared twice (first at %s:%d); rename or remove one", spec.Name.Name, other.Filename, other.Line)
		return nil
	}
	if !ok {
		return nil
	}
	named, ok := obj.Type().(*types.Named)
	switch {
	case !ok:
		l.errorf(at, "%s is an alias; declare it as a type of its own", spec.Name.Name)
		return nil
	case spec.TypeParams != nil:
		l.errorf(at, "%s has type parameters, and a table has the columns of one type; move the cache tags to a struct that embeds it, as in type Int%s struct { _ struct{} `cache:\"model\"`; %s[int] }",
			spec.Name.Name, spec.Name.Name, spec.Name.Name)
		return nil
	case !spec.Name.IsExported():
		l.errorf(at, "%s is not exported, so that nobody outside could name what its accessors return; export it", spec.Name.Name)
		return nil
	}
	if why := l.constraints[l.pkg.Fset.Position(spec.Pos()).Filename]; why != "" {
		l.errorf(at, "%s", constrained(spec.Name.Name, why))
	}
	structure, ok := named.Underlying().(*types.Struct)
	if !ok {
		l.errorf(at, "%s is no type that Go can build; does it hold itself? Hold a pointer instead", spec.Name.Name)
		return nil
	}
	return &source{
		name: spec.Name.Name, file: filepath.Base(l.pkg.Fset.Position(spec.Pos()).Filename), at: at,
		syntax: st, named: named, structure: structure,
	}
}

// model describes one struct.
func (l *loader) model(m *source) (templates.Model, bool) {
	before := len(l.problems)
	out := templates.Model{
		Name: m.name, Source: m.file, Table: l.table(m), AfterFind: hasAfterFind(m.named),
	}
	fields := l.columns(m)
	for _, f := range fields {
		out.Columns = append(out.Columns, f.Column)
	}
	l.declarations(m, fields, &out)
	out.Struct = l.members(m)
	return out, len(l.problems) == before
}

// members lists the struct's own fields for the guard.
func (l *loader) members(m *source) []templates.Member {
	var out []templates.Member
	for v := range m.structure.Fields() {
		expr := l.expr(v.Type())
		if unfinished(v.Type()) {
			l.errorf(place{v.Pos()}, "%s.%s: %s", m.name, v.Name(), l.unknown(v))
		}
		out = append(out, templates.Member{Name: v.Name(), Type: expr, Embedded: v.Embedded()})
	}
	return out
}

// table is the model's table by GORM's default rules: what TableName returns, where it returns
// a constant, or the plural of the name.
func (l *loader) table(m *source) string {
	for _, file := range l.pkg.Syntax {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Name.Name != "TableName" || fn.Recv == nil || fn.Body == nil || len(fn.Body.List) != 1 {
				continue
			}
			recv, _, _ := types.LookupFieldOrMethod(m.named, true, l.pkg.Types, "TableName")
			ret, ok := fn.Body.List[0].(*ast.ReturnStmt)
			if !ok || len(ret.Results) != 1 || recv == nil || l.pkg.TypesInfo.Defs[fn.Name] != recv {
				continue
			}
			if v := l.pkg.TypesInfo.Types[ret.Results[0]].Value; v != nil && v.Kind() == constant.String {
				return constant.StringVal(v)
			}
		}
	}
	return naming.TableName(m.name)
}

// hasAfterFind reports whether the model has GORM's hook, with the signature that GORM calls.
func hasAfterFind(named *types.Named) bool {
	obj, _, _ := types.LookupFieldOrMethod(named, true, nil, "AfterFind")
	fn, ok := obj.(*types.Func)
	if !ok {
		return false
	}
	sig := fn.Signature()
	return sig.Params().Len() == 1 && sig.Results().Len() == 1 &&
		types.TypeString(sig.Params().At(0).Type(), nil) == "*gorm.io/gorm.DB" && types.TypeString(sig.Results().At(0).Type(), nil) == "error"
}
