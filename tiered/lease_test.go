package tiered

import (
	"context"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	"github.com/cachegen/cachegen/internal/testserver"
)

func (p *process) lease(r flushlist.Ref, t flushlist.Ticket) (func(), bool) {
	return p.Lease(context.Background(), r, t)
}

// behaviours 72 and 74, the store's part
func TestLease(t *testing.T) {
	m, proxy := proxied(t)
	o := patient(proxy.Addr())
	o.Lease = 10 * time.Minute
	p, other := start(t, o), start(t, o)
	r := storetest.Ref(1)
	ticket := p.ask(r).Ticket
	release, granted := p.lease(r, ticket)
	if !granted {
		t.Fatal("the first is not granted it")
	}
	same := other.ask(r).Ticket
	if _, granted := other.lease(r, same); granted {
		t.Fatal("granted twice")
	}
	if _, granted := other.lease(storetest.Ref(2), other.ask(storetest.Ref(2)).Ticket); !granted {
		t.Fatal("another entry's is not granted")
	}
	release()
	if _, granted := other.lease(r, same); !granted {
		t.Fatal("not granted after its release")
	}

	// A flush leaves it behind.
	other.write(r.List)
	again := p.ask(r).Ticket
	if release, granted = p.lease(r, again); !granted {
		t.Fatal("not granted after a flush")
	}

	// Nobody waits for a server that is down.
	proxy.Cut()
	if _, granted := other.lease(r, again); !granted {
		t.Fatal("not granted while the server is out of reach")
	}
	release()
	m.Stop()
	if _, granted := other.lease(r, flushlist.Ticket{}); !granted {
		t.Fatal("not granted to a load that stores nothing")
	}
}

// A lease that does not end, which none of ours does, keeps nobody from the database for longer than one that does.
func TestForeignLease(t *testing.T) {
	m := testserver.Memcached(t)
	o := patient(m.Addr())
	o.Lease = time.Second
	p := start(t, o)
	r := storetest.Ref(1)
	ticket := p.ask(r).Ticket
	put(t, m.Addr(), leaseKey(r, ticket), []byte("mine"))
	if _, granted := p.lease(r, ticket); granted {
		t.Fatal("granted at once")
	}
	eventually(t, "the lease is respected for ever", func() bool {
		_, granted := p.lease(r, ticket)
		return granted
	})
}
