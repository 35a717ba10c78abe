package cacheruntime

import (
	"context"
	"fmt"

	"github.com/cachegen/cachegen/flushlist"
	"github.com/cespare/xxhash/v2"
)

// partition is what Options.Partition says of a context, as it stands in keys: at most maxPartition bytes, those of
// a name or a digest. The empty one stands in none, so that it is also where programs without a
// Partition are.
type partition string

// A name of at most maxPartitionName bytes stands in keys as it is. A digest is maxPartition bytes long, and
// begins with a byte that no name has.
const (
	maxPartitionName = 32
	maxPartition     = 33
)

// partition asks Options.Partition about a context. A panic in it is the error.
func (rt *Runtime) partition(ctx context.Context) (p partition, err error) {
	if rt.opts.Partition == nil {
		return "", nil
	}
	if ctx == nil {
		ctx = context.Background()
	}
	defer func() {
		if r := recover(); r != nil {
			p, err = "", fmt.Errorf("cachegen: Options.Partition panicked, so that it is not known whose rows these are: %v", r)
		}
	}()
	name := rt.opts.Partition(ctx)
	if len(name) <= maxPartitionName && nameIs(name) {
		return partition(name), nil
	}
	return partition(appendDigest(nil, []byte(name))), nil
}

// append appends the partition as it stands between two parts of a key.
func (p partition) append(b []byte) []byte {
	if p == "" {
		return b
	}
	return append(append(b, '@'), p...)
}

// appendHead appends a head of a list's name, in which the partition comes behind the namespace.
func (k *keys) appendHead(b []byte, p partition, head []byte) []byte {
	if p == "" {
		return append(b, head...)
	}
	b = append(b, head[:k.namespace]...)
	return append(p.append(b), head[k.namespace:]...)
}

// allID is the ID of the table's `all` list.
func (k *keys) allID(p partition) uint64 {
	if p == "" {
		return k.all.ID
	}
	var name [maxNamespace + 1 + maxPartition + 1 + maxName]byte
	return xxhash.Sum64(k.appendHead(name[:0], p, k.allHead))
}

// allIn is the table's `all` list.
func (k *keys) allIn(p partition) flushlist.List {
	if p == "" {
		return k.all
	}
	name := string(k.appendHead(nil, p, k.allHead))
	return flushlist.List{Name: name, ID: xxhash.Sum64String(name), All: true}
}
