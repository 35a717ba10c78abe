// Package load reads Go packages and turns their tagged structs into what templates generates
// from. It reads statically, so that it works while a package does not compile because its
// generated code is missing or stale.
package load

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"

	"github.com/cachegen/cachegen/templates"
	"golang.org/x/tools/go/packages"
)

// Package is one package that was read.
type Package struct {
	Dir      string // its folder
	Describe templates.Package
}

// Packages reads the packages that patterns name, as the go command would in dir. The problems
// are what is wrong with tags and sources, sorted by place; the error is anything else.
func Packages(dir string, patterns ...string) ([]Package, Problems, error) {
	// Types of dependencies come from their export data, which is fast; one that does not compile
	// because its own generated code is missing has none, and is read from its sources.
	pkgs, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo,
		Dir: dir, ParseFile: parse,
	}, patterns...)
	if err != nil {
		return nil, nil, err
	}
	var out []Package
	var problems Problems
	for _, pkg := range pkgs {
		if err := unreadable(pkg); err != nil {
			return nil, nil, err
		}
		if len(pkg.Syntax) == 0 {
			continue
		}
		l := &loader{pkg: pkg, base: dir}
		desc := l.load()
		problems = append(problems, l.problems...)
		out = append(out, Package{Dir: folder(pkg), Describe: desc})
	}
	return out, problems.sorted(), nil
}

// parse parses a file, of our own generated ones only the package clause: what they declare is
// about to be generated again, and stale code must not disturb.
func parse(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
	if Generated(src) {
		return parser.ParseFile(fset, name, src, parser.PackageClauseOnly)
	}
	return parser.ParseFile(fset, name, src, parser.AllErrors|parser.SkipObjectResolution)
}

// Generated reports whether a file's content begins as our generated files do.
func Generated(src []byte) bool {
	first, _, _ := bytes.Cut(src, []byte("\n"))
	return string(bytes.TrimRight(first, "\r")) == templates.Header
}

// unreadable returns why a package could not be read at all. Errors of the compiler are none:
// generated names may be missing.
func unreadable(pkg *packages.Package) error {
	if len(pkg.Syntax) > 0 && pkg.Types != nil {
		return nil
	}
	var all []error // none for a folder that has only tests
	for _, e := range pkg.Errors {
		all = append(all, errors.New(strings.TrimPrefix(e.Error(), "-: ")))
	}
	return errors.Join(all...)
}

func folder(pkg *packages.Package) string {
	for _, files := range [][]string{pkg.GoFiles, pkg.CompiledGoFiles} {
		if len(files) > 0 {
			return filepath.Dir(files[0])
		}
	}
	return pkg.Dir
}
