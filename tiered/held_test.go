package tiered

import (
	"context"
	"net"
	"testing"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

// A server that was out of a writer's reach for its tokens and is back for its end: other processes learned the old stamp
// after they had read the write's record, and are told again. behaviour 67
//
//  1. writer, mode Available: cannot leave its token; puts its record; commits
//  2. reader, in another process that reaches the server: reads the record, asks, learns the old stamp
//  3. writer: reaches the server again, and puts a new stamp
//  4. the reader's first tier must not go on with the old entry
func TestServerIsBackForTheEnd(t *testing.T) {
	a, b := testserver.Memcached(t), testserver.Memcached(t)
	o := patient(a.Addr(), b.Addr())
	reader := start(t, o).quiet()
	journal := reader.journal.journal.(*memcachedJournal).server.addr
	lost := a.Addr()
	if journal == lost {
		lost = b.Addr()
	}
	relay := testserver.Proxy(t, lost)
	o.BreakerFailures = -1
	o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == lost {
			address = relay.Addr()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	writer := start(t, o).quiet()
	r := refAt(t, reader.Store, lost)
	reader.load(r, "old")
	reader.wants(r, flushlist.HitSecond, "old")

	relay.Cut()
	in := writer.prepare(flushlist.Available, r.List)
	reader.journal.since.Store(0) // as if it had begun long ago
	reader.journal.poll(context.Background())
	if reader.inFirst(r) {
		t.Fatal("the record is not heard of")
	}
	reader.wants(r, flushlist.HitSecond, "old") // docs/coherence.md: behind while the server is out of the writer's reach
	relay.Mend()
	in.Finish(context.Background())
	if writer.owed.outstanding() != 0 {
		t.Fatal("the flush did not go through")
	}
	reader.journal.poll(context.Background())
	reader.byJournal().never(r, "old")
}
