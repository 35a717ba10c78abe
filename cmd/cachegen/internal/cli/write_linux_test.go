package cli

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asNobody runs f without root's right to write anywhere, on a thread that ends with it. Folders up
// from dir are opened to it.
func asNobody(t *testing.T, dir string, f func()) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil || os.Chmod(dir, info.Mode()|0o055) != nil {
			break
		}
	}
	aside(func() {
		if os.Geteuid() == 0 {
			runtime.LockOSThread() // and never unlocked
			if _, _, err := syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0); err != 0 {
				t.Error(err)
			}
		}
		f()
	})
}

// aside runs f on another thread than the caller's locked one.
func aside(f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	<-done
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Error(err)
	}
}

// A folder that cannot be written is said by the file that should be there, and nothing is left in
// others either.
func TestReadOnlyFolder(t *testing.T) {
	page := module(t)
	top := filepath.Dir(page)
	zoo := filepath.Join(top, "zoo")
	put(t, top, map[string]string{"zoo/zoo.go": model("", "zoo", "Zoo")})
	before := tree(t, top)
	chmod(t, page, 0o777)
	chmod(t, zoo, 0o555)
	asNobody(t, top, func() {
		code, stdout, stderr := run(top, "./...")
		if want := "cachegen: cannot write zoo/cachekeys.gen.go: permission denied; nothing was changed\n"; code != failed || stdout != "" || stderr != want {
			t.Errorf("exit code %d, output %q, errors %q, want %q", code, stdout, stderr, want)
		}
	})
	chmod(t, zoo, 0o777)
	if got := tree(t, top); !maps.Equal(got, before) {
		t.Errorf("files changed: %v", slices.Sorted(maps.Keys(got)))
	}
}

// A folder that becomes read-only between two files keeps what was made in it, and the error says so:
// the next run makes the rest.
func TestReplaceStuck(t *testing.T) {
	dir, changes, _, after := five(t)
	chmod(t, dir, 0o777)
	asNobody(t, filepath.Dir(dir), func() {
		r := &replacement{base: dir, between: func(i int) {
			if i == 2 {
				aside(func() { chmod(t, dir, 0o555) })
			}
		}}
		err := r.run(changes)
		const want = "cannot write c.gen.go: permission denied, and b.gen.go, a.gen.go could not be put back; mend that and run cachegen again, which makes all files current"
		if err == nil || err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
	})
	chmod(t, dir, 0o777)
	if err := replace(dir, changes); err != nil {
		t.Error(err)
	}
	for path, content := range after {
		if read(t, path) != content {
			t.Errorf("%s: %q", path, read(t, path))
		}
	}
}

// An interrupt between two changes undoes the first.
func TestReplaceInterrupted(t *testing.T) {
	for at := range 5 {
		dir, changes, before, _ := five(t)
		var r *replacement
		r = &replacement{base: dir, between: func(i int) {
			if i != at {
				return
			}
			if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(time.Minute); len(r.stop) == 0; {
				if time.Now().After(end) {
					t.Fatal("the signal did not arrive")
				}
			}
		}}
		if err := r.run(changes); !errors.Is(err, errInterrupted) || !strings.HasSuffix(err.Error(), "all files are as before") {
			t.Errorf("change %d: %v", at, err)
		}
		if got := tree(t, dir); !maps.Equal(got, before) {
			t.Errorf("change %d: files: %v", at, got)
		}
	}
}

// A disk that fills up while the second file is written leaves everything as it was.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv("CACHEGEN_TEST_FULL"); dir != "" {
		fmt.Print(fullDisk(dir))
		os.Exit(0)
	}
	dir, _, before, _ := five(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
	cmd.Env = append(os.Environ(), "CACHEGEN_TEST_FULL="+dir)
	out, err := cmd.CombinedOutput()
	if want := "cannot write e.gen.go: file too large; nothing was changed"; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("%v: %s, want %q", err, out, want)
	}
	if got := tree(t, dir); !maps.Equal(got, before) {
		t.Errorf("files: %v", got)
	}
}

// fullDisk makes changes in a process that may write no file of more than 1000 bytes.
func fullDisk(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: 1000}); err != nil {
		return err
	}
	return replace(dir, []change{
		{path: filepath.Join(dir, "b.gen.go"), old: []byte("old b"), new: []byte("new b")},
		{path: filepath.Join(dir, "e.gen.go"), new: make([]byte, 1001)},
	})
}
