package cli

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

// generated is what would be generated for a folder.
func generated(t *testing.T, dir string) []templates.File {
	t.Helper()
	pkgs, problems, err := load.Packages(dir, ".")
	if err != nil || len(problems) > 0 || len(pkgs) != 1 {
		t.Fatalf("load: %d packages, %v, %v", len(pkgs), problems, err)
	}
	files, err := templates.Generate(pkgs[0].Describe)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestGolden generates each package below testdata/ok and compares with the files that lie there.
// The generator does not look at those: it reads generated files only as far as their header.
func TestGolden(t *testing.T) {
	for _, dir := range cases(t, "ok") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			if *update {
				if code, _, stderr := run(dir); code != ok {
					t.Fatalf("generate: %s", stderr)
				}
			}
			if code, stdout, stderr := run(dir, "diff"); code != ok || stdout != "" || stderr != "" {
				t.Errorf("the golden files differ (go test -update writes them anew):\n%s%s", stdout, stderr)
			}
			// Generating twice gives the same bytes.
			first, second := generated(t, dir), generated(t, dir)
			if !slices.EqualFunc(first, second, func(a, b templates.File) bool {
				return a.Name == b.Name && bytes.Equal(a.Content, b.Content)
			}) {
				t.Error("two runs differ")
			}
		})
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
	for _, dir := range cases(t, "refused") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			before := contents(t, dir)
			code, stdout, stderr := run(dir)
			if code != failed || stdout != "" {
				t.Errorf("exit code %d, output %q", code, stdout)
			}
			golden := filepath.Join(dir, "stderr.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(stderr), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if stderr != string(want) {
				t.Error(unified("want", "got", string(want), stderr))
			}
			if after := contents(t, dir); !slices.Equal(before, after) {
				t.Errorf("files were %v and are %v", before, after)
			}
		})
	}
}

// contents lists a folder's files with what is in them.
func contents(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Name()+": "+string(b))
	}
	return out
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
