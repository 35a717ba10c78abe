package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

// faulty names the environment variable that makes TestStore's store a faulty one.
const faulty = "STORETEST_FAULT"

// fault is a store that is wrong in one way.
type fault struct {
	in   string // the test that is to find it
	make func(*tiered.Store) cacheruntime.Store
}

// faults are named by what the store does.
var faults = map[string]fault{
	"marks nothing before COMMIT": {"TestStore/FlushOfList", func(s *tiered.Store) cacheruntime.Store { return unmarked{s} }},
	"never flushes":               {"TestStore/FlushOfAll", func(s *tiered.Store) cacheruntime.Store { return unfinished{s} }},
	"stores under the stamps of now": {"TestStore/SlowReaderOfOldRow", func(s *tiered.Store) cacheruntime.Store {
		return restamped{s}
	}},
	"hands out one slice to everybody": {"TestStore/PrivateCopies", func(s *tiered.Store) cacheruntime.Store {
		return shared{s, map[string][]byte{}}
	}},
	"forgets absence":          {"TestStore/Absent", func(s *tiered.Store) cacheruntime.Store { return presumptuous{s} }},
	"answers in another order": {"TestStore/ManyInOrder", func(s *tiered.Store) cacheruntime.Store { return disordered{s} }},
	"takes every claim":        {"TestStore/Claim", func(s *tiered.Store) cacheruntime.Store { return promiscuous{s} }},
	"lets a caller's context end a write": {"TestStore/EndIsDetached", func(s *tiered.Store) cacheruntime.Store {
		return attached{s}
	}},

	"flushes one list of several":       {"TestStore/WriteOfSeveral", splits(split{finish: aborts})},
	"flushes one list for others":       {"TestStoreOnServer/OtherProcessOfSeveral", splits(split{finish: aborts})},
	"flushes lists of an aborted write": {"TestStore/AbortOfSeveral", splits(split{abort: finishes})},
	"aborts lists of a write that left": {"TestStore/LeaveOfSeveral", splits(split{leave: aborts})},
	"renews one list of several":        {"TestStore/RenewOfSeveral", splits(split{renewsNot: true})},
	"leaves fresh tokens for ever": {"TestStore/EndAfterRenew", func(s *tiered.Store) cacheruntime.Store {
		return altered{Store: s, prepare: func(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
			in, err := s.Prepare(ctx, lists, mode)
			return forgetful{in, s, lists[1:]}, err
		}}
	}},
	"marks one list of several": {"TestStore/WriteOfSeveral", preparing(func(lists []flushlist.List) []flushlist.List {
		return lists[:1]
	})},
	"forgets all beside other lists": {"TestStore/WriteOfSeveral", preparing(withoutAll)},
	"forgets all for others":         {"TestStoreOnServer/OtherProcessOfSeveral", preparing(withoutAll)},
	"takes an ended context for an answer": {"TestStore/PrepareWithEndedContext", func(s *tiered.Store) cacheruntime.Store {
		return altered{Store: s, prepare: func(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
			if ctx.Err() != nil {
				return nothing{}, nil
			}
			return s.Prepare(ctx, lists, mode)
		}}
	}},

	"grants every lease": {"TestStoreOnServer/LeaseOfOther", leasing(func(s *tiered.Store, ctx context.Context, r flushlist.Ref, t flushlist.Ticket) (func(), bool) {
		return func() {}, true
	})},
	"never ends a lease": {"TestStore/LeaseOfMiss", leasing(func(s *tiered.Store, ctx context.Context, r flushlist.Ref, t flushlist.Ticket) (func(), bool) {
		return nil, false
	})},
	"releases nothing": {"TestStoreOnServer/LeaseOfOther", leasing(func(s *tiered.Store, ctx context.Context, r flushlist.Ref, t flushlist.Ticket) (func(), bool) {
		_, granted := s.Lease(ctx, r, t)
		return func() {}, granted
	})},
	"leases an entry whatever its stamps": {"TestStoreOnServer/LeaseAfterFlush", leasing(func(s *tiered.Store, ctx context.Context, r flushlist.Ref, t flushlist.Ticket) (func(), bool) {
		t.List, t.All = 1, 1
		return s.Lease(ctx, r, t)
	})},
	"leases all entries as one": {"TestStoreOnServer/LeaseOfOther", leasing(func(s *tiered.Store, ctx context.Context, r flushlist.Ref, t flushlist.Ticket) (func(), bool) {
		t.List, t.All = 1, 1
		return s.Lease(ctx, storetest.Ref(0), t)
	})},
	"leases what cannot be stored": {"TestStoreOnServer/LeaseOfUnstorable", leasing(func(s *tiered.Store, ctx context.Context, r flushlist.Ref, t flushlist.Ticket) (func(), bool) {
		t.Storable = true
		return s.Lease(ctx, r, t)
	})},
	"respects the dead": {"TestStoreOnServer/LeaseOfTheDead", leasing(func(s *tiered.Store, ctx context.Context, r flushlist.Ref, t flushlist.Ticket) (func(), bool) {
		release, granted := s.Lease(ctx, r, t)
		if granted {
			_, alive := dead.LoadOrStore(r.Key, true)
			granted = !alive
		}
		return release, granted
	})},

	"stores each value under its neighbour's key": {"TestStore/FillOfMany", filling(func(fills, as []flushlist.Fill) []flushlist.Fill {
		for i := range fills {
			fills[i].Value = as[(i+1)%len(as)].Value
		}
		return fills
	})},
	"stores one value of a Fill": {"TestStore/FillOfMany", filling(func(fills, _ []flushlist.Fill) []flushlist.Fill {
		return fills[:1]
	})},
	"stores all of a Fill or nothing": {"TestStore/FillOfMany", filling(func(fills, _ []flushlist.Fill) []flushlist.Fill {
		for _, f := range fills {
			if !f.Ticket.Storable {
				return nil
			}
		}
		return fills
	})},
	"keeps all of a Fill for the shortest time": {"TestStore/FillOfMany", filling(func(fills, as []flushlist.Fill) []flushlist.Fill {
		for i := range fills {
			for _, f := range as {
				fills[i].TTL = min(fills[i].TTL, f.TTL)
			}
		}
		return fills
	})},

	"registers nothing":                 {"TestStore/RegisteredAlone", registering(func(flushlist.Registration) flushlist.Registration { return unregistered{} })},
	"takes itself for the only program": {"TestStoreOnServer/RegisteredBySeveral", registering(func(flushlist.Registration) flushlist.Registration { return flushlist.Alone{} })},
	"takes itself for known at once": {"TestStoreOnServer/RegisteredBySeveral", registering(func(reg flushlist.Registration) flushlist.Registration {
		return known{reg}
	})},

	"gives all answers one ticket": {"TestStore/FetchOfMix", fetching(func(found []flushlist.Found) {
		for i := range found {
			found[i].Ticket = found[0].Ticket
		}
	})},
	"takes what it lacks among others for absent": {"TestStore/FetchOfMix", fetching(func(found []flushlist.Found) {
		for i := range found {
			if found[i].Outcome == flushlist.NoEntry {
				found[i].Outcome, found[i].Value.Absent = flushlist.HitSecond, true
			}
		}
	})},
	"fails a Fetch in which a list is being written": {"TestStore/FetchOfMix", fetching(func(found []flushlist.Found) {
		for _, f := range found {
			if f.Outcome == flushlist.UnderWrite {
				clear(found)
			}
		}
	})},
}

// Each fault fails the suite, in the case that is about it. The suite is run by this test's own program,
// since a test that is to fail cannot be a part of one that is to pass.
func TestFaultsAreFound(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite := exec.Command(os.Args[0], "-test.run=^"+strings.Replace(fault.in, "/", "$/^", 1)+"$", "-test.v")
			suite.Env = append(os.Environ(), faulty+"="+name)
			out, err := suite.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: "+fault.in) {
				t.Errorf("a store that %s passes %s: %v\n%s", name, fault.in, err, out)
			}
		})
	}
}

// altered is a store of which some methods, where they are not nil, are others.
type altered struct {
	*tiered.Store
	prepare func(context.Context, []flushlist.List, flushlist.Mode) (flushlist.Intent, error)
	fill    func(context.Context, []flushlist.Fill)
	fetch   func(context.Context, []flushlist.Ref) []flushlist.Found
}

func (s altered) Prepare(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
	if s.prepare == nil {
		return s.Store.Prepare(ctx, lists, mode)
	}
	return s.prepare(ctx, lists, mode)
}

func (s altered) Fill(ctx context.Context, fills []flushlist.Fill) {
	if s.fill == nil {
		s.Store.Fill(ctx, fills)
		return
	}
	s.fill(ctx, fills)
}

func (s altered) Fetch(ctx context.Context, refs []flushlist.Ref) []flushlist.Found {
	if s.fetch == nil {
		return s.Store.Fetch(ctx, refs)
	}
	return s.fetch(ctx, refs)
}

// preparing makes stores that mark other lists where there are several.
func preparing(other func([]flushlist.List) []flushlist.List) func(*tiered.Store) cacheruntime.Store {
	return func(s *tiered.Store) cacheruntime.Store {
		return altered{Store: s, prepare: func(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
			if len(lists) > 1 {
				lists = other(lists)
			}
			return s.Prepare(ctx, lists, mode)
		}}
	}
}

func withoutAll(lists []flushlist.List) []flushlist.List {
	return slices.DeleteFunc(slices.Clone(lists), func(l flushlist.List) bool { return l.All })
}

// filling makes stores that store something else where there are several values. as is what the fills were.
func filling(other func(fills, as []flushlist.Fill) []flushlist.Fill) func(*tiered.Store) cacheruntime.Store {
	return func(s *tiered.Store) cacheruntime.Store {
		return altered{Store: s, fill: func(ctx context.Context, fills []flushlist.Fill) {
			if len(fills) > 1 {
				fills = other(slices.Clone(fills), fills)
			}
			s.Fill(ctx, fills)
		}}
	}
}

// fetching makes stores that alter their answers where there are several.
func fetching(alter func([]flushlist.Found)) func(*tiered.Store) cacheruntime.Store {
	return func(s *tiered.Store) cacheruntime.Store {
		return altered{Store: s, fetch: func(ctx context.Context, refs []flushlist.Ref) []flushlist.Found {
			found := s.Fetch(ctx, refs)
			if len(found) > 1 {
				alter(found)
			}
			return found
		}}
	}
}

// split is the Intent of a write that treats its first list as it should, and the rest in another way where
// one is given.
type split struct {
	flushlist.Intent // of the first list
	rest             flushlist.Intent
	finish           func(flushlist.Intent)
	abort            func(flushlist.Intent)
	leave            func(flushlist.Intent)
	renewsNot        bool
}

func aborts(in flushlist.Intent)   { in.Abort(context.Background()) }
func finishes(in flushlist.Intent) { in.Finish(context.Background()) }

// splits makes stores whose writes of several lists are split.
func splits(as split) func(*tiered.Store) cacheruntime.Store {
	return func(s *tiered.Store) cacheruntime.Store {
		return altered{Store: s, prepare: func(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
			first, err := s.Prepare(ctx, lists[:1], mode)
			if err != nil || len(lists) == 1 {
				return first, err
			}
			in := as
			in.Intent = first
			in.rest, err = s.Prepare(ctx, lists[1:], mode)
			return in, err
		}}
	}
}

func (in split) Renew(ctx context.Context) error {
	if err := in.Intent.Renew(ctx); err != nil || in.renewsNot {
		return err
	}
	return in.rest.Renew(ctx)
}

func (in split) Finish(ctx context.Context) {
	in.Intent.Finish(ctx)
	if in.finish != nil {
		in.finish(in.rest)
		return
	}
	in.rest.Finish(ctx)
}

func (in split) Abort(ctx context.Context) {
	in.Intent.Abort(ctx)
	if in.abort != nil {
		in.abort(in.rest)
		return
	}
	in.rest.Abort(ctx)
}

func (in split) Leave() {
	in.Intent.Leave()
	if in.leave != nil {
		in.leave(in.rest)
		return
	}
	in.rest.Leave()
}

type unmarked struct{ *tiered.Store }

func (s unmarked) Prepare(context.Context, []flushlist.List, flushlist.Mode) (flushlist.Intent, error) {
	return nothing{}, nil
}

type unfinished struct{ *tiered.Store }

func (s unfinished) Prepare(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
	in, err := s.Store.Prepare(ctx, lists, mode)
	if err != nil {
		return nil, err
	}
	return aborting{in}, nil
}

// nothing is an Intent without effect, aborting one whose Finish flushes nothing.
type nothing struct{}

func (nothing) Late() bool                  { return false }
func (nothing) Renew(context.Context) error { return nil }
func (nothing) Finish(context.Context)      {}
func (nothing) Abort(context.Context)       {}
func (nothing) Leave()                      {}

type aborting struct{ flushlist.Intent }

func (in aborting) Finish(ctx context.Context) { in.Abort(ctx) }

// forgetful takes out no token but the first ones.
type forgetful struct {
	flushlist.Intent
	store *tiered.Store
	lists []flushlist.List
}

func (in forgetful) Renew(ctx context.Context) error {
	_, err := in.store.Prepare(ctx, in.lists, flushlist.Strict)
	return err
}

type restamped struct{ *tiered.Store }

func (s restamped) Fill(ctx context.Context, fills []flushlist.Fill) {
	for i := range fills {
		fills[i].Ticket = s.Fetch(ctx, []flushlist.Ref{fills[i].Ref})[0].Ticket
	}
	s.Store.Fill(ctx, fills)
}

type shared struct {
	*tiered.Store
	payloads map[string][]byte
}

func (s shared) Fetch(ctx context.Context, refs []flushlist.Ref) []flushlist.Found {
	found := s.Store.Fetch(ctx, refs)
	for i, r := range refs {
		if found[i].Outcome.Hit() {
			if s.payloads[r.Key] == nil {
				s.payloads[r.Key] = found[i].Value.Payload
			}
			found[i].Value.Payload = s.payloads[r.Key]
		}
	}
	return found
}

type presumptuous struct{ *tiered.Store }

func (s presumptuous) Fill(ctx context.Context, fills []flushlist.Fill) {
	for i := range fills {
		fills[i].Value.Absent = false
	}
	s.Store.Fill(ctx, fills)
}

type disordered struct{ *tiered.Store }

func (s disordered) Fetch(ctx context.Context, refs []flushlist.Ref) []flushlist.Found {
	found := s.Store.Fetch(ctx, refs)
	if len(found) > 2 {
		found[0], found[1] = found[1], found[0]
	}
	return found
}

type promiscuous struct{ *tiered.Store }

func (s promiscuous) Claim(string, func(flushlist.Event)) (func(), error) { return func() {}, nil }

type attached struct{ *tiered.Store }

func (s attached) Prepare(ctx context.Context, lists []flushlist.List, mode flushlist.Mode) (flushlist.Intent, error) {
	in, err := s.Store.Prepare(ctx, lists, mode)
	return obedient{in}, err
}

// obedient does nothing once its caller's context has ended.
type obedient struct{ flushlist.Intent }

func (in obedient) Finish(ctx context.Context) {
	if ctx.Err() == nil {
		in.Intent.Finish(ctx)
	}
}

// registering is a store whose registrations are others.
func registering(other func(flushlist.Registration) flushlist.Registration) func(*tiered.Store) cacheruntime.Store {
	return func(s *tiered.Store) cacheruntime.Store { return otherwise{s, other} }
}

type otherwise struct {
	*tiered.Store
	other func(flushlist.Registration) flushlist.Registration
}

func (s otherwise) Register(ctx context.Context, table flushlist.List, identities []uint64) flushlist.Registration {
	return s.other(s.Store.Register(ctx, table, identities))
}

// unregistered is a registration that never comes about.
type unregistered struct{}

func (unregistered) Flushed(uint64) (uint64, bool) { return 0, false }
func (unregistered) Confirmed() uint64             { return 0 }

// known is a registration that is confirmed before the others know of it.
type known struct{ flushlist.Registration }

func (known) Confirmed() uint64 { return 1 }
