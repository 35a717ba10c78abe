package cacheruntime

import "github.com/cachegen/cachegen/internal/sqltext"

// A mark is a savepoint of a transaction: what was collected before it.
type mark struct {
	name         string
	falls, hooks int
	doubted      bool // it was not known whether the transaction was there
}

// forget drops the marks of savepoints: where one of the same name may have been taken unseen, going
// back to it would take too much for undone.
func (t *dbTx) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.marks = nil
}

// savepoint follows one statement that succeeded. heard says that it came through ExecContext.
func (t *dbTx) savepoint(s sqltext.Savepoint, heard bool) {
	t.heedRows()
	t.mu.Lock()
	defer t.mu.Unlock()
	if heard {
		t.heard++
	}
	if s.Op == sqltext.SavepointSet {
		t.reopened = t.reopened || t.lost != lossNone
		t.marks = append(t.marks, mark{name: s.Name, falls: len(t.falls), hooks: len(t.hooks), doubted: t.lost != lossNone})
		return
	}
	for i := len(t.marks) - 1; i >= 0; i-- {
		m := t.marks[i]
		if m.name != s.Name {
			continue
		}
		if !m.doubted {
			t.alive()
		}
		if s.Op == sqltext.SavepointRelease {
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
