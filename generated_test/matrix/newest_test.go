//go:build !lowestgorm

package matrix

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newestGORM says that GORM is the version that testdata is of.
const newestGORM = true

// docs is the page that shows the matrix.
const docs = "../../docs/matrix.md"

// The page is what the tests say.
func TestDocs(t *testing.T) {
	page := render(t)
	if *update {
		must(t, os.WriteFile(docs, []byte(page), 0o644))
	}
	if got, err := os.ReadFile(docs); err != nil || string(got) != page {
		t.Errorf("%s is not what the tests say (%v): go test ./matrix -update, and then -run TestDocs -update, write it", docs, err)
	}
}

const head = `# The matrix of writes

<!-- Written by go test ./matrix -update in generated_test; change the tests. -->

What each way of writing with GORM flushes, and the statements that the plugin makes for it beside GORM's own. The rules are in [writes.md](writes.md); this
is what the tests in ` + "`generated_test/matrix`" + ` say: %d writes, each of them run on SQLite, PostgreSQL, MariaDB, and on MariaDB as GORM treats MySQL,
which has no RETURNING. In each, these lists fall and no others, GORM answers what it answers without the plugin, and the tables hold what they hold without it.

The models are in ` + "[models.go](../generated_test/matrix/models.go)" + `. ` + "`articles:1`" + ` is the list of a row, ` + "`.ListByKind(food)`" + ` that of an accessor of the same table,
` + "`articles:1*`" + ` a row with every list that it was or is on, ` + "`articles`" + ` the table's ` + "`all`" + `, and ` + "`~`" + ` NULL or the empty text. Extra statements are those on SQLite / PostgreSQL / MariaDB, counted without
those that ask the catalog about SQL text, and without the UPDATE of no row that takes SQLite's write lock before a read. In %d of the writes there are none.
`

func render(t *testing.T) string {
	extra := map[string]map[string]string{}
	for _, d := range databases {
		golden, err := os.ReadFile(filepath.Join("testdata", d.name+".golden"))
		must(t, err)
		extra[d.name] = map[string]string{}
		for line := range strings.Lines(string(golden)) {
			i := strings.LastIndex(line, ": ")
			extra[d.name][line[:i]] = strings.TrimSpace(line[i+2:])
		}
	}
	var page strings.Builder
	none := 0
	for _, p := range parts() {
		fmt.Fprintf(&page, "\n## %s\n\n| write | falls | extra statements |\n|---|---|---|\n", p.title)
		for _, w := range p.writes {
			counts := []int{statements(extra["sqlite"][w.name]), statements(extra["postgres"][w.name]), statements(extra["mariadb"][w.name])}
			cost := fmt.Sprintf("%d / %d / %d", counts[0], counts[1], counts[2])
			if counts[0] == counts[1] && counts[1] == counts[2] {
				cost = fmt.Sprint(counts[0])
			}
			if cost == "0" {
				none++
			}
			fmt.Fprintf(&page, "| %s | %s%s | %s |\n", strings.ReplaceAll(w.name, "*", `\*`), falling(w.falls, w.loose, w.fails), elsewhere(w), cost)
		}
	}
	return fmt.Sprintf(head, len(matrix()), none) + page.String()
}

// statements is how many statements a line of testdata counts, the taking of SQLite's write lock left out.
func statements(tally string) (n int) {
	for _, t := range strings.Split(tally, ", ") {
		var some int
		var shape string
		if _, err := fmt.Sscan(t, &some, &shape); err == nil && shape != "lock" {
			n += some
		}
	}
	return n
}

// falling is what falls, in words.
func falling(falls, loose, fails string) string {
	var all []string
	if falls != "" {
		all = append(all, "`"+falls+"`")
	} else {
		all = append(all, "nothing")
	}
	if loose != "" {
		all = append(all, loose)
	}
	if fails == anyError {
		all = append(all, "the write fails")
	} else if fails != "" {
		all = append(all, "the write fails: "+fails)
	}
	return strings.Join(all, "; ")
}

// elsewhere is where a database differs.
func elsewhere(w write) string {
	var all strings.Builder
	for _, d := range []struct{ name, label string }{
		{"sqlite", "SQLite"}, {"postgres", "PostgreSQL"}, {"mariadb", "MySQL and MariaDB"}, {"mysql", "MySQL"},
	} {
		o, ok := w.off[d.name]
		if !ok {
			continue
		}
		if _, too := w.off["mysql"]; too && d.name == "mariadb" {
			d.label = "MariaDB"
		}
		if o.why == o.loose {
			o.loose = ""
		}
		fmt.Fprintf(&all, "<br>**%s**: %s", d.label, falling(o.falls, o.loose, o.fails))
		if o.why != "" {
			fmt.Fprintf(&all, " (%s)", o.why)
		}
	}
	return all.String()
}
