package cacheruntime

import (
	"slices"
	"strings"
	"unicode"

	"github.com/cachegen/cachegen/internal/sqltext"
)

// triggerMaker puts together what a catalog says of triggers.
type triggerMaker struct {
	found     []foundTrigger
	routines  map[string][]*sqltext.Body // by name, in small letters; nil is one that cannot be read
	functions map[string]*routine        // PostgreSQL's, by number
}

// foundTrigger is a trigger, as the catalog has it.
type foundTrigger struct {
	*trigger
	on       *refTable
	body     *sqltext.Body // nil: it cannot be read
	function string        // that it runs, on PostgreSQL
	args     []string      // with which it does
}

// routine is a function of PostgreSQL's.
type routine struct {
	body    *sqltext.Body // nil: it cannot be read
	foreign bool          // it is in C
	own     bool          // and PostgreSQL's own
}

// routine notes a routine that triggers may call; nil is one that cannot be read.
func (k *triggerMaker) routine(name string, body *sqltext.Body) {
	if k.routines == nil {
		k.routines = map[string][]*sqltext.Body{}
	}
	name = strings.ToLower(name)
	k.routines[name] = append(k.routines[name], body)
}

// bodyOf is what a trigger of PostgreSQL's does by its function. One in C sets columns and writes tables that it is given the names
// of, and no others; unless it is given none, and may set any column.
func (f foundTrigger) bodyOf(r *routine) *sqltext.Body {
	switch {
	case r == nil:
		return nil
	case !r.foreign:
		return r.body
	}
	b := &sqltext.Body{Known: true, Whole: !r.own}
	for _, a := range f.args {
		if a != "" {
			b.Whole, b.Sets = false, append(b.Sets, a)
			b.Writes = append(b.Writes, sqltext.BodyWrite{Table: sqltext.TableNamed(a), Inserted: true, Erased: true, Every: true})
		}
	}
	return b
}

// link finds out what the triggers do.
func (k *triggerMaker) link(refs *references, d sqltext.Dialect) {
	for _, f := range k.found {
		if f.on.view { // SQLite's, of which they are taken for a part
			continue
		}
		refs.triggers = true
		f.on.triggers = append(f.on.triggers, f.trigger)
		if d == sqltext.Postgres {
			f.body = f.bodyOf(k.functions[f.function])
		}
		remakes := f.row && f.before && d != sqltext.SQLite
		if f.body == nil {
			f.whole = f.whole || remakes
			continue
		}
		if f.known = true; remakes {
			f.sets, f.whole = f.body.Sets, f.body.Whole
		}
		f.on.conflicts.Partial = f.on.conflicts.Partial || f.body.Partial
		for _, w := range f.body.Writes {
			f.writesTo(w, d)
		}
		k.called(f, f.body, map[string]bool{})
	}
}

// called adds what the routines write that a body calls, and those that they call.
func (k *triggerMaker) called(f foundTrigger, b *sqltext.Body, seen map[string]bool) {
	f.known = f.known && b.Known
	for _, name := range b.Stored {
		f.known = f.known && len(k.routines[name]) > 0 // or it is another schema's, or the user may not know of it
	}
	for _, name := range b.Calls {
		if seen[name] {
			continue
		}
		seen[name] = true
		if len(k.routines[name]) == 0 && strings.ContainsFunc(name, notInWords) {
			f.known = false // it was not looked for
		}
		for _, r := range k.routines[name] {
			if r == nil {
				f.known = false
				continue
			}
			for _, w := range r.Writes {
				f.writes = append(f.writes, triggerWrite{w.Table, deedOf(w)})
			}
			k.called(f, r, seen)
		}
	}
}

// notInWords reports whether a name with this needs quotes, so that it is found by no words of a text.
func notInWords(c rune) bool {
	return c < 0x80 && c != '_' && c != '$' && !unicode.IsLetter(c) && !unicode.IsDigit(c)
}

func deedOf(w sqltext.BodyWrite) deed {
	return deed{effect{erased: w.Erased, every: w.Every, sets: w.Sets}, w.Inserted, w.Truncated}
}

// writesTo notes a table that the trigger writes. An update of its own table by the key of its row is of that row.
func (f foundTrigger) writesTo(w sqltext.BodyWrite, d sqltext.Dialect) {
	on := f.on
	own := f.row && !f.deferred && !w.Every && !w.Inserted && !w.Erased && !w.Truncated && len(w.Sets) > 0 &&
		sqltext.SameName(w.Table.Name, on.Name, d) && (w.Table.Schema == "" || sqltext.SameName(w.Table.Schema, on.Schema, d))
	if own && on.isRow(w.Keys) {
		f.again = union(f.again, w.Sets)
		return
	}
	f.writes = append(f.writes, triggerWrite{w.Table, deedOf(w)})
}

// isRow reports whether columns that are a row's are all of the table's primary key.
func (t *refTable) isRow(keys [][2]string) bool {
	for _, pair := range keys {
		if slices.Contains(t.rowid, pair[0]) && slices.Contains(t.rowid, pair[1]) {
			return true
		}
	}
	return len(t.key) > 0 && !slices.ContainsFunc(t.key, func(column string) bool {
		return !slices.ContainsFunc(keys, func(pair [2]string) bool { return pair[0] == pair[1] && strings.EqualFold(pair[0], column) })
	})
}
