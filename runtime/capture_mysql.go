package cacheruntime

import (
	"database/sql"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// MySQL and MariaDB take every unique key for the conflict's, whatever an upsert says, and a read that locks the keys
// that are not there yet would make writers wait for each other who do not without the plugin. So the rows
// that are there are found without a lock, and then locked; those are the rows that the upsert may change and
// whose lists are known. Whether it has changed another one, which came in between or has an equal value in a
// unique key that nobody told of, the server says: it counts, for each session, the rows that it was told to update. It is asked also where
// the rows of all keys are there: MariaDB looks at a unique key of a text before the primary one, and triggers change keys and values.
//
//  1. the rows with the values' unique keys are read and locked, and the counter is read
//  2. the upsert updates some of them, makes others, and may update a row that nobody saw
//  3. of the rows in 1, as many are different now as the counter has gone on: it has updated no row besides
//
// An upsert leaves a row alone, and does not count it, where nothing in it changes.

// planThere prepares for an upsert of n values on MySQL and MariaDB.
func (p *plugin) planThere(db *gorm.DB, w *write, c *clause.OnConflict, n int) {
	st := db.Statement
	one := n == 1 && !mayReturn(st) // what it did is in RowsAffected
	if w.conflict == doNothing && one {
		return
	}
	w.sets = setBy(st, c)
	for _, t := range w.judged {
		if isBare(t.m) {
			continue
		}
		by := uniquelyLike(st, t.m, c)
		if by == nil || p.serializable(db) { // where a read locks, all falls if a row was there
			continue
		}
		rows, err := p.readRows(db, t.m, p.rt.opts.BulkRows+1, noLock, nil, by)
		if err == nil && len(rows) > p.rt.opts.BulkRows {
			w.giveUp(overRows)
			return
		}
		if err == nil && len(rows) > 0 {
			rows, err = p.readMore(db, t.m, rowsHow{lock: lockUpdate, more: w.sets}, keysOf(st, t.m, rows))
		}
		if err != nil {
			if !readError(db, err) {
				w.giveUp(notRead)
			}
			return
		}
		t.old, t.read = rows, true
	}
	if !one {
		if w.handled = p.handled(db); w.handled == nil {
			w.giveUp(upsert)
		}
	}
}

// serializable reports whether each read of the transaction takes locks, also of keys that are not there. Where that is the server's default
// it is not known.
func (p *plugin) serializable(db *gorm.DB) bool {
	tx := p.txOf(db.Statement.ConnPool)
	return tx != nil && tx.isolation == sql.LevelSerializable
}

// there are the identities of the rows that were there before.
func (t *target) there() map[string]bool {
	there := make(map[string]bool, len(t.old))
	for _, row := range t.old {
		there[t.m.identity(row)] = true
	}
	return there
}

// mayReturn reports whether a create may have a RETURNING, and so no number of rows that were changed.
func mayReturn(st *gorm.Statement) bool {
	_, asked := st.Clauses["RETURNING"]
	return slices.Contains(st.BuildClauses, "RETURNING") && (asked || len(st.Schema.FieldsWithDefaultDBValue) > 0)
}

// setBy returns the columns that an upsert may set where a row is there already.
func setBy(st *gorm.Statement, c *clause.OnConflict) (columns []string) {
	if c.UpdateAll {
		for _, name := range st.Schema.DBNames {
			if f := st.Schema.FieldsByDBName[name]; f.Creatable && !f.PrimaryKey {
				columns = append(columns, name)
			}
		}
	}
	for _, a := range c.DoUpdates {
		if !leaves([]clause.Assignment{a}) {
			columns = append(columns, strings.Trim(a.Column.Name[strings.LastIndexByte(a.Column.Name, '.')+1:], "`"))
		}
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// uniquelyLike finds the rows that have the values of a create in their primary key, in the conflict's columns, or in a unique
// key that GORM knows of. It is nil where there is nothing to find. Rows that are not found are not lost: that they
// were there shows afterwards.
func uniquelyLike(st *gorm.Statement, m model, c *clause.OnConflict) clause.Expression {
	keys := append([][]string{m.gormSchema().PrimaryFieldDBNames}, m.uniques()...)
	var at []string
	for _, column := range c.Columns {
		at = append(at, column.Name)
	}
	if len(at) > 0 && !slices.ContainsFunc(keys, func(key []string) bool { return slices.Equal(key, at) }) {
		keys = append(keys, at)
	}
	var each []clause.Expression
	for _, key := range keys {
		each = append(each, likeIn(st, m, key)...)
	}
	if len(each) == 0 {
		return nil
	}
	return anyExpr(each)
}

// likeIn finds the rows that have values of a create in the columns of a key.
func likeIn(st *gorm.Statement, m model, key []string) (each []clause.Expression) {
	in := clause.IN{}
	for _, v := range elements(st.ReflectValue) {
		var all []clause.Expression
		for _, name := range key {
			f, own := st.Schema.FieldsByDBName[name], m.gormSchema().FieldsByDBName[name]
			if f == nil || own == nil {
				return nil
			}
			value, zero := f.ValueOf(st.Context, v)
			if zero && f.HasDefaultValue || isNull(value) { // the database makes it
				break
			}
			in.Column = column(own)
			in.Values = append(in.Values, value)
			all = append(all, clause.Eq{Column: column(own), Value: value})
		}
		if len(all) == len(key) && len(key) > 1 {
			each = append(each, clause.AndConditions{Exprs: all})
		}
	}
	if len(key) == 1 && len(in.Values) > 0 {
		each = append(each, in)
	}
	return each
}

// judgeThere names the lists of the rows that an upsert on MySQL or MariaDB has made or changed.
func (p *plugin) judgeThere(db *gorm.DB, w *write, t *target, h *harvest) {
	st := db.Statement
	updated, ok := p.updated(db, w)
	if !ok || !w.setsAsPlanned() {
		h.over = upsert
		return
	}
	if w.conflict == doUpdate && len(t.old) > 0 {
		// Under the lock that is held already: a read without one may see what was there before the lock.
		now, err := p.readMore(db, t.m, rowsHow{lock: lockUpdate, more: w.sets}, keysOf(st, t.m, t.old))
		if err != nil {
			readError(db, err)
			h.over = notRead
			return
		}
		if updated -= t.changed(h, now); len(now) < len(t.old) {
			updated = -1
		}
	}
	if updated != 0 {
		h.over = upsert
		return
	}
	p.judgeNew(db, w, t, h)
}

// changed names the lists of the rows that an upsert has changed of those that were there before it, and returns how many they are.
func (t *target) changed(h *harvest, now []any) (n int64) {
	old := map[string]any{}
	for _, row := range t.old {
		old[t.m.identity(row)] = row
	}
	for _, row := range now {
		if was := old[t.m.identity(row)]; was == nil || !reflect.DeepEqual(moreOf(was), moreOf(row)) {
			h.change(was, row)
			n++
		}
	}
	return n
}

// judgeNew names the lists of the rows that were not there before an upsert: GORM has put their keys into the values,
// or knew them.
func (p *plugin) judgeNew(db *gorm.DB, w *write, t *target, h *harvest) {
	st := db.Statement
	there := t.there()
	n := int64(valuesIn(st))
	keys := given(st, t.m)
	returned := mayReturn(st)
	if returned && int64(len(keys)) < n || repeated(t.m, keys) {
		h.over = upsert
		return
	}
	keys = slices.DeleteFunc(keys, func(row any) bool {
		known := there[t.m.identity(row)]
		if known {
			n--
		}
		return known
	})
	if !returned {
		// It counts one for a row that was made and two for one that was changed; one that was left as it was counts
		// none, or one where the connection counts the rows that were found.
		n = min(n, db.RowsAffected-2*w.updates)
	}
	if n <= 0 {
		return
	}
	if !t.m.indexed() && (returned || !w.keyless) {
		for _, row := range keys {
			h.row(row)
		}
		return
	}
	rows, err := p.readRows(db, t.m, 0, noLock, nil, keysOf(st, t.m, keys))
	if err != nil {
		readError(db, err)
		h.over = notRead
		return
	}
	if returned {
		n = int64(len(keys))
	}
	if int64(len(rows)) < n { // made under another key
		h.over = upsert
		return
	}
	for _, row := range rows {
		h.change(nil, row)
	}
}

// setsAsPlanned reports whether an upsert sets no other columns than those that were compared.
func (w *write) setsAsPlanned() bool {
	c, _ := w.stmt.Clauses["ON CONFLICT"].Expression.(clause.OnConflict)
	return w.conflict == doNothing || !slices.ContainsFunc(setBy(w.stmt, &c), func(column string) bool { return !slices.Contains(w.sets, column) })
}

// updated returns how many rows an upsert on MySQL or MariaDB has changed.
func (p *plugin) updated(db *gorm.DB, w *write) (n int64, ok bool) {
	switch {
	case w.counted:
		return w.updates, true
	case w.handled == nil: // it was one row: one that was made counts one
		w.updates, ok = db.RowsAffected/2, db.RowsAffected <= 2 && !mayReturn(db.Statement)
	default:
		now := p.handled(db)
		// A server that has counted nothing, not even the plugin's look for the rows, counts nothing. Values are not asked for: MariaDB
		// passes over those that a unique key of text without a size has refused, which it looks into before.
		if now == nil || *now == (handled{}) {
			return 0, false
		}
		w.updates, ok = now.updates-w.handled.updates, true
	}
	w.counted = ok
	return w.updates, ok
}

// handled is what the server has counted for the session.
type handled struct {
	reads   int64 // rows that it looked for by a key
	writes  int64 // rows that a statement tried to insert, if not every one
	updates int64 // rows that one changed
}

// handled asks the server. It returns nil where that does not say.
func (p *plugin) handled(db *gorm.DB) *handled {
	var h handled
	into := map[string]*int64{"Handler_read_key": &h.reads, "Handler_write": &h.writes, "Handler_update": &h.updates}
	err := asker{p.statement(db)}.ask(db.Statement.Context, "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_read_key', 'Handler_write', 'Handler_update')", nil,
		func(scan func(...any) error) error {
			var name string
			var n int64
			err := scan(&name, &n)
			if of := into[name]; of != nil {
				*of = n
				delete(into, name)
			}
			return err
		})
	if err != nil || len(into) > 0 {
		return nil
	}
	return &h
}
