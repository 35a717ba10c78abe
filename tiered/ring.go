package tiered

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"slices"
)

// ring spreads flush lists over servers by ketama, the consistent hashing that Richard Jones
// wrote for last.fm: every server has some 160 points on a circle of 32 bits, times its share of
// the weights, and a position belongs to the first point at or after it. A server that comes or
// goes moves only its own share of positions.
//
// The points are those of libmemcached's weighted ketama, so that clients in other languages can
// find the same servers. A ring is read-only.
type ring struct {
	points []point
}

type point struct {
	at     uint32
	server int
}

// newRing returns the ring of servers; no weights are equal ones. With one server or none there is
// nothing to choose.
func newRing(servers []string, weights []int) ring {
	if len(servers) < 2 {
		return ring{}
	}
	total := len(servers)
	for _, w := range weights {
		total += w - 1
	}
	var r ring
	for i, s := range servers {
		weight := 1
		if weights != nil {
			weight = weights[i]
		}
		// libmemcached counts its points in single precision, which makes some a hash less than
		// they should be. The same steps are needed to get the same points.
		share := float32(weight) / float32(total)
		hashes := int(math.Floor(float64(float32(float64(float32(float32(share*160)/4*float32(len(servers)))) + 1e-10))))
		name := ketamaName(s)
		for h := range hashes {
			sum := md5.Sum(fmt.Appendf(nil, "%s-%d", name, h))
			for p := range 4 {
				r.points = append(r.points, point{binary.LittleEndian.Uint32(sum[4*p:]), i})
			}
		}
	}
	// Equal points would go by the order in which a process names its servers, and must not.
	slices.SortFunc(r.points, func(a, b point) int {
		if a.at != b.at {
			if a.at < b.at {
				return -1
			}
			return 1
		}
		if servers[a.server] < servers[b.server] {
			return -1
		}
		return 1
	})
	return r
}

// ketamaName is the name that libmemcached hashes: it leaves out memcached's usual port.
func ketamaName(server string) string {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		return server
	}
	if port == "11211" {
		return host
	}
	return host + ":" + port
}

// server returns the index of the server that a route belongs to: the ID of a flush list, the
// first 16 hex digits of a key. Its upper half is the position on the circle.
func (r ring) server(route uint64) int {
	if len(r.points) == 0 {
		return 0
	}
	at := uint32(route >> 32)
	lo, hi := 0, len(r.points)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if r.points[mid].at < at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(r.points) {
		lo = 0
	}
	return r.points[lo].server
}

// ringAt is a ring whose servers are places of this store.
type ringAt struct {
	ring   ring
	places []int // by server of the ring: its index into Store.places, or -1; empty for no ring
}

// at returns the place that a route belongs to, -1 where there is none here.
func (r ringAt) at(route uint64) int {
	if len(r.places) == 0 {
		return -1
	}
	return r.places[r.ring.server(route)]
}
