package cacheruntime

import (
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// touched is what an UPDATE may set: never less than it sets, sometimes more.
type touched struct {
	columns []string
	unknown bool // something that cannot be told
}

// any reports whether the update may itself change which lists a row of m is on.
func (t *touched) any(m model) bool {
	return t.unknown || t.has(m, m.touches)
}

// key reports whether the update may change a row's primary key.
func (t *touched) key(m model) bool {
	return t.has(m, func(column string) bool {
		f := m.gormSchema().FieldsByDBName[column]
		return f != nil && f.PrimaryKey
	})
}

// beyond says why rows of m cannot be followed through the update: its key, or what cannot be told, or
// otherwise something else.
func (w *write) beyond(t *touched, m model, otherwise string) string {
	switch {
	case w.rekeys(t, m):
		return keyChanged
	case t.unknown:
		return columnUnknown
	}
	return otherwise
}

// has reports whether is holds for a column, in the spelling that m has for it.
func (t *touched) has(m model, is func(column string) bool) bool {
	known := m.gormSchema().FieldsByDBName
	for _, c := range t.columns {
		if is(c) {
			return true
		}
		if _, ok := known[c]; ok {
			continue
		}
		for name := range known {
			if strings.EqualFold(name, c) && is(name) {
				return true
			}
		}
	}
	return false
}

// touchedBy reads which columns gorm:update will set, by the rules of its ConvertToAssignments.
func touchedBy(st *gorm.Statement) touched {
	var t touched
	if c, ok := st.Clauses["SET"]; ok {
		set, ok := c.Expression.(clause.Set)
		t.unknown = !ok
		for _, a := range set {
			t.add(st, a.Column)
		}
		return t
	}
	dest := reflect.ValueOf(st.Dest)
	for dest.Kind() == reflect.Pointer {
		dest = dest.Elem()
	}
	if !dest.IsValid() {
		return touched{unknown: true}
	}
	if values, ok := dest.Interface().(map[string]any); ok {
		t.byMap(st, values)
		return t
	}
	if dest.Kind() != reflect.Struct || st.Schema == nil {
		return touched{unknown: true}
	}
	t.byStruct(st, dest)
	return t
}

// add adds the column of an assignment.
func (t *touched) add(st *gorm.Statement, c clause.Column) {
	switch {
	case c.Raw:
		t.unknown = true
	case c.Name == clause.PrimaryKey:
		if st.Schema == nil || st.Schema.PrioritizedPrimaryField == nil {
			t.unknown = true
			return
		}
		t.columns = append(t.columns, st.Schema.PrioritizedPrimaryField.DBName)
	default:
		name := c.Name[strings.LastIndexByte(c.Name, '.')+1:] // table.column
		t.columns = append(t.columns, strings.Trim(name, "\"`[]"))
	}
}

// byMap is Updates(map), Update and UpdateColumn. Select and Omit take columns away; of what is no field, and of
// what GORM sets by itself, that is passed over.
func (t *touched) byMap(st *gorm.Statement, values map[string]any) {
	var selected map[string]bool
	var restricted bool
	if st.Schema != nil {
		selected, restricted = st.SelectAndOmitColumns(false, true)
	}
	for k, v := range values {
		if st.Schema != nil {
			if f := st.Schema.LookUpField(k); f != nil {
				on, named := selected[f.DBName]
				if f.DBName != "" && (on || !named && !restricted) && !sameKey(st, f, v) {
					t.columns = append(t.columns, f.DBName)
				}
				continue
			}
		}
		t.add(st, clause.Column{Name: k})
	}
	if st.Schema != nil && !st.SkipHooks {
		for _, f := range st.Schema.Fields {
			if f.AutoUpdateTime > 0 && f.DBName != "" {
				t.columns = append(t.columns, f.DBName)
			}
		}
	}
}

// byStruct is Save, and Updates with a struct, of the statement's model or of another type.
func (t *touched) byStruct(st *gorm.Statement, dest reflect.Value) {
	sch := st.Schema
	isModel := dest.CanAddr() && st.Dest == st.Model // then its keys are conditions
	if !isModel {
		other := &gorm.Statement{DB: st.DB}
		if err := other.Parse(st.Dest); err == nil {
			sch = other.Schema
		}
	}
	if sch.ModelType != dest.Type() {
		t.unknown = true
		return
	}
	selected, restricted := st.SelectAndOmitColumns(false, true)
	for _, name := range st.Schema.DBNames {
		f := sch.LookUpField(name)
		if f == nil || f.PrimaryKey && isModel {
			continue
		}
		auto := !st.SkipHooks && f.AutoUpdateTime > 0
		on, named := selected[f.DBName]
		if named && !on || !named && restricted && !auto {
			continue
		}
		v, zero := f.ValueOf(st.Context, dest)
		if (named || !zero || auto) && !sameKey(st, f, v) {
			t.columns = append(t.columns, f.DBName)
		}
	}
}

// sameKey reports whether an assignment gives a primary key the value that the one row written has
// already, as Model(&u).Updates(u2) with u2's key set does.
func sameKey(st *gorm.Statement, f *schema.Field, v any) bool {
	if !f.PrimaryKey || st.ReflectValue.Kind() != reflect.Struct || st.ReflectValue.Type() != st.Schema.ModelType {
		return false
	}
	own := st.Schema.LookUpField(f.DBName)
	if own == nil {
		return false
	}
	now, zero := own.ValueOf(st.Context, st.ReflectValue)
	return !zero && reflect.DeepEqual(now, v)
}

// columnsOf is what a statement has written, for those who look: "croupons.title", or "croupons.*" where
// it is a whole row, or cannot be told.
func columnsOf(st *gorm.Statement, op writeOp) []string {
	if op != opUpdate {
		return []string{st.Table + ".*"}
	}
	t := touchedBy(st)
	if t.unknown {
		return []string{st.Table + ".*"}
	}
	columns := make([]string, len(t.columns))
	for i, c := range t.columns {
		columns[i] = st.Table + "." + c
	}
	return columns
}
