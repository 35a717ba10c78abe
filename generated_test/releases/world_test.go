// Package releases tests two releases of one program on the same database and the same memcached: two
// programs, built of two versions of a model, that run as processes of their own.
package releases

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/releases/program"
	v1 "github.com/cachegen/cachegen/generated_test/releases/v1"
	v2 "github.com/cachegen/cachegen/generated_test/releases/v2"
	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cespare/xxhash/v2"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cachegen-releases-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	buildDir = dir
	runtime.KeepAlive(linked)
	code := fixture.Run(m)
	os.RemoveAll(dir)
	os.Exit(code)
}

// linked has what the programs are made of in the test's own binary too, so that go test does not take the result of older
// programs for theirs.
var linked = []any{v1.NewModels, v2.NewModels, program.Main}

// buildDir is where the programs are built.
var buildDir string

// world is a database and a memcached, and the programs on them.
type world struct {
	*testing.T
	db     *gorm.DB
	server *testserver.Server
	client *memcache.Client
}

// process is one program that runs.
type process struct {
	*world
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, server: testserver.Memcached(t)}
	w.client = testserver.Client(w.server.Addr())
	t.Cleanup(func() { _ = w.client.Close() })
	w.db = fixture.Postgres(t).Open(t, nil)
	// The migration of the newer release has run, as is usual: its column is there and has a default.
	w.must(w.db.AutoMigrate(&v2.Croupon{}))
	w.must(w.db.Exec("ALTER TABLE croupons ALTER COLUMN note SET DEFAULT ''").Error)
	w.must(w.db.Create([]v2.Croupon{
		{ID: 1, Title: "one", City: "Portland", Category: "food"},
		{ID: 2, Title: "two", City: "Portland", Category: "food"},
	}).Error)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// binaries are the programs, each built once.
var binaries sync.Map

// start starts the program of a release.
func (w *world) start(release string) *process {
	w.Helper()
	build, _ := binaries.LoadOrStore(release, sync.OnceValues(func() (string, error) {
		path := filepath.Join(buildDir, release)
		out, err := exec.Command("go", "build", "-o", path, "./"+release+"/program").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("go build %s: %w\n%s", release, err, out)
		}
		return path, err
	}))
	path, err := build.(func() (string, error))()
	w.must(err)
	p := &process{world: w, name: release}
	p.cmd = exec.Command(path, "-dsn", w.db.Dialector.(*postgres.Dialector).DSN, "-servers", w.server.Addr())
	stderr := &strings.Builder{}
	p.cmd.Stderr = stderr
	p.in, err = p.cmd.StdinPipe()
	w.must(err)
	out, err := p.cmd.StdoutPipe()
	w.must(err)
	p.out = bufio.NewReader(out)
	w.must(p.cmd.Start())
	w.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if w.Failed() && stderr.Len() > 0 {
			w.Logf("%s: %s", release, stderr)
		}
	})
	return p
}

// do sends a command and returns the answer.
func (p *process) do(command string) string {
	p.Helper()
	p.send(command)
	return p.answer()
}

func (p *process) send(command string) {
	p.Helper()
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		p.Fatalf("%s: %s: %v", p.name, command, err)
	}
}

func (p *process) answer() string {
	p.Helper()
	line := make(chan string, 1)
	go func() {
		s, err := p.out.ReadString('\n')
		if err != nil {
			s = "ended: " + err.Error()
		}
		line <- strings.TrimSpace(s)
	}()
	select {
	case s := <-line:
		return s
	case <-time.After(time.Minute):
		p.Fatalf("%s does not answer", p.name)
		return ""
	}
}

// says demands an answer.
func (p *process) says(command, want string) {
	p.Helper()
	if got := p.do(command); got != want {
		p.Errorf("%s: %s: %q, want %q", p.name, command, got, want)
	}
}

// eventually demands an answer, and until then the values in it.
func (p *process) eventually(command, want string) {
	p.Helper()
	values, _, _ := strings.Cut(want, " | ")
	for end := time.Now().Add(time.Minute); ; {
		got := p.do(command)
		if got == want {
			return
		}
		if v, _, ok := strings.Cut(got, " | "); !ok || v != values || time.Now().After(end) {
			p.Fatalf("%s: %s: %q, want %q", p.name, command, got, want)
		}
		pause()
	}
}

// pause lets others have the processor while something is polled.
func pause() { <-time.After(20 * time.Millisecond) }

// end ends the program as a job ends.
func (p *process) end() {
	p.Helper()
	p.must(p.in.Close())
	p.must(p.cmd.Wait())
}

// kill ends the program at once.
func (p *process) kill() {
	p.Helper()
	p.must(p.cmd.Process.Kill())
	_ = p.cmd.Wait() // says that it was killed
}

// halt stops the program in its tracks; goOn lets it go on.
func (p *process) halt() {
	p.Helper()
	p.must(testserver.Halt(p.cmd.Process))
}

func (p *process) goOn() {
	p.Helper()
	p.must(p.cmd.Process.Signal(syscall.SIGCONT))
}

const table = "shop:croupons"

// directory is the key of the table's directory.
func directory() string { return fmt.Sprintf("@registry:%016x", xxhash.Sum64String(table)) }

// withdraw has the registrations of all programs disappear, as those of programs that have ended do when their time
// is over. Those that live put theirs back.
func (w *world) withdraw() {
	w.Helper()
	it, err := w.client.Get(directory())
	w.must(err)
	for _, name := range setsOf(it.Value) {
		if err := w.client.Delete(fmt.Sprintf("%s:%016x", directory(), name)); err != nil && !errors.Is(err, memcache.ErrCacheMiss) {
			w.Fatal(err)
		}
	}
}

// setsOf returns the names of the sets in a directory, whose bytes package tiered describes.
func setsOf(b []byte) (names []uint64) {
	for set := range sets(b) {
		names = append(names, binary.LittleEndian.Uint64(set))
	}
	return names
}

func allSettled(b []byte) bool {
	for set := range sets(b) {
		if marked := binary.LittleEndian.Uint64(set[16:]) != 0; marked || set[28] != 1 {
			return false
		}
	}
	return true
}

func sets(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		n, terms := int(b[3]), int(binary.LittleEndian.Uint16(b[4:]))
		for b = b[12+16*terms:]; n > 0 && yield(b); n-- {
			b = b[32+8*int(binary.LittleEndian.Uint16(b[30:])):]
		}
	}
}

// soon demands that values are found once first tiers are up to date.
func (p *process) soon(command, values string) {
	p.Helper()
	for end := time.Now().Add(time.Minute); ; {
		got, _, _ := strings.Cut(p.do(command), " | ")
		if got = strings.TrimSpace(got); got == values {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("%s: %s: %q, want %q", p.name, command, got, values)
		}
		pause()
	}
}

// settle waits until everybody knows of the program, so that it flushes its own lists alone. It writes nothing.
func (p *process) settle() {
	p.Helper()
	p.do("read ListByCity Portland") // registers it
	for end := time.Now().Add(time.Minute); ; pause() {
		if it, err := p.client.Get(directory()); err == nil && allSettled(it.Value) {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("%s is never settled", p.name)
		}
	}
}
