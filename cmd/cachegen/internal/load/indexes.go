package load

import (
	"strings"

	"gorm.io/gorm/schema"
)

// uniqueIndexes returns the unique indexes of a model, as sets of column paths by index name.
// Indexes on an expression or with a condition are left out: they do not make their columns
// unique.
func uniqueIndexes(fields []*field) map[string]map[string]bool {
	columns := map[string]map[string]bool{}
	unique, partial := map[string]bool{}, map[string]bool{}
	for _, f := range fields {
		if truth(f.settings["UNIQUE"]) {
			columns["unique "+f.Path] = map[string]bool{f.Path: true}
			unique["unique "+f.Path] = true
		}
		for _, part := range strings.Split(f.raw, ";") {
			key, value, _ := strings.Cut(part, ":")
			key = strings.ToUpper(strings.TrimSpace(key))
			if key != "INDEX" && key != "UNIQUEINDEX" {
				continue
			}
			name, options, _ := strings.Cut(value, ",")
			settings := schema.ParseTagSetting(options, ",")
			if name == "" {
				name = "of " + f.Path
				if composite := settings["COMPOSITE"]; composite != "" {
					name = "composite " + composite
				}
			}
			if columns[name] == nil {
				columns[name] = map[string]bool{}
			}
			columns[name][f.Path] = true
			if key == "UNIQUEINDEX" || settings["UNIQUE"] != "" || strings.EqualFold(settings["CLASS"], "UNIQUE") {
				unique[name] = true
			}
			if settings["WHERE"] != "" || settings["EXPRESSION"] != "" {
				partial[name] = true
			}
		}
	}
	for name := range columns {
		if !unique[name] || partial[name] {
			delete(columns, name)
		}
	}
	return columns
}

// isUnique reports whether a unique index covers just these columns; one that has the
// soft-delete column besides is good too, since deleted rows are never found.
func isUnique(fields []*field, by []*field) bool {
	for _, index := range uniqueIndexes(fields) {
		rest := len(index)
		for _, f := range fields {
			if f.SoftDelete && index[f.Path] {
				rest--
			}
		}
		for _, f := range by {
			if !index[f.Path] {
				rest = -1
				break
			}
			rest--
		}
		if rest == 0 {
			return true
		}
	}
	return false
}
