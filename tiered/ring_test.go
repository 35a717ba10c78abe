package tiered

import (
	"bufio"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The vectors are libmemcached's own: testdata/ketama/vectors.c prints them.
func TestKetamaIsLibmemcacheds(t *testing.T) {
	f, err := os.Open("testdata/ketama/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r ring
	var selector *Selector
	var of string
	var order []string
	rings, keys := 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if list, ok := strings.CutPrefix(lines.Text(), "ring "); ok {
			var servers []string
			var weights []int
			for _, s := range strings.Fields(list) {
				server, weight, _ := strings.Cut(s, "*")
				n, err := strconv.Atoi(weight)
				if err != nil {
					t.Fatal(err)
				}
				servers, weights = append(servers, server), append(weights, n)
			}
			r, of = newRing(servers, weights), list
			if selector, err = NewSelector(servers, weights); err != nil {
				t.Fatal(err)
			}
			order = servers
			rings++
			continue
		}
		key, index, _ := strings.Cut(lines.Text(), " ")
		sum := md5.Sum([]byte(key)) // libmemcached's hash of keys; ours are positions already
		route := uint64(binary.LittleEndian.Uint32(sum[:])) << 32
		if got := strconv.Itoa(r.server(route)); got != index {
			t.Fatalf("%s of %s: server %s, libmemcached's is %s", key, of, got, index)
		}
		if a, err := selector.PickServer(fmt.Sprintf("%016x:x", route)); err != nil || a.String() != order[r.server(route)] {
			t.Fatalf("%s of %s: the Selector says %v, %v", key, of, a, err)
		}
		keys++
	}
	if rings < 10 || keys < 4000 {
		t.Fatalf("%d rings, %d keys", rings, keys)
	}
}

// A server that joins n others takes about its share of the positions, and no position moves
// between the others.
func TestRingMovesOnlyItsShare(t *testing.T) {
	const probes = 100_000
	for n := 2; n <= 12; n++ {
		for _, weight := range []int{1, 3} {
			var servers []string
			var weights []int
			for i := range n {
				servers, weights = append(servers, fmt.Sprintf("10.0.0.%d:11211", i+1)), append(weights, 1)
			}
			before := newRing(servers, weights)
			after := newRing(append(servers, "10.0.1.1:11211"), append(weights, weight))
			moved := 0
			for i := range uint64(probes) {
				route := i * (math.MaxUint64 / probes)
				was, is := before.server(route), after.server(route)
				if was == is {
					continue
				}
				moved++
				if weight == 1 && is != n {
					t.Fatalf("a position moved from server %d to %d of %d", was, is, n)
				}
			}
			share := float64(weight) / float64(n+weight)
			if got := float64(moved) / probes; got < 0.7*share || got > 1.6*share {
				t.Errorf("server %d of weight %d: %.3f of the positions moved, its share is %.3f", n+1, weight, got, share)
			}
		}
	}
}
