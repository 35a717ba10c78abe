package cacheruntime

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"
)

func TestSameVars(t *testing.T) {
	now := time.Now()
	vars := func() []any {
		return []any{uint64(1), int64(-1), math.NaN(), 0.5, true, "a", []byte("b"), now, nil}
	}
	if !sameVars(vars(), vars()) {
		t.Error("the same values differ")
	}
	for i := range vars() {
		other := vars()
		other[i] = "other"
		if sameVars(vars(), other) || sameVars(vars()[:i], vars()) {
			t.Errorf("a change of value %d is not seen", i)
		}
	}
}

// behaviours 13, 98: the longest parts and a partition of any length make legal keys and names, of their own for
// each partition.
func TestPartitionKeys(t *testing.T) {
	rt := &Runtime{}
	o := Options{Namespace: strings.Repeat("n", maxNamespace), Prefix: strings.Repeat("p", maxPrefix), Version: strings.Repeat("v", maxVersion)}
	n := newTableNames(o, strings.Repeat("t", maxName))
	seen := map[string]string{}
	for _, name := range []string{"", "a", strings.Repeat("a", 32), strings.Repeat("a", 33), "a b", "@", "a:u1", strings.Repeat("ü", 500)} {
		rt.opts.Partition = func(context.Context) string { return name }
		p, err := rt.partition(context.Background())
		if err != nil || len(p) > maxPartition {
			t.Fatal(p, err)
		}
		for _, k := range []keys{n.rows("12345678"), n.accessor(strings.Repeat("x", maxName), "12345678")} {
			for _, args := range [][]Arg{nil, {Uint(uint(1))}, {Text(strings.Repeat("y", 300))}, {Text("ä b")}} {
				r := k.ref(&scratch{}, p, 1, args)
				if len(r.Key) > maxKey || len(r.List.Name) > maxListName || len(r.All.Name) > maxListName ||
					!legal([]byte(r.Key)) || !legal([]byte(r.List.Name)) || !legal([]byte(r.All.Name)) {
					t.Errorf("%q: %d %s\n%d %s", name, len(r.Key), r.Key, len(r.List.Name), r.List.Name)
				}
				if r.All.ID != k.allID(p) || r.List != k.listOf(&scratch{}, p, args) {
					t.Errorf("%q: the names differ", name)
				}
				for _, s := range []string{r.Key[routeDigits:], r.List.Name} {
					if other, ok := seen[s]; ok && other != name {
						t.Errorf("%q and %q share %s", name, other, s)
					}
					seen[s] = name
				}
			}
		}
	}
}

// The partition costs a hit no allocation, with and without.
func TestPartitionAllocations(t *testing.T) {
	k := newTableNames(Options{Namespace: "shop"}, "croupons").rows("12345678")
	s := &scratch{key: make([]byte, 0, maxKey), list: make([]byte, 0, maxListName)}
	args := []Arg{Uint(uint64(42))}
	for _, p := range []partition{"", "acme"} {
		if n := testing.AllocsPerRun(100, func() { k.entry(s, p, args); k.allID(p) }); n > 1 {
			t.Errorf("%q: %v allocations, not the key's alone", p, n)
		}
	}
}
