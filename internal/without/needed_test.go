package without

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEachPartIsNeeded leaves out each part of the protocol in turn, and demands that the interleaving of its name goes
// wrong: with all parts in place those tests pass, as they do in their own rooms.
func TestEachPartIsNeeded(t *testing.T) {
	// Where the parts that are not the store's are tested.
	rooms := map[string]string{"StampsBefore": "generated_test/faults", "StampedJoins": "generated_test/faults"}
	binaries := map[string]string{}
	for _, part := range parts(t) {
		room := rooms[part]
		if room == "" {
			room = "tiered"
		}
		if binaries[room] == "" {
			binaries[room] = build(t, room)
			if said, ok := run(t, room, binaries[room], "", "."); !ok {
				t.Fatalf("with all parts in place:\n%s", said)
			}
		}
		t.Run(part, func(t *testing.T) {
			said, ok := run(t, room, binaries[room], part, part)
			if ok || !strings.Contains(said, "--- FAIL: TestInterleaving/"+part+" ") {
				t.Errorf("TestInterleaving/%s of %s does not notice that it is left out:\n%s", part, room, said)
			}
		})
	}
}

// parts returns the names of the parts, each of which both builds have.
func parts(t *testing.T) (names []string) {
	constants, err := os.ReadFile("without.go")
	if err != nil {
		t.Fatal(err)
	}
	variables, err := os.ReadFile("left_out.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+) += false`).FindAllSubmatch(constants, -1) {
		names = append(names, string(m[1]))
	}
	var other []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+) += leftOut\("(\w+)"\)$`).FindAllSubmatch(variables, -1) {
		if string(m[1]) != string(m[2]) {
			t.Errorf("%s is left out by the name of %s", m[1], m[2])
		}
		other = append(other, string(m[1]))
	}
	if !slices.Equal(names, other) || len(names) == 0 {
		t.Fatalf("without.go has %q, left_out.go %q", names, other)
	}
	return names
}

func build(t *testing.T, room string) string {
	t.Helper()
	// Looked at so that go test knows that its answer hangs on them, and does not give an old one.
	for _, of := range []string{room, "runtime", "tiered", "flushlist"} {
		files, err := filepath.Glob(filepath.Join("..", "..", of, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if _, err := os.Stat(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	binary := filepath.Join(t.TempDir(), "room.test")
	cmd := exec.Command("go", "test", "-c", "-tags", "without", "-o", binary, ".")
	cmd.Dir = filepath.Join("..", "..", room)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go test -c in %s: %v\n%s", room, err, said)
	}
	return binary
}

// run runs the interleavings of one name, or all, with a part left out, or none.
func run(t *testing.T, room, binary, part, name string) (said string, ok bool) {
	t.Helper()
	if name != "." {
		name = "^" + name + "$"
	}
	cmd := exec.Command(binary, "-test.run", "^TestInterleaving$/"+name, "-test.timeout", "2m")
	cmd.Dir = filepath.Join("..", "..", room)
	cmd.Env = append(os.Environ(), "CACHEGEN_WITHOUT="+part)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}
