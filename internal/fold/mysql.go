package fold

import "strings"

// MySQL returns the folding that merges what a collation of MySQL or MariaDB does; known is false of one of which none is known to. Those of MariaDB are proved by a test that
// asks the server for the weight of every character. MySQL 8 has utf8mb4_0900_ai_ci from the Unicode tables of
// 2016, between those of unicode_520_ci (2009) and uca1400_ai_ci (2021), both of which the folding
// merges: a character would have to have changed its letter twice. Collations of a language are left out:
// each has letters of its own.
func MySQL(collation string) (f Folding, known bool) {
	if collation == "binary" || strings.HasSuffix(collation, "_bin") {
		return Folding{}, true
	}
	switch collation {
	case "latin1_swedish_ci", "latin1_swedish_nopad_ci":
		return Folding{Swedish: true}, true
	case "latin1_general_ci", "latin1_general_cs", "ascii_general_ci", "ascii_general_nopad_ci":
		return Folding{}, true
	}
	charset, rules, _ := strings.Cut(collation, "_")
	if charset == "uca1400" { // as MariaDB calls those that several character sets have
		charset, rules = "utf8mb4", collation
	}
	if charset != "utf8mb4" && charset != "utf8mb3" && charset != "utf8" {
		return Folding{}, false
	}
	switch strings.Replace(rules, "nopad_", "", 1) {
	case "general_ci", "general_mysql500_ci":
		return Folding{Flat: true, General: true}, true
	case "unicode_ci":
		return Folding{Flat: true}, true
	case "unicode_520_ci", "uca1400_ai_ci", "uca1400_ai_cs", "uca1400_as_ci", "uca1400_as_cs", "0900_ai_ci", "0900_as_ci", "0900_as_cs":
		return Folding{}, true
	}
	return Folding{}, false
}
