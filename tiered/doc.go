// Package tiered keeps cached entries in two tiers, bigcache in the process in front of
// memcached, and keeps them right by the stamps of their flush lists. With no server named it
// is the same cache within the process alone.
//
// A lookup compares the stamps that an entry was stored under with those that its lists have
// now; a write leaves a token in the cells of its lists before its COMMIT and gives them new
// stamps after it. The rules are the same wherever the cells lie, and are written once here,
// over the small interface place.
//
// The package satisfies the Store of package cacheruntime without importing it.
package tiered
