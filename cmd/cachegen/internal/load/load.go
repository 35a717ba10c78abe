// Package load reads Go packages and turns their tagged structs into what templates generates
// from. It reads statically, so that it works while a package does not compile because its
// generated code is missing or stale.
package load

import (
	"bytes"
	"fmt"
	"go/token"
	"path/filepath"
	"sync"

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
//
// It takes three steps, so that neither the packages themselves nor what has no tags is ever
// compiled: the go command lists the packages, their files are parsed, and those with tags are
// type-checked against the export data of what they import.
func Packages(dir string, patterns ...string) ([]Package, Problems, error) {
	listed, overlay, err := list(dir, patterns)
	if err != nil {
		return nil, nil, err
	}
	fset := token.NewFileSet()
	all := make([]*parsed, len(listed))
	each(len(listed), func(i int) { all[i] = parse(fset, dir, listed[i]) })
	var problems Problems
	var tagged []*parsed
	for _, p := range all {
		problems = append(problems, p.problems...)
		if p.tagged && len(p.pkg.Syntax) > 0 {
			tagged = append(tagged, p)
		}
	}
	if err := check(dir, fset, overlay, listed, tagged); err != nil {
		return nil, nil, err
	}
	each(len(tagged), func(i int) { tagged[i].describe(dir) })
	var out []Package
	for _, p := range all {
		problems = append(problems, p.found...)
		if len(p.pkg.GoFiles) > 0 && !p.foreign() {
			out = append(out, Package{Dir: filepath.Dir(p.pkg.GoFiles[0]), Describe: p.description})
		}
	}
	return out, problems.sorted(), nil
}

// describe reads the models of a package that was type-checked.
func (p *parsed) describe(base string) {
	l := &loader{pkg: p.pkg, base: base, constraints: p.constraints}
	p.description = l.load()
	if len(p.description.Models) > 0 && p.foreign() {
		l.problems = append(l.problems, Problem{Message: fmt.Sprintf("%s belongs to the module %s, which is not the one worked on here; run cachegen in that module",
			p.pkg.PkgPath, p.pkg.Module.Path)})
	}
	if len(l.problems) > 0 { // an import that failed may be why a type is not known
		l.problems = append(l.problems, p.failedImports...)
	}
	p.found = append(p.found, l.problems...)
}

// foreign reports whether a package belongs to a module that is not worked on here. Nothing is written
// there.
func (p *parsed) foreign() bool { return p.pkg.Module != nil && !p.pkg.Module.Main }

// each runs f for 0 to n-1, a few at a time.
func each(n int, f func(i int)) {
	var group sync.WaitGroup
	free := make(chan struct{}, 8)
	for i := range n {
		free <- struct{}{}
		group.Go(func() {
			defer func() { <-free }()
			f(i)
		})
	}
	group.Wait()
}

// Generated reports whether a file's content begins as our generated files do.
func Generated(src []byte) bool {
	first, _, _ := bytes.Cut(src, []byte("\n"))
	return string(bytes.TrimRight(first, "\r")) == templates.Header
}

// stub returns a package clause for a package whose generated files must not be read.
func stub(name string) []byte { return []byte("package " + name + "\n") }

// parsed is a package with its syntax, and with its types once check has gone over it.
type parsed struct {
	pkg         *packages.Package
	tagged      bool              // a file may have cache tags
	constraints map[string]string // by file: why it is not part of every build
	problems    Problems          // found before its models are read
	found       Problems          // found in its models
	description templates.Package

	failedImports Problems
}
