// Package sqltext reads SQL text, as far as a text can be understood without a database: what it may write ([Read]), what a query
// reads ([ReadQuery]), whether it takes a savepoint or goes back to one ([ParseSavepoint]), what SQLite's CREATE TABLE says
// ([SQLiteColumns], [SQLiteConflicts]), and which names may be one table's ([Table]).
//
// It asks nobody and knows no models. Where servers differ by their settings or versions, a text is read in each way that they may read
// it. What it does not understand it says so of, or takes for the worse: an unneeded flush costs a few reads, a missed one is a stale
// entry. A text may have any bytes and any length. Nothing is kept between calls, and all functions are safe for concurrent use.
//
// One scanner cuts text into tokens, by the rules of a [Dialect] (scan.go). A statement is a run of tokens, and is read from its first
// words on: those that change rows (statement.go, joined.go), all others (commands.go), and queries once more for what they read
// (query.go).
package sqltext

// Dialect says by whose rules SQL text is read.
type Dialect uint8

const (
	// Unknown is nobody's that is known: what dialects read differently is not understood.
	Unknown Dialect = iota
	SQLite
	Postgres
	MySQL // MariaDB's, too
)
