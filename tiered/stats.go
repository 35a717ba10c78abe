package tiered

// Stats is a view of a store at one moment.
type Stats struct {
	// Entries and Bytes are the entries in this process and the memory taken for them. Entries
	// that may not be served any more are counted until newer ones push them out.
	Entries, Bytes int
	// Undelivered is the number of flushes that have not reached their server yet.
	Undelivered int
	// Unrecorded is the number of writes whose record the journal has not taken yet: other processes' first tiers
	// may be behind them.
	Unrecorded int
	// Journal is false while the journal is not followed, in the first seconds of a process or while its
	// server does not answer: stamps are asked for again every MaxStale then.
	Journal bool
	// Forgotten is how often all that the journal had answered for was forgotten: it was lost,
	// ran ahead, or a record was missing. On a healthy system it stays 0.
	Forgotten uint64
	// Servers are the servers, in the order of Options.Servers, and then those that Options.Also adds.
	Servers []ServerStats
	// NewestStep is the highest number of a step that is on record, or this process's own.
	NewestStep int
	// Outside says why the process is outside the procedure for changes of servers, and what to do; it
	// uses no servers then, until it is restarted. Nil while it is not.
	Outside error
}

// ServerStats is a view of one server.
type ServerStats struct {
	Address string
	// Open says that the breaker is open: the server failed repeatedly and is left alone.
	Open bool
	// Refused says that the server is not used for lookups by this process any more: more flushes could not
	// be delivered to it than are remembered, of more than 1024 tables or of lists that do not say whose
	// they are (flushlist.List.Table).
	Refused bool
}

// Stats returns a view of the store. It locks each part for a moment, and is meant for every
// few seconds rather than for every read.
func (s *Store) Stats() Stats {
	var st Stats
	e := s.first
	if s.memory != nil {
		e = s.memory.entries
	}
	if e != nil {
		st.Entries, st.Bytes = e.cache.Len(), e.cache.Capacity()
	}
	s.owed.mu.Lock()
	st.Undelivered = len(s.owed.undelivered)
	s.owed.mu.Unlock()
	st.Unrecorded = s.journal.unrecorded()
	if g := s.journal; g != nil {
		now := s.now()
		st.Journal, st.Forgotten = g.answersFor(now) <= now, g.forgotten.Load()
	}
	if w := s.watch; w != nil {
		h := *w.view.Load()
		st.NewestStep, st.Outside = h[len(h)-1].number, w.outside()
	}
	for i, p := range s.places {
		if sv, ok := p.(*server); ok {
			open, _ := sv.breaker.isOpen()
			st.Servers = append(st.Servers, ServerStats{sv.addr, open, s.known.refused[i].Load()})
		}
	}
	return st
}
