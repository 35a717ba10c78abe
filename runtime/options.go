package cacheruntime

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cachegen/cachegen/flushlist"
	"gorm.io/gorm"
)

// Mode is what Options.Mode takes. See [flushlist.Mode].
type Mode = flushlist.Mode

// The modes of a write; see [flushlist.Available] and [flushlist.Strict].
const (
	Available = flushlist.Available
	Strict    = flushlist.Strict
)

// Options are the settings of a [Runtime]. The zero value of every field but Namespace is its
// default.
type Options struct {
	// Namespace names the database in every key. Programs that share a database and a store
	// must use the same one; different databases must not. Required: 1 to 32 letters, digits,
	// '-', '_' and '.'.
	Namespace string

	// Prefix stands in every entry's key, after the routing digits, but not in flush lists:
	// runtimes with different prefixes share flushes and not entries. At most 16 letters,
	// digits, '-', '_' and '.'. Defaults to "".
	Prefix string

	// Version is part of every entry's key, but not of flush lists: a new one, such as a git
	// commit, leaves all entries of the last behind. At most 40 of the same characters. Defaults
	// to "".
	Version string

	// Mode says what a write does when a cache server cannot be told of it: Available lets it
	// proceed, Strict rolls it back. Defaults to Available.
	Mode Mode

	// TTL is how long an entry is served when its tag does not say. Forever has no end. Each
	// entry's ttl is changed at random by ± Jitter. Defaults to 24 hours.
	TTL time.Duration

	// NegativeTTL is how long the absence of a row is remembered, when that is shorter than the
	// model's ttl. Defaults to 1 hour.
	NegativeTTL time.Duration

	// Jitter is the share by which each ttl is changed at random, so that entries made together
	// do not expire together: 0.1 is ± 10 %. Less than 0 is none; at most 0.5. Defaults to 0.1.
	Jitter float64

	// ListWindow is the number of primary keys that a list without limit: may have and still be
	// cached. A longer one is loaded whole each time, and counted. Defaults to 1000; at most 30000.
	ListWindow int

	// BulkRows and BulkLists bound what one statement flushes piece by piece. A write of more
	// rows, or of rows on more lists, flushes the table's `all` list instead, and so does a
	// transaction of more lists of one table than both together. They default to 1000 rows and 256 lists; at
	// most 30000, since the rows' keys are parameters of one statement.
	BulkRows, BulkLists int

	// LoadTimeout bounds a load from the database, which goes on even when its callers have given
	// up. Less than 0 is no bound. Defaults to 30 seconds.
	LoadTimeout time.Duration

	// TxFromContext returns the transaction of a context, or nil. Where it returns one, reads go
	// there as with WithTx, which takes precedence. It is called for every read, and must be quick
	// and safe for concurrent use; a panic in it is the error of the read. Defaults to none.
	TxFromContext func(context.Context) *gorm.DB

	// Partition says whose rows a context is about: the tenant, or the schema that its statements
	// go to. Each partition has entries and flush lists of its own. A read is served what its own
	// context's partition has. A write flushes in the partition of its context (db.WithContext), and
	// so do the Flush methods; nothing flushes all partitions at once. Any text will do; "" is also the
	// partition of programs without this option.
	//
	// It must name everything that a callback's additions to an accessor's statements, the
	// connection's search path or the database's row security depend on, since what is loaded with
	// such additions is then cached. It is called for every read and write, and must be quick and safe
	// for concurrent use; a panic in it is the error of the read or the write. See docs/tenants.md.
	// Defaults to none.
	Partition func(ctx context.Context) string

	// RawSQL says which tables are written by SQL text, given to Exec or Raw, that the plugin does not
	// recognise: CALL, DO, a view, TRUNCATE … CASCADE. It gets the text as it is sent, and returns the
	// tables by their names in the database, "croupons" or "shop.croupons". What hangs on them by foreign
	// keys that cascade falls with them. Tables that no model is cached of may be among them or not; none
	// at all means that the text writes no cached table. Where ok is false every model is flushed, and the
	// text is counted in Stats.UnrecognisedSQL.
	//
	// It is also asked about triggers whose code does not say what they write, with the text of the CREATE
	// TRIGGER, once each time the database's catalog is read. Where ok is false every model is flushed by
	// writes that fire the trigger. See docs/writes.md.
	//
	// It is called on the goroutine of the write, and must be quick and safe for concurrent use; a panic in
	// it is recovered, reported as a Fault, and means that ok is false. Defaults to none.
	RawSQL func(sql string) (tables []string, ok bool)

	// Sample checks the promise on your own data: one in this many hits (of rows, lists, counts and
	// lookups, in either tier) is compared with the primary database in the background, and [Stats]
	// counts those that were served stale. It finds writes made past GORM, too. 1000 costs a statement
	// every thousand hits and some nanoseconds a hit; 1 compares what two workers can take. See
	// docs/watching.md. Defaults to 0, none.
	Sample int

	// Observer is told what happens: it implements one or more of ReadObserver, FlushObserver and
	// EventObserver. Its methods must be quick and safe for concurrent use. They are called on the
	// goroutine of the read or the write; for relations that are read side by side, on other goroutines
	// for which the read waits; ObserveEvent on any. A panic in one is recovered, and counted as a Fault.
	// Defaults to none. Where it is not an EventObserver, GORM's logger gets an error for a Fault and for a
	// StaleHit, at most one of each a second.
	Observer any
}

// The longest parts of a key. With a table's and an accessor's name of at most maxName bytes and the
// digest of long arguments, the longest key is one of maxKey bytes.
const (
	maxNamespace = 32
	maxPrefix    = 16
	maxVersion   = 40 // a git commit
	maxName      = 48
)

// maxBulk keys are fewer than SQLite's 32766 and PostgreSQL's 65535 parameters.
const maxBulk = 30000

// Validate returns the error that New would return for o, which names the field; nil where there is none.
func (o Options) Validate() error {
	_, err := o.withDefaults()
	return err
}

// maxSample is the rarest that Options.Sample takes.
const maxSample = 1_000_000_000

// withDefaults returns o with its defaults filled in, or an error that names the field.
func (o Options) withDefaults() (Options, error) {
	if o.Namespace == "" {
		return o, optionError("Namespace", "is empty: give the database a name, \"shop\" say; programs on the same database use the same one")
	}
	if err := nameOption("Namespace", o.Namespace, maxNamespace); err != nil {
		return o, err
	}
	if err := nameOption("Prefix", o.Prefix, maxPrefix); err != nil {
		return o, err
	}
	if err := nameOption("Version", o.Version, maxVersion); err != nil {
		return o, err
	}
	if o.Mode > Strict {
		return o, optionError("Mode", fmt.Sprintf("is %d: it is cacheruntime.Available or cacheruntime.Strict", o.Mode))
	}
	if o.TTL < 0 && o.TTL != Forever {
		return o, optionError("TTL", fmt.Sprintf("is %s: it is positive, 0 for the default, or cacheruntime.Forever", o.TTL))
	}
	if o.NegativeTTL < 0 {
		return o, optionError("NegativeTTL", fmt.Sprintf("is %s: it is positive, or 0 for the default", o.NegativeTTL))
	}
	if !(o.Jitter <= 0.5) { // NaN too
		return o, optionError("Jitter", fmt.Sprintf("is %g: it is at most 0.5", o.Jitter))
	}
	for _, n := range []struct {
		field string
		is    int
	}{{"ListWindow", o.ListWindow}, {"BulkRows", o.BulkRows}, {"BulkLists", o.BulkLists}} {
		if n.is < 0 || n.is > maxBulk {
			return o, optionError(n.field, fmt.Sprintf("is %d: from 1 to %d, or 0 for the default", n.is, maxBulk))
		}
	}
	if o.Sample < 0 || o.Sample > maxSample {
		return o, optionError("Sample", fmt.Sprintf("is %d: one in this many hits is compared with the database, from 1 to %d, or 0 for none", o.Sample, maxSample))
	}
	if err := checkObserver(o.Observer); err != nil {
		return o, err
	}
	setDefault(&o.TTL, 24*time.Hour)
	setDefault(&o.NegativeTTL, time.Hour)
	setDefault(&o.Jitter, 0.1)
	setDefault(&o.ListWindow, 1000)
	setDefault(&o.BulkRows, 1000)
	setDefault(&o.BulkLists, 256)
	setDefault(&o.LoadTimeout, 30*time.Second)
	return o, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func optionError(field, problem string) error {
	return fmt.Errorf("cachegen: Options.%s %s", field, problem)
}

// nameIs reports whether s may stand in a key: letters, digits, '-', '_' and '.'.
func nameIs(s string) bool {
	for _, r := range s {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r)) {
			return false
		}
	}
	return true
}

// nameOption checks a part of a key.
func nameOption(field, s string, longest int) error {
	if len(s) > longest {
		return optionError(field, fmt.Sprintf("is %d bytes long: at most %d", len(s), longest))
	}
	if !nameIs(s) {
		return optionError(field, fmt.Sprintf("is %q: only letters, digits, '-', '_' and '.' may stand in a key", s))
	}
	return nil
}
