package load

import (
	"go/ast"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/templates"
	"gorm.io/gorm/schema"
)

// field is one column of a model with what its GORM tag says.
type field struct {
	templates.Column
	variable *types.Var
	name     string        // the Go name of the field itself
	tag      *ast.BasicLit // the tag of the struct's own field, nil for an embedded one's
	at       place
	settings map[string]string // GORM's
	raw      string            // the gorm tag, from which indexes are read
}

// naming is GORM's default naming. A program may use another; what depends on it is judged by
// the runtime.
var naming schema.NamingStrategy

// columns reads the columns of a model, embedded structs flattened.
func (l *loader) columns(m *source) []*field {
	var out []*field
	before, i := len(l.problems), 0
	for _, f := range m.syntax.Fields.List {
		for range max(1, len(f.Names)) {
			v := m.structure.Field(i)
			at := place{f.Pos()}
			if len(f.Names) > 0 {
				at = place{f.Names[0].Pos()}
			}
			out = append(out, l.field(m, v, m.structure.Tag(i), nil, "", f.Tag, at)...)
			i++
		}
	}
	for _, f := range out {
		f.Select = l.selector(m, f)
	}
	l.defaultKey(out)
	l.checkColumns(m, out)
	// A field that was refused may have held the key.
	if len(l.problems) == before && !slices.ContainsFunc(out, func(f *field) bool { return f.PrimaryKey }) {
		l.errorf(m.at, "%s has no primary key; name a field ID or tag one with gorm:\"primaryKey\"", m.name)
	}
	return out
}

// step is one embedded struct on the way to a column.
type step struct {
	name      string
	anonymous bool
}

// field reads one field: no column, one, or those of an embedded struct.
func (l *loader) field(m *source, v *types.Var, tags string, way []step, prefix string, lit *ast.BasicLit, at place) []*field {
	if !v.Exported() {
		return nil
	}
	raw := reflect.StructTag(tags).Get("gorm")
	settings := schema.ParseTagSetting(raw, ";")
	if ignored, ok := settings["-"]; ok && ignored != "migration" {
		return nil
	}
	name := strings.Join(append(names(way), v.Name()), ".")
	if settings["SERIALIZER"] != "" {
		l.errorf(at, "%s.%s: serializer: is not supported yet", m.name, name)
		return nil
	}
	_, embedded := settings["EMBEDDED"]
	embedded = embedded || v.Anonymous()
	verdict := l.judge(v.Type())
	switch {
	case embedded && (verdict.role == structure || verdict.role == relation):
		s, ok := types.Unalias(v.Type()).Underlying().(*types.Struct)
		if !ok {
			l.errorf(at, "%s.%s: embedding a pointer to a struct is not supported yet; embed the struct itself", m.name, name)
			return nil
		}
		return l.embedded(m, v, s, append(slices.Clip(way), step{v.Name(), v.Anonymous()}), prefix+settings["EMBEDDEDPREFIX"], at)
	case verdict.role == refused:
		l.errorf(at, "%s.%s: %s", m.name, name, verdict.reason)
		return nil
	case verdict.role != column:
		return nil
	}
	dbName := settings["COLUMN"]
	if dbName == "" {
		dbName = naming.ColumnName("", v.Name())
	}
	f := &field{
		variable: v, name: v.Name(), tag: lit, at: at, settings: settings, raw: raw,
		Column: templates.Column{Path: name, DBName: prefix + dbName, Type: verdict.typ, SoftDelete: verdict.soft, PrimaryKey: truth(settings["PRIMARYKEY"], settings["PRIMARY_KEY"])},
	}
	if len(way) > 0 {
		f.tag = nil
		if _, ok := reflect.StructTag(tags).Lookup("cache"); ok {
			l.errorf(at, "%s.%s: cache tags inside an embedded struct are not supported yet; declare the accessor on %s with by:%s", m.name, name, m.name, name)
		}
	}
	return []*field{f}
}

func (l *loader) embedded(m *source, v *types.Var, s *types.Struct, way []step, prefix string, at place) []*field {
	if slices.Contains(l.within, s) {
		l.errorf(at, "%s.%s: %s holds itself, and its columns have no end; leave it out with gorm:\"-\"", m.name, way[0].name, strings.Join(names(way), "."))
		return nil
	}
	l.within = append(l.within, s)
	defer func() { l.within = l.within[:len(l.within)-1] }()
	var out []*field
	for i := range s.NumFields() {
		out = append(out, l.field(m, s.Field(i), s.Tag(i), way, prefix, nil, at)...)
	}
	return out
}

func names(way []step) []string {
	var out []string
	for _, s := range way {
		out = append(out, s.name)
	}
	return out
}

// selector is the shortest Go selector of a column: anonymous structs are left out of it where
// that still names the same field.
func (l *loader) selector(m *source, f *field) string {
	parts := strings.Split(f.Path, ".")
	var t types.Type = m.named
	var short []string
	for i, part := range parts {
		s, ok := t.Underlying().(*types.Struct)
		if !ok {
			return f.Path
		}
		j := slices.IndexFunc(slices.Collect(s.Fields()), func(v *types.Var) bool { return v.Name() == part })
		if j < 0 {
			return f.Path
		}
		if i == len(parts)-1 || !s.Field(j).Anonymous() {
			short = append(short, part)
		}
		t = types.Unalias(s.Field(j).Type())
	}
	t = m.named
	var last types.Object
	for _, part := range short {
		last, _, _ = types.LookupFieldOrMethod(t, true, l.pkg.Types, part)
		if last == nil {
			return f.Path
		}
		t = last.Type()
	}
	if last != f.variable {
		return f.Path
	}
	return strings.Join(short, ".")
}

// defaultKey makes a field ID the primary key where no tag names one, as GORM does.
func (l *loader) defaultKey(fields []*field) {
	if slices.ContainsFunc(fields, func(f *field) bool { return f.PrimaryKey }) {
		return
	}
	for _, is := range []func(f *field) bool{
		func(f *field) bool { return f.DBName == "id" },
		func(f *field) bool { return f.name == "ID" },
	} {
		if i := slices.IndexFunc(fields, is); i >= 0 {
			fields[i].PrimaryKey = true
			return
		}
	}
}

// checkColumns reports what no model may have.
func (l *loader) checkColumns(m *source, fields []*field) {
	byName := map[string]*field{}
	var soft *field
	for _, f := range fields {
		if other := byName[f.DBName]; other != nil {
			l.errorf(f.at, "%s.%s and %s.%s are both column %q; leave one out with gorm:\"-\"", m.name, other.Path, m.name, f.Path, f.DBName)
		}
		byName[f.DBName] = f
		if f.SoftDelete {
			if soft != nil {
				l.errorf(f.at, "%s has two soft-delete columns, %s and %s", m.name, soft.Path, f.Path)
			}
			soft = f
		}
		if !f.PrimaryKey {
			continue
		}
		switch {
		case f.Type.Form != templates.Plain:
			l.errorf(f.at, "%s.%s: a primary key that can be NULL is not supported", m.name, f.Path)
		case f.Type.Kind == templates.Bytes, f.Type.Kind == templates.Float, f.Type.Kind == templates.Time:
			l.errorf(f.at, "%s.%s: a primary key of type %s is not supported yet", m.name, f.Path, l.shown(f.variable.Type()))
		}
	}
}

// truth reads a setting that is true when it is there and not "false".
func truth(values ...string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return v != "" && !strings.EqualFold(v, "false") })
}
