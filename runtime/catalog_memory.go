package cacheruntime

import (
	"sync"
	"time"
)

// catalogTTL is how long what the catalog said is believed: DDL of this program ends it, that of others may not be
// heard of.
const catalogTTL = time.Minute

// mostKnown is how many answers of a kind are remembered.
const mostKnown = 1000

// catalogMemory is what the database's catalog has said about the tables that are written. It is safe for concurrent use.
type catalogMemory struct {
	kins       answers[kinKey, sqlKin]
	references answers[referencesKey, *references]
}

func (m *catalogMemory) forget() {
	m.kins.forget()
	m.references.forget()
}

// now is the moment of what the catalog answers from here on.
func (m *catalogMemory) now() moment {
	_, now, _ := m.references.get(referencesKey{})
	return now // both are forgotten together
}

// moment is when an answer was true: in which era, and when in it.
type moment struct {
	era int // how often everything was forgotten before it
	at  time.Time
}

// answers remembers the answers to questions of a kind. It is safe for concurrent use.
type answers[K comparable, V any] struct {
	mu    sync.Mutex
	era   int // of the next answer
	known map[K]answer[V]
}

type answer[V any] struct {
	v        V
	at       time.Time
	renewing bool // it is asked for again, behind those who use it
}

// get returns an answer, and the moment at which it was looked for.
func (a *answers[K, V]) get(key K) (v V, now moment, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.known[key]
	return known.v, moment{a.era, time.Now()}, ok && time.Since(known.at) < catalogTTL
}

// renew reports whether the one who asks is to ask for an answer anew, since half of its time is over, and the moment from
// which the new one will be true. It says so once for an answer.
func (a *answers[K, V]) renew(key K) (now moment, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.known[key]
	if !ok || known.renewing || time.Since(known.at) < catalogTTL/2 {
		return now, false
	}
	known.renewing = true
	a.known[key] = known
	return moment{a.era, time.Now()}, true
}

// put keeps what was true at a moment, unless its era has ended.
func (a *answers[K, V]) put(key K, v V, then moment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if then.era != a.era {
		return
	}
	if a.known == nil || len(a.known) >= mostKnown {
		a.known = map[K]answer[V]{}
	}
	a.known[key] = answer[V]{v: v, at: then.at}
}

func (a *answers[K, V]) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.era++
	a.known = nil
}
