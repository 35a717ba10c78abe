package tiered

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/bradfitz/gomemcache/memcache"
)

// Selector finds the server of a key as a [Store] does, for programs that look at its items with
// gomemcache's client: memcache.NewFromSelector takes it. It knows the servers that the store's
// Options.Servers names, which reads go to. It is safe for concurrent use.
type Selector struct {
	ring    ring
	servers []net.Addr
	byName  map[string]int // as the keys of `all` cells have it: an index into servers
}

var _ memcache.ServerSelector = (*Selector)(nil)

// NewSelector returns the Selector of a store's Options.Servers and Options.Weights. Its error is that of
// Open for them.
func NewSelector(servers []string, weights []int) (*Selector, error) {
	if err := (Options{Servers: servers, Weights: weights}).validRings(); err != nil {
		return nil, err
	}
	if len(servers) == 0 {
		return nil, memcache.ErrNoServers
	}
	s := &Selector{ring: newRing(servers, weights), byName: make(map[string]int)}
	for i, server := range servers {
		s.servers = append(s.servers, serverAddr(server))
		s.byName[keyName(server)] = i
	}
	return s, nil
}

// PickServer returns the server of a key: of an entry, a cell or a lease, by the 16 hexadecimal digits
// that it begins with; of the cell of an `all` list, by the server's name in it; of any other key that
// begins with an at sign, the journal's server. Ring records lie on every server. For a key that no
// store makes it returns an error.
func (s *Selector) PickServer(key string) (net.Addr, error) {
	if name, ok := strings.CutPrefix(key, "@"); ok {
		for i := len(name); i > 0; i = strings.LastIndexByte(name[:i], ':') {
			if server, ok := s.byName[name[:i]]; ok {
				return s.servers[server], nil
			}
		}
		return s.servers[s.ring.server(homeRoute)], nil
	}
	route, rest, ok := strings.Cut(key, ":")
	if !ok || rest == "" || len(route) != 16 || strings.ToLower(route) != route {
		return nil, errForeignKey
	}
	id, err := strconv.ParseUint(route, 16, 64)
	if err != nil {
		return nil, errForeignKey
	}
	return s.servers[s.ring.server(id)], nil
}

var errForeignKey = errors.New("tiered: the key is none of a store's: they begin with 16 hexadecimal digits and a colon, or with an at sign")

// Each calls f for each server, until it returns an error.
func (s *Selector) Each(f func(net.Addr) error) error {
	for _, a := range s.servers {
		if err := f(a); err != nil {
			return err
		}
	}
	return nil
}
