package load

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// check type-checks packages from their syntax. Errors of types are no problems: generated names are
// missing, and other generators may have yet to run; what the models need is judged with them.
func check(dir string, fset *token.FileSet, overlay map[string][]byte, listed []*packages.Package, pkgs []*parsed) error {
	needed := map[string]bool{}
	for _, p := range pkgs {
		for path := range p.imports() {
			needed[path] = true
		}
	}
	var queries []string
	for _, path := range slices.Sorted(maps.Keys(needed)) {
		queries = append(queries, "pattern="+path)
	}
	imported := map[string]*packages.Package{}
	if len(queries) > 0 {
		if !reach(needed, listed) {
			overlay = nil // with one, nothing comes from export data
		}
		// Types come from export data, which is fast; a package that does not compile because its own
		// generated code is missing has none, and is read from its sources.
		loaded, err := packages.Load(&packages.Config{
			Mode: packages.NeedName | packages.NeedImports | packages.NeedTypes | packages.NeedTypesSizes,
			Dir:  dir, Fset: fset, ParseFile: parseImported, Overlay: overlay,
		}, queries...)
		if err != nil {
			return goError(err)
		}
		for _, p := range loaded {
			imported[p.PkgPath] = p
		}
	}
	each(len(pkgs), func(i int) { pkgs[i].check(dir, imported) })
	return nil
}

// reach reports whether imports may lead to packages that were listed: whether any is of a module of theirs.
func reach(imports map[string]bool, listed []*packages.Package) bool {
	for _, p := range listed {
		for path := range imports {
			if p.Module == nil || path == p.Module.Path || strings.HasPrefix(path, p.Module.Path+"/") {
				return true
			}
		}
	}
	return false
}

// parseImported parses a file of a package that is read from its sources.
func parseImported(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	if Generated(src) {
		return parser.ParseFile(fset, name, src, parser.PackageClauseOnly)
	}
	f, err := parser.ParseFile(fset, name, src, parser.AllErrors|parser.SkipObjectResolution)
	if f != nil {
		strip(f)
	}
	return f, err
}

// imports returns the import paths that a package's files name, and where each stands first.
func (p *parsed) imports() map[string]*ast.ImportSpec {
	out := map[string]*ast.ImportSpec{}
	for _, f := range p.pkg.Syntax {
		for _, i := range f.Imports {
			path, err := strconv.Unquote(i.Path.Value)
			if err == nil && path != "C" && path != "unsafe" && path != "" && out[path] == nil {
				out[path] = i
			}
		}
	}
	return out
}

// check gives a package its types.
func (p *parsed) check(base string, imported map[string]*packages.Package) {
	for path, spec := range p.imports() {
		at := p.pkg.Fset.Position(spec.Pos())
		problem := Problem{File: relative(base, at.Filename), Line: at.Line, Col: at.Column}
		found := imported[path]
		switch why := importError(found); {
		case path == p.pkg.PkgPath:
			problem.Message = "import cycle not allowed: the package imports itself"
			p.found = append(p.found, problem)
		case strings.HasPrefix(why, "import cycle"):
			problem.Message = why
			p.found = append(p.found, problem)
		case why != "":
			problem.Message = fmt.Sprintf("could not import %s: %s", path, why)
			p.failedImports = append(p.failedImports, problem)
		}
	}
	config := types.Config{
		FakeImportC: true,
		Error:       func(error) {},
		Importer: importer(func(path string) (*types.Package, error) {
			if path == "unsafe" {
				return types.Unsafe, nil
			}
			if found := imported[path]; found != nil && found.Types != nil && found.Name != "" {
				return found.Types, nil
			}
			return nil, fmt.Errorf("%s could not be read", path)
		}),
	}
	if p.pkg.Module != nil && p.pkg.Module.GoVersion != "" {
		config.GoVersion = "go" + p.pkg.Module.GoVersion
	}
	p.pkg.TypesInfo = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Instances: map[*ast.Ident]types.Instance{},
	}
	p.pkg.Types, _ = config.Check(p.pkg.PkgPath, p.pkg.Fset, p.pkg.Syntax, p.pkg.TypesInfo)
}

// importError says why a package could not be imported; "" if it could.
func importError(p *packages.Package) string {
	if p == nil {
		return "the go command does not know it"
	}
	for _, e := range p.Errors {
		if strings.HasPrefix(e.Msg, "import cycle") || p.Name == "" {
			return e.Msg
		}
	}
	return ""
}

// importer is a function that imports.
type importer func(path string) (*types.Package, error)

func (f importer) Import(path string) (*types.Package, error) { return f(path) }
