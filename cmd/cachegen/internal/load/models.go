package load

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/tag"
	"github.com/cachegen/cachegen/templates"
	"golang.org/x/tools/go/packages"
)

// loader reads one package.
type loader struct {
	pkg      *packages.Package
	base     string // file names in problems are relative to it
	problems Problems
	imports  map[string]string
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
	for _, e := range l.pkg.Errors {
		if e.Kind == packages.ParseError {
			l.parseError(e)
		}
	}
	out := templates.Package{Name: l.pkg.Name, Path: l.pkg.PkgPath}
	for _, m := range l.sources() {
		if model, ok := l.model(m); ok {
			out.Models = append(out.Models, model)
		}
	}
	slices.SortFunc(out.Models, func(a, b templates.Model) int { return cmp.Compare(a.Name, b.Name) })
	l.checkNames(out.Models)
	out.Imports = l.imports
	return out
}

// parseError takes over an error of the Go parser, "file:line:col: message".
func (l *loader) parseError(e packages.Error) {
	p := Problem{Message: e.Msg}
	parts := strings.Split(e.Pos, ":")
	if n := len(parts); n >= 3 {
		_, _ = fmt.Sscan(parts[n-2], &p.Line)
		_, _ = fmt.Sscan(parts[n-1], &p.Col)
		parts = []string{strings.Join(parts[:n-2], ":")}
	}
	p.File = relative(l.base, parts[0])
	l.problems = append(l.problems, p)
}

// sources finds the structs with cache tags.
func (l *loader) sources() []*source {
	var out []*source
	for _, file := range l.pkg.Syntax {
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				if m := l.source(spec.(*ast.TypeSpec)); m != nil {
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// source returns the struct behind a type declaration, if it has cache tags.
func (l *loader) source(spec *ast.TypeSpec) *source {
	st, ok := spec.Type.(*ast.StructType)
	if !ok || !slices.ContainsFunc(st.Fields.List, func(f *ast.Field) bool { return l.tagged(f) }) {
		return nil
	}
	at := place{spec.Name.Pos()}
	obj, ok := l.pkg.TypesInfo.Defs[spec.Name].(*types.TypeName)
	if !ok {
		return nil
	}
	named, ok := obj.Type().(*types.Named)
	switch {
	case !ok:
		l.errorf(at, "%s is an alias; declare it as a type of its own", spec.Name.Name)
		return nil
	case spec.TypeParams != nil:
		l.errorf(at, "%s has type parameters: generic models are not supported yet", spec.Name.Name)
		return nil
	case !spec.Name.IsExported():
		l.errorf(at, "%s is not exported, so that nobody outside could name what its accessors return; export it", spec.Name.Name)
		return nil
	}
	return &source{
		name: spec.Name.Name, file: filepath.Base(l.pkg.Fset.Position(spec.Pos()).Filename), at: at,
		syntax: st, named: named, structure: named.Underlying().(*types.Struct),
	}
}

// tagged reports whether a field has a cache tag, well formed or not.
func (l *loader) tagged(f *ast.Field) bool {
	if f.Tag == nil {
		return false
	}
	_, ok, err := tag.Lookup(f.Tag.Value, "cache")
	return ok || err != nil
}

// model describes one struct.
func (l *loader) model(m *source) (templates.Model, bool) {
	before := len(l.problems)
	out := templates.Model{
		Name: m.name, Source: m.file, Table: l.table(m), AfterFind: hasAfterFind(m.named), Taken: l.taken(),
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
		if strings.Contains(string(expr), "invalid type") {
			l.errorf(place{v.Pos()}, "%s.%s: its type is not known; does the file import it?", m.name, v.Name())
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

// taken lists the names that parameters must not hide: types that are not exported and imported
// packages.
func (l *loader) taken() []string {
	var out []string
	scope := l.pkg.Types.Scope()
	for _, name := range scope.Names() {
		if _, ok := scope.Lookup(name).(*types.TypeName); ok && !token.IsExported(name) {
			out = append(out, name)
		}
	}
	for _, p := range l.pkg.Types.Imports() {
		out = append(out, p.Name())
	}
	slices.Sort(out)
	return out
}

// checkNames reports names that generated code and others both declare.
func (l *loader) checkNames(models []templates.Model) {
	scope := l.pkg.Types.Scope()
	owner, files := map[string]string{}, map[string]string{templates.ModelsFile: "the package", templates.KeysFile: "the package"}
	claim := func(at place, who, name string) {
		if other := owner[name]; other != "" {
			l.errorf(at, "the generated code of %s and of %s would both declare %s; rename one model", other, who, name)
			return
		}
		owner[name] = who
		if obj := scope.Lookup(name); obj != nil {
			where := l.position(obj.Pos())
			l.errorf(at, "the generated code of %s declares %s, which %s:%d declares already; rename one", who, name, where.Filename, where.Line)
		}
	}
	if len(models) > 0 {
		at := place{scope.Lookup(models[0].Name).Pos()}
		for _, name := range templates.PackageNames {
			claim(at, "the package", name)
		}
		imported := append([]string{"cacheruntime", "context", "gorm", "math", "time"}, slices.Sorted(maps.Values(l.imports))...)
		for _, name := range slices.Compact(imported) {
			if obj := scope.Lookup(name); obj != nil {
				l.errorf(place{obj.Pos()}, "generated code imports a package called %s; rename this", name)
			}
		}
	}
	for _, m := range models {
		at := place{scope.Lookup(m.Name).Pos()}
		if m.Name == "WithTx" {
			l.errorf(at, "a model cannot be called WithTx: Models has a method of that name")
		}
		file := templates.FileName(m.Name)
		if other := files[file]; other != "" {
			l.errorf(at, "the generated code of %s and of %s would both be %s; rename one model", other, m.Name, file)
			continue
		}
		files[file] = m.Name
		for _, name := range templates.ModelNames(m) {
			claim(at, m.Name, name)
		}
	}
}
