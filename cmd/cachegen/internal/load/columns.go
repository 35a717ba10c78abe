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
	way      []step            // the embedded structs that it is in
}

// naming is GORM's default naming. A program may use another; what depends on it is judged by
// the runtime.
var naming schema.NamingStrategy

// columns reads the columns of a model, embedded structs flattened.
func (l *loader) columns(m *source) []*field {
	var out []*field
	before := len(l.problems)
	for _, f := range m.syntax.Fields.List {
		for i := range m.structure.NumFields() {
			// By place, since a name that is declared twice is one field, which the compiler reports.
			v := m.structure.Field(i)
			if v.Pos() < f.Pos() || v.Pos() >= f.End() {
				continue
			}
			at := place{f.Pos()}
			if len(f.Names) > 0 {
				at = place{v.Pos()}
			}
			out = append(out, l.field(m, v, m.structure.Tag(i), nil, "", f.Tag, at)...)
		}
	}
	for _, f := range out {
		f.Select = l.selector(m, f.Path, f.variable)
		f.Pointers = l.pointers(m, f)
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
	name    string
	pointer *types.Pointer // nil where the struct itself is embedded
}

// field reads one field: no column, one, or those of an embedded struct.
func (l *loader) field(m *source, v *types.Var, tags string, way []step, prefix string, lit *ast.BasicLit, at place) []*field {
	if !v.Exported() {
		return nil
	}
	raw := reflect.StructTag(tags).Get("gorm")
	settings := schema.ParseTagSetting(raw, ";")
	switch strings.ToLower(strings.TrimSpace(settings["-"])) {
	case "-", "all":
		return nil
	}
	name := strings.Join(append(names(way), v.Name()), ".")
	unread := strings.EqualFold(settings["->"], "false")
	_, embedded := settings["EMBEDDED"]
	s, pointer := embeds(v.Type())
	var verdict verdict
	switch {
	case unfinished(v.Type()) && s == nil:
		verdict = refuse("%s", l.unknown(v))
	case (embedded || v.Anonymous()) && s != nil: // whatever else the tag says
		return l.embedded(m, v, s, append(slices.Clip(way), step{v.Name(), pointer}), prefix+settings["EMBEDDEDPREFIX"], at)
	case serializer(settings):
		verdict = l.serialized(v.Type())
	default:
		verdict = l.judge(v.Type(), !unread)
	}
	switch {
	case verdict.role == refused:
		l.errorf(at, "%s.%s: %s", m.name, name, verdict.reason)
		return nil
	case embedded:
		l.errorf(at, "%s.%s: %s is no struct that GORM takes apart; remove embedded from the tag", m.name, name, l.shown(v.Type()))
		return nil
	case verdict.role != column:
		if _, ok := reflect.StructTag(tags).Lookup("cache"); ok && len(way) > 0 {
			l.errorf(at, "%s.%s: cache tags inside an embedded struct are not supported yet; move the relation to %s itself", m.name, name, m.name)
		}
		return nil
	case verdict.typ.Kind != templates.Serialized: // whose types generated code does not name
		if why := l.hidden(v.Type()); why != "" {
			l.errorf(at, "%s.%s: %s", m.name, name, why)
			return nil
		}
	}
	dbName := settings["COLUMN"]
	if dbName == "" {
		dbName = naming.ColumnName("", v.Name())
	}
	f := &field{
		variable: v, name: v.Name(), tag: lit, at: at, settings: settings, raw: raw, way: way,
		Column: templates.Column{
			Path: name, DBName: prefix + dbName, Type: verdict.typ, PrimaryKey: truth(settings["PRIMARYKEY"], settings["PRIMARY_KEY"]), Unread: unread,
			SoftDelete: verdict.soft, Judged: verdict.judged && !zeroValue(raw),
		},
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
	if slices.ContainsFunc(l.within, func(outer *types.Struct) bool { return types.Identical(outer, s) }) {
		l.errorf(at, "%s.%s: %s holds itself, and its columns have no end; leave it out with gorm:\"-\"", m.name, way[0].name, strings.Join(names(way), "."))
		return nil
	}
	if p := way[len(way)-1].pointer; p != nil {
		if why := l.hidden(p.Elem()); why != "" {
			l.errorf(at, "%s.%s: %s", m.name, strings.Join(names(way), "."), why)
			return nil
		}
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

// pointers are the embedded pointers on the way to a column, the outermost first.
func (l *loader) pointers(m *source, f *field) []templates.Embed {
	var out []templates.Embed
	for i, s := range f.way {
		if s.pointer != nil {
			path := strings.Join(names(f.way[:i+1]), ".")
			out = append(out, templates.Embed{Select: l.selector(m, path, nil), Type: l.expr(s.pointer.Elem())})
		}
	}
	return out
}

// fieldsOf are the fields of a struct, or of the struct that a pointer points to.
func fieldsOf(t types.Type) []*types.Var {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	s, ok := t.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	return slices.Collect(s.Fields())
}

// selector is the shortest Go selector of the field at path: anonymous structs are left out of it where
// that still names the same field. want is that field, where it is known already.
func (l *loader) selector(m *source, path string, want *types.Var) string {
	parts := strings.Split(path, ".")
	var t types.Type = m.named
	var short []string
	for i, part := range parts {
		fields := fieldsOf(t)
		j := slices.IndexFunc(fields, func(v *types.Var) bool { return v.Name() == part })
		if j < 0 {
			return path
		}
		if i == len(parts)-1 || !fields[j].Anonymous() {
			short = append(short, part)
		}
		t = fields[j].Type()
		if i == len(parts)-1 && want == nil {
			want = fields[j]
		}
	}
	t = m.named
	var last types.Object
	for _, part := range short {
		last, _, _ = types.LookupFieldOrMethod(t, true, l.pkg.Types, part)
		if last == nil {
			return path
		}
		t = last.Type()
	}
	if last != want {
		return path
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
				what, mend := "two soft-delete columns", "make the other a *time.Time"
				if !soft.deletes() || !f.deletes() {
					what, mend = "two columns whose types add conditions to every query", "give the other a type without QueryClauses"
				}
				l.errorf(f.at, "%s has %s, %s and %s; keep one, and %s", m.name, what, soft.Path, f.Path, mend)
			}
			soft = f
		}
		if !f.PrimaryKey {
			continue
		}
		if reason := l.unfitKey(f); reason != "" {
			l.errorf(f.at, "%s.%s: %s", m.name, f.Path, reason)
		}
	}
}

// unfitKey says why a column cannot be part of a primary key; "" if it can.
func (l *loader) unfitKey(f *field) string {
	t := types.Unalias(f.variable.Type())
	shown := l.shown(f.variable.Type())
	switch {
	case f.Type.Form != templates.Plain:
		return "a primary key that can be NULL is not supported; " + l.without(t)
	case f.Type.Kind == templates.Bytes:
		return "a primary key of type " + shown + " cannot be told from another by ==, which GetMap needs; use a string, or an array with Scan and Value methods"
	case f.Type.Kind == templates.Float:
		return "a primary key of type " + shown + " is not equal to what the database makes of it; use an integer or a string"
	case f.Type.Kind == templates.Time:
		return "a primary key of type " + shown + " is rounded by the database and told in another zone, and then not equal to itself; use an integer or a string"
	case f.Type.Kind == templates.Serialized:
		return "a primary key cannot be serialized, since only GORM knows what the column holds; give the type Scan and Value methods"
	case f.Type.Kind == templates.Valued:
		if why := byValue(t); why != "" {
			return "a primary key of type " + shown + " " + why + ", so that two equal keys may differ under ==; use a type of strings, integers, bools, arrays and structs of them"
		}
		if isValuer(t) && !onValue(t, "Value") {
			return "the Value method of " + shown + " has a pointer receiver, so that GORM does not find it in a primary key; give it a value receiver"
		}
	}
	return ""
}

// without says what a column that may be NULL can be instead, to be a primary key.
func (l *loader) without(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	} else if s, ok := t.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			if f.Name() != "Valid" {
				t = f.Type()
			}
		}
	}
	switch v := l.judge(t, true); v.typ.Kind {
	case templates.Int, templates.Uint, templates.Bool, templates.Text, templates.Valued:
		return "make it " + l.shown(t)
	default:
		return "use an integer or a string"
	}
}

// deletes reports whether the column's type changes what a delete does, and not only what is found.
func (f *field) deletes() bool {
	t := f.variable.Type()
	return takes(method(t, "DeleteClauses"), 1, 1) || takes(method(t, "UpdateClauses"), 1, 1)
}

// truth reads a setting that is true when it is there and not "false".
func truth(values ...string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return v != "" && !strings.EqualFold(v, "false") })
}
