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

// answers remembers the answers to questions of a kind. It is safe for concurrent use.
type answers[K comparable, V any] struct {
	mu    sync.Mutex
	era   int // how often everything was forgotten
	known map[K]answer[V]
}

type answer[V any] struct {
	v  V
	at time.Time
}

// get returns an answer, and the era in which it was looked for.
func (a *answers[K, V]) get(key K) (v V, era int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.known[key]
	return known.v, a.era, ok && time.Since(known.at) < catalogTTL
}

// put keeps what was asked for in an era, unless that has ended.
func (a *answers[K, V]) put(key K, v V, era int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if era != a.era {
		return
	}
	if a.known == nil || len(a.known) >= mostKnown {
		a.known = map[K]answer[V]{}
	}
	a.known[key] = answer[V]{v, time.Now()}
}

func (a *answers[K, V]) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.era++
	a.known = nil
}
