package tiered

import (
	"slices"
	"sync"
)

// inParallel calls f for 0 to n-1, at most limit at a time, and waits for all. One call alone
// is made on the caller's goroutine.
func inParallel(n, limit int, f func(int)) {
	if n == 1 {
		f(0)
		return
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(n, limit) {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// eachCell calls f for the index of every cell, at each place for as many at a time as there are
// connections to it, and waits for all.
func (s *Store) eachCell(cells []cellAt, f func(i int)) {
	if len(s.places) == 1 || len(cells) <= s.opts.MaxIdleConns {
		inParallel(len(cells), s.opts.MaxIdleConns, f)
		return
	}
	s.eachPlace(cells, func(_ place, of []int) {
		inParallel(len(of), s.opts.MaxIdleConns, func(n int) { f(of[n]) })
	})
}

// eachPlace calls f at once for every place that has some of the cells, with their indexes, and waits for all.
func (s *Store) eachPlace(cells []cellAt, f func(p place, of []int)) {
	of := make([][]int, len(s.places)) // by place: indexes into cells
	for i, c := range cells {
		of[c.place] = append(of[c.place], i)
	}
	used := slices.Collect(func(yield func(int) bool) {
		for place, cells := range of {
			if len(cells) > 0 && !yield(place) {
				return
			}
		}
	})
	inParallel(len(used), len(used), func(n int) { f(s.places[used[n]], of[used[n]]) })
}
