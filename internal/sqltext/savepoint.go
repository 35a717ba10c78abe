package sqltext

import "strings"

// SavepointOp is what a statement does with a savepoint.
type SavepointOp uint8

const (
	SavepointSet      SavepointOp = iota // takes it
	SavepointRollback                    // goes back to it, and leaves it there
	SavepointRelease                     // drops it, and keeps what was done since
)

// Savepoint is one SAVEPOINT, ROLLBACK TO or RELEASE statement.
type Savepoint struct {
	Op   SavepointOp
	Name string // folded to lower case
}

// ParseSavepoint recognises the savepoint statements of the dialects. ok is false for anything else,
// ROLLBACK of the whole transaction and text with further statements included.
func ParseSavepoint(query string) (s Savepoint, ok bool) {
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
		s.Op = SavepointSet
	case next("SAVE"): // SQL Server
		if !next("TRAN", "TRANSACTION") {
			return s, false
		}
		s.Op = SavepointSet
	case next("RELEASE"):
		next("SAVEPOINT")
		s.Op = SavepointRelease
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
		s.Op = SavepointRollback
	default:
		return s, false
	}
	if len(w) != 1 {
		return s, false
	}
	// Folding may take two names for one. The youngest of them is found then, so that too
	// little is dropped and never too much.
	s.Name = strings.ToLower(strings.Trim(w[0], "\"`[]"))
	return s, s.Name != ""
}

// HidesSavepoint reports whether text that [ParseSavepoint] does not recognise may have a savepoint's statement in it.
func HidesSavepoint(query string) bool {
	q := strings.TrimSpace(query)
	if i := strings.IndexByte(q, ';'); (i < 0 || i == len(q)-1) && (q == "" || !strings.ContainsRune("sSrR/-#", rune(q[0]))) {
		return false // nearly every statement
	}
	_, plain := ParseSavepoint(query)
	return !plain && containsAny(strings.ToUpper(q), []string{"SAVEPOINT", "SAVE", "RELEASE", "ROLLBACK"})
}

// words returns the words and names of SQL text that consists of nothing else, and is n of them at most;
// nil for any other, and for text that dialects read differently.
func words(query string, n int) (w []string) {
	s := scanner{text: query}
	ended := false
	for t := s.next(); t.kind != endToken; t = s.next() {
		switch {
		case t.kind == semicolonToken:
			ended = true
		case t.sign("[]") && !ended:
		case t.kind == signToken, t.kind == textToken, ended, len(w) == n:
			return nil
		default:
			w = append(w, t.text)
		}
	}
	if s.open || s.odd {
		return nil
	}
	return w
}

func containsAny(s string, parts []string) bool {
	for _, a := range parts {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}
