package sqltext

import (
	"slices"
	"strings"
)

// Reading is what SQL text may do, as far as it can be told from the text. Functions that write when they are selected are beyond it,
// and so are views, triggers and constraints.
type Reading struct {
	Tables    []Table  // that it may write, each once, by the names that it has for them
	Known     bool     // no others; false: nobody knows what it writes
	Erased    []Table  // those of which it may delete rows
	Inserted  []Table  // those of which it may make rows
	Truncated []Table  // those that it empties by TRUNCATE
	Sets      []string // what may be columns that it sets, in small letters
	Every     bool     // it may set others

	Statements int  // that are not empty
	Rows       bool // a statement changes rows
	Plain      bool // queries and changes of rows alone, which may run in a transaction
	Counts     bool // one change of one statement's own: the rows that it reports are the rows that it changed
	Partial    bool // a conflict may leave a part of it done
	Shapes     bool // what tables there are, or how they hang together, may change
	Ends       bool // the transaction that it runs in may end, unseen by database/sql
}

// Writes reports whether it may change rows, or a table.
func (r *Reading) Writes() bool { return !r.Known || len(r.Tables) > 0 }

// Read reads SQL text in each way that the server may, by its settings and its version, and takes all that
// one of them says. What it does not know it takes for writing: an unneeded flush costs a few reads,
// a missed one is a stale entry.
func Read(query string, d Dialect) *Reading {
	first := usually(query, d)
	r := &Reading{Known: true, Plain: true, Counts: true}
	end := r.read(first, true)
	if end.runnable > mostRunnable {
		r.unknown()
		r.Ends = true
		return r
	}
	ways := []scanner{first}
	if end.backslash {
		other := first
		switch d {
		case MySQL: // sql_mode ANSI_QUOTES, NO_BACKSLASH_ESCAPES
			other.double = false
			ways = append(ways, other)
			other.single = false
			ways = append(ways, other)
		case Postgres: // standard_conforming_strings off
			other.single = true
			ways = append(ways, other)
		}
	}
	// What is run may hide, or show, others that may be.
	for runnable, run := end.runnable, uint(0); run < 1<<runnable; run++ {
		for i, way := range ways {
			if i == 0 && run == 0 {
				continue
			}
			way.run = run
			here := &Reading{Known: true, Plain: true, Counts: true}
			end := here.read(way, false)
			if runnable = max(runnable, end.runnable); runnable > mostRunnable {
				r.unknown()
				r.Ends = true
				return r
			}
			if end.open && d == Postgres { // which refuses the whole text before it runs any of it
				continue
			}
			r.merge(here)
		}
	}
	return r
}

// mostTokens is how many of a statement are kept. What comes behind them is looked at once.
const mostTokens = 1 << 14

// read reads the text in one way, and returns the scanner as it was at the end. usual says that servers read
// it in this way if nobody has told them otherwise.
func (r *Reading) read(s scanner, usual bool) scanner {
	var tokens []token
	for ended := false; !ended; {
		tokens = tokens[:0]
		st := statement{dialect: s.dialect, out: r}
		for before := (token{}); ; {
			t := s.next()
			if ended = t.kind == endToken; ended || t.kind == semicolonToken {
				break
			}
			if len(tokens) < mostTokens {
				tokens = append(tokens, t)
				continue
			}
			st.long = true
			st.hides = st.hides || s.dialect != MySQL && (before.sign("(") && t.is(verbs...) || t.is("INTO"))
			before = t
		}
		if ended && s.open && !usual {
			break // a server that reads it so refuses the statement
		}
		st.tokens = tokens
		st.read()
	}
	if s.odd || s.open && usual || s.dialect == Unknown && r.Writes() {
		r.unknown()
		r.Ends = r.Ends || s.dialect == MySQL
	}
	return s
}

// unknown notes that nobody knows what it writes.
func (r *Reading) unknown() { r.Known, r.Plain, r.Counts, r.Shapes = false, false, false, true }

// add notes a table that is written.
func (r *Reading) add(t Table) { r.Tables = once(r.Tables, t) }

// erase notes a table of which rows may be deleted.
func (r *Reading) erase(t Table) { r.Erased = once(r.Erased, t) }

// set notes what may be a column that is set.
func (r *Reading) set(column string) { r.Sets = once(r.Sets, strings.ToLower(column)) }

// once appends a value to those that are all different, if it is none of them.
func once[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}

// merge adds what another way of reading the text says.
func (r *Reading) merge(o *Reading) {
	for _, t := range o.Tables {
		r.add(t)
	}
	for _, t := range o.Erased {
		r.erase(t)
	}
	for _, t := range o.Inserted {
		r.Inserted = once(r.Inserted, t)
	}
	for _, t := range o.Truncated {
		r.Truncated = once(r.Truncated, t)
	}
	for _, column := range o.Sets {
		r.set(column)
	}
	r.Every = r.Every || o.Every
	r.Statements = max(r.Statements, o.Statements)
	r.Known, r.Plain, r.Counts = r.Known && o.Known, r.Plain && o.Plain, r.Counts && o.Counts
	r.Rows, r.Partial, r.Shapes, r.Ends = r.Rows || o.Rows, r.Partial || o.Partial, r.Shapes || o.Shapes, r.Ends || o.Ends
}
