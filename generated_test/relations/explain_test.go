package relations_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/generated_test/fixture"
	"github.com/cachegen/cachegen/generated_test/relations"
	"github.com/cachegen/cachegen/generated_test/relations/people"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// explained is what the tests read of the command's report.
type explained struct {
	Packages []struct {
		Models []struct {
			Name    string
			Key     []string
			Columns []struct {
				Name, Column string
				Flushes      []struct{ Accessor string }
			}
			Accessors []struct{ Name, List string }
		}
	}
}

// What cachegen explain says of the lists of relations is what writes flush, and their names are those of CacheKeys.
func TestExplained(t *testing.T) {
	cmd := exec.Command("go", "tool", "cachegen", "explain", "-json", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var report explained
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	h := &heard{}
	w := open(t, fixture.SQLite(t), cacheruntime.Options{Observer: h})

	// Rows of each model, and what their columns are changed to.
	type row map[string]any
	changes := map[string]struct {
		model  any
		ids    []any
		values row
	}{
		"Croupon":  {&relations.Croupon{}, []any{1}, row{"slug": "new", "city": "new", "merchant_id": 2}},
		"Merchant": {&relations.Merchant{}, []any{1}, row{"name": "new", "owner_id": 2}},
		"Review":   {&relations.Review{}, []any{1}, row{"croupon_id": 3, "stars": 9, "text": "new", "author_id": 2, "deleted_at": time.Now()}},
		"Profile":  {&relations.Profile{}, []any{1}, row{"merchant_id": 3, "about": "new"}},
		"Photo":    {&relations.Photo{}, []any{1, 2}, row{"owner_id": 3, "url": "new", "sharp": true, "owner_type": "c"}},
		"Tag":      {&relations.Tag{}, []any{1}, row{"name": "new", "weight": 7}},
		"Place":    {&relations.Place{}, []any{"a"}, row{"name": "new"}},
		"Person":   {&people.Person{}, []any{3}, row{"name": "new", "boss_id": 2, "country_code": "no", "employer_id": 1}},
		"Country":  {&people.Country{}, []any{1}, row{"code": "dk", "name": "new"}},
	}
	lists := map[string]bool{}
	for _, p := range report.Packages {
		for _, m := range p.Models {
			shapes := map[string]string{} // accessor by the beginning of its list's name
			for _, a := range m.Accessors {
				lists[a.List] = true
				shapes[a.List[:strings.LastIndexAny(a.List, ":(")+1]] = a.Name
			}
			c, ok := changes[m.Name]
			if !ok && !strings.Contains(m.Name, "_") && m.Name != "likenesses" && m.Name != "partners" {
				t.Errorf("explain has %s, the test has not", m.Name)
			}
			for _, column := range m.Columns {
				if slices.Contains(m.Key, column.Name) {
					continue
				}
				want := map[string]bool{}
				for _, f := range column.Flushes {
					want[f.Accessor] = true
				}
				got := map[string]bool{}
				for _, id := range c.ids {
					h.lists = nil
					w.must(w.db.Model(c.model).Where(fmt.Sprintf("%s = ?", strings.ToLower(m.Key[0])), id).Update(column.Column, c.values[column.Column]).Error)
					for _, l := range h.lists {
						got[shapes[l[:strings.IndexAny(l, ":(")+1]]] = true
					}
				}
				if !maps.Equal(got, want) {
					t.Errorf("a change of %s.%s flushes %v; explain says %v", m.Name, column.Name, got, want)
				}
			}
		}
	}
	for _, k := range slices.Concat(relations.CacheKeys, people.CacheKeys) {
		if !lists[k.List] {
			t.Errorf("CacheKeys has the list %s, explain has not", k.List)
		}
		delete(lists, k.List)
	}
	for l := range lists { // the rows of join tables, which nothing reads
		if strings.Contains(l, ":") && strings.Contains(l, ",") {
			delete(lists, l)
		}
	}
	if len(lists) > 0 {
		t.Errorf("explain has the lists %v, CacheKeys has not", slices.Sorted(maps.Keys(lists)))
	}
}
