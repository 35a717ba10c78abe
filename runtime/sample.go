package cacheruntime

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/flushlist"
)

// sampler compares one in so many hits with the database, in the background, and counts those that the
// promise does not allow. What decides is in sample_judge.go. A nil *sampler samples nothing.
type sampler struct {
	rt    *Runtime
	below uint64    // a random number of 32 bits below it is a sample
	first firstTier // nil where the store has none that may be behind
	queue chan *sample
	found chan *staleEntry // to be watched; there is room for all that may be

	ctx     context.Context // done once the runtime is closed
	stop    context.CancelFunc
	running sync.WaitGroup

	compared, behind, stale, dropped atomic.Int64

	mu       sync.Mutex
	watched  map[string]bool // keys of the entries found stale that are looked at until they are right
	worstAge time.Duration
	worstKey string
}

// firstTier is what a store with a first tier that may be behind has beside the methods of Store, so
// that its hits can be judged by its own bound. Of a store without them, what Fetch answers is judged.
type firstTier interface {
	// MaxStale is how far behind what First serves may be; 0 where that is never behind what Fetch answers.
	MaxStale() time.Duration
	// Peek is First, with the stamps that the entry was served under in its answer's ticket.
	Peek(flushlist.Ref) flushlist.Found
}

const (
	sampleWorkers = 2
	mostSamples   = 64 // that wait; more are dropped
	mostWatched   = 64 // stale entries that are looked at again
)

func newSampler(rt *Runtime, every int) *sampler {
	if every == 0 {
		return nil
	}
	s := &sampler{
		rt: rt, below: (1 << 32) / uint64(every),
		queue: make(chan *sample, mostSamples), found: make(chan *staleEntry, mostWatched), watched: map[string]bool{},
	}
	if f, ok := rt.store.(firstTier); ok && f.MaxStale() > 0 {
		s.first = f
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	for range sampleWorkers {
		s.running.Go(s.work)
	}
	s.running.Go(s.watch)
	return s
}

// close ends what runs in the background, and waits for it.
func (s *sampler) close() {
	if s != nil {
		s.stop()
		s.running.Wait()
	}
}

// due reports whether the hit at hand is one to be compared. It is asked at every hit, and touches nothing that
// goroutines share.
func (s *sampler) due() bool { return s != nil && uint64(rand.Uint32()) < s.below }

// sample is a hit to be compared.
type sample struct {
	ctx   context.Context // the reader's values
	want  wanted
	value flushlist.Value // what was served
	first bool            // from the first tier
}

// take has a hit compared: what w wants was served as v. The reader does not wait.
//
//go:noinline
func (s *sampler) take(ctx context.Context, w wanted, v flushlist.Value, from flushlist.Outcome) {
	if w.table == nil {
		return // a query: two answers of the database may differ, where it leaves the order or the LIMIT open
	}
	x := &sample{
		ctx:  context.WithValue(context.WithoutCancel(ctx), callOptionsKey{}, defaultCall), // no trace of its statements
		want: w, value: v, first: from == flushlist.HitFirst && s.first != nil,
	}
	select {
	case s.queue <- x:
	default:
		s.dropped.Add(1)
	}
}

func (s *sampler) work() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case x := <-s.queue:
			if s.ctx.Err() != nil {
				return // both were to be had
			}
			s.check(x)
		}
	}
}

// database loads the entry as a miss would. ok is false where that says nothing: the database does not answer,
// something is added to the statement, or the row cannot be compared.
func (s *sampler) database(x *sample) (now flushlist.Value, ok bool) {
	ctx, cancel := s.rt.detach(x.ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	c := &call{callOptions: defaultCall, rt: s.rt, cached: true, sampling: true, load: &loading{}}
	results, err := protect(ctx, c, []int{0}, true, x.want.load)
	if err != nil || len(results) != 1 || c.load.problem != "" {
		return now, false
	}
	return x.want.loadedValue(results[0].value)
}

// pause waits, and returns false where the runtime is closed meanwhile.
func (s *sampler) pause(d time.Duration) bool {
	if d <= 0 {
		return s.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// StaleError is the error of an event of kind [flushlist.StaleHit]: a sampled hit that the promise does not allow.
type StaleError struct {
	// Accessor is the model and the method, as in "Croupon.Get".
	Accessor string
	// Key is the entry's key, and List the flush list that it hangs on.
	Key, List string
	// Tier is the tier that served it, flushlist.HitFirst or flushlist.HitSecond.
	Tier flushlist.Outcome
	// Age is how long the database was seen to have something else while the entry was still
	// served, up to the event. The true time may be longer.
	Age time.Duration
}

// Error says what was found, and what it may come from.
func (e *StaleError) Error() string {
	return fmt.Sprintf("cachegen: %s was served stale from the %s: for at least %s the database has differed from the entry %s. "+
		"Was it written past GORM, or in a program without the plugin or its NewModels? Then flush %s after such writes; see docs/watching.md",
		e.Accessor, e.Tier, e.Age.Round(time.Microsecond), e.Key, e.List)
}

// Sampled is what the comparisons of [Options.Sample] with the database found.
type Sampled struct {
	// Hits counts the hits that were compared.
	Hits int64
	// Behind counts those of them that differed, as the promise allows: a write came in between, or had
	// come less than the first tier's bound before.
	Behind int64
	// Stale counts those that were served although the database had had something else for longer than
	// allowed. It should be 0.
	Stale int64
	// Dropped counts the samples that were not compared: there were more than the workers could take, the
	// database did not answer, or the rows cannot be compared.
	Dropped int64
	// WorstAge is the longest time for which the database was seen to have something else while a stale entry
	// was still served, and WorstKey is that entry's key. An entry is watched for at most a minute, so the true
	// time may be longer.
	WorstAge time.Duration
	WorstKey string
}

// stats returns the counts so far.
func (s *sampler) stats() Sampled {
	if s == nil {
		return Sampled{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Hits last: it is counted first, so that no snapshot has more of the others than of it.
	behind, stale := s.behind.Load(), s.stale.Load()
	return Sampled{
		Hits: s.compared.Load(), Behind: behind, Stale: stale, Dropped: s.dropped.Load(),
		WorstAge: s.worstAge, WorstKey: s.worstKey,
	}
}

// combine adds the counts of t, or takes them away. The worst is that of both, since it is no count.
func (s Sampled) combine(t Sampled, sign int64) Sampled {
	s.Hits += sign * t.Hits
	s.Behind += sign * t.Behind
	s.Stale += sign * t.Stale
	s.Dropped += sign * t.Dropped
	if sign > 0 && t.WorstAge > s.WorstAge {
		s.WorstAge, s.WorstKey = t.WorstAge, t.WorstKey
	}
	return s
}
