package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a piece of Go in a page of documentation.
type block struct {
	page string // relative to the root
	line int    // of its first line
	text string
	from string // the Go file that the line before it links to, relative to the root, or ""
}

// linked finds a link to a Go file.
var linked = regexp.MustCompile(`\]\(([^)]+\.go)\)`)

// blocks returns the Go of a page.
func blocks(t *testing.T, page string) (all []block) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), page))
	if err != nil {
		t.Fatal(err)
	}
	var in *block
	before := "" // the last line that is not empty
	for i, line := range strings.SplitAfter(string(text), "\n") {
		switch bare := strings.TrimSpace(line); {
		case in == nil && bare == "```go":
			in = &block{page: page, line: i + 2}
			if m := linked.FindStringSubmatch(before); m != nil {
				in.from = filepath.Join(filepath.Dir(page), m[1])
			}
		case in != nil && bare == "```":
			all, in, before = append(all, *in), nil, ""
		case in != nil:
			in.text += line
		case bare != "":
			before = bare
		}
	}
	return all
}

// imported are the packages that a block of a page may use without importing them, by the names that they
// have there.
var imported = map[string]string{
	"cachetest": module + "/ext/cachetest", "cacheruntime": module + "/runtime", "flushlist": module + "/flushlist",
	"shop": module + "/example/shop", "storetest": module + "/ext/storetest", "tiered": module + "/tiered", "gorm": "gorm.io/gorm",
	"clause":  "gorm.io/gorm/clause",
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "log": "log", "os": "os", "slices": "slices",
	"sql":     "database/sql",
	"strings": "strings", "testing": "testing", "time": "time",
}

// given is what a block may use without declaring it: what a program has before the piece that the page shows.
var given = map[string]string{
	"Croupon": "type Croupon = shop.Croupon",
	"ctx":     "var ctx context.Context",
	"db":      "var db, tx *gorm.DB",
	"store":   "var store *tiered.Store",
	"rt":      "var rt *cacheruntime.Runtime",
	"m":       "var m *shop.Models",
	"t":       "var t *testing.T",
	"err":     "var err error",
	"handle":  "func handle() {}",
	"page":    "var page http.Handler",
	"body":    "func body(page http.Handler, city string) string { return \"\" }",

	"watcher": "type watcher struct{ log *log.Logger }",
}

// file makes a Go file of a block, whatever it is a piece of: a file, declarations, statements after
// imports, or fields.
func (b block) file(fset *token.FileSet) (*ast.File, error) {
	head, rest := "", b.text
	if imports := imports.FindString(rest); imports != "" {
		head, rest = imports, rest[len(imports):]
	}
	at := fmt.Sprintf("//line %s:%d\n", b.page, b.line)
	restAt := fmt.Sprintf("//line %s:%d\n", b.page, b.line+strings.Count(head, "\n"))
	var problem error
	for _, form := range []struct{ before, around, after string }{
		{at, "", ""},
		{"package docs\n" + at, restAt, ""},
		{"package docs\n" + at, "func _() {\n" + restAt, "\n}"},
		{"package docs\n" + at, "type _ struct {\n" + restAt, "\n}"},
	} {
		f, err := parser.ParseFile(fset, "", form.before+head+form.around+rest+form.after, parser.SkipObjectResolution)
		if err == nil {
			return f, nil
		}
		if problem == nil || strings.HasPrefix(form.around, "func") {
			problem = err // what is nothing else was meant for statements
		}
	}
	return nil, problem
}

// imports is what a block may begin with.
var imports = regexp.MustCompile(`(?s)\A(?:import "[^"]+"\n|import \(\n.*?\n\)\n)`)

// prelude declares what the block uses and neither declares nor imports itself.
func prelude(f *ast.File) string {
	own := map[string]bool{}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			own[d.Name.Name] = own[d.Name.Name] || d.Recv == nil
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					own[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range s.Names {
						own[n.Name] = true
					}
				}
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n", f.Name.Name)
	for _, name := range slices.Sorted(maps.Keys(imported)) {
		fmt.Fprintf(&b, "import %s %q\n", name, imported[name])
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !own[name] {
			fmt.Fprintln(&b, given[name])
		}
	}
	return b.String()
}

// addImports gives a file the imports that it has not got.
func addImports(f *ast.File) {
	has := map[string]bool{}
	for _, i := range f.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		name := path[strings.LastIndex(path, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		has[name] = true
	}
	d := &ast.GenDecl{Tok: token.IMPORT}
	for _, name := range slices.Sorted(maps.Keys(imported)) {
		if !has[name] {
			s := &ast.ImportSpec{Name: ast.NewIdent(name), Path: &ast.BasicLit{Kind: token.STRING, Value: fmt.Sprintf("%q", imported[name])}}
			d.Specs, f.Imports = append(d.Specs, s), append(f.Imports, s)
		}
	}
	f.Decls = append([]ast.Decl{d}, f.Decls...)
}

// exports returns an importer of what blocks import, and of what that needs.
func exports(t *testing.T, fset *token.FileSet) types.Importer {
	t.Helper()
	args := append([]string{"list", "-export", "-deps", "-json=ImportPath,Export"}, slices.Sorted(maps.Values(imported))...)
	d := json.NewDecoder(bytes.NewReader(run(t, filepath.Join(root(t), "example"), nil, args...)))
	files := map[string]string{}
	for {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		files[p.ImportPath] = p.Export
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no block of a page imports %s yet: add it to the list in this test", path)
		}
		return os.Open(files[path])
	})
}

// The Go that README and docs show compiles, against the example's models; what says that it comes from a
// file is there, word for word.
func TestDocsCompile(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root(t), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	imp := exports(t, fset)
	checked := 0
	for _, page := range append(pages, filepath.Join(root(t), "README.md")) {
		name, err := filepath.Rel(root(t), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range blocks(t, name) {
			checked++
			for _, problem := range b.problems(t, fset, imp) {
				t.Error(problem)
			}
		}
	}
	if checked < 25 {
		t.Errorf("only %d blocks were found: are they no longer fenced with ```go?", checked)
	}
}

// problems says what is wrong with a block.
func (b block) problems(t *testing.T, fset *token.FileSet, imp types.Importer) (all []string) {
	if b.from != "" {
		source, err := os.ReadFile(filepath.Join(root(t), b.from))
		if err != nil || !strings.Contains(string(source), b.text) {
			return []string{fmt.Sprintf("%s:%d: this is not in %s any more (%v): copy it from there", b.page, b.line, b.from, err)}
		}
		return nil // which compiles and runs
	}
	f, err := b.file(fset)
	if err != nil {
		return []string{fmt.Sprintf("%v: this is no Go: complete it, or fence it without go", err)}
	}
	p, err := parser.ParseFile(fset, "prelude", prelude(f), parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	addImports(f)
	config := types.Config{Importer: imp, Error: func(err error) {
		if e := (types.Error{}); errors.As(err, &e) && !e.Soft { // soft: not used, which a page may leave so
			all = append(all, e.Error())
		}
	}}
	_, _ = config.Check("docs", fset, []*ast.File{f, p}, nil)
	return all
}

// What a page links to within the repository is there.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	fenced := regexp.MustCompile("(?s)```.*?```") // in Go, Query[T](ctx) is no link
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join(root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
}
