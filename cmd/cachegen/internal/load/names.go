package load

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/cachegen/cachegen/templates"
)

// taken lists the names that parameters must not hide: types that are not exported and imported
// packages, of those that the models name. What else the package declares must not count, or the
// generated code would change with every other generator that has run before.
func (l *loader) taken(models []templates.Model) []string {
	names := map[string]bool{}
	for _, name := range l.imports {
		names[name] = true
	}
	note := func(e templates.Expr) {
		for word := range strings.FieldsFuncSeq(string(e), func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if _, ok := l.pkg.Types.Scope().Lookup(word).(*types.TypeName); ok && !token.IsExported(word) {
				names[word] = true
			}
		}
	}
	for _, m := range models {
		for _, c := range m.Columns {
			note(c.Type.Value)
		}
		for _, f := range m.Struct {
			note(f.Type)
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// checkNames reports names that generated code and others both declare.
func (l *loader) checkNames(p templates.Package) {
	if len(p.Models) == 0 {
		return
	}
	scope := l.pkg.Types.Scope()
	owner, files := map[string]string{}, map[string]string{templates.ModelsFile: "the package", templates.KeysFile: "the package"}
	claim := func(at place, who, name string) {
		if other := owner[name]; other != "" {
			l.errorf(at, "the generated code of %s and of %s would both declare %s; rename one model", other, who, name)
			return
		}
		owner[name] = who
		if where, ok := l.declared(name); ok {
			l.errorf(at, "the generated code of %s declares %s, which %s declares already; rename one", who, name, where)
		}
	}
	at := place{scope.Lookup(p.Models[0].Name).Pos()}
	for _, name := range templates.PackageNames {
		claim(at, "the package", name)
	}
	imported := append([]string{"cacheruntime", "context", "gorm", "math", "time"}, slices.Sorted(maps.Values(l.imports))...)
	for _, name := range slices.Compact(imported) {
		if obj := scope.Lookup(name); obj != nil {
			l.errorf(place{obj.Pos()}, "generated code imports a package called %s, which cannot be declared beside it; rename this", name)
		}
	}
	for _, name := range scope.Names() {
		if obj := scope.Lookup(name); builtin(name) {
			l.errorf(place{obj.Pos()}, "%s hides Go's own, which generated code needs; rename this", name)
		}
	}
	members := p.Members()
	for _, m := range p.Models {
		at := place{scope.Lookup(m.Name).Pos()}
		if m.Name == "WithTx" {
			l.errorf(at, "a model cannot be called WithTx: Models has a method of that name; rename it")
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
		maps.Copy(members, m.Members())
	}
	l.checkMethods(members)
}

// declared finds what has a name in the package, or is imported into one of its files by it: either
// keeps generated code from declaring it.
func (l *loader) declared(name string) (where string, ok bool) {
	scope := l.pkg.Types.Scope()
	obj := scope.Lookup(name)
	for i := 0; obj == nil && i < scope.NumChildren(); i++ {
		obj = scope.Child(i).Lookup(name)
	}
	if obj == nil {
		return "", false
	}
	at := l.position(obj.Pos())
	if obj.Pkg() != l.pkg.Types { // a dot import
		return obj.Pkg().Path() + ", imported with a dot,", true
	}
	return fmt.Sprintf("%s:%d", at.Filename, at.Line), true
}

// builtin reports whether a name is one of Go's own that generated code is written with: the basic
// types, the constants and append.
func builtin(name string) bool {
	switch types.Universe.Lookup(name).(type) {
	case *types.TypeName, *types.Const, *types.Nil:
		return true
	case *types.Builtin:
		return name == "append"
	default:
		return false
	}
}

// checkMethods reports methods that the package adds to a generated type, and that the type has already.
func (l *loader) checkMethods(members map[string][]string) {
	for _, file := range l.pkg.Syntax {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || len(fn.Recv.List) != 1 {
				continue
			}
			recv := fn.Recv.List[0].Type
			if p, ok := recv.(*ast.StarExpr); ok {
				recv = p.X
			}
			if name, ok := recv.(*ast.Ident); ok && slices.Contains(members[name.Name], fn.Name.Name) {
				l.errorf(place{fn.Name.Pos()}, "the generated type %s has a %s of its own; rename this method", name.Name, fn.Name.Name)
			}
		}
	}
}
