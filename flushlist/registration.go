package flushlist

// Registration is a program's part in the registry of one table, where all programs that write or read
// it say which lists they flush. All methods are safe for concurrent use; none makes a request to a server.
type Registration interface {
	// Flushed reports whether every live program flushes the lists of an identity, one of those
	// registered. Only then may their entries be looked up or stored. The term is part of such an
	// entry's key: it changes after there was a program that did not flush them. 0 is none.
	Flushed(identity uint64) (term uint64, ok bool)
	// Confirmed returns a number other than 0 while no program goes by entries that this
	// program's lists do not cover: its writes then flush those lists alone. Until it does, and where
	// it returns 0 or a different number at the end of a write, the table's `all` list falls with that
	// write.
	Confirmed() (standing uint64)
}

// Alone is the Registration where there is no other program.
type Alone struct{}

// Flushed returns true.
func (Alone) Flushed(uint64) (term uint64, ok bool) { return 0, true }

// Confirmed returns 1.
func (Alone) Confirmed() uint64 { return 1 }
