package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cachegen/cachegen/example/shop"
	cacheruntime "github.com/cachegen/cachegen/runtime"
)

// readers are the models' readers, all through the cache or all beside it.
type readers struct {
	cities   shop.CityReader
	croupons shop.CrouponReader
	reviews  shop.ReviewReader
}

func cachedReaders(m *shop.Models) readers {
	return readers{m.City.Cache, m.Croupon.Cache, m.Review.Cache}
}

func directReaders(m *shop.Models) readers {
	return readers{m.City.Objects, m.Croupon.Objects, m.Review.Objects}
}

// compare makes n reads three times: through a cache that has not seen them, through one that has, and
// beside it. It prints a line for each.
func (t *tour) compare(title, what string, n int, read func(r readers, i int) error) error {
	fmt.Printf("\n%s: %s\n", title, what)
	fmt.Printf("    %-14s %6s %12s %12s %8s %13s %13s\n", "", "SQL", "first tier", "second tier", "misses", "median", "p99")
	for _, pass := range []struct {
		name string
		r    readers
	}{
		{"Cache, cold", cachedReaders(t.m)},
		{"Cache, warm", cachedReaders(t.m)},
		{"Objects", directReaders(t.m)},
	} {
		before := t.rt.Stats()
		times := make([]time.Duration, n)
		for i := range n {
			began := time.Now()
			if err := read(pass.r, i); err != nil {
				return fmt.Errorf("%s: %w", title, err)
			}
			times[i] = time.Since(began)
		}
		report(pass.name, t.rt.Stats().Minus(before), times)
	}
	return nil
}

// report prints what a pass took.
func report(name string, s cacheruntime.Stats, times []time.Duration) {
	slices.Sort(times)
	fmt.Printf("    %-14s %6d %12d %12d %8d %13s %13s\n", name, s.CacheStatements+s.ObjectStatements,
		s.FirstHits, s.SecondHits, s.Misses, short(times[len(times)/2]), short(times[len(times)*99/100]))
}

// short is a duration in microseconds.
func short(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1000) }

// samePage returns an error that says how two pages differ, in anything they show.
func samePage(cached, direct page) error {
	got, err := json.Marshal(cached)
	if err != nil {
		return err
	}
	want, err := json.Marshal(direct)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the cache has\n%s\nthe database\n%s", got, want)
	}
	return nil
}
