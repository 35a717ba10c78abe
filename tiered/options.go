package tiered

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Options are the settings of a [Store]. The zero value of every field is its default, so that
// Options{} is a cache within the process alone.
type Options struct {
	// Servers are the memcached servers, each "host:port". Every process must name the same
	// ones in the same words, in any order, since keys and cells are spread over them by name.
	// They are changed in steps, with Also and Step. With no server, entries and cells live in
	// this process only, and no other process sees a flush.
	Servers []string

	// Weights are the servers' shares, in the order of Servers: a server of weight 2 takes twice the
	// keys of one of weight 1, by libmemcached's weighted ketama. Every process must give each server
	// the same weight, from 1 to 1000. Nil is equal shares.
	Weights []int

	// Also are the servers that writes flush on besides Servers, while servers are being changed; reads go
	// to Servers alone. A change goes in steps, each taken when every process is at the one before:
	// from Servers {old} to {old} with Also {new}, to {new} with Also {old}, to {new}. So two processes that
	// are one step apart flush where the other reads. None by default; it needs Servers and Step.
	Also []string

	// AlsoWeights are the shares of Also, as Weights are those of Servers.
	AlsoWeights []int

	// Step is the number of changes of Servers, Weights, Also and AlsoWeights that the namespace has seen: a
	// program that changes one of them raises it by one. Processes find on the servers what others have at
	// a step. One that names other servers at the same step, or is more than one step away from the newest,
	// uses none of them until it is restarted: its reads go to the database, its writes fail in mode Strict
	// and flush what they can reach in mode Available, and it reports a Fault that says which step to take.
	// See docs/servers.md. Defaults to 0, for programs that have never changed anything.
	Step int

	// Timeout bounds each request to a server, including the wait for a connection, dialing, and the one
	// second try where a connection had been closed since its last request. A read that it ends goes to the
	// database. Defaults to 100 milliseconds; at most 1 minute. Not used without servers.
	Timeout time.Duration

	// MaxIdleConns is the number of connections kept to each server, and also the most that
	// are open to it at once. Defaults to 32; at most 4096. Not used without servers.
	MaxIdleConns int

	// Dial opens a connection to a server, whose address is one of Servers or Also: for TLS, a proxy, or
	// where this process reaches a server by another address than the others do. It must return when ctx is
	// done; nobody waits for it longer. At most MaxIdleConns goroutines call it at once for each server.
	// Defaults to net.Dialer's DialContext. Not used without servers.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// FirstTierMB is the memory for entries in this process, in MiB. The newest entries push
	// out the oldest. An entry of more than 1 MiB, or of more than a quarter of FirstTierMB, may
	// not be kept here. Defaults to 64; at most 262144.
	FirstTierMB int

	// MaxStale is how far behind the servers the first tier may be: an entry is served from it
	// only if the last poll that followed the journal to its end, or else the request that read
	// its stamps, was sent less than MaxStale ago. There are four polls in that time; where they
	// find more than 1000 writes at once, the first tier begins anew. Less than 0 switches the
	// first tier off. Defaults to 200 milliseconds; at most 1 minute. Not used without servers.
	MaxStale time.Duration

	// Journal tells the processes of each other's flushes. Nil is a journal that the store keeps on
	// one of the servers. Every process must use the same one; the store closes it. Not used without
	// servers.
	Journal Journal

	// IntentTTL is how long readers respect the token of a writer that does not finish, before
	// they take the writer for dead. It must be longer than the database ever takes over a COMMIT: one
	// that takes effect later than this after its writer died leaves entries stale until their ttl.
	// It must also be well above Timeout, since half of it must be left when COMMIT begins.
	// Defaults to 10 seconds; from 10 milliseconds to 1 hour.
	IntentTTL time.Duration

	// Lease is how long a process that loads a list, a count, or a row of a model tagged lease, may keep
	// others from the same load; they go on as soon as the load has ended. Memcached counts in seconds, so it
	// may be up to two more. Defaults to 5 seconds; from 1 second to 10 minutes. Not used without servers.
	Lease time.Duration

	// Cells is the number of flush lists whose stamps this process keeps. Without servers it
	// counts the cells themselves, except those under a write; the entries of a list that is
	// pushed out are misses. Defaults to 262144 (some 30 MB when full); at least 1024.
	Cells int

	// ItemLimit is the size in bytes, key and stamps included, above which an entry is served
	// and not stored. Keep it 1 KiB below what the servers take (memcached's -I). Defaults to
	// 1 MiB - 1 KiB; from 1 KiB to 1 GiB. FirstTierMB sets a limit of its own.
	ItemLimit int

	// BreakerFailures is the number of requests that must fail in a row before a server is left
	// alone for BreakerPause. Less than 0 is never. Defaults to 5. Not used without servers.
	BreakerFailures int

	// BreakerPause is how long a failing server is left alone before one request is tried on
	// it. Undelivered flushes are retried at the same interval. Defaults to 250 milliseconds; at
	// most 1 minute. Not used without servers.
	BreakerPause time.Duration
}

// The bounds and defaults that several files need.
const (
	minIntentTTL = 10 * time.Millisecond
	maxIntentTTL = time.Hour
	minCells     = 1024
)

// withDefaults returns o with its zero fields filled in. o is not changed.
func (o Options) withDefaults() Options {
	o.Servers = append([]string(nil), o.Servers...)
	o.Weights = append([]int(nil), o.Weights...)
	o.Also = append([]string(nil), o.Also...)
	o.AlsoWeights = append([]int(nil), o.AlsoWeights...)
	setDefault(&o.Timeout, 100*time.Millisecond)
	setDefault(&o.MaxIdleConns, 32)
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	setDefault(&o.FirstTierMB, 64)
	setDefault(&o.MaxStale, 200*time.Millisecond)
	setDefault(&o.IntentTTL, 10*time.Second)
	setDefault(&o.Lease, 5*time.Second)
	setDefault(&o.Cells, 1<<18)
	setDefault(&o.ItemLimit, 1<<20-1<<10)
	setDefault(&o.BreakerFailures, 5)
	setDefault(&o.BreakerPause, 250*time.Millisecond)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate checks options whose defaults are filled in.
func (o Options) validate() error {
	if err := o.validRings(); err != nil {
		return err
	}
	switch {
	case o.Timeout < time.Millisecond || o.Timeout > time.Minute:
		return outside("Timeout", o.Timeout, time.Millisecond, time.Minute)
	case o.MaxIdleConns < 1 || o.MaxIdleConns > 4096:
		return outside("MaxIdleConns", o.MaxIdleConns, 1, 4096)
	case o.FirstTierMB < 1 || o.FirstTierMB > 1<<18:
		return outside("FirstTierMB", o.FirstTierMB, 1, 1<<18)
	case o.MaxStale > time.Minute:
		return fmt.Errorf("tiered: Options.MaxStale is %v; set at most 1m, or less than 0 for no first tier", o.MaxStale)
	case o.IntentTTL < minIntentTTL || o.IntentTTL > maxIntentTTL:
		return outside("IntentTTL", o.IntentTTL, minIntentTTL, maxIntentTTL)
	case o.Lease < time.Second || o.Lease > 10*time.Minute:
		return outside("Lease", o.Lease, time.Second, 10*time.Minute)
	case o.Cells < minCells:
		return fmt.Errorf("tiered: Options.Cells is %d; set at least %d, or 0 for the default", o.Cells, minCells)
	case o.ItemLimit < 1<<10 || o.ItemLimit > 1<<30:
		return outside("ItemLimit", o.ItemLimit, 1<<10, 1<<30)
	case o.BreakerPause < time.Millisecond || o.BreakerPause > time.Minute:
		return outside("BreakerPause", o.BreakerPause, time.Millisecond, time.Minute)
	}
	return nil
}

func outside(field string, is, from, to any) error {
	return fmt.Errorf("tiered: Options.%s is %v; set it from %v to %v, or 0 for the default", field, is, from, to)
}

// validServer checks one address. The name becomes part of keys, so it must hold no blank.
func validServer(s string) error {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("the port is not a number from 1 to 65535")
	}
	if host == "" {
		return fmt.Errorf("the host is missing")
	}
	if !legalKey(s) || strings.ContainsAny(s, ",*") {
		return fmt.Errorf("it holds a blank, a control byte, a comma or an asterisk")
	}
	return nil
}
