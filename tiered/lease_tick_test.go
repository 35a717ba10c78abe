package tiered

import (
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/internal/testserver"
)

// behaviour 74: a lease whose holder dies ends by itself, after Options.Lease at the earliest, wherever between two ticks of
// memcached's clock it began.
func TestLeaseLastsItsTime(t *testing.T) {
	m := testserver.Memcached(t)
	o := patient(m.Addr())
	o.Lease = time.Second
	p, other := start(t, o), start(t, o)
	r := storetest.Ref(1)
	ticket := p.ask(r).Ticket
	other.ask(r)
	began := time.Now()
	if _, granted := p.lease(r, ticket); !granted {
		t.Fatal("not granted")
	}
	eventually(t, "the lease outlives its holder", func() bool {
		_, granted := other.lease(r, ticket)
		return granted
	})
	if lasted := time.Since(began); lasted < o.Lease {
		t.Errorf("a lease of %v lasted %v", o.Lease, lasted)
	}
}
