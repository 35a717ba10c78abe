package tiered

import (
	"context"
	"errors"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// home is the server where the journal of the first ring lies, and what else belongs to all servers together.
// Every process with this ring finds it alike.
func (s *Store) home() *server {
	return s.places[s.ring.server(homeRoute)].(*server)
}

// homes returns home, and the home of the ring that writes flush on also, if that is another server. What is
// to be known to processes a step away is told to both, each of which looks at its own first.
func (s *Store) homes() []*server {
	homes := []*server{s.home()}
	if also := s.also.at(homeRoute); also >= 0 && s.places[also] != place(homes[0]) {
		homes = append(homes, s.places[also].(*server))
	}
	return homes
}

// homeRoute is the route of the journal's keys.
var homeRoute = xxhash.Sum64String(journalHead)

// twoJournals is the journal of a process that flushes on two rings, as its writers see it: a number, and a
// record, in each. The numbers of the first are the ones that Take returns.
type twoJournals struct {
	Journal // of the first ring
	also    Journal

	mu    sync.Mutex
	taken map[uint64]uint64 // numbers in also, by those of the first
}

// mostTaken bounds the numbers that wait for their record. One that is forgotten is taken anew.
const mostTaken = 1 << 12

func newTwoJournals(first, also Journal) *twoJournals {
	return &twoJournals{Journal: first, also: also, taken: make(map[uint64]uint64)}
}

func (j *twoJournals) Take(ctx context.Context) (uint64, error) {
	var numbers [2]uint64
	var errs [2]error
	inParallel(2, 2, func(i int) { numbers[i], errs[i] = [...]Journal{j.Journal, j.also}[i].Take(ctx) })
	if err := errors.Join(errs[:]...); err != nil {
		// The number that was taken is closed by readers, unless it is given back.
		for i, other := range [...]Journal{j.Journal, j.also} {
			if errs[i] == nil {
				_ = other.Put(context.WithoutCancel(ctx), numbers[i], journalRecord{kind: recordVoid}.bytes())
			}
		}
		return 0, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.taken) >= mostTaken {
		clear(j.taken)
	}
	j.taken[numbers[0]] = numbers[1]
	return numbers[0], nil
}

// Put puts the record into both. Where a reader of one of them has closed the number, its error matches
// ErrRecorded, and the writer takes two new ones: a record that is there twice is read twice.
func (j *twoJournals) Put(ctx context.Context, number uint64, record []byte) error {
	j.mu.Lock()
	other, ok := j.taken[number]
	delete(j.taken, number)
	j.mu.Unlock()
	if !ok {
		return ErrRecorded
	}
	var errs [2]error
	inParallel(2, 2, func(i int) {
		errs[i] = [...]Journal{j.Journal, j.also}[i].Put(ctx, [...]uint64{number, other}[i], record)
	})
	for _, err := range errs {
		if err != nil && !errors.Is(err, ErrRecorded) {
			return err
		}
	}
	return errors.Join(errs[:]...)
}
