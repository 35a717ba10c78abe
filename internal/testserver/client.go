package testserver

import (
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

// Client is memcached as a test sees it behind a store's back. It waits a minute for an answer, and not
// gomemcache's half a second, for which a busy machine may be away.
func Client(addr string) *memcache.Client {
	c := memcache.New(addr)
	c.Timeout = time.Minute
	return c
}
