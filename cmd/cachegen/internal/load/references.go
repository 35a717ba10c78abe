package load

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cachegen/cachegen/templates"
	"github.com/jinzhu/inflection"
)

// GORM's own rules for the columns by which a relation goes, as its package schema has them. They are read again by GORM when
// the program runs; here they say what flushes what, and that a relation leads nowhere before it is run.

// side is a model as a relation sees it.
type side struct {
	name    string
	columns []templates.Column
}

// goName is the name of a column's field, without the structs that embed it.
func goName(c templates.Column) string { return c.Path[strings.LastIndexByte(c.Path, '.')+1:] }

// look finds a column by its name in the database or in Go.
func (s side) look(name string) (templates.Column, bool) {
	for _, nameOf := range []func(templates.Column) string{func(c templates.Column) string { return c.DBName }, goName} {
		if i := slices.IndexFunc(s.columns, func(c templates.Column) bool { return nameOf(c) == name }); i >= 0 {
			return s.columns[i], true
		}
	}
	return templates.Column{}, false
}

// lookAll finds several; ok is false where one is not there.
func (s side) lookAll(names []string) (found []templates.Column, ok bool) {
	for _, name := range names {
		c, ok := s.look(name)
		if !ok {
			return nil, false
		}
		found = append(found, c)
	}
	return found, true
}

// keys are the columns of the primary key.
func (s side) keys() []templates.Column {
	return slices.DeleteFunc(slices.Clone(s.columns), func(c templates.Column) bool { return !c.PrimaryKey })
}

// isKey reports whether columns are the primary key, in any order.
func (s side) isKey(columns []templates.Column) bool {
	keys := s.keys()
	return len(keys) == len(columns) && !slices.ContainsFunc(keys, func(c templates.Column) bool {
		return !slices.ContainsFunc(columns, func(other templates.Column) bool { return c.Path == other.Path })
	})
}

// key is the column that stands for the primary key where one must.
func (s side) key() (templates.Column, bool) {
	keys := s.keys()
	for _, name := range []string{"id", "ID"} {
		if c, ok := s.look(name); ok && c.PrimaryKey {
			return c, true
		}
	}
	if len(keys) != 1 {
		return templates.Column{}, false
	}
	return keys[0], true
}

// reference is a relation that is looked for.
type reference struct {
	name     string // the field's
	own, to  side
	many     bool
	same     bool // it leads to its own model
	settings map[string]string
}

// link finds the columns by which a relation goes. It says nothing, where only GORM knows; and ok is false where GORM finds none either.
func (r reference) link() (l templates.Link, ok bool) {
	polymorphic, named := r.settings["POLYMORPHIC"]
	_, byType := r.settings["POLYMORPHICTYPE"]
	_, byID := r.settings["POLYMORPHICID"]
	_, belongs := r.settings["BELONGSTO"]
	switch {
	case named, byType && byID:
		return r.polymorphic(polymorphic)
	case r.settings["MANY2MANY"] != "":
		return r.join(r.settings["MANY2MANY"])
	case r.many && !belongs:
		return r.guess(true)
	}
	first := !r.same && !belongs // a row of another model is first taken for one that the owner has
	if l, ok := r.guess(first); ok {
		return l, true
	}
	return r.guess(!first)
}

// guess finds the columns of has-one and has-many, or of belongs-to.
func (r reference) guess(has bool) (templates.Link, bool) {
	primary, foreign := r.to, r.own
	if has {
		primary, foreign = r.own, r.to
	}
	var theirs, keys []templates.Column // foreign columns, and what they are compared with
	foreignKeys, references := listed(r.settings["FOREIGNKEY"]), listed(r.settings["REFERENCES"])
	if len(foreignKeys) > 0 {
		var ok bool
		if theirs, ok = foreign.lookAll(foreignKeys); !ok {
			return templates.Link{}, false
		}
	} else {
		keys = primary.keys()
		if len(references) > 0 {
			keys = nil
			for _, name := range references {
				if c, ok := primary.look(name); ok {
					keys = append(keys, c)
				}
			}
		}
		for _, c := range slices.Clone(keys) {
			if f, ok := r.byName(primary, foreign, c, len(keys) == 1, has); ok {
				theirs, keys = append(theirs, f), append(keys, c)
			}
		}
	}
	if len(theirs) == 0 {
		return templates.Link{}, false
	}
	switch {
	case len(references) > 0:
		var ok bool
		if keys, ok = primary.lookAll(references); !ok {
			return templates.Link{}, false
		}
	case len(keys) == 0 && len(theirs) == 1:
		key, ok := primary.key()
		if !ok {
			return templates.Link{}, false
		}
		keys = append(keys, key)
	case len(keys) == 0:
		keys = primary.keys()
	}
	if len(keys) < len(theirs) {
		return templates.Link{}, false
	}
	keys = keys[:len(theirs)]
	if has {
		return templates.Link{Via: templates.ByList, Own: keys, There: theirs}, true
	}
	l := templates.Link{Via: templates.ByList, Own: theirs, There: keys}
	if primary.isKey(keys) {
		l.Via = templates.ByKey
	}
	return l, true
}

// byName finds the foreign column for a column of the primary side by the names that GORM tries.
func (r reference) byName(primary, foreign side, c templates.Column, alone, has bool) (templates.Column, bool) {
	stem := primary.name
	if !has {
		stem = r.name
	}
	names := []string{stem + goName(c)}
	if alone {
		names = append(names, stem+"ID", stem+"Id", naming.ColumnName("", stem+"ID"))
	}
	for _, name := range names {
		if f, ok := foreign.look(name); ok {
			return f, true
		}
	}
	return templates.Column{}, false
}

// polymorphic finds the columns of a relation that goes by its owner's type, too. That comes first.
func (r reference) polymorphic(name string) (templates.Link, bool) {
	named := func(setting, usual string) (templates.Column, bool) {
		if told, ok := r.settings[setting]; ok {
			usual = strings.TrimSpace(told)
		}
		i := slices.IndexFunc(r.to.columns, func(c templates.Column) bool { return goName(c) == usual })
		if i < 0 {
			return templates.Column{}, false
		}
		return r.to.columns[i], true
	}
	kind, ok1 := named("POLYMORPHICTYPE", name+"Type")
	id, ok2 := named("POLYMORPHICID", name+"ID")
	own, ok3 := r.own.key()
	if keys := listed(r.settings["FOREIGNKEY"]); len(keys) > 0 {
		own, ok3 = r.own.look(keys[0])
	}
	if !ok1 || !ok2 || !ok3 {
		return templates.Link{}, false
	}
	return templates.Link{Via: templates.ByList, Own: []templates.Column{own}, There: []templates.Column{kind, id}}, true
}

// join finds the columns of many to many, and those that GORM gives the join table.
func (r reference) join(table string) (l templates.Link, ok bool) {
	own, theirs := r.own.keys(), r.to.keys()
	ok1, ok2 := true, true
	if keys := listed(r.settings["FOREIGNKEY"]); len(keys) > 0 {
		own, ok1 = r.own.lookAll(keys)
	}
	if keys := listed(r.settings["REFERENCES"]); len(keys) > 0 {
		theirs, ok2 = r.to.lookAll(keys)
	}
	if !ok1 || !ok2 {
		return l, false
	}
	l = templates.Link{Via: templates.ByJoin, Own: own, Join: naming.JoinTableName(table)}
	if !r.to.isKey(theirs) {
		l.Keys = theirs
	}
	joined := func(name string, c templates.Column) templates.Column {
		return templates.Column{Path: name, Select: name, DBName: naming.ColumnName("", name), Type: c.Type, PrimaryKey: true}
	}
	told := listed(r.settings["JOINFOREIGNKEY"])
	taken := map[string]bool{}
	for i, c := range own {
		name := r.own.name + goName(c)
		if i < len(told) {
			name = title(told[i])
		}
		taken[name] = true
		l.There = append(l.There, joined(name, c))
	}
	told = listed(r.settings["JOINREFERENCES"])
	for i, c := range theirs {
		name := r.to.name + goName(c)
		switch {
		case i < len(told):
			name = title(told[i])
		case taken[name] && r.name != r.to.name:
			name = inflection.Singular(r.name) + goName(c)
		case taken[name]:
			name += "Reference"
		}
		l.Others = append(l.Others, joined(name, c))
	}
	return l, true
}

// listed are the names in a setting of GORM's.
func listed(setting string) (names []string) {
	for name := range strings.SplitSeq(setting, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// title begins a name with a capital.
func title(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(first)) + name[size:]
}
