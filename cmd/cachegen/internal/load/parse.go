package load

import (
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/build/constraint"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// mayHaveTags finds the files that are worth reading.
var mayHaveTags = regexp.MustCompile(`(?i)cache:`)

// parse reads the files of a package, our generated ones left out: what they declare is about to be
// generated again, and stale code must not disturb. A package without a word of ours in it is
// nobody's problem here.
func parse(fset *token.FileSet, base string, listed *packages.Package) *parsed {
	p := &parsed{pkg: listed, constraints: map[string]string{}}
	p.description.Name, p.description.Path = listed.Name, listed.PkgPath
	listed.Fset = fset
	sources, ours := map[string][]byte{}, false
	for _, name := range listed.GoFiles {
		src, err := os.ReadFile(name)
		if err != nil {
			p.problems = append(p.problems, Problem{Message: err.Error()})
			continue
		}
		if Generated(src) {
			ours = true
			continue
		}
		sources[name] = src
		p.tagged = p.tagged || mayHaveTags.Match(src) || mayHaveMisspelt(src)
	}
	broken := map[string]bool{} // files of which the go command has said what is wrong
	if p.tagged || ours || len(listed.GoFiles) == 0 {
		for _, e := range listed.Errors {
			if problem, ok := listError(base, listed, e); ok {
				p.problems = append(p.problems, problem)
				broken[problem.File] = true
			}
		}
	}
	p.hidden(base)
	if !p.tagged {
		return p
	}
	for _, name := range listed.GoFiles {
		src, ok := sources[name]
		if !ok || broken[relative(base, name)] {
			continue
		}
		f, problems := parseFile(fset, base, name, src)
		p.problems = append(p.problems, problems...)
		if f == nil {
			continue
		}
		if why := buildConstraint(name, src); why != "" {
			p.constraints[name] = why
		}
		for _, lit := range strayTags(f) {
			at := fset.Position(lit.Pos())
			p.problems = append(p.problems, Problem{File: relative(base, at.Filename), Line: at.Line, Col: at.Column,
				Message: "cache tags mean something only in a struct type with a name, outside functions; declare one, or remove the tag"})
		}
		strip(f)
		listed.Syntax = append(listed.Syntax, f)
	}
	return p
}

// parseFile parses a file. Errors of the parser are problems, one a line, since those that follow
// the first on a line seldom say more.
func parseFile(fset *token.FileSet, base, name string, src []byte) (*ast.File, Problems) {
	f, err := parser.ParseFile(fset, name, src, parser.AllErrors|parser.SkipObjectResolution)
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return f, nil
	}
	list.RemoveMultiples()
	var out Problems
	for _, e := range list {
		out = append(out, Problem{File: relative(base, e.Pos.Filename), Line: e.Pos.Line, Col: e.Pos.Column, Message: e.Msg})
	}
	return f, out
}

// strip drops the bodies of functions: they cost time, and say nothing of models but for what
// TableName returns.
func strip(f *ast.File) {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name != "TableName" {
			fn.Body = nil
		}
	}
}

// hidden reports models in files that are not part of this build, which would be overlooked in
// silence.
func (p *parsed) hidden(base string) {
	files := slices.Clone(p.pkg.IgnoredFiles)
	if p.pkg.Dir != "" {
		tests, _ := filepath.Glob(filepath.Join(Escape(p.pkg.Dir), "*_test.go"))
		files = append(files, tests...)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil || !strings.HasSuffix(name, ".go") || !mayHaveTags.Match(src) || Generated(src) {
			continue
		}
		f, err := parser.ParseFile(p.pkg.Fset, name, src, parser.SkipObjectResolution)
		if err != nil || strings.TrimSuffix(f.Name.Name, "_test") != p.pkg.Name && p.pkg.Name != "" {
			continue // a program beside the package, or nothing that the compiler would take
		}
		why := buildConstraint(name, src)
		for _, spec := range typeSpecs(f) {
			if _, ok := taggedStruct(spec); !ok {
				continue
			}
			at := p.pkg.Fset.Position(spec.Name.Pos())
			problem := Problem{File: relative(base, at.Filename), Line: at.Line, Col: at.Column}
			if strings.HasSuffix(name, "_test.go") {
				problem.Message = fmt.Sprintf("%s has cache tags in a test file, and generated code is part of the package itself; move it to a file that is none", spec.Name.Name)
			} else {
				problem.Message = constrained(spec.Name.Name, why)
			}
			p.problems = append(p.problems, problem)
		}
	}
}

// constrained says that a model's file must belong to every build. That the verdict does not hang on
// the machine keeps two of them from removing each other's generated files.
func constrained(model, why string) string {
	return fmt.Sprintf("%s has cache tags in a file that is not part of every build (%s), which its generated code would be; move it to a file without a build constraint", model, why)
}

// buildConstraint says why a file is left out of some builds: by its name, a line //go:build, or because
// it imports C. "" is that it never is.
func buildConstraint(name string, src []byte) string {
	// Nothing is called as this system and processor are, so that a name with any does not match.
	nowhere := build.Context{GOOS: "-", GOARCH: "-", Compiler: "gc", OpenFile: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("package p\n")), nil
	}}
	base := strings.TrimSuffix(filepath.Base(name), "_test.go")
	if base = strings.TrimSuffix(base, ".go"); base != "" {
		if match, err := nowhere.MatchFile(filepath.Dir(name), base+".go"); err == nil && !match {
			return "its name says so"
		}
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly|parser.ParseComments)
	if f == nil || err != nil && f.Name == nil {
		return ""
	}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if c.Pos() < f.Package && constraint.IsGoBuild(c.Text) {
				return c.Text
			}
		}
	}
	if slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { path, _ := strconv.Unquote(i.Path.Value); return path == "C" }) {
		return `it imports "C"`
	}
	return ""
}
