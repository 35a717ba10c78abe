package sqltext

import "testing"

// behaviour 55
func TestParseSavepoint(t *testing.T) {
	for q, want := range map[string]Savepoint{
		"SAVEPOINT sp1":                {SavepointSet, "sp1"},
		" savepoint \"Sp1\"":           {SavepointSet, "sp1"},
		"/* x */ SAVEPOINT `a`;":       {SavepointSet, "a"},
		"-- x\nSAVEPOINT a":            {SavepointSet, "a"},
		"SAVE TRANSACTION a":           {SavepointSet, "a"},
		"ROLLBACK TO a":                {SavepointRollback, "a"},
		"ROLLBACK TO SAVEPOINT a":      {SavepointRollback, "a"},
		"rollback work to savepoint a": {SavepointRollback, "a"},
		"ROLLBACK TRANSACTION TO a":    {SavepointRollback, "a"},
		"ROLLBACK TRANSACTION a":       {SavepointRollback, "a"},
		"RELEASE a":                    {SavepointRelease, "a"},
		"RELEASE SAVEPOINT a":          {SavepointRelease, "a"},
	} {
		if got, ok := ParseSavepoint(q); !ok || got != want {
			t.Errorf("%s: %v, %v", q, got, ok)
		}
	}
	for _, q := range []string{"", "S", "SELECT 1", "ROLLBACK", "SAVEPOINT a; UPDATE t SET a = 1", "SAVEPOINT a b", "RELEASE a; DELETE FROM t",
		"ROLLBACK TO a; UPDATE t SET a = 1", "SAVEPOINT a /*! ; DELETE FROM t */", "ROLLBACK WORK", "SET a = 1", "SAVEPOINT", "SAVE a", "REPLACE INTO t VALUES (1)"} {
		if s, ok := ParseSavepoint(q); ok {
			t.Errorf("%q is taken for a savepoint: %v", q, s)
		}
	}
}

// behaviour 55
func TestHidesSavepoint(t *testing.T) {
	for q, want := range map[string]bool{
		"SAVEPOINT a": false, "SAVEPOINT a;": false, "ROLLBACK TO a": false, "": false, "UPDATE t SET a = 'release'": false, "SELECT 1": false,
		"SAVEPOINT a; UPDATE t SET a = 1": true, "SELECT 1; SAVEPOINT a": true, "UPDATE t SET a = 1; ROLLBACK TO a": true,
		"# x\nSAVEPOINT a": true, "/*! SAVEPOINT a */": true,
	} {
		if HidesSavepoint(q) != want {
			t.Errorf("%q: %v", q, !want)
		}
	}
}
