// Package rules holds the rules of the rooms: who may import whom, and what a module may require.
package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cachegen/cachegen"

// rooms are the packages that users link, or run.
var rooms = []string{"flushlist", "runtime", "tiered", "templates", "cmd/cachegen"}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Name, Doc string
	Standard              bool
	Imports, Deps         []string
	TestGoFiles           []string
	XTestGoFiles          []string
	GoFiles               []string
}

// root is the top of the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs the go command in dir and returns what it prints.
func run(t *testing.T, dir string, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

// packages lists packages by pattern.
func packages(t *testing.T, dir string, args ...string) []listed {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(run(t, dir, nil, append([]string{"list", "-json=ImportPath,Name,Doc,Standard,Imports,Deps,GoFiles,TestGoFiles,XTestGoFiles"}, args...)...)))
	var all []listed
	for {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// Who may import whom, directly or through others.
func TestImports(t *testing.T) {
	never := map[string][]string{
		"flushlist":        {module, "."}, // a dot: anything but the standard library
		"internal/sqltext": {module, "."},
		"runtime":          {module + "/tiered", module + "/templates", "net/http", "github.com/prometheus", "go.opentelemetry.io", "github.com/dave/jennifer", "golang.org/x/tools"},
		"tiered":           {module + "/runtime", "gorm.io", module + "/templates"},
		"templates":        {module + "/runtime", module + "/tiered", "gorm.io"},
		"cmd/cachegen":     {module + "/tiered"},
	}
	for room, banned := range never {
		for _, p := range packages(t, root(t), "./"+room+"/...") {
			for _, dep := range p.Deps {
				for _, b := range banned {
					outside := b == "." && strings.Contains(strings.SplitN(dep, "/", 2)[0], ".")
					if outside || b != "." && (dep == b || strings.HasPrefix(dep, b+"/")) {
						t.Errorf("%s imports %s", p.ImportPath, dep)
					}
				}
			}
		}
	}
}

// No product links a testing library or an optional room, and templates touches no file.
func TestProduct(t *testing.T) {
	for _, room := range rooms {
		for _, p := range packages(t, root(t), "./"+room+"/...") {
			deps := p.Deps
			if room == "templates" || room == "cmd/cachegen" {
				deps = p.Imports // x/tools links the testing package; the generator is in nobody's program
			}
			for _, dep := range deps {
				switch {
				case strings.HasPrefix(dep, module+"/ext"):
					t.Errorf("%s imports the optional room %s", p.ImportPath, dep)
				case dep == "testing" || strings.Contains(dep, "testify") || strings.Contains(dep, "goleak"),
					strings.HasPrefix(dep, module+"/internal/testserver"):
					t.Errorf("%s links %s", p.ImportPath, dep)
				}
			}
			if room == "templates" {
				for _, i := range p.Imports {
					if i == "os" || i == "path/filepath" || i == "io/fs" {
						t.Errorf("%s imports %s: templates makes source and writes none", p.ImportPath, i)
					}
				}
			}
		}
	}
}

// Every package says in its first sentence what it is.
func TestPackageComments(t *testing.T) {
	for _, dir := range modules(t) {
		for _, p := range packages(t, dir, "./...") {
			if len(p.GoFiles) == 0 {
				continue // tests only
			}
			want := "Package " + p.Name + " "
			if p.Name == "main" {
				want = "Command "
			}
			if !strings.HasPrefix(p.Doc, want) {
				t.Errorf("%s: its comment begins %q, want %q", p.ImportPath, p.Doc, want)
			}
		}
	}
}

// modules are the folders with a go.mod of their own.
func modules(t *testing.T) []string {
	t.Helper()
	dirs := []string{root(t)}
	for _, pattern := range []string{"*/go.mod", "ext/*/go.mod"} {
		found, err := filepath.Glob(filepath.Join(root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			dirs = append(dirs, filepath.Dir(f))
		}
	}
	return dirs
}

// goMod is what go mod edit -json says.
type goMod struct {
	Module  struct{ Path string }
	Require []struct {
		Path, Version string
		Indirect      bool
	}
	Replace []struct {
		Old struct{ Path string }
		New struct{ Path string }
	}
}

func readMod(t *testing.T, dir string) (m goMod) {
	t.Helper()
	if err := json.Unmarshal(run(t, dir, nil, "mod", "edit", "-json"), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// The root requires what its rooms import and nothing else: no driver, no testing library. It has no
// replace, which would be ignored by those who require it. Every other module replaces the root by
// the folder.
func TestModules(t *testing.T) {
	allowed := []string{
		"gorm.io/gorm", "github.com/dave/jennifer", "golang.org/x/tools", "golang.org/x/text", "github.com/allegro/bigcache/v3",
		"github.com/bradfitz/gomemcache", "github.com/cespare/xxhash/v2",
		"github.com/jinzhu/inflection", // GORM requires it, and names the columns of join tables by it
	}
	for i, dir := range modules(t) {
		m := readMod(t, dir)
		if i > 0 {
			if len(m.Replace) != 1 || m.Replace[0].Old.Path != module || filepath.Join(dir, m.Replace[0].New.Path) != root(t) {
				t.Errorf("%s: want one replace, of %s by the root's folder", m.Module.Path, module)
			}
			continue
		}
		if len(m.Replace) > 0 {
			t.Error("the root's go.mod has a replace")
		}
		for _, r := range m.Require {
			if !r.Indirect && !slices.Contains(allowed, r.Path) {
				t.Errorf("the root requires %s: say in this list why, or move what needs it to a module of its own", r.Path)
			}
			for _, driver := range []string{"driver", "sqlite", "pgx", "mysql", "pq", "testify", "goleak", "rapid"} {
				if strings.Contains(r.Path, driver) {
					t.Errorf("the root requires %s", r.Path)
				}
			}
		}
	}
}

// behaviour 107: a program with older drivers keeps them.
func TestOutsideConsumer(t *testing.T) {
	dir := t.TempDir()
	drivers := map[string]string{"github.com/glebarez/sqlite": "v1.10.0", "gorm.io/driver/postgres": "v1.5.9", "gorm.io/driver/mysql": "v1.5.6"}
	mod := "module example.com/consumer\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root(t) + "\n"
	src := "// Command consumer uses cachegen with drivers of its own.\npackage main\n\nimport (\n\t_ \"" + module + "/runtime\"\n\t_ \"" + module + "/tiered\"\n"
	for path, version := range drivers {
		mod += "\nrequire " + path + " " + version + "\n"
		src += "\t_ \"" + path + "\"\n"
	}
	src += ")\n\nfunc main() {}\n"
	for name, text := range map[string]string{"go.mod": mod, "main.go": src} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"GOWORK=off", "GOFLAGS=-mod=mod"}
	run(t, dir, env, "mod", "tidy")
	run(t, dir, env, "build", "./...")
	for path, version := range drivers {
		if got := strings.TrimSpace(string(run(t, dir, env, "list", "-m", "-f", "{{.Version}}", path))); got != version {
			t.Errorf("%s moved from %s to %s", path, version, got)
		}
	}
}
