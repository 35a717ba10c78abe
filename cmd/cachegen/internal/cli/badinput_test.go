package cli

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree is the content of every file below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out[path] = read(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// put writes files below dir, folders made as needed.
func put(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, content)
	}
}

// model is the source of a file with one model.
func model(head, pkg, name string) string {
	return head + "package " + pkg + "\n\n// " + name + " is a model.\ntype " + name + " struct {\n\t_  struct{} `cache:\"model\"`\n\tID uint64\n}\n"
}

// Sources that no compiler would take, or that not every build has, and patterns that name nothing:
// each is said with its place, and nothing is written or removed. The package has its generated
// code, which must stay as it is.
func TestBadInput(t *testing.T) {
	dir := module(t)
	mustRun(t, dir)
	original := tree(t, filepath.Dir(dir))
	const everyBuild = ", which its generated code would be; move it to a file without a build constraint\n"
	for _, c := range []struct {
		name   string
		files  map[string]string // beside page.go
		args   []string
		stderr string
	}{
		{"a syntax error", map[string]string{"bad.go": "package incomplete\n\nfunc (\n"}, nil,
			"bad.go:3:8: expected '(', found 'EOF'\n"},
		{"an empty file", map[string]string{"bad.go": ""}, nil,
			"bad.go:1:1: expected 'package', found 'EOF'\n"},
		{"bytes that are no UTF-8", map[string]string{"bad.go": "package incomplete\n\n// caf\xe9\n"}, nil,
			"bad.go:3:7: illegal UTF-8 encoding\n"},
		{"UTF-16", map[string]string{"bad.go": "\xff\xfep\x00a\x00"}, nil,
			"bad.go:1:1: illegal UTF-8 encoding (got UTF-16)\n"},
		{"a zero byte", map[string]string{"bad.go": "package incomplete\n\x00\n"}, nil,
			".: read DIR/bad.go: unexpected NUL in input\n"},
		{"two packages", map[string]string{"bad.go": "package other\n"}, nil,
			".: found packages other (bad.go) and incomplete (page.go) in DIR\n"},
		{"a package that imports itself", map[string]string{"bad.go": "package incomplete\n\nimport _ \"example.com/site/page\"\n"}, nil,
			"bad.go:3:8: import cycle not allowed: the package imports itself\n"},
		{"an import cycle", map[string]string{"bad.go": "package incomplete\n\nimport _ \"example.com/site/page/b\"\n",
			"b/b.go": "package b\n\nimport _ \"example.com/site/page/c\"\n", "c/c.go": "package c\n\nimport _ \"example.com/site/page\"\n"}, nil,
			"bad.go:3:8: import cycle not allowed: import stack: [example.com/site/page/b example.com/site/page/c example.com/site/page example.com/site/page/b]\n"},
		{"a build constraint", map[string]string{"bad.go": model("//go:build never\n\n", "incomplete", "Post")}, nil,
			"bad.go:6:6: Post has cache tags in a file that is not part of every build (//go:build never)" + everyBuild},
		{"a build constraint that this machine meets", map[string]string{"bad.go": model("//go:build !never\n\n", "incomplete", "Post")}, nil,
			"bad.go:6:6: Post has cache tags in a file that is not part of every build (//go:build !never)" + everyBuild},
		{"a file's name that is a build constraint", map[string]string{"bad_windows.go": model("", "incomplete", "Post"), "bad_linux.go": model("", "incomplete", "Draft")}, nil,
			"bad_linux.go:4:6: Draft has cache tags in a file that is not part of every build (its name says so)" + everyBuild +
				"bad_windows.go:4:6: Post has cache tags in a file that is not part of every build (its name says so)" + everyBuild},
		{"a file that imports C", map[string]string{"bad.go": strings.Replace(model("", "incomplete", "Post"), "\n\n", "\n\nimport \"C\"\n\n", 1)}, nil,
			"bad.go:6:6: Post has cache tags in a file that is not part of every build (it imports \"C\")" + everyBuild},
		{"test files", map[string]string{"a_test.go": model("", "incomplete", "Post"), "b_test.go": model("", "incomplete_test", "Draft")}, nil,
			"a_test.go:4:6: Post has cache tags in a test file, and generated code is part of the package itself; move it to a file that is none\n" +
				"b_test.go:4:6: Draft has cache tags in a test file, and generated code is part of the package itself; move it to a file that is none\n"},
		{"a file for a package", nil, []string{"page.go"},
			"cachegen: page.go is a file; name packages, as in cachegen . or cachegen ./..., since the models of a package are generated together\n"},
		{"a folder that is not there", nil, []string{"./nowhere"},
			"cachegen: stat DIR/nowhere: directory not found\n"},
		{"a tree that is not there", nil, []string{"./nowhere/..."},
			"cachegen: pattern ./nowhere/...: lstat ./nowhere/: no such file or directory\n"},
		{"a pattern that matches nothing", map[string]string{"docs/readme.txt": ""}, []string{"./docs/..."},
			"cachegen: no packages match ./docs/...; cachegen ./... takes all below this folder\n"},
		{"a folder without Go", map[string]string{"docs/readme.txt": ""}, []string{"./docs"},
			"docs: no Go files in DIR/docs\n"},
		{"a package that is for another system", map[string]string{"win/win_windows.go": model("", "win", "Post")}, []string{"./win"},
			"win: build constraints exclude all Go files in DIR/win\n" +
				"win/win_windows.go:4:6: Post has cache tags in a file that is not part of every build (its name says so)" + everyBuild},
		{"a word with a meaning to others", nil, []string{"file=page.go"},
			"cachegen: file=page.go is a file; name packages, as in cachegen . or cachegen ./..., since the models of a package are generated together\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			put(t, dir, c.files)
			for _, command := range []string{"generate", "diff"} {
				code, stdout, stderr := run(dir, append([]string{command}, c.args...)...)
				if want := strings.ReplaceAll(c.stderr, "DIR", dir); code != failed || stdout != "" || stderr != want {
					t.Errorf("%s: exit code %d, output %q, errors\n%swant\n%s", command, code, stdout, stderr, want)
				}
			}
			for name := range c.files {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Error(err)
				}
			}
			if !maps.Equal(tree(t, filepath.Dir(dir)), original) {
				t.Errorf("files changed: %v", slices.Sorted(maps.Keys(tree(t, filepath.Dir(dir)))))
			}
		})
	}
}

// Outside any module, and where go.mod is no go.mod, the go command's own words are shown.
func TestBadModule(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "post.go"), model("", "post", "Post"))
	if code, _, stderr := run(dir); code != failed || !strings.Contains(stderr, "cachegen: ") || !strings.Contains(stderr, "go.mod") || strings.Contains(stderr, "exit status") {
		t.Errorf("no go.mod: exit code %d, errors %q", code, stderr)
	}
	write(t, filepath.Join(dir, "go.mod"), "module example.com/x\n\nrequires y\n")
	if code, _, stderr := run(dir); code != failed || !strings.HasPrefix(stderr, "cachegen: go: errors parsing go.mod:\n") {
		t.Errorf("a broken go.mod: exit code %d, errors %q", code, stderr)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"go.mod", "post.go"}) {
		t.Errorf("files: %v", got)
	}
}

// Models of another module are not generated from here, whether it is vendored or replaced by a
// folder: what is written there belongs to those who work on it.
func TestOtherModule(t *testing.T) {
	dir := module(t)
	top := filepath.Dir(dir)
	gomod := read(t, filepath.Join(top, "go.mod"))
	put(t, top, map[string]string{
		"go.mod":           gomod + "\nrequire example.com/other v0.0.0\n\nreplace example.com/other => ./other\n",
		"other/go.mod":     "module example.com/other\n\ngo 1.26\n",
		"other/x/other.go": model("", "x", "Post"),
		"page/use.go":      "package incomplete\n\nimport _ \"example.com/other/x\"\n",
	})
	const want = "cachegen: example.com/other/x belongs to the module example.com/other, which is not the one worked on here; run cachegen in that module\n"
	if code, _, stderr := run(top, "example.com/other/x"); code != failed || stderr != want {
		t.Errorf("exit code %d, errors %q, want %q", code, stderr, want)
	}
	// One that only uses it is another matter, vendored too.
	mustRun(t, top, "./...")
	if got := names(t, filepath.Join(top, "other/x")); len(got) != 1 {
		t.Errorf("files: %v", got)
	}
}

// What the compiler has against a package does not hinder, as long as the models are readable: another
// generator may have yet to write what is missing.
func TestDoesNotCompile(t *testing.T) {
	dir := module(t)
	put(t, dir, map[string]string{
		"use.go": "package incomplete\n\nimport (\n\t\"embed\"\n\t\"example.com/site/made\"\n\t\"nowhere/at/all\"\n)\n\n" +
			"//go:embed assets/*\nvar assets embed.FS\n\nvar x = made.By(Others)\n\nfunc f() { return all.Of() + Missing }\n\nvar y int = \"\"\n",
	})
	mustRun(t, dir)
	for _, name := range allFiles {
		if read(t, filepath.Join(dir, name)) != read(t, filepath.Join("testdata/ok/incomplete", name)) {
			t.Errorf("%s differs from the golden file", name)
		}
	}
}

// A type from an import that fails is refused together with the import.
func TestFailedImport(t *testing.T) {
	dir := module(t)
	write(t, filepath.Join(dir, "page.go"), strings.Replace(model("", "incomplete", "Page"), "\tID ", "\tAt made.Time\n\tID ", 1))
	src := strings.Replace(read(t, filepath.Join(dir, "page.go")), "\n\n", "\n\nimport \"example.com/site/made\"\n\n", 1)
	write(t, filepath.Join(dir, "page.go"), src)
	code, _, stderr := run(dir)
	if code != failed || !strings.HasPrefix(stderr, "page.go:3:8: could not import example.com/site/made: ") || !strings.Contains(stderr, "\npage.go:8:2: Page.At: its type") {
		t.Errorf("exit code %d, errors\n%s", code, stderr)
	}
}

// Folders reached through links are the same folders, and files are named as from there.
func TestLinkedFolder(t *testing.T) {
	dir := module(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Dir(dir), link); err != nil {
		t.Fatal(err)
	}
	link = filepath.Join(link, "page")
	mustRun(t, link)
	mustRun(t, dir, "diff")
	write(t, filepath.Join(dir, "page.go"), strings.Replace(read(t, filepath.Join(dir, "page.go")), `"model"`, `"modell"`, 1))
	if _, _, stderr := run(link); !strings.HasPrefix(stderr, "page.go:7:6: ") {
		t.Errorf("errors:\n%s", stderr)
	}
}

// Generated code that was cut off, merged half-way or left behind under the package's old name neither
// hinders nor stays.
func TestBrokenGeneratedCode(t *testing.T) {
	dir := module(t)
	mustRun(t, dir)
	path := filepath.Join(dir, "page_cache.gen.go")
	want := read(t, path)
	header, rest, _ := strings.Cut(want, "\n")
	for name, broken := range map[string]string{
		"cut off":         header + "\n",
		"in a conflict":   header + "\n<<<<<<< HEAD\n// source: a.go\n=======\n// source: b.go\n>>>>>>> other\n" + rest,
		"another package": strings.Replace(want, "package incomplete", "package old", 1),
		"CRLF":            strings.ReplaceAll(want, "\nimport", "\r\n\r\nimport"),
		"zero bytes":      header + "\n\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			write(t, path, broken)
			mustRun(t, dir)
			if read(t, path) != want {
				t.Error("the file was not mended")
			}
		})
	}
	// The whole package has a new name.
	write(t, filepath.Join(dir, "page.go"), strings.Replace(read(t, filepath.Join(dir, "page.go")), "package incomplete", "package page", 1))
	mustRun(t, dir)
	if got := read(t, path); got != strings.Replace(want, "package incomplete", "package page", 1) {
		t.Error("the package's new name is not in the generated code")
	}
}

// Nothing but generated files is left of a package: they go.
func TestOnlyGeneratedLeft(t *testing.T) {
	dir := module(t)
	mustRun(t, dir)
	if err := os.Remove(filepath.Join(dir, "page.go")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := run(dir); code != ok || stderr != "cachegen: no model with a cache tag in .\n" {
		t.Errorf("exit code %d, errors %q", code, stderr)
	}
	if got := names(t, dir); len(got) > 0 {
		t.Errorf("files: %v", got)
	}
}

// A program can have models, and a package that uses C.
func TestMainAndC(t *testing.T) {
	dir := module(t)
	write(t, filepath.Join(dir, "page.go"), model("", "main", "Page"))
	write(t, filepath.Join(dir, "c.go"), "package main\n\n// int one(void) { return 1; }\nimport \"C\"\n\nfunc main() { println(C.one()) }\n")
	for _, enabled := range []string{"1", "0"} {
		t.Setenv("CGO_ENABLED", enabled)
		mustRun(t, dir)
	}
	if got := read(t, filepath.Join(dir, "page_cache.gen.go")); !strings.Contains(got, "\npackage main\n") {
		t.Error("the generated code is of another package")
	}
}
