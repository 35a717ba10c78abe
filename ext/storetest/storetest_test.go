package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/ext/storetest"
	"github.com/cachegen/cachegen/flushlist"
	cacheruntime "github.com/cachegen/cachegen/runtime"
	"github.com/cachegen/cachegen/tiered"
)

// A store is run through the suite by a test like this one. Second, Evict and Cut are left out, since
// this store's data is in the process and is never lost.
func ExampleRun() {
	_ = func(t *testing.T) { // TestStore, say
		storetest.Run(t, storetest.Harness{
			Open: func(tb testing.TB, intentTTL time.Duration) cacheruntime.Store {
				store, err := tiered.Open(tiered.Options{IntentTTL: intentTTL})
				if err != nil {
					tb.Fatal(err)
				}
				return store
			},
			Close:    func(store cacheruntime.Store) { _ = store.(*tiered.Store).Close() },
			TooLarge: 1 << 20,
		})
	}
}

// faulty names the environment variable that makes TestStore's store a faulty one.
const faulty = "STORETEST_FAULT"

func TestStore(t *testing.T) {
	fault := faults[os.Getenv(faulty)]
	storetest.Run(t, storetest.Harness{
		Open: func(tb testing.TB, intentTTL time.Duration) cacheruntime.Store {
			store, err := tiered.Open(tiered.Options{IntentTTL: intentTTL})
			if err != nil {
				tb.Fatal(err)
			}
			if fault != nil {
				return fault(store)
			}
			return store
		},
		Close: func(store cacheruntime.Store) {
			if c, ok := store.(interface{ Close() error }); ok {
				_ = c.Close()
			}
		},
		TooLarge: 1 << 20,
	})
}

// faults are stores that are wrong in one way each.
var faults = map[string]func(*tiered.Store) cacheruntime.Store{
	"marks nothing before COMMIT":      func(s *tiered.Store) cacheruntime.Store { return unmarked{s} },
	"never flushes":                    func(s *tiered.Store) cacheruntime.Store { return unfinished{s} },
	"stores under the stamps of now":   func(s *tiered.Store) cacheruntime.Store { return restamped{s} },
	"hands out one slice to everybody": func(s *tiered.Store) cacheruntime.Store { return shared{s, map[string][]byte{}} },
	"forgets absence":                  func(s *tiered.Store) cacheruntime.Store { return presumptuous{s} },
	"answers in another order":         func(s *tiered.Store) cacheruntime.Store { return disordered{s} },
	"takes every claim":                func(s *tiered.Store) cacheruntime.Store { return promiscuous{s} },
	"lets a caller's context end a write": func(s *tiered.Store) cacheruntime.Store {
		return attached{s}
	},
}

// Each fault fails the suite, in the case that is about it. The suite is run by this test's own program,
// since a test that is to fail cannot be a part of one that is to pass.
func TestFaultsAreFound(t *testing.T) {
	for fault, want := range map[string]string{
		"marks nothing before COMMIT":         "FlushOfList",
		"never flushes":                       "FlushOfAll",
		"stores under the stamps of now":      "SlowReaderOfOldRow",
		"hands out one slice to everybody":    "PrivateCopies",
		"forgets absence":                     "Absent",
		"answers in another order":            "ManyInOrder",
		"takes every claim":                   "Claim",
		"lets a caller's context end a write": "EndIsDetached",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			suite := exec.Command(os.Args[0], "-test.run=^TestStore$/^"+want+"$", "-test.v")
			suite.Env = append(os.Environ(), faulty+"="+fault)
			out, err := suite.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestStore/"+want) {
				t.Errorf("a store that %s passes %s: %v\n%s", fault, want, err, out)
			}
		})
	}
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
