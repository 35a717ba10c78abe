package cli

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/load"
	"github.com/cachegen/cachegen/templates"
)

var update = flag.Bool("update", false, "write the golden files anew")

// run runs the command in a folder.
func run(dir string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Run(Env{Args: args, Dir: dir, Stdout: &out, Stderr: &errs})
	return code, out.String(), errs.String()
}

// cases are the folders below testdata/kind.
func cases(t *testing.T, kind string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	return dirs
}

// generated is what would be generated below a folder, by path.
func generated(t *testing.T, dir string) map[string]string {
	t.Helper()
	pkgs, problems, err := load.Packages(dir, "./...")
	if err != nil || len(problems) > 0 {
		t.Fatalf("load: %v, %v", problems, err)
	}
	out := map[string]string{}
	for _, p := range pkgs {
		files, err := templates.Generate(p.Describe)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			out[filepath.Join(p.Dir, f.Name)] = string(f.Content)
		}
	}
	return out
}

// TestGolden generates the packages below testdata/ok and compares with the files that lie there. The generator
// does not look at those: it reads generated files only as far as their header. All are read at once, since
// most of the time goes to what they import.
func TestGolden(t *testing.T) {
	dir := filepath.Join("testdata", "ok")
	if *update {
		if code, _, stderr := run(dir, "./..."); code != ok {
			t.Fatalf("generate: %s", stderr)
		}
	}
	if code, stdout, stderr := run(dir, "diff", "./..."); code != ok || stdout != "" || stderr != "" {
		t.Errorf("the golden files differ (go test -update writes them anew):\n%s%s", stdout, stderr)
	}
	// Generating twice gives the same bytes, and every folder has its files.
	folders := map[string]bool{}
	for path, content := range generated(t, dir) {
		folders[filepath.Base(filepath.Dir(path))] = true
		if read(t, path) != content {
			t.Errorf("%s: two runs differ", path)
		}
	}
	for _, c := range cases(t, "ok") {
		if !folders[filepath.Base(c)] {
			t.Errorf("%s: nothing is generated", c)
		}
	}
}

// TestGoldenCompiles builds and vets what was generated, together with what it was made from.
func TestGoldenCompiles(t *testing.T) {
	out, err := exec.Command("go", append([]string{"vet"}, dotted(cases(t, "ok"))...)...).CombinedOutput()
	if err != nil {
		t.Errorf("go vet: %v\n%s", err, out)
	}
}

func dotted(dirs []string) []string {
	var out []string
	for _, d := range dirs {
		out = append(out, "./"+d)
	}
	return out
}

// TestRefused compares what the generator says of each package below testdata/refused with
// stderr.txt there. It must say all that is wrong at once and write nothing.
func TestRefused(t *testing.T) {
	root := filepath.Join("testdata", "refused")
	before := tree(t, root)
	code, stdout, stderr := run(root, "./...")
	if code != failed || stdout != "" {
		t.Errorf("exit code %d, output %q", code, stdout)
	}
	said := map[string]string{} // by folder, as it is said there
	for line := range strings.Lines(stderr) {
		folder, _, _ := strings.Cut(line, "/")
		said[folder] += strings.ReplaceAll(line, folder+"/", "")
	}
	for _, dir := range cases(t, "refused") {
		folder := filepath.Base(dir)
		if said[folder] == "" { // where the tags are right, what lies in the place of generated code is looked at last
			if code, _, said[folder] = run(dir); code != failed {
				t.Errorf("%s: exit code %d", dir, code)
			}
		}
		golden(t, filepath.Join(dir, "stderr.txt"), said[folder])
		delete(said, folder)
	}
	if len(said) > 0 {
		t.Errorf("of no case: %q", said)
	}
	if after := tree(t, root); !*update && !maps.Equal(before, after) {
		t.Errorf("files were %v and are %v", before, after)
	}
}

// Every error that the reference of the tags shows is one that the generator says.
func TestDocumentedErrors(t *testing.T) {
	doc, err := os.ReadFile("../../../../docs/tags.md")
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for _, dir := range cases(t, "refused") {
		stderr, err := os.ReadFile(filepath.Join(dir, "stderr.txt"))
		if err != nil {
			t.Fatal(err)
		}
		said.Write(stderr)
	}
	shown := regexp.MustCompile(`(?m)^post\.go(:\d+:\d+: .*)$`).FindAllStringSubmatch(string(doc), -1)
	if len(shown) < 20 {
		t.Errorf("docs/tags.md shows %d errors", len(shown))
	}
	for _, m := range shown {
		if !strings.Contains(said.String(), m[1]+"\n") {
			t.Errorf("docs/tags.md shows %q, which no case below testdata/refused makes", m[1])
		}
	}
}
