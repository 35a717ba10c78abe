package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/cmd/cachegen/internal/explain"
	"github.com/cachegen/cachegen/cmd/cachegen/internal/load"
	"github.com/cachegen/cachegen/templates"
)

// explained are the golden packages whose reports are golden too.
var explained = []string{"composite", "conditions", "follows", "query", "relations", "softdelete"}

// TestExplain compares the reports of golden packages, in every form, with the files that lie there.
func TestExplain(t *testing.T) {
	for _, name := range explained {
		dir := filepath.Join("testdata", "ok", name)
		pkgs, problems, err := load.Packages(dir, ".")
		if err != nil || len(problems) > 0 || len(pkgs) != 1 {
			t.Fatalf("load: %d packages, %v, %v", len(pkgs), problems, err)
		}
		report := explain.Of([]templates.Package{pkgs[0].Describe})
		for form, write := range map[string]writer{"txt": explain.Report.Text, "json": forms["json"], "dot": forms["dot"], "svg": forms["svg"]} {
			t.Run(name+"/"+form, func(t *testing.T) {
				var b strings.Builder
				if err := write(report, &b); err != nil {
					t.Fatal(err)
				}
				golden(t, filepath.Join(dir, "explain."+form), b.String())
			})
		}
	}
}

// Each form is asked for by its flag, before the packages or after them.
func TestExplainForms(t *testing.T) {
	dir := filepath.Join("testdata", "ok", explained[0])
	for form, args := range map[string][]string{
		"txt":  {"explain", "."},
		"json": {"explain", "-json"},
		"dot":  {"explain", ".", "-dot"},
		"svg":  {"explain", "--svg", "."},
	} {
		code, stdout, stderr := run(dir, args...)
		if code != ok || stderr != "" {
			t.Fatalf("%v: exit code %d: %s", args, code, stderr)
		}
		golden(t, filepath.Join(dir, "explain."+form), stdout)
	}
}

// golden compares text with a file's content, or writes it there.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		write(t, path, got)
		return
	}
	if want := read(t, path); got != want {
		t.Errorf("%s is not current (go test ./cmd/cachegen/internal/cli -update writes it anew):\n%s", path, unified("want", "got", want, got))
	}
}

// exampleDir is a module of its own, whose models the documentation shows.
const exampleDir = "../../../../example"

// docs/explain.md shows what the command says of the example.
func TestDocumentedReport(t *testing.T) {
	const path, begin = "../../../../docs/explain.md", "$ cd example && go tool cachegen explain ./shop\n"
	code, stdout, stderr := run(exampleDir, "explain", "./shop")
	if code != ok || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	doc := read(t, path)
	head, rest, found := strings.Cut(doc, begin)
	_, tail, closed := strings.Cut(rest, "```\n")
	if !found || !closed {
		t.Fatalf("%s does not show %q", path, begin)
	}
	golden(t, path, head+begin+stdout+"```\n"+tail)
}

// docs/example.svg is the drawing of the example.
func TestDocumentedDrawing(t *testing.T) {
	code, stdout, stderr := run(exampleDir, "explain", "-svg", "./shop")
	if code != ok || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	golden(t, "../../../../docs/example.svg", stdout)
}

// explain ends like generate and diff: with the same problems, codes and patterns.
func TestExplainRefuses(t *testing.T) {
	for _, c := range []struct {
		dir    string
		args   []string
		code   int
		stderr string
	}{
		{".", []string{"explain", "-json", "-svg"}, misuse, "cachegen: explain writes one form at a time: -json or -svg\n"},
		{".", []string{"explain", "-xml"}, misuse, "cachegen: unknown flag -xml; cachegen help lists the commands\n"},
		{".", []string{"diff", "-json"}, misuse, "cachegen: unknown flag -json; cachegen help lists the commands\n"},
		{"testdata/refused/settings", []string{"explain", "-json"}, failed, read(t, "testdata/refused/settings/stderr.txt")},
		{".", []string{"explain", "-json", "."}, ok, "cachegen: no model with a cache tag in .\n"},
	} {
		code, stdout, stderr := run(c.dir, c.args...)
		if code != c.code || stderr != c.stderr {
			t.Errorf("cachegen %v: exit code %d, errors %q", c.args, code, stderr)
		}
		switch {
		case code != ok && stdout != "":
			t.Errorf("cachegen %v: output %q", c.args, stdout)
		case code == ok && !json.Valid([]byte(stdout)):
			t.Errorf("cachegen %v: no JSON: %q", c.args, stdout)
		}
	}
}

// A report that cannot be written is an error, not half a report and silence.
func TestExplainCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report")
	write(t, path, "")
	f, err := os.Open(path) // for reading alone
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var stderr strings.Builder
	code := Run(Env{Args: []string{"explain"}, Dir: "testdata/ok/softdelete", Stdout: f, Stderr: &stderr})
	if code != failed || !strings.Contains(stderr.String(), path) {
		t.Errorf("exit code %d, errors %q", code, stderr.String())
	}
}
