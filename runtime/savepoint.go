package cacheruntime

import "strings"

// A mark is a savepoint of a transaction: what was collected before it.
type mark struct {
	name         string
	falls, hooks int
	doubted      bool // it was not known whether the transaction was there
}

type savepointOp uint8

const (
	savepointSet savepointOp = iota
	savepointRollback
	savepointRelease
)

// savepoint is one SAVEPOINT, ROLLBACK TO or RELEASE statement.
type savepoint struct {
	op   savepointOp
	name string // folded to lower case
}

// parseSavepoint recognises the savepoint statements of the dialects. ok is false for anything else,
// ROLLBACK of the whole transaction and text with further statements included.
func parseSavepoint(query string) (s savepoint, ok bool) {
	// The first two letters tell nearly every other statement from these.
	if q := strings.TrimLeft(query, " \t\r\n"); len(q) < 2 || !strings.ContainsRune("sSrR/-#", rune(q[0])) {
		return s, false
	}
	w := words(query, 6)
	next := func(options ...string) bool {
		for _, a := range options {
			if len(w) > 0 && strings.EqualFold(w[0], a) {
				w = w[1:]
				return true
			}
		}
		return false
	}
	switch {
	case next("SAVEPOINT"):
		s.op = savepointSet
	case next("SAVE"): // SQL Server
		if !next("TRAN", "TRANSACTION") {
			return s, false
		}
		s.op = savepointSet
	case next("RELEASE"):
		next("SAVEPOINT")
		s.op = savepointRelease
	case next("ROLLBACK"):
		sqlServer := next("TRAN", "TRANSACTION")
		if !sqlServer {
			next("WORK")
		}
		if next("TO") {
			next("SAVEPOINT")
		} else if !sqlServer {
			return s, false
		}
		s.op = savepointRollback
	default:
		return s, false
	}
	if len(w) != 1 {
		return s, false
	}
	// Folding may take two names for one. The youngest of them is found then, so that too
	// little is dropped and never too much.
	s.name = strings.ToLower(strings.Trim(w[0], "\"`[]"))
	return s, s.name != ""
}

// hidesSavepoint reports whether text that is no savepoint statement may have one in it.
func hidesSavepoint(query string) bool {
	q := strings.TrimSpace(query)
	if i := strings.IndexByte(q, ';'); (i < 0 || i == len(q)-1) && (q == "" || !strings.ContainsRune("sSrR/-#", rune(q[0]))) {
		return false // nearly every statement
	}
	_, plain := parseSavepoint(query)
	return !plain && containsAny(strings.ToUpper(q), []string{"SAVEPOINT", "SAVE", "RELEASE", "ROLLBACK"})
}

// forget drops the marks of savepoints: where one of the same name may have been taken unseen, going
// back to it would take too much for undone.
func (t *dbTx) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.marks = nil
}

// savepoint follows one statement that succeeded. heard says that it came through ExecContext.
func (t *dbTx) savepoint(s savepoint, heard bool) {
	t.heedRows()
	t.mu.Lock()
	defer t.mu.Unlock()
	if heard {
		t.heard++
	}
	if s.op == savepointSet {
		t.reopened = t.reopened || t.lost != lossNone
		t.marks = append(t.marks, mark{name: s.name, falls: len(t.falls), hooks: len(t.hooks), doubted: t.lost != lossNone})
		return
	}
	for i := len(t.marks) - 1; i >= 0; i-- {
		m := t.marks[i]
		if m.name != s.name {
			continue
		}
		if !m.doubted {
			t.alive()
		}
		if s.op == savepointRelease {
			t.marks = t.marks[:i]
			return
		}
		t.falls, t.hooks = t.falls[:m.falls], t.hooks[:m.hooks]
		t.marks = t.marks[:i+1] // the savepoint itself stays
		return
	}
}

// savepointsHeard returns the number of savepoint statements that came through ExecContext.
func (t *dbTx) savepointsHeard() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.heard
}
