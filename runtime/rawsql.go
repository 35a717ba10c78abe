package cacheruntime

import (
	"slices"
	"strings"
)

// The statements that change no rows of a table, by their first word. WITH, EXPLAIN and ANALYZE are
// judged by what follows; every other word may write.
var readOnly = map[string]bool{
	"SELECT": true, "VALUES": true, "TABLE": true, "SHOW": true, "SET": true, "RESET": true, "USE": true,
	"PRAGMA": true, "VACUUM": true, "REINDEX": true, "ATTACH": true, "DETACH": true, "CHECKPOINT": true,
	"BEGIN": true, "START": true, "COMMIT": true, "END": true, "ROLLBACK": true, "ABORT": true,
	"SAVEPOINT": true, "SAVE": true, "RELEASE": true, "LOCK": true, "UNLOCK": true,
	"LISTEN": true, "NOTIFY": true, "UNLISTEN": true, "DISCARD": true, "DEALLOCATE": true,
	"DECLARE": true, "FETCH": true, "CLOSE": true, "GRANT": true, "REVOKE": true, "COMMENT": true, "KILL": true,
}

var dataChanging = []string{"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "TRUNCATE"}

// running are words with which a block of statements, or an EXPLAIN that runs what it explains, may
// write besides.
var running = []string{"CALL", "EXEC", "EXECUTE", "PERFORM", "LOAD", "COPY", "CREATE", "DROP", "ALTER"}

// mayWrite reports whether SQL text may change rows. It takes what it does not know for writing, and
// so text that dialects read differently: an unneeded flush costs a few reads, a missed one is a
// stale entry. Functions that write when they are selected are beyond it.
func mayWrite(query string) (writes bool) {
	doubtful := eachStatement(query, func(words []string, odd bool) bool {
		writes = odd || statementWrites(words)
		return !writes
	})
	return writes || doubtful && containsAny(strings.ToUpper(query), dataChanging)
}

// eachStatement calls fn with the words of each statement in SQL text, in capitals, until it returns
// false. odd says that a statement begins with what is no word. It returns whether dialects differ on
// where the statements end.
func eachStatement(query string, fn func(words []string, odd bool) bool) (doubtful bool) {
	s := sqlScanner{text: query}
	var words []string
	odd := false
	for {
		switch kind, text := s.next(); kind {
		case sqlEnd:
			return fn(words, odd) && s.doubtful
		case sqlSemicolon:
			if !fn(words, odd) {
				return false
			}
			words, odd = words[:0], false
		case sqlWord:
			words = append(words, strings.ToUpper(text))
		default:
			odd = odd || len(words) == 0 && text != "("
		}
	}
}

// changesRows reports whether a statement of SQL text begins with a verb that changes rows: migrations do not.
func changesRows(query string) (changes bool) {
	eachStatement(query, func(w []string, _ bool) bool {
		changes = len(w) > 0 && slices.Contains(dataChanging, w[0])
		return !changes
	})
	return changes
}

// statementWrites judges one statement by its words.
func statementWrites(w []string) bool {
	if len(w) == 0 {
		return false
	}
	switch w[0] {
	case "WITH":
		return changesData(w)
	case "EXPLAIN", "DESCRIBE", "DESC", "ANALYZE", "ANALYSE": // some run what they explain
		return (slices.Contains(w, "ANALYZE") || slices.Contains(w, "ANALYSE")) && runsChanges(w)
	case "BEGIN", "DECLARE", "END": // blocks
		return runsChanges(w)
	case "COMMIT": // what another transaction has prepared
		return len(w) > 1 && w[1] == "PREPARED"
	}
	return !readOnly[w[0]]
}

// runsChanges looks for a verb that changes rows, or runs something that may.
func runsChanges(w []string) bool {
	return changesData(w) || slices.ContainsFunc(w, func(x string) bool { return slices.Contains(running, x) })
}

// changesData looks for a verb that changes rows; the UPDATE of a locking clause is none.
func changesData(w []string) bool {
	for i, x := range w {
		if x == "UPDATE" && i > 0 && (w[i-1] == "FOR" || w[i-1] == "KEY") {
			continue
		}
		for _, verb := range dataChanging {
			if x == verb {
				return true
			}
		}
	}
	return false
}

func containsAny(s string, parts []string) bool {
	for _, a := range parts {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}

// plainInMySQL are the first words of the statements with which MySQL leaves a transaction open.
var plainInMySQL = []string{
	"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "TABLE", "SHOW", "USE", "DO", "EXPLAIN", "DESCRIBE", "DESC",
	"SAVEPOINT", "RELEASE", "HANDLER", "PREPARE", "DEALLOCATE", "KILL", "HELP", "CHECKSUM", "SIGNAL", "RESIGNAL",
}

// mayEnd reports whether SQL text may end the transaction that it runs in, unseen by database/sql:
// COMMIT as text and, on MySQL, every statement that commits by the way, DDL above all.
func mayEnd(query string, mysql bool) (ends bool) {
	doubtful := eachStatement(query, func(w []string, odd bool) bool {
		switch {
		case len(w) == 0:
			ends = odd && mysql
		case w[0] == "ROLLBACK" || w[0] == "ABORT":
			ends = !slices.Contains(w, "TO")
		case w[0] == "COMMIT" || w[0] == "END":
			ends = len(w) < 2 || w[1] != "PREPARED"
		case !mysql:
		case w[0] == "SET":
			ends = slices.Contains(w, "AUTOCOMMIT") || slices.Contains(w, "PASSWORD")
		case len(w) > 1 && w[1] == "TEMPORARY":
		default:
			ends = odd || !slices.Contains(plainInMySQL, w[0])
		}
		return !ends
	})
	return ends || doubtful && mysql
}
