package cacheruntime

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
)

// Cascade: what the database does by itself when a row is deleted, or its key changes. A foreign key with ON DELETE or ON UPDATE
// CASCADE, SET NULL or SET DEFAULT deletes or changes the rows that refer to it, and GORM is told nothing of that. Which foreign
// keys there are says the database's catalog. Rows of cached tables that will go are read, under a lock, before the write that
// makes them go; where they cannot be followed, the table's `all` list falls.

// references are the foreign keys of a database that do something by themselves, the tables that they are of, and those that do
// something else by themselves. They are made once and never changed.
type references struct {
	tables   []*refTable
	triggers bool                   // one of them has triggers
	viewed   atomic.Pointer[viewed] // what over has found out
	once     sync.Once
	byName   map[string][]*refTable // by sqltext.NameKey
}

// like returns the tables that may have a name.
func (r *references) like(name string) []*refTable {
	r.once.Do(func() {
		r.byName = map[string][]*refTable{}
		for _, t := range r.tables {
			r.byName[sqltext.NameKey(t.Name)] = append(r.byName[sqltext.NameKey(t.Name)], t)
		}
	})
	if name = sqltext.NameKey(name); name == "" {
		return r.tables
	}
	return slices.Concat(r.byName[name], r.byName[""])
}

// refTable is a table that is referred to, refers to another, or does more than a statement that writes it says.
type refTable struct {
	sqltext.Table // as the catalog spells it, schema included

	here  bool         // its name finds it without the schema
	blind bool         // its rows may be hidden from the program, or not be its to lock
	refs  []*reference // that refer to it
	own   []string     // its columns that refer to others
	kin   []*refTable  // tables whose rows are its own, too: PostgreSQL's inheritance
	made  []string     // its columns that the database sets when others are set
	shows []*refTable  // whose rows a write of it writes: it is a view, or has rules
	ruled bool         // it has rules, and is no view
	view  bool         // whose rows those are can be told by text alone
	text  string       // that names them; "": it cannot be told
	query string       // of a view: its definition, where what it shows can be told by that alone
	reads []*refTable  // that are named there
	of    *references

	triggers []*trigger
	key      []string // of a table with triggers: its primary key
	rowid    []string // the names of SQLite's rowid, in small letters
	splits   bool     // it has partitions, or is one

	conflicts sqltext.Conflicts // what it does by itself with rows that are in the way
}

// reference is a foreign key.
type reference struct {
	child, parent      *refTable
	columns, keys      []string // the child's, and those of the parent that they refer to
	onDelete, onUpdate refAction
	set                []string // the columns that onDelete sets
	alike              bool     // the columns compare in a statement as they do in the foreign key
}

// refAction is what a foreign key does by itself.
type refAction uint8

const (
	refNothing refAction = iota // or refuses
	refCascade
	refSet     // to NULL, or to the default
	refUnknown // one of these
)

// refActionOf reads an action as a catalog, or GORM's tag, has it.
func refActionOf(s string) refAction {
	switch strings.ToUpper(s) {
	case "C", "CASCADE":
		return refCascade
	case "N", "D", "SET NULL", "SET DEFAULT":
		return refSet
	case "UNKNOWN":
		return refUnknown
	}
	return refNothing
}

// effect is what a write, or a foreign key, does to rows of a table.
type effect struct {
	erased bool     // they may be deleted
	every  bool     // any column may be set
	sets   []string // columns that may be set
}

func (e effect) none() bool { return !e.erased && !e.every && len(e.sets) == 0 }

// with is what both do.
func (e effect) with(o effect) effect {
	return effect{e.erased || o.erased, e.every || o.every, union(e.sets, o.sets)}
}

// covers reports whether o does nothing that e does not.
func (e effect) covers(o effect) bool {
	return (e.erased || !o.erased) && (e.every || !o.every && !slices.ContainsFunc(o.sets, func(c string) bool { return !hasColumn(e.sets, c) }))
}

// onto is what comes of e for rows of a table, of whose columns the database makes some of the others.
func (e effect) onto(t *refTable) effect {
	_, e = e.andMadeIn(t).andTriggers(t)
	return e
}

// andMadeIn is onto without what triggers do.
func (e effect) andMadeIn(t *refTable) effect {
	if len(e.sets) > 0 {
		e.sets = union(e.sets, t.made)
	}
	return e
}

// shown is what comes of e, on rows of a view, for those that it shows: it may have other names for their columns.
func (e effect) shown() effect {
	e.every = e.every || len(e.sets) > 0
	return e
}

// on is what becomes of the rows that refer to rows of which e becomes. Of those, the database may make more of it: see onto.
func (e effect) on(r *reference) (o effect) {
	if e.erased {
		switch r.onDelete {
		case refCascade:
			o.erased = true
		case refSet:
			o.sets = r.set
		case refUnknown:
			o.erased, o.sets = true, r.set
		}
	}
	if r.onUpdate != refNothing && (e.every || slices.ContainsFunc(r.keys, func(key string) bool { return hasColumn(e.sets, key) })) {
		o.sets = union(o.sets, r.columns)
	}
	return o
}

// makesRoom reports whether a write may delete rows of SQLite's that are in its way. inserts says that it makes rows; else it sets columns.
func (t *refTable) makesRoom(inserts bool, e effect) bool {
	c := &t.conflicts
	if !c.Replaces || !inserts && !e.every && len(e.sets) == 0 {
		return false
	}
	if inserts || e.every || len(c.ReplacedBy) == 0 {
		return true
	}
	return slices.ContainsFunc(c.ReplacedBy, func(column string) bool { return hasColumn(e.sets, column) })
}

// hasColumn finds a column's name in any case.
func hasColumn(columns []string, name string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) })
}

// refMaker puts together what a catalog says.
type refMaker struct {
	dialect sqltext.Dialect
	of      map[sqltext.Table]*refTable
	byID    map[string]*reference
	made    references
	triggerMaker
}

// table returns the table of a name, the same each time. Two spellings of a name are one table where case does not
// matter; where it may, nobody knows which of two tables a row is of.
func (k *refMaker) table(schema, name string, here bool) *refTable {
	key := sqltext.Table{Schema: schema, Name: name}
	if k.dialect == sqltext.SQLite || k.dialect == sqltext.MySQL {
		key = sqltext.Table{Schema: strings.ToLower(schema), Name: strings.ToLower(name)}
	}
	t := k.of[key]
	if t == nil {
		t = &refTable{Table: sqltext.Table{Schema: schema, Name: name}, here: here, of: &k.made}
		if k.of == nil {
			k.of = map[sqltext.Table]*refTable{}
		}
		k.of[key] = t
		k.made.tables = append(k.made.tables, t)
	}
	t.blind = t.blind || k.dialect == sqltext.MySQL && (t.Name != name || t.Schema != schema) || strings.Contains(name+schema, ".")
	return t
}

// read finds the tables that are named in the texts of views.
func (k *refMaker) read() {
	for _, v := range k.made.tables {
		if !v.view {
			continue
		}
		for _, t := range k.made.tables {
			if v != t && sqltext.Mentions(v.text, t.Name) {
				v.shows = append(v.shows, t)
			}
			if v != t && sqltext.Mentions(v.query, t.Name) {
				v.reads = append(v.reads, t)
			}
		}
	}
}

// column adds a pair of columns to the foreign key of an id. sets says that ON DELETE sets the child's, where it sets any.
func (k *refMaker) column(id string, r reference, column, key string, sets bool) {
	known := k.byID[id]
	if known == nil {
		if k.byID == nil {
			k.byID = map[string]*reference{}
		}
		known = &r
		k.byID[id] = known
		r.parent.refs = append(r.parent.refs, known)
	}
	r.child.own = union(r.child.own, []string{column})
	known.columns, known.keys = append(known.columns, column), append(known.keys, key)
	known.alike = known.alike && r.alike
	if sets {
		known.set = append(known.set, column)
	}
}

// share notes that rows of a are rows of b's, too.
func (k *refMaker) share(a, b *refTable) { a.kin = append(a.kin, b) }

// reach calls visit for each table that an effect on rows of a table comes to, that one first. Where more comes to a table by
// another way, it is visited again; cycles end.
func reach(t *refTable, e effect, visit func(*refTable)) {
	seen := map[*refTable]effect{}
	var walk func(t *refTable, e effect)
	walk = func(t *refTable, e effect) {
		e = e.onto(t)
		was, again := seen[t]
		if e.none() || again && was.covers(e) {
			return
		}
		e = e.with(was)
		seen[t] = e
		visit(t)
		for _, r := range t.refs {
			walk(r.child, e.on(r))
		}
		for _, kin := range t.kin {
			walk(kin, e)
		}
		for _, shown := range t.shows {
			walk(shown, e.shown())
		}
	}
	walk(t, e)
}

// isOf reports whether a table is a model's: surely, or in some partition.
func (t *refTable) isOf(m model, d sqltext.Dialect, partitioned bool) (may, sure bool) {
	table := sqltext.Table{Name: m.gormSchema().Table}
	if strings.ContainsAny(table.Name, ".\"`[") {
		table = sqltext.TableNamed(table.Name)
	}
	switch {
	case !sqltext.SameName(t.Name, table.Name, d):
		return false, false
	case table.Schema == "":
		return t.here || partitioned, t.here
	}
	same := sqltext.SameName(t.Schema, table.Schema, d)
	return same, same
}

// hit returns the models on the tables that an effect on rows of a table comes to, on that table, and on views that show rows of
// those.
func (rt *Runtime) hit(t *refTable, e effect) (models []model) {
	every, d := rt.registry.every(), dialectOf(rt.db.Name())
	reach(t, e, func(t *refTable) {
		for _, m := range rt.over(t.of, []*refTable{t}, []string{t.Name}) {
			if !slices.Contains(models, m) {
				models = append(models, m)
			}
		}
		for _, m := range every {
			if may, _ := t.isOf(m, d, rt.opts.Partition != nil); may && !slices.Contains(models, m) {
				models = append(models, m)
			}
		}
	})
	return models
}

// hung returns the models whose rows hang on those of tables, and that an effect on these comes to.
func (rt *Runtime) hung(tables []*refTable, e effect) (models []model) {
	also := func(more []model) {
		for _, m := range more {
			if !slices.Contains(models, m) {
				models = append(models, m)
			}
		}
	}
	for _, t := range tables {
		e := e.onto(t)
		for _, r := range t.refs {
			if o := e.on(r); !o.none() {
				also(rt.hit(r.child, o))
			}
		}
		for _, kin := range t.kin {
			also(rt.hit(kin, e))
		}
		for _, shown := range t.shows {
			also(rt.hit(shown, e.shown()))
		}
	}
	return models
}

// named returns the tables that a name may be of. sure says that it is one, and which.
func (r *references) named(name sqltext.Table, d sqltext.Dialect, partitioned bool) (tables []*refTable, sure bool) {
	like := r.like(name.Name)
	for _, t := range like {
		if sqltext.SameName(t.Name, name.Name, d) && (name.Schema == "" && t.here || name.Schema != "" && sqltext.SameName(t.Schema, name.Schema, d)) {
			tables = append(tables, t)
		}
	}
	if len(tables) > 0 || !partitioned || name.Schema != "" {
		return tables, len(tables) == 1
	}
	for _, t := range like { // in a schema of a tenant's
		if sqltext.SameName(t.Name, name.Name, d) {
			tables = append(tables, t)
		}
	}
	return tables, false
}

// writtenBy returns the tables that a statement may write. sure says that it is one, and which.
func (r *references) writtenBy(st *gorm.Statement, d sqltext.Dialect, partitioned bool) (tables []*refTable, sure bool) {
	if plainTable(st) {
		return r.named(writtenName(st), d, partitioned)
	}
	e := st.TableExpr
	for _, t := range r.tables {
		if len(e.Vars) > 0 || sqltext.Mentions(e.SQL, t.Name) {
			tables = append(tables, t)
		}
	}
	return tables, false
}

// writtenName is the name of the table that a statement writes, where that is plain.
func writtenName(st *gorm.Statement) sqltext.Table {
	switch {
	case !plainTable(st):
		return sqltext.Table{}
	case st.TableExpr != nil:
		return sqltext.TableNamed(st.TableExpr.SQL)
	}
	return sqltext.TableNamed(st.Table)
}
