// Package modes_test holds the table of docs/failures.md: what reads do, and writes in either mode, when a part of the
// system fails. There is a test a cell, TestModes/<row>/<column>, on real servers that a proxy makes fail.
package modes_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generated_test/fixture"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

func TestMain(m *testing.M) { fixture.Main(m) }

// row is a row of the table. Each column's test is one function; those of writes are told the mode.
type row struct {
	name              string
	reads             func(*testing.T)
	strict, available func(*testing.T)
}

// inMode makes a test of what is told the mode.
func inMode(mode cacheruntime.Mode, test func(*testing.T, cacheruntime.Mode)) func(*testing.T) {
	return func(t *testing.T) { test(t, mode) }
}

// alike is a row whose writes do the same in both modes.
func alike(name string, reads func(*testing.T), writes func(*testing.T, cacheruntime.Mode)) row {
	return row{name, reads, inMode(cacheruntime.Strict, writes), inMode(cacheruntime.Available, writes)}
}

// outOfReach is a row of one server that one of two programs does not reach.
func outOfReach(name string, f fault) row {
	return row{name, f.reads, f.strict, f.available}
}

var table = []row{
	{"server_down", downReads, downStrict, downAvailable},
	outOfReach("server_slow", slow),
	outOfReach("server_hanging", hanging),
	outOfReach("server_cut", cut),
	alike("database_down", databaseReads, databaseWrites),
	{"journal_unreachable", journalReads, journalStrict, journalAvailable},
	alike("foreign_bytes", foreignReads, foreignWrites),
	alike("value_too_large", largeReads, largeWrites),
	alike("context_ends", contextReads, contextWrites),
	alike("panic", panicReads, panicWrites),
}

// behaviours 69 and 79
func TestModes(t *testing.T) {
	for _, r := range table {
		t.Run(r.name, func(t *testing.T) {
			t.Run("reads", r.reads)
			t.Run("writes_strict", r.strict)
			t.Run("writes_available", r.available)
		})
	}
}

// The page names the test of each cell, and no other; and what other tests it names are there.
func TestTableInDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/failures.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, r := range table {
		for _, column := range []string{"reads", "writes_strict", "writes_available"} {
			want = append(want, r.name+"/"+column)
		}
	}
	for _, cell := range regexp.MustCompile("`([a-z_]+/(?:reads|writes_strict|writes_available))`").FindAllStringSubmatch(string(page), -1) {
		got = append(got, cell[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("docs/failures.md names the tests\n%q, there are\n%q", got, want)
	}
	var source strings.Builder
	for _, pattern := range []string{"*_test.go", "../../tiered/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	for _, name := range regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(source.String(), "func "+name[1]+"(") {
			t.Errorf("docs/failures.md names %s, which is not there", name[1])
		}
	}
}
