package explain

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/templates"
)

// A report is in order whatever the order of its packages, has each once, and none without models.
func TestOf(t *testing.T) {
	model := func(name string) templates.Model {
		return templates.Model{Name: name, Columns: []templates.Column{{Path: "ID", Select: "ID", PrimaryKey: true}}}
	}
	a := templates.Package{Name: "a", Path: "x/a", Models: []templates.Model{model("Two"), model("One")}}
	b := templates.Package{Name: "b", Path: "x/b", Models: []templates.Model{model("Three")}}
	none := templates.Package{Name: "c", Path: "x/c"}
	var got []string
	for _, p := range Of([]templates.Package{b, none, a, b}).Packages {
		for _, m := range p.Models {
			got = append(got, p.Path+"."+m.Name)
		}
	}
	if want := "[x/a.One x/a.Two x/b.Three]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// Of several roles of a column, the one with the most changes says when the list falls.
func TestCause(t *testing.T) {
	for _, c := range []struct {
		fall  templates.Fall
		key   bool
		want  Effect
		roles string
	}{
		{templates.Fall{By: true}, false, RowMoves, "[by]"},
		{templates.Fall{By: true, Where: true, Order: true}, false, RowMoves, "[by where order]"},
		{templates.Fall{Where: true}, false, RowMatches, "[where]"},
		{templates.Fall{Where: true, Judge: templates.ByGoCoarsely}, false, MayMatch, "[where]"},
		{templates.Fall{Where: true, Judge: templates.ByDatabase}, false, AnyChange, "[where]"},
		{templates.Fall{Where: true, Order: true}, false, RowOrdered, "[where order]"},
		{templates.Fall{SoftDelete: true}, false, RowMatches, "[softDelete]"},
		{templates.Fall{SoftDelete: true, Order: true}, false, RowOrdered, "[order softDelete]"},
		{templates.Fall{Order: true}, true, KeyChanged, "[order]"},
	} {
		if got := cause(c.fall, c.key); got.Effect != c.want || fmt.Sprint(got.Roles) != c.roles {
			t.Errorf("%+v: %v, want %s %s", c.fall, got, c.want, c.roles)
		}
	}
}

// Columns are called alike wherever a report shows them, and text that looks like one is left alone.
func TestSelected(t *testing.T) {
	columns := []templates.Column{{Path: "Audit.CreatedAt", Select: "CreatedAt"}, {Path: "Home.Zip", Select: "Home.Zip"}, {Path: "ID", Select: "ID"}}
	for setting, want := range map[string]string{
		"Audit.CreatedAt desc,ID": "CreatedAt desc,ID",
		"Home.Zip = 'Audit.CreatedAt', Audit.CreatedAt > '2024-01-31T00:00:00Z'": "Home.Zip = 'Audit.CreatedAt', CreatedAt > '2024-01-31T00:00:00Z'",
		"Home.Zip = 'it''s Audit.CreatedAt ', Audit.CreatedAt.More IS NOT NULL":  "Home.Zip = 'it''s Audit.CreatedAt ', Audit.CreatedAt.More IS NOT NULL",
		"": "",
	} {
		if got := selected(columns, setting); got != want {
			t.Errorf("%q: %q, want %q", setting, got, want)
		}
	}
}

func TestTTL(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", -1: "forever", 24 * time.Hour: "24h", 90 * time.Second: "90s", 5 * time.Minute: "5m", 1500 * time.Millisecond: "1.5s",
	} {
		if got := ttl(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// Text stays within the width, says every column of every model once, and every accessor's list.
func TestText(t *testing.T) {
	report := Of(golden(t))
	var b bytes.Buffer
	if err := report.Text(&b); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(b.String(), "\n") {
		if cells(line) > width || strings.TrimRight(line, " ") != line {
			t.Errorf("line %d is too wide or ends in blanks: %q", i+1, line)
		}
	}
	for _, p := range report.Packages {
		for _, m := range p.Models {
			_, text, _ := strings.Cut(b.String(), "package "+p.Path+"\n")
			_, text, _ = strings.Cut(text, "\n"+m.Name+"\n")
			for _, c := range m.Columns {
				if !strings.Contains(text, "\n  "+c.Name+" ") {
					t.Errorf("%s.%s: no line for it", m.Name, c.Name)
				}
			}
			for _, a := range m.Accessors {
				if !strings.Contains(text, "\n  "+a.List) {
					t.Errorf("%s.%s: no line for its list", m.Name, a.Name)
				}
			}
		}
	}
}

// Text that nobody would write is written without harm.
func TestHostileText(t *testing.T) {
	for seed := range uint64(10) {
		r := Of([]templates.Package{randomPackage(rand.New(rand.NewPCG(seed, 3)), 5)})
		var b bytes.Buffer
		if err := r.Text(&b); err != nil || b.Len() == 0 {
			t.Error(err)
		}
		if err := r.JSON(&b); err != nil {
			t.Error(err)
		}
	}
}
