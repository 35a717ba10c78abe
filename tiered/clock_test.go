package tiered

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The protocol goes by monotonic clocks alone. Where the wall clock is asked all the same, it is said here what for.
func TestWallClock(t *testing.T) {
	allowed := map[string]string{
		"cell.go":     "when a cell was changed, which no decision hangs on",
		"envelope.go": "when an entry's ttl is past",
		"fetch.go":    "the same",
		"memory.go":   "the same",
		"store.go":    "the same",
		"server.go":   "memcached takes a ttl of more than 30 days as a date",
	}
	readings := []string{"Unix", "UnixMilli", "UnixMicro", "UnixNano", "Date", "Round", "Truncate", "UTC", "In", "Local"}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if s, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains(readings, s.Sel.Name) {
					used[file] = true
					if allowed[file] == "" {
						t.Errorf("%s: %s reads the wall clock; go by Store.now, or say here why not", set.Position(call.Pos()), s.Sel.Name)
					}
				}
			}
			return true
		})
	}
	for file := range allowed {
		if !used[file] {
			t.Errorf("%s does not read the wall clock any more; take it off the list", file)
		}
	}
}
