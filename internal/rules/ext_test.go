package rules

import (
	"slices"
	"strings"
	"testing"
)

// testRooms are the optional rooms for users' tests, which may link the testing package.
var testRooms = []string{"cachetest", "journaltest", "storetest"}

// room returns the optional room that a package lies in, or "".
func room(path string) string {
	name, ok := strings.CutPrefix(path, module+"/ext/")
	if !ok {
		return ""
	}
	return strings.SplitN(name, "/", 2)[0]
}

// The optional rooms can be used, and left out, one by one: nothing but a test imports one, and none imports
// another, or what users cannot import. Only those for tests link the testing package.
func TestOptionalRooms(t *testing.T) {
	for _, dir := range modules(t) {
		for _, p := range packages(t, dir, "./...") {
			own := room(p.ImportPath)
			for _, i := range p.Imports {
				switch {
				case room(i) != "" && room(i) != own:
					t.Errorf("%s imports the optional room %s", p.ImportPath, i)
				case own != "" && (strings.HasPrefix(i, module+"/internal") || strings.HasPrefix(i, module+"/templates")):
					t.Errorf("the optional room %s imports %s", p.ImportPath, i)
				}
			}
			if own != "" && !slices.Contains(testRooms, own) && slices.Contains(p.Deps, "testing") {
				t.Errorf("%s links the testing package; if it is for users' tests, say so in this file", p.ImportPath)
			}
		}
	}
}
