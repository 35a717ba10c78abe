package templates

import (
	"slices"
	"strings"
)

// Members returns the fields and methods of the types that the generated code of a model declares, by
// type: a package cannot add a method of such a name to one.
func (m Model) Members() map[string][]string {
	reads := []string{"Get", "GetMany", "GetMap"}
	cache := slices.Clone(BaseMethods)
	table := []string{"rows", "model"}
	for _, a := range m.Accessors {
		table = append(table, a.field())
		for _, method := range a.Methods() {
			cache = append(cache, method)
			if !strings.HasPrefix(method, "Flush") {
				reads = append(reads, method)
			}
		}
	}
	for _, f := range m.Follows {
		reads, cache = append(reads, f.Method()), append(cache, f.Method())
	}
	if m.Query {
		cache, reads = append(cache, QueryMethods...), append(reads, QueryMethods...)
	}
	// A method that a package adds to Cache or Objects would hide what they embed, and the compiler would not say so.
	fields := []string{m.shared(), "table", "source"}
	out := map[string][]string{
		m.entry():                    {"Cache", "Objects"},
		m.cache():                    slices.Concat(fields, cache),
		m.objects():                  slices.Concat(fields, reads),
		m.shared():                   slices.Concat([]string{"table", "source"}, reads),
		"Unimplemented" + m.reader(): reads,
		m.table():                    table,
	}
	if keys := m.keys(); len(keys) > 1 {
		for _, c := range keys {
			out[m.Name+"Key"] = append(out[m.Name+"Key"], c.name())
		}
	}
	return out
}

// Members returns the fields and methods of the types that every generated package declares, by type.
func (p Package) Members() map[string][]string {
	models, tables := []string{"WithTx", "tables"}, []string{"models"}
	for _, m := range p.Models {
		models, tables = append(models, m.Name), append(tables, m.table())
	}
	return map[string][]string{"Models": models, "modelTables": tables}
}
