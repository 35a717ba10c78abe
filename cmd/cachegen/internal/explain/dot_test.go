package explain

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The statements that DOT writes, with strings as the language has them: a quote in one is escaped.
var (
	dotString    = `"(?:[^"\\]|\\.)*"`
	dotAttribute = `[a-z]+=(?:` + dotString + `|[a-z]+)`
	dotStatement = regexp.MustCompile(`^\t\t(` + dotString + `)(?: -> (` + dotString + `))? \[` + dotAttribute + `(?:, ` + dotAttribute + `)*\];$`)
	dotCluster   = regexp.MustCompile(`^\tsubgraph ` + dotString + ` \{$`)
	dotLabel     = regexp.MustCompile(`^\t\tlabel=` + dotString + `;$`)
)

// A graph is made of statements of the language, whatever the names in it, and joins what it has
// named before. Where graphviz is there, it agrees.
func TestDOT(t *testing.T) {
	graphviz, _ := exec.LookPath("dot")
	eachDrawing(t, func(t *testing.T, r Report) {
		var b bytes.Buffer
		if err := r.DOT(&b); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		named := map[string]bool{}
		depth, edges := 0, 0
		for i, line := range lines {
			switch m := dotStatement.FindStringSubmatch(line); {
			case i == 0 && line == "digraph cachegen {", dotCluster.MatchString(line):
				depth++
			case line == "}" && depth == 1, line == "\t}" && depth == 2:
				depth--
			case i < 4, dotLabel.MatchString(line):
			case m == nil:
				t.Errorf("line %d is no statement: %s", i+1, line)
			case m[2] == "":
				if named[m[1]] {
					t.Errorf("two boxes are called %s", m[1])
				}
				named[m[1]] = true
			default:
				edges++
				if !named[m[1]] || !named[m[2]] {
					t.Errorf("line %d joins a box that is not there: %s", i+1, line)
				}
			}
		}
		if depth != 0 {
			t.Errorf("%d brackets are open at the end", depth)
		}
		if want := edgesOf(r); edges != want {
			t.Errorf("%d edges, want %d", edges, want)
		}
		if graphviz == "" {
			return
		}
		cmd := exec.Command(graphviz, "-Tcanon")
		cmd.Stdin = &b
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "Warning") {
			t.Errorf("graphviz: %v\n%s", err, out)
		}
	})
}

func TestQuoted(t *testing.T) {
	for in, want := range map[string]string{
		"plain":      `"plain"`,
		`a "b" \N`:   `"a \"b\" \\N"`,
		"two\nlines": `"two\nlines"`,
		`end\`:       `"end\\"`,
	} {
		if got := quoted(in); got != want {
			t.Errorf("quoted(%q) = %s, want %s", in, got, want)
		}
	}
}
