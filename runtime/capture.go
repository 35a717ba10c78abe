package cacheruntime

import (
	"slices"
	"strings"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/sqltext"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Capture: which rows a write changes, and which lists they were and are on. The old row is always
// the database's, read in the write's own transaction under a lock; what the caller's struct
// holds is never taken for it. What cannot be judged flushes the table's `all` list.

// target is one model on the written table.
type target struct {
	m    model
	keys []any           // rows of which only the key is known, where that is enough
	old  []any           // rows as they were before
	read bool            // old was read
	sent map[string]bool // of an upsert: the identities of the values that have a key
	last bool            // old has the row with the greatest key
}

// harvest gathers the lists that one statement makes fall for one model.
type harvest struct {
	rt    *Runtime
	m     model
	part  partition
	rows  []flushlist.List
	lists map[uint64]flushlist.List
	over  string // why it is too much, or not to be judged: `all`
}

// row adds the row's own list.
func (h *harvest) row(row any) {
	l := h.m.rowList(h.part, row)
	if h.rows = append(h.rows, l); len(h.rows) > h.rt.opts.BulkRows {
		h.over = also(h.over, overRows)
	}
	if l.All {
		h.over = also(h.over, notCompared)
	}
}

// change adds what falls when a row goes from old to new; either may be nil.
func (h *harvest) change(old, new any) {
	if new != nil {
		h.row(new)
	} else {
		h.row(old)
	}
	h.m.lists(h.part, func(l flushlist.List) {
		if h.lists == nil {
			h.lists = map[uint64]flushlist.List{}
		}
		if h.lists[l.ID] = l; len(h.lists) > h.rt.opts.BulkLists {
			h.over = also(h.over, overLists)
		}
		if l.All {
			h.over = also(h.over, notCompared)
		}
	}, old, new)
}

func (h *harvest) falls() []fall {
	all := h.m.all(h.part)
	if h.over != "" {
		return []fall{{list: all, all: all, reason: h.over}}
	}
	lists := h.rows
	for _, l := range h.lists {
		lists = append(lists, l)
	}
	return ofRelease(h.m.part(), fallsOf(all, nil, lists...))
}

// written returns the models on the table that a statement writes: those whose rows can be read, and
// those of which it can only be told that the statement may mean their table, by an alias, an
// expression, another spelling, or with and without the name of its schema.
//
// With Options.Partition, each tenant may have tables of its own: a statement that was sent to another table than
// its struct's is judged there.
func (p *plugin) written(st *gorm.Statement) (judged, whole []model) {
	schemas := false
	for _, m := range p.rt.registry.every() {
		table := m.gormSchema().Table
		base := baseTable(table)
		e := st.TableExpr
		switch {
		case e == nil && st.Table == table, e != nil && len(e.Vars) == 0 && st.Table == base && e.SQL == st.Quote(table):
			judged = append(judged, m)
			schemas = schemas || base != table
		case p.rt.opts.Partition != nil && st.Schema != nil && st.Schema.Table == table && plainTable(st):
			judged = append(judged, m)
		case strings.EqualFold(baseTable(st.Table), base), e != nil && (len(e.Vars) > 0 || sqltext.Mentions(e.SQL, base)):
			whole = append(whole, m)
		}
	}
	if schemas { // the same name in another schema is another table
		whole = slices.DeleteFunc(whole, func(m model) bool { return strings.Contains(m.gormSchema().Table, ".") })
	}
	return judged, whole
}

// baseTable is a table's name without its schema's.
func baseTable(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// plainTable reports whether a statement goes to a table by its name alone, with or without its schema's.
func plainTable(st *gorm.Statement) bool {
	return st.TableExpr == nil || len(st.TableExpr.Vars) == 0 && !strings.ContainsAny(st.TableExpr.SQL, " (,")
}

// tableOf is what a statement says of its table.
func tableOf(st *gorm.Statement) string {
	if st.TableExpr != nil {
		return st.Table + " " + st.TableExpr.SQL
	}
	return st.Table
}

// sameTable makes a read of a model's rows go where the write goes.
func sameTable(read, write *gorm.Statement) {
	if write.Table != read.Table {
		read.Table, read.TableExpr = write.Table, write.TableExpr
	}
}

// readableStatement reports whether the statement is made of parts that the plugin can repeat in a
// read. Others (joins, LIMIT where the dialect has it, hints that change the verb) are left alone.
func readableStatement(st *gorm.Statement, op writeOp) bool {
	return st.SQL.Len() == 0 && readableClauses(st, op)
}

// readableClauses is readableStatement, also after the statement was built: callbacks behind the
// plugin's may have added to it.
func readableClauses(st *gorm.Statement, op writeOp) bool {
	if len(st.Joins) > 0 {
		return false
	}
	for _, name := range st.BuildClauses {
		c, ok := st.Clauses[name]
		if !ok || c.Expression == nil {
			continue
		}
		switch e := c.Expression.(type) {
		case clause.Set, clause.Returning, clause.Values:
		case clause.Update:
			ok = e.Table.Name == "" && e.Modifier == ""
		case clause.Delete:
			ok = e.Modifier == ""
		case clause.Insert: // INSERT OR REPLACE deletes rows
			ok = e.Table.Name == "" && e.Modifier == ""
		case clause.From: // GORM's own, left by an earlier statement on the same chain
			ok = len(e.Tables) == 0 && len(e.Joins) == 0
		case clause.OnConflict:
			ok = op == opCreate
		case clause.Where:
			ok = c.Builder == nil && c.BeforeExpression == nil && c.AfterExpression == nil && c.AfterNameExpression == nil
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}
