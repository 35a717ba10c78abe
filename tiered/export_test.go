package tiered

// JournalOf is the journal of a store, for tests outside this package.
func JournalOf(s *Store) Journal { return s.journal.journal }
