package load

import (
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/cachegen/cachegen/templates"
)

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
