package cli

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// five returns a folder with three files and the changes of five: two are new, two are replaced, one
// goes; and what the folder holds before and after them.
func five(t *testing.T) (dir string, changes []change, before, after map[string]string) {
	t.Helper()
	dir = t.TempDir()
	put(t, dir, map[string]string{"b.gen.go": "old b", "c.gen.go": "old c", "d.gen.go": "old d"})
	before = tree(t, dir)
	path := func(name string) string { return filepath.Join(dir, name) }
	return dir, []change{
			{path: path("a.gen.go"), new: []byte("new a")},
			{path: path("b.gen.go"), old: []byte("old b"), new: []byte("new b")},
			{path: path("c.gen.go"), old: []byte("old c")},
			{path: path("d.gen.go"), old: []byte("old d"), new: []byte("new d")},
			{path: path("e.gen.go"), new: []byte("new e")},
		}, before, map[string]string{
			path("a.gen.go"): "new a", path("b.gen.go"): "new b", path("d.gen.go"): "new d", path("e.gen.go"): "new e",
		}
}

func TestReplace(t *testing.T) {
	dir, changes, _, after := five(t)
	if err := os.Chmod(filepath.Join(dir, "b.gen.go"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := replace(dir, changes); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); !maps.Equal(got, after) {
		t.Errorf("files: %v", got)
	}
	if info, err := os.Stat(filepath.Join(dir, "b.gen.go")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("a file that was replaced has another mode: %v, %v", info.Mode(), err)
	}
}

// Whichever of five changes fails, all files are as before, and no temporary one is left.
func TestReplaceFails(t *testing.T) {
	for i, c := range []struct{ file, stderr string }{
		{"a.gen.go", "cannot read a.gen.go: is a directory; all files are as before"},
		{"b.gen.go", "b.gen.go was changed while cachegen ran; all files are as before"},
		{"c.gen.go", "c.gen.go was changed while cachegen ran; all files are as before"},
		{"d.gen.go", "d.gen.go was changed while cachegen ran; all files are as before"},
		{"e.gen.go", "cannot read e.gen.go: is a directory; all files are as before"},
	} {
		t.Run(c.file, func(t *testing.T) {
			dir, changes, before, _ := five(t)
			path := filepath.Join(dir, c.file)
			r := &replacement{base: dir, between: func(at int) {
				if at != i {
					return
				}
				if changes[i].old == nil {
					if err := os.Mkdir(path, 0o755); err != nil {
						t.Fatal(err)
					}
				} else {
					write(t, path, "by hand")
					before[path] = "by hand"
				}
			}}
			if err := r.run(changes); err == nil || err.Error() != c.stderr {
				t.Errorf("error %q, want %q", err, c.stderr)
			}
			if got := tree(t, dir); !maps.Equal(got, before) {
				t.Errorf("files: %v", got)
			}
		})
	}
}

// Two runs at once do not hinder each other where they want the same.
func TestReplaceTwice(t *testing.T) {
	dir, changes, _, after := five(t)
	r := &replacement{base: dir, between: func(at int) {
		if at == 2 {
			if err := replace(dir, changes[2:]); err != nil {
				t.Error(err)
			}
		}
	}}
	if err := r.run(changes); err != nil {
		t.Error(err)
	}
	if got := tree(t, dir); !maps.Equal(got, after) {
		t.Errorf("files: %v", got)
	}
}

// What a killed run left is swept up by the next, also where nothing is to be changed; what another run has
// just made is not.
func TestSweeps(t *testing.T) {
	dir := module(t)
	mustRun(t, dir)
	want := append(names(t, dir), temporary+"NEW")
	slices.Sort(want)
	put(t, dir, map[string]string{temporary + "OLD": "", temporary + "NEW": ""})
	long := time.Now().Add(-2 * abandoned)
	if err := os.Chtimes(filepath.Join(dir, temporary+"OLD"), long, long); err != nil {
		t.Fatal(err)
	}
	mustRun(t, dir)
	got := names(t, dir)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("files: %v, want %v", got, want)
	}
}
