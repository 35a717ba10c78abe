package tiered

import (
	"context"
	"fmt"
	"time"

	"github.com/allegro/bigcache/v3"
	"github.com/cespare/xxhash/v2"
)

// entries is the memory for envelopes in this process. Which of them may be served is for
// others to judge.
type entries struct {
	cache *bigcache.BigCache
	most  int // bytes of the largest entry that is kept
}

// newEntries returns a memory of mb MiB. bigcache divides it into shards, each with a ring of
// bytes that the newest entries overwrite; they are made large enough for large entries, and
// not so few that readers stand in line.
func newEntries(mb int) (*entries, error) {
	shards := 1
	for shards < 256 && mb/(2*shards) >= 4 {
		shards *= 2
	}
	cache, err := bigcache.New(context.Background(), bigcache.Config{
		Shards: shards,
		// Expiry lies in the envelope, for each entry. This is for ever.
		LifeWindow:         100 * 365 * 24 * time.Hour,
		CleanWindow:        0,           // no goroutine
		MaxEntriesInWindow: 64 * shards, // with the next: 16 KiB a shard to begin with
		MaxEntrySize:       256,
		HardMaxCacheSize:   mb,
		Hasher:             hasher{}, // keys are long: bigcache's own goes byte by byte
	})
	if err != nil {
		return nil, fmt.Errorf("tiered: first tier: %w", err)
	}
	// bigcache would throw out all other entries of a shard before it found one too large.
	return &entries{cache: cache, most: mb << 20 / shards / 4}, nil
}

// hasher is xxhash, for bigcache. It compares the whole key after it.
type hasher struct{}

func (hasher) Sum64(key string) uint64 { return xxhash.Sum64String(key) }

// get returns a private copy of an entry's bytes, or nil.
func (e *entries) get(key string) []byte {
	b, err := e.cache.Get(key)
	if err != nil {
		return nil
	}
	return b
}

// keep is set where the entry is not there already. bigcache's rings take each set for a new entry, so that
// hot ones, stored again at every look at their stamps, would push the others out.
func (e *entries) keep(key string, b []byte) {
	if there := e.get(key); there == nil || checksum(there) != checksum(b) {
		e.set(key, b)
	}
}

// set keeps a copy of an entry's bytes, if they are not too large.
func (e *entries) set(key string, b []byte) {
	if len(key)+len(b) <= e.most {
		_ = e.cache.Set(key, b)
	}
}

func (e *entries) close() { _ = e.cache.Close() }
