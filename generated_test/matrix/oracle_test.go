package matrix

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// row is a row as the database has it.
type row = map[string]any

// accessor is a list that a row is on, by its value in a column; moves are the columns that order it.
type accessor struct {
	name, column string
	where        func(row) bool
	moves        []string
}

// accessors are those of each table, written down once more, past the generator.
var accessors = map[string][]accessor{
	"regions":   {{name: "GetByName", column: "name"}},
	"shops":     {{name: "GetByName", column: "name"}, {name: "ListByCity", column: "city"}, {name: "CountByCity", column: "city"}, {name: "ListByRegionID", column: "region_id"}},
	"licences":  {{name: "ListByShopID", column: "shop_id"}},
	"tags":      {{name: "GetByName", column: "name"}},
	"shop_tags": {{name: "ListByShopID", column: "shop_id"}, {name: "ListByTagID", column: "tag_id"}},
	"seats":     {{name: "ListByColour", column: "looks_colour"}},
	"badges":    {{name: "ListByCity", column: "city"}},
	"articles": {
		{name: "GetByCode", column: "code"}, {name: "ListByKind", column: "kind"}, {name: "CountByKind", column: "kind"},
		{name: "CountByGrade", column: "grade"}, {name: "ListByShopID", column: "shop_id"},
		{name: "OneDearest", column: "kind", moves: []string{"price"}},
		{name: "ListSale", column: "kind", moves: []string{"price"}, where: func(r row) bool { return fmt.Sprint(r["active"]) == "true" || fmt.Sprint(r["active"]) == "1" }},
	},
}

// keyOf is a row's key in the name of its list.
func keyOf(table string, r row) string {
	switch table {
	case "shop_tags":
		return fmt.Sprint(r["shop_id"], ",", r["tag_id"])
	case "seats":
		return fmt.Sprint(r["hall"], ",", r["no"])
	case "badges":
		return fmt.Sprint(r["code"])
	}
	return fmt.Sprint(r["id"])
}

// on returns the lists that a row is on.
func (a accessor) on(table string, r row) string {
	if r == nil || r["deleted_at"] != nil || a.where != nil && !a.where(r) {
		return ""
	}
	value := "~"
	if v := r[a.column]; v != nil && v != "" { // some databases do not tell the two apart
		value = fmt.Sprint(v)
	}
	return table + "." + a.name + "(" + value + ")"
}

// find returns the row with a key.
func find(table, key string, rows []row) row {
	for _, r := range rows {
		if keyOf(table, r) == key {
			return r
		}
	}
	return nil
}

// expand spells out what falls.
func expand(falls string, was, is map[string][]row) (lists []string) {
	table := ""
	for _, f := range strings.Fields(falls) {
		if strings.HasPrefix(f, ".") {
			lists = append(lists, table+f)
			continue
		}
		name, key, found := strings.Cut(f, ":")
		table = name
		key, all := strings.CutSuffix(key, "*")
		if !found {
			lists = append(lists, table)
			continue
		}
		lists = append(lists, table+":"+key)
		if !all {
			continue
		}
		for _, a := range accessors[table] {
			for _, r := range []row{find(table, key, was[table]), find(table, key, is[table])} {
				if l := a.on(table, r); l != "" {
					lists = append(lists, l)
				}
			}
		}
	}
	slices.Sort(lists)
	return slices.Compact(lists)
}

// judge holds what a write is said to flush against what it has changed: no list may be missing, and what is there beside
// is a row that was written as it was, or said to be loose.
func judge(t *testing.T, falls []string, loose string, was, is map[string][]row) {
	t.Helper()
	wrong := map[string]bool{}
	for table := range orders {
		if table == "unseens" || slices.Contains(falls, table) {
			continue
		}
		for _, r := range slices.Concat(was[table], is[table]) {
			key := keyOf(table, r)
			old, now := find(table, key, was[table]), find(table, key, is[table])
			if reflect.DeepEqual(old, now) {
				continue
			}
			wrong[table+":"+key] = true
			for _, a := range accessors[table] {
				before, after := a.on(table, old), a.on(table, now)
				moved := before != after
				for _, column := range a.moves {
					moved = moved || old[column] != now[column]
				}
				if moved && before != "" {
					wrong[before] = true
				}
				if moved && after != "" {
					wrong[after] = true
				}
			}
		}
	}
	for l := range wrong {
		if !slices.Contains(falls, l) {
			t.Errorf("the write has made %s wrong, and it is not said to fall", l)
		}
	}
	for _, l := range falls {
		table, _, _ := strings.Cut(l, ".")
		if loose == "" && !wrong[l] && strings.Contains(l, "(") && !slices.Contains(falls, table) {
			t.Errorf("%s is said to fall, and the write has not made it wrong", l)
		}
	}
}
