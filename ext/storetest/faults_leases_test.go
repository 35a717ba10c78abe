package storetest_test

import (
	"context"
	"sync"

	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

// leasing makes stores that lease in another way.
func leasing(as func(*tiered.Store, context.Context, flushlist.Ref, flushlist.Ticket) (func(), bool)) func(*tiered.Store) cacheruntime.Store {
	return func(s *tiered.Store) cacheruntime.Store { return leaser{s, as} }
}

type leaser struct {
	*tiered.Store
	as func(*tiered.Store, context.Context, flushlist.Ref, flushlist.Ticket) (func(), bool)
}

func (l leaser) Lease(ctx context.Context, r flushlist.Ref, t flushlist.Ticket) (func(), bool) {
	return l.as(l.Store, ctx, r, t)
}

// dead are the entries of which a lease was granted once, to a process that died with it.
var dead sync.Map
